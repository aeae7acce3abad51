//! Time zones by name.

use devrig_core::{Error, Result};
use jiff::tz::TimeZone;

/// The rules are the system's where it has them, because it is updated more often than DevRig,
/// and otherwise those that DevRig brings.
///
/// # Errors
/// `INVALID_INPUT`, which does not repeat the name: it may come from anywhere.
pub(crate) fn named(name: &str) -> Result<TimeZone> {
    TimeZone::get(name).map_err(|_| {
        Error::invalid("there is no time zone of that name")
            .hint("Use a name such as Europe/Berlin or UTC.")
    })
}
