//! The tables of this crate, one module for each that belongs together.

pub mod file;
pub mod flow;
pub mod found;
pub mod old;
pub mod payload;
pub mod permission;
pub mod run;
pub mod trigger;
pub mod wait;
