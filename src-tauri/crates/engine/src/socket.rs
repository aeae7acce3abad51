//! The owner's local socket: how guests ask it (DESIGN §4).
//!
//! A Unix socket in the home folder with mode 0600, whose peers must be the same user. Each side
//! first sends a [`Hello`]; then frames of JSON, each after its length as a big-endian `u32`.

mod guest;
mod server;

pub use guest::Guest;
pub(crate) use server::serve;

use devrig_core::{Code, Error, Result};
use futures::{SinkExt, StreamExt};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::net::UnixStream;
use tokio_util::bytes::Bytes;
use tokio_util::codec::{Framed, LengthDelimitedCodec};

use crate::events::EngineEvent;

/// Raised with every change that an older peer would misread.
pub const PROTOCOL: u32 = 1;

/// An import of many items travels as one call.
const MAX_FRAME: usize = 64 * 1024 * 1024;

type Frames = Framed<UnixStream, LengthDelimitedCodec>;

#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    devrig: u32,
    version: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Question {
    Call { id: u64, name: String, args: Value },
    Subscribe { id: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Reply {
    Answer { id: u64, value: Value },
    Failed { id: u64, error: Error },
    Event { id: u64, event: EngineEvent },
}

fn frames(stream: UnixStream) -> Frames {
    let codec = LengthDelimitedCodec::builder().max_frame_length(MAX_FRAME).new_codec();
    Framed::new(stream, codec)
}

fn encode<T: Serialize>(message: &T) -> Result<Bytes> {
    Ok(serde_json::to_vec(message)?.into())
}

/// `None` when the other side has closed.
async fn receive<T: DeserializeOwned>(frames: &mut Frames) -> Result<Option<T>> {
    match frames.next().await {
        None => Ok(None),
        Some(frame) => Ok(Some(serde_json::from_slice(&frame?)?)),
    }
}

/// Both sides say who they are; a peer of another protocol is refused with a remedy.
async fn greet(frames: &mut Frames) -> Result<()> {
    let hello = Hello { devrig: PROTOCOL, version: crate::VERSION.to_owned() };
    frames.send(encode(&hello)?).await?;
    let theirs: Hello = receive(frames).await?.ok_or_else(gone)?;
    if theirs.devrig == PROTOCOL {
        return Ok(());
    }
    Err(Error::new(
        Code::ProtocolMismatch,
        format!("the running DevRig is version {}, this one {}", theirs.version, crate::VERSION),
    )
    .hint("Stop the running one (`devrig stop`, or close its window) and start again."))
}

fn gone() -> Error {
    Error::new(Code::OwnerGone, "the running DevRig went away")
        .hint("Try again; the next DevRig to start takes over.")
}
