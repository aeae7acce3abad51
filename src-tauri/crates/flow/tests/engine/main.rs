//! Flows over a real database file.

mod common;
mod runs;
mod webhooks;
