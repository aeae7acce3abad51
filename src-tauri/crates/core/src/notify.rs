//! Telling the person that something needs attention.

use serde::{Deserialize, Serialize};

/// How much a notification presses. The person's settings hold for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Urgency {
    Low,
    #[default]
    Normal,
    /// Stays until it is answered.
    Critical,
}

/// What a notification says and what it points at.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notice {
    pub title: String,
    pub body: String,
    /// The item that a click opens, and that its buttons act on.
    pub item: Option<crate::id::ItemId>,
    pub urgency: Urgency,
    /// Those of one group that come together are shown as one.
    pub group: Option<String>,
    /// The page that a click opens, where there is no item.
    pub page: Option<String>,
    /// A sound's name in the desktop's theme.
    pub sound: Option<String>,
}

/// What the rooms hand their notices to. Must not block; when and whether a notice is shown is
/// decided behind it.
pub trait Notifier: Send + Sync {
    fn notify(&self, notice: Notice);
}

/// What the person did with a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Open,
    Done,
    Snooze,
}

/// Hears at most once, from any thread.
pub type OnAnswer = Box<dyn FnOnce(Answer) + Send>;

/// Puts notices on the screen. Must not block: an implementation that talks to a daemon does so on
/// its own thread.
pub trait Presenter: Send + Sync {
    fn show(&self, notice: Notice, on_answer: OnAnswer);
}
