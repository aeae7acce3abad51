//! The shared rig of the journeys across crates: a real engine in a temporary home, the tests' own
//! internet, an in-memory keychain, and plugins written on the spot.

pub mod command_line;
pub mod github;
#[cfg(target_os = "linux")]
pub mod impostor;
#[cfg(target_os = "linux")]
pub mod oracle;
#[cfg(target_os = "linux")]
pub mod owner;
pub mod plugin;
pub mod reference;
pub mod rig;
#[cfg(target_os = "linux")]
pub mod row;
#[cfg(target_os = "linux")]
pub mod secret_service;
#[cfg(target_os = "linux")]
pub mod watch;
#[cfg(target_os = "linux")]
pub mod witness;

pub use command_line::CommandLine;
pub use github::GithubFake;
#[cfg(target_os = "linux")]
pub use impostor::Impostor;
#[cfg(target_os = "linux")]
pub use oracle::Arena;
#[cfg(target_os = "linux")]
pub use owner::Owner;
pub use plugin::Package;
pub use rig::Rig;
#[cfg(target_os = "linux")]
pub use row::Row;
