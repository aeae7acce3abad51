//! `devrig doctor`: what works on this machine, what does not, and what to do about it.

use devrig_secrets::KeychainState;
use serde::{Deserialize, Serialize};

use crate::Engine;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum Grade {
    Ok,
    Warn,
    Fail,
}

/// The verdict on one part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    pub name: String,
    pub verdict: Grade,
    pub message: String,
    /// What to do about it.
    pub remedy: Option<String>,
}

fn verdict(
    name: &str,
    verdict: Grade,
    message: impl Into<String>,
    remedy: Option<String>,
) -> Verdict {
    Verdict { name: name.to_owned(), verdict, message: message.into(), remedy }
}

pub(crate) async fn run(engine: &Engine) -> Vec<Verdict> {
    vec![
        database(engine).await,
        keychain(engine).await,
        sandbox(engine).await,
        network(),
        tray().await,
        webkit(),
    ]
}

async fn database(engine: &Engine) -> Verdict {
    match engine.store().check().await {
        Ok(check) if check.ok => {
            let size = check.size_bytes / 1_048_576.0;
            verdict("database", Grade::Ok, format!("whole, {size:.1} MB"), None)
        }
        Ok(check) => verdict(
            "database",
            Grade::Fail,
            check.problems.join("; "),
            Some("Run `devrig db restore FILE` with a backup.".into()),
        ),
        Err(error) => verdict("database", Grade::Fail, error.message, error.hint),
    }
}

async fn keychain(engine: &Engine) -> Verdict {
    let status = engine.vault().status().await;
    let grade = match status.state {
        KeychainState::Ready => Grade::Ok,
        KeychainState::Locked => Grade::Warn,
        _ => Grade::Fail,
    };
    verdict("keychain", grade, status.message, status.hint)
}

async fn sandbox(engine: &Engine) -> Verdict {
    match engine.plugins().probe_sandbox().await {
        Ok(report) if report.seccomp && report.landlock && report.rlimits => verdict(
            "sandbox",
            Grade::Ok,
            "plugins run behind seccomp, Landlock and resource limits",
            None,
        ),
        Ok(report) => {
            let missing: Vec<&str> = [
                (report.seccomp, "seccomp"),
                (report.landlock, "Landlock"),
                (report.rlimits, "resource limits"),
            ]
            .into_iter()
            .filter_map(|(there, name)| (!there).then_some(name))
            .collect();
            verdict(
                "sandbox",
                Grade::Warn,
                format!("missing here: {}; third-party plugins do not start", missing.join(", ")),
                Some("Use a Linux kernel of 5.13 or later with Landlock enabled.".into()),
            )
        }
        Err(error) => verdict("sandbox", Grade::Fail, error.message, error.hint),
    }
}

fn network() -> Verdict {
    if crate::online::has_route() {
        verdict(
            "network",
            Grade::Ok,
            "a route exists; plugins reach only hosts that you granted, and no proxy is taken from the environment",
            None,
        )
    } else {
        verdict(
            "network",
            Grade::Warn,
            "no route to anywhere: DevRig works offline, syncs wait",
            Some("Connect to a network; syncs go on by themselves.".into()),
        )
    }
}

#[cfg(target_os = "linux")]
async fn tray() -> Verdict {
    let answer = tokio::task::spawn_blocking(tray_host).await;
    match answer {
        Ok(Ok(true)) => verdict("tray", Grade::Ok, "a tray host is there", None),
        Ok(Ok(false)) => verdict(
            "tray",
            Grade::Warn,
            "no tray host, so closing the window ends DevRig",
            Some("On GNOME, install the AppIndicator extension.".into()),
        ),
        _ => verdict(
            "tray",
            Grade::Warn,
            "no session bus",
            Some("Start DevRig from a desktop session.".into()),
        ),
    }
}

/// Asks the session bus for a StatusNotifier host.
#[cfg(target_os = "linux")]
fn tray_host() -> Result<bool, zbus::Error> {
    let bus = zbus::blocking::Connection::session()?;
    let bus = zbus::blocking::fdo::DBusProxy::new(&bus)?;
    let name = "org.kde.StatusNotifierWatcher".try_into()?;
    Ok(bus.name_has_owner(name)?)
}

#[cfg(not(target_os = "linux"))]
async fn tray() -> Verdict {
    verdict("tray", Grade::Ok, "part of the system", None)
}

/// The command line is not linked with WebKit, so it looks for the library where systems keep it.
#[cfg(target_os = "linux")]
fn webkit() -> Verdict {
    let name = "libwebkit2gtk-4.1.so.0";
    let folders =
        ["/usr/lib64", "/usr/lib", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];
    if folders.iter().any(|folder| std::path::Path::new(folder).join(name).exists()) {
        return verdict("webkit", Grade::Ok, "WebKitGTK 4.1 is installed", None);
    }
    verdict(
        "webkit",
        Grade::Warn,
        "WebKitGTK 4.1 was not found; the window does not open, the command line works",
        Some("On Debian and Ubuntu: sudo apt install libwebkit2gtk-4.1-0".into()),
    )
}

#[cfg(not(target_os = "linux"))]
fn webkit() -> Verdict {
    verdict("webkit", Grade::Ok, "part of the system", None)
}
