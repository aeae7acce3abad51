//! Starting with the person's session, in the tray.

use std::path::Path;

use devrig_core::Result;

/// The setting.
pub(crate) const SETTING: &str = "desktop.autostart";
/// Starts without a window where a tray shows that DevRig runs.
const HIDDEN: &str = "--hidden";

/// Writes or removes the desktop's own entry for the window's program, as the XDG Autostart
/// specification has it. (The library that other systems use does not look at `XDG_CONFIG_HOME`.)
///
/// # Errors
/// What the file system meets.
#[cfg(target_os = "linux")]
pub(crate) fn set(program: &Path, on: bool) -> Result<()> {
    use devrig_core::Context;

    let Some(folder) = folder() else {
        return Err(devrig_core::Error::invalid("neither XDG_CONFIG_HOME nor HOME is set"));
    };
    let file = folder.join("DevRig.desktop");
    if !on {
        return match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).context(format!("removing {}", file.display()))
            }
            _ => Ok(()),
        };
    }
    std::fs::create_dir_all(&folder).context(format!("making {}", folder.display()))?;
    std::fs::write(&file, entry(program)).context(format!("writing {}", file.display()))
}

#[cfg(target_os = "linux")]
fn folder() -> Option<std::path::PathBuf> {
    let config = std::env::var_os("XDG_CONFIG_HOME").map(std::path::PathBuf::from);
    let home = || Some(std::path::PathBuf::from(std::env::var_os("HOME")?).join(".config"));
    config
        .filter(|config| config.is_absolute())
        .or_else(home)
        .map(|config| config.join("autostart"))
}

#[cfg(target_os = "linux")]
fn entry(program: &Path) -> String {
    // Quoting as the Desktop Entry specification has it for Exec; it doubles a percent sign.
    let path = program.display().to_string();
    let quoted: String = path
        .chars()
        .flat_map(|c| match c {
            '"' | '`' | '$' | '\\' => vec!['\\', '\\', c],
            '%' => vec!['%', '%'],
            c => vec![c],
        })
        .collect();
    format!(
        "[Desktop Entry]\nType=Application\nName=DevRig\nComment=A local-first command center for \
         developers\nExec=\"{quoted}\" {HIDDEN}\nTerminal=false\nStartupNotify=false\n"
    )
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn set(program: &Path, on: bool) -> Result<()> {
    let failed = |error: auto_launch::Error| {
        devrig_core::Error::new(
            devrig_core::Code::Unsupported,
            format!("starting at login cannot be changed: {error}"),
        )
        .hint("Add DevRig to your system's list of programs that start at login.")
    };
    let entry = auto_launch::AutoLaunchBuilder::new()
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

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn any_path_is_one_word_of_the_command() {
        let entry = entry(Path::new("/opt/My $Apps/100%/devrig-desktop"));
        let line = entry.lines().find(|line| line.starts_with("Exec=")).unwrap();
        assert_eq!(line, "Exec=\"/opt/My \\\\$Apps/100%%/devrig-desktop\" --hidden");
    }
}
