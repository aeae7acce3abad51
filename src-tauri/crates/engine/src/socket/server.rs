//! The owner's side of the socket.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use devrig_core::{Code, Context, Error, Result};
use futures::{SinkExt, StreamExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio_util::bytes::Bytes;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::{MAX_FRAME, Question, Reply, encode, frames, greet};
use crate::api::{Api, dispatch};
use crate::events::EventStream;

/// Answers of one guest that may wait to be sent.
const WAITING: usize = 256;
/// The longest path that a Unix socket can have on every system.
const PATH_MAX: usize = 100;

/// Listens until stopped. The caller holds the owner's lock, so whatever lies at `path` is left
/// over from a process that is gone.
pub(crate) fn serve(
    path: &Path,
    api: Arc<dyn Api>,
    tasks: &TaskTracker,
    stop: CancellationToken,
) -> Result<()> {
    if path.as_os_str().len() > PATH_MAX {
        return Err(Error::invalid(format!("{} is too long for a socket", path.display()))
            .hint("Set DEVRIG_HOME to a shorter path."));
    }
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let listener = UnixListener::bind(path).context(format!("listening on {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let guests = tasks.clone();
    let path = path.to_owned();
    tasks.spawn(async move {
        loop {
            let stream = tokio::select! {
                () = stop.cancelled() => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => stream,
                    Err(error) => {
                        tracing::warn!(%error, "a guest could not be let in");
                        // Usually too many open files: a pause lets some close.
                        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                        continue;
                    }
                },
            };
            let (api, stop) = (api.clone(), stop.clone());
            guests.spawn(async move {
                if let Err(error) = attend(stream, api, stop).await {
                    tracing::debug!(%error, "a guest left");
                }
            });
        }
        // The next owner makes its own; a path that is gone already is as good.
        let _ = std::fs::remove_file(&path);
    });
    Ok(())
}

async fn attend(stream: UnixStream, api: Arc<dyn Api>, stop: CancellationToken) -> Result<()> {
    refuse_strangers(&stream)?;
    let mut frames = frames(stream);
    greet(&mut frames).await?;
    let (mut outgoing, mut incoming) = frames.split();
    let (replies, mut waiting) = mpsc::channel::<Reply>(WAITING);
    // What a guest asked for ends with the guest.
    let left = stop.child_token();
    let _end = left.clone().drop_guard();
    loop {
        tokio::select! {
            () = stop.cancelled() => {
                // What was answered before the stop still reaches the guest.
                while let Ok(reply) = waiting.try_recv() {
                    outgoing.send(framed(reply)?).await?;
                }
                return Ok(());
            }
            Some(reply) = waiting.recv() => outgoing.send(framed(reply)?).await?,
            frame = incoming.next() => {
                let Some(frame) = frame else { return Ok(()) };
                let question = serde_json::from_slice(&frame?)?;
                answer(question, api.clone(), replies.clone(), left.clone());
            }
        }
    }
}

/// An answer that is too long fails its call, not the connection.
fn framed(reply: Reply) -> Result<Bytes> {
    let frame = encode(&reply)?;
    match reply {
        Reply::Answer { id, .. } if frame.len() > MAX_FRAME => {
            let error = Error::new(
                Code::TooLarge,
                format!("the answer has {} bytes; {MAX_FRAME} can be passed on", frame.len()),
            )
            .hint("Ask for less.");
            encode(&Reply::Failed { id, error })
        }
        _ => Ok(frame),
    }
}

/// Each question has its own task, so that a slow one holds up no other.
fn answer(
    question: Question,
    api: Arc<dyn Api>,
    replies: mpsc::Sender<Reply>,
    left: CancellationToken,
) {
    tokio::spawn(async move {
        match question {
            Question::Call { id, name, args } => {
                // A write that began is finished even when its guest is gone.
                let reply = match dispatch(&*api, &name, args).await {
                    Ok(value) => Reply::Answer { id, value },
                    Err(error) => Reply::Failed { id, error },
                };
                let _ = replies.send(reply).await;
            }
            Question::Subscribe { id } => match api.events().await {
                Err(error) => drop(replies.send(Reply::Failed { id, error }).await),
                Ok(events) => {
                    tokio::select! {
                        () = left.cancelled() => {}
                        () = pass_on(id, events, replies) => {}
                    }
                }
            },
        }
    });
}

async fn pass_on(id: u64, mut events: EventStream, replies: mpsc::Sender<Reply>) {
    while let Some(event) = events.next().await {
        if replies.send(Reply::Event { id, event }).await.is_err() {
            return;
        }
    }
}

fn refuse_strangers(stream: &UnixStream) -> Result<()> {
    let peer = stream.peer_cred()?.uid();
    let own = rustix::process::geteuid().as_raw();
    if peer == own {
        return Ok(());
    }
    Err(Error::new(Code::Refused, format!("user {peer} asked on the socket of user {own}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(length: usize) -> Reply {
        let frame = framed(Reply::Answer { id: 7, value: "x".repeat(length).into() });
        serde_json::from_slice(&frame.expect("a frame")).expect("a reply")
    }

    #[test]
    fn an_answer_that_is_too_long_fails_its_own_call() {
        assert!(matches!(answer(10), Reply::Answer { id: 7, .. }));
        let Reply::Failed { id: 7, error } = answer(MAX_FRAME) else { panic!("it fits no frame") };
        assert_eq!(error.code, Code::TooLarge);
    }
}
