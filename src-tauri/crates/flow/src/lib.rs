//! Flows: what they are, when they start, how they run and what they do.

pub mod action;
pub mod actions;
pub mod definition;
pub mod flows;
pub mod history;
mod input;
mod plan;
mod program;
mod programs;
pub mod run;
pub mod runs;
pub mod shape;
mod table;
pub mod triggers;

pub use definition::Definition;
pub use flows::Flows;
pub use program::Program;
pub use programs::Programs;
pub use runs::Runs;
