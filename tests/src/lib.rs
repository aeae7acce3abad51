//! The shared rig of the journeys across crates.
