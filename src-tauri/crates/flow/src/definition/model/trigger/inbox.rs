//! A trigger that fires for items of the inbox.

use crate::definition::wire::{Object, Writer, words};

/// Items that match a query.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inbox {
    /// In the inbox's own language.
    pub query: String,
    pub on: InboxChange,
}

words! {
    /// What has to happen to an item.
    InboxChange {
        New = "new",
        Changed = "changed",
        Both = "both",
    }
}

impl Inbox {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        Self {
            query: object.required("query", |at| at.any_text(4_000)),
            on: object.or("on", InboxChange::New, |at| at.word()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        into.put("query", &self.query);
        into.unless("on", &self.on, &InboxChange::New);
    }
}
