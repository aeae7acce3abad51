//! Runs snippets of JavaScript (`code.js`) in a pool of sandboxed workers.
//!
//! A snippet computes and does nothing else: its worker is the process without authority that
//! plugins have, and there is no call that it could make. So whatever happens to a worker, its
//! runs can be given to another one.
//!
//! [`board`] decides, without I/O, which run goes to which worker, and what becomes of the runs of
//! one that is slow or gone; [`pool`] starts the processes and moves the bytes.

mod board;
mod length;
mod outcome;
mod pool;
mod run;
mod worker;

pub use devrig_core::snippet::{Budget, ConsoleLine};
pub use outcome::{CodeFailure, CodeResult};
pub use pool::{CodePool, CodeSettings, CodeStatus};
pub use run::{CodeRun, Snippet};
