//! Starting with the person's session, in the tray.

use std::path::Path;

use auto_launch::AutoLaunchBuilder;
use devrig_core::{Code, Error, Result};

/// The setting.
pub(crate) const SETTING: &str = "desktop.autostart";
/// Starts without a window where a tray shows that DevRig runs.
const HIDDEN: &str = "--hidden";

/// Writes or removes the system's own entry for the window's program.
///
/// # Errors
/// `UNSUPPORTED` with what the system says.
pub(crate) fn set(program: &Path, on: bool) -> Result<()> {
    let failed = |error: auto_launch::Error| {
        Error::new(Code::Unsupported, format!("starting at login cannot be changed: {error}"))
            .hint("Add DevRig to your desktop's list of programs that start at login.")
    };
    let entry = AutoLaunchBuilder::new()
        .set_app_name("DevRig")
        .set_app_path(&program.display().to_string())
        .set_args(&[HIDDEN])
        .build()
        .map_err(failed)?;
    match (on, entry.is_enabled().map_err(failed)?) {
        (true, _) => entry.enable().map_err(failed),
        (false, true) => entry.disable().map_err(failed),
        (false, false) => Ok(()),
    }
}
