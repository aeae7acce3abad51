//! The unified inbox: items, the query language, full-text search, triage with undo, and the
//! outbox towards the sources (DESIGN §6).

pub mod arrivals;
mod change;
mod clean;
mod counts;
pub mod import;
mod inbox;
pub mod item;
mod matching;
pub mod notices;
mod operate;
mod operation;
pub mod outbox;
mod patch;
mod place;
mod plugin_view;
mod prepare;
pub mod query;
mod rows;
pub mod rules;
mod search;
pub mod splits;
mod state;
mod text;
mod tokens;
mod upsert;
mod validate;
pub mod wake;
pub mod when;

pub use inbox::{Counted, Inbox, InboxStats, ListQuery, Page};
pub use item::{Item, ItemInput, ItemSummary, Priority, SourceCounts, Triage};
pub use operation::{Operation, OperationDone, OperationKind, OperationRow, Target};
pub use outbox::{OutboxRequest, OutboxRow, OutboxState, Reverse};
pub use patch::{ItemPatch, apply_update};
pub use plugin_view::{PluginOrder, PluginQuery, PluginStatus, plugin_item};
pub use rules::{DryRun, Rule, RuleDraft};
pub use upsert::{Upserted, upsert};
pub use wake::Wake;
