//! One run: what is known of it, how it is written down, and the walk over its graph.

mod access;
mod answer;
mod board;
mod control;
mod entry;
mod frame;
mod journal;
mod memory;
mod node;
mod other_runs;
pub mod reuse;
mod row;
mod stand_in;
mod subflow;
mod wait;
mod walk;
mod walker;

pub use access::Access;
pub use answer::{Answer, Held};
pub use board::Board;
pub use entry::{End, Entry, NodeStatus, only};
pub use frame::{Frame, output};
pub use journal::Journal;
pub use memory::Memory;
pub use other_runs::{Asked, Call, Called, Came, OtherRuns, Rest, Stands, WaitKind};
pub use row::{RunKind, RunRow, RunStatus};
pub use stand_in::{StandIn, leaf};
pub use walk::{Stop, Walked};
pub use walker::{Parts, Walker};
