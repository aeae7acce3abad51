//! The shared rig of the journeys across crates: a real engine in a temporary home, the tests' own
//! internet, an in-memory keychain, and plugins written on the spot.

pub mod plugin;
pub mod rig;
#[cfg(target_os = "linux")]
pub mod secret_service;

pub use plugin::Package;
pub use rig::Rig;
