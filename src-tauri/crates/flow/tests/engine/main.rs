//! Flows over a real database file.

mod again;
mod asked;
mod calls;
mod code;
mod common;
mod crash;
mod described;
mod ends;
mod files;
mod folder;
mod history;
mod http;
mod inbox;
mod items;
mod machine;
mod notify;
mod plugins;
mod polling;
mod retention;
mod runs;
mod schedules;
mod touch;
mod trials;
mod triggers;
mod waits;
mod webhooks;
