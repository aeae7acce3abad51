//! Opening things on the person's desktop.

use std::path::Path;

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};

/// Opens folders and pages. The window and the headless engine may each bring their own.
#[async_trait::async_trait]
pub trait Opener: Send + Sync {
    /// Opens a folder in the file manager.
    async fn open_folder(&self, folder: &Path) -> Result<()>;
    /// Opens a page in the browser; http and https only, which the caller has checked.
    async fn open_url(&self, url: &str) -> Result<()>;
}

/// The desktop's own opener: `xdg-open`, `open` or `explorer`.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemOpener;

#[async_trait::async_trait]
impl Opener for SystemOpener {
    async fn open_folder(&self, folder: &Path) -> Result<()> {
        open(folder.as_os_str()).await
    }

    async fn open_url(&self, url: &str) -> Result<()> {
        open(url.as_ref()).await
    }
}

#[cfg(target_os = "linux")]
const PROGRAM: &str = "xdg-open";
#[cfg(target_os = "macos")]
const PROGRAM: &str = "open";
#[cfg(target_os = "windows")]
const PROGRAM: &str = "explorer";

/// Not through `devrig_process`: that ends whatever a child started, and the file manager is to
/// stay.
async fn open(target: &std::ffi::OsStr) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let program = devrig_process::find_program(PROGRAM, &path).ok_or_else(|| {
        Error::new(
            Code::Unsupported,
            format!("{PROGRAM} is not installed, so nothing can be opened"),
        )
        .hint("Install xdg-utils.")
    })?;
    let null = std::process::Stdio::null;
    let mut child = tokio::process::Command::new(program)
        .arg(target)
        .stdin(null())
        .stdout(null())
        .stderr(null())
        .spawn()
        .context(format!("starting {PROGRAM}"))?;
    // Some openers stay for as long as what they opened; a failure shows at once.
    let waited = tokio::time::timeout(std::time::Duration::from_secs(2), child.wait()).await;
    match waited {
        Ok(Ok(status)) if !status.success() => {
            Err(Error::new(Code::Unsupported, "the desktop could not open it")
                .hint("Set a default application for it."))
        }
        _ => Ok(()),
    }
}
