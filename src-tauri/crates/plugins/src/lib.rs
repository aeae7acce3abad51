//! Plugins.

mod access;
mod check;
pub mod info;
mod manifest;
mod package;
mod permission;
mod opener;
mod placeholder;
mod position;
mod schema;
mod scrub;
mod table;
mod text;
mod worker;
pub use opener::{Opener, SystemOpener};
