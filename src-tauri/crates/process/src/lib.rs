//! The one way to start, watch and end child processes.
//!
//! A child starts with nothing: an empty environment but for named variables, a session of its
//! own without a terminal, no open file but the ones handed over, output into bounded rings.
//! It ends with everything it started: when its handle is dropped, when it is stopped, and when
//! it exits by itself.
//!
//! Linux is complete and tested. Other Unix systems kill the process group only; elsewhere only
//! the child itself is killed. Both are unverified.

mod child;
mod escape;
mod identity;
mod ring;
mod run;
mod spec;
#[cfg(unix)]
mod tree;
mod usage;

pub use child::{Child, Exit, spawn};
pub use escape::{escape_line, escape_text};
pub use identity::Identity;
pub use ring::{DEFAULT_RING, Ring};
pub use run::{Output, RunLimits, run};
#[cfg(unix)]
pub use spec::{CHANNEL_FD, channel};
pub use spec::{ChildSpec, Heard, OutputPolicy, Stdin, Stream, find_program};
#[cfg(unix)]
pub use tree::kill_marked;
pub use usage::Memory;
