//! The worker: one process that runs one sandboxed plugin for one account, or snippets of flows.
//!
//! It is started with an empty environment, no arguments and one connected stream socket as file
//! descriptor 3, gives up every authority it has, and then speaks [`devrig_core::protocol`]. The
//! core's first message says what it is to be. One thread, no async runtime: QuickJS, a heap of
//! timers and `poll` on that socket.

mod boot;
mod budget;
mod channel;
mod codec;
mod engine;
mod memory;
mod modules;
mod natives;
mod parts;
#[cfg(feature = "testhook")]
mod probe;
mod sandbox;
pub mod snippet;
mod stack;
mod timers;
mod wire;
mod worker;

pub use boot::main;

/// How a worker ends, as its exit code.
pub mod exit {
    /// Stopped as asked, or the core went away.
    pub const STOPPED: u8 = 0;
    /// Not started by DevRig, or the sandbox could not be closed.
    pub const UNUSABLE: u8 = 2;
    /// The core sent something that is not the protocol.
    pub const PROTOCOL: u8 = 3;
    /// The plugin used up its CPU or wall budget while running.
    pub const BUDGET: u8 = devrig_core::protocol::EXIT_OVERRUN;
    /// Activation failed; the reason went out as `Done` with id 0.
    pub const ACTIVATION: u8 = 5;
}
