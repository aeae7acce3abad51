//! Flows: what they are, when they start, how they run and what they do.

pub mod action;
pub mod actions;
pub mod circuits;
pub mod definition;
mod degraded;
pub mod events;
pub mod fields;
pub mod flows;
pub mod folder;
pub mod history;
mod input;
pub mod limits;
pub mod network;
pub mod others;
mod payloads;
pub mod permissions;
mod permits;
mod place;
mod plan;
pub mod plugins;
mod program;
mod programs;
pub mod retention;
pub mod run;
pub mod runs;
pub mod secrets;
pub mod shape;
mod table;
pub mod tally;
pub mod triggers;

pub use definition::Definition;
pub use degraded::Degraded;
pub use flows::Flows;
pub use program::Program;
pub use programs::Programs;
pub use runs::Runs;
