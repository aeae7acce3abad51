//! The unified inbox: items, the query language, full-text search, triage with undo, and the
//! outbox towards the sources (DESIGN §6).

mod change;
mod clean;
mod counts;
mod inbox;
pub mod item;
mod operate;
mod operation;
pub mod outbox;
mod place;
mod prepare;
pub mod query;
mod rows;
mod search;
mod state;
mod text;
mod tokens;
mod upsert;
mod validate;

pub use inbox::{Counted, HOLD, Inbox, InboxStats, ListQuery, Page};
pub use item::{Item, ItemInput, ItemSummary, Priority, SourceCounts, Triage};
pub use operation::{Operation, OperationDone, OperationKind, OperationRow, Target};
pub use upsert::{Upserted, upsert};
