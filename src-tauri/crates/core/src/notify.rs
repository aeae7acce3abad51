//! Telling the person that something needs attention. The window and the headless engine each
//! bring their own way of doing it.

/// What a notification says and what it points at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub title: String,
    pub body: String,
    /// The item that a click opens.
    pub item: Option<crate::id::ItemId>,
}

/// Shows notices. Must not block: an implementation that talks to a daemon does so on its own task.
pub trait Notifier: Send + Sync {
    fn notify(&self, notice: Notice);
}
