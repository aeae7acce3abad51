//! Builds, starts and stops DevRig, and gives it one face: [`Api`].
//!
//! The process that holds the lock of the home folder is the owner and runs an [`Engine`]; any
//! other is a guest and asks the owner over a local socket (DESIGN §4). [`Connection`] decides.

pub mod api;
mod autostart;
pub mod connection;
pub mod doctor;
mod engine;
pub mod events;
mod files;
mod gauge;
pub mod home;
mod lock;
pub mod logging;
mod notices;
mod online;
mod outside;
mod plugin_actions;
mod presenter;
pub mod settings;
pub mod socket;
mod triggers;
mod tunnel;
mod upkeep;

pub use api::{Api, CALLS, NoArgs, dispatch};
pub use connection::{Connection, OwnerKind};
pub use engine::{Engine, EngineParts, open_page};
pub use home::Home;
pub use presenter::DesktopPresenter;

/// DevRig's version, as it is shown and as plugins' engine ranges are checked against.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
