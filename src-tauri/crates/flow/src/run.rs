//! One run: what is known of it, how it is written down, and the walk over its graph.

mod answer;
mod board;
mod control;
mod entry;
mod frame;
mod journal;
mod memory;
mod node;
mod row;
mod walk;
mod walker;

pub use answer::{Answer, Held};
pub use board::Board;
pub use entry::{End, Entry, NodeStatus};
pub use frame::Frame;
pub use journal::Journal;
pub use memory::Memory;
pub use row::{RunKind, RunRow, RunStatus};
pub use walk::{Stop, Walked};
pub use walker::{Walker, holds};
