//! Telling the person that something needs attention.

/// What a notification says and what it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub body: String,
    /// The item that a click opens, and that its buttons act on.
    pub item: Option<crate::id::ItemId>,
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
