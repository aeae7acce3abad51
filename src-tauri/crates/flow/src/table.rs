//! The tables of this crate, one module for each that belongs together.

pub mod flow;
pub mod run;
