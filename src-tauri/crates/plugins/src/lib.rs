//! Plugins.

mod check;
pub mod info;
mod manifest;
mod package;
mod permission;
mod position;
mod schema;
mod table;
mod text;
