//! A run as its row has it.

use devrig_core::{Code, Error, Result, Timestamp};
use serde::{Deserialize, Serialize};

/// Where a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Waits for room.
    Queued,
    Running,
    /// Holds no worker until a time comes or an answer.
    Waiting,
    /// It is not known whether an effect happened; the person says how to go on.
    NeedsDecision,
    Completed,
    Failed,
    Cancelled,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// A trigger fired.
    Live,
    /// A person ran it by hand.
    Manual,
    /// Another flow called it.
    Sub,
    /// The error flow of a run that failed.
    Error,
    /// A person ran one node of it by hand.
    Node,
}

macro_rules! texts {
    ($name:ident: $($variant:ident = $text:literal),*) => {
        impl $name {
            /// As it is stored and shown.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// # Errors
            /// `INVALID_INPUT` with the words that there are.
            pub fn parse(text: &str) -> Result<Self> {
                match text {
                    $($text => Ok(Self::$variant),)*
                    _ => Err(Error::new(
                        Code::InvalidInput,
                        format!("{text:?} is none of {}", [$($text),*].join(", ")),
                    )),
                }
            }
        }
    };
}

texts!(RunStatus: Queued = "queued", Running = "running", Waiting = "waiting",
       NeedsDecision = "needs_decision", Completed = "completed", Failed = "failed",
       Cancelled = "cancelled");
texts!(RunKind: Live = "live", Manual = "manual", Sub = "sub", Error = "error",
       Node = "node");

impl RunStatus {
    /// True for one that will not change any more by itself.
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }

    /// True for one that has ended, or goes on only when the person has decided.
    pub fn rests(self) -> bool {
        self.has_ended() || self == Self::NeedsDecision
    }
}

/// The row of a run.
#[derive(Debug, Clone)]
pub struct RunRow {
    pub seq: i64,
    pub id: String,
    /// The flow's number.
    pub flow: i64,
    pub version: i64,
    /// The event that started it.
    pub event: i64,
    pub kind: RunKind,
    /// `<run>/<path of its node>`, of what called this one.
    pub parent: Option<String>,
    /// Nobody waits for its end.
    pub detached: bool,
    /// It was begun again of an event that another run was started by.
    pub again: bool,
    /// The failed run whose work this one goes on with.
    pub retry_of: Option<String>,
    pub status: RunStatus,
    pub priority: i8,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
    pub queued_at: Timestamp,
    pub started_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub wake_at: Option<Timestamp>,
    pub error: Option<Error>,
    /// The type of the trigger that started it, such as `webhook`.
    pub trigger_type: String,
}
