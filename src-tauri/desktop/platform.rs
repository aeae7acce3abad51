//! What differs between desktops.

use tauri::AppHandle;

/// The log level from `DEVRIG_LOG`, else `info`.
pub fn log_level() -> String {
    std::env::var("DEVRIG_LOG").unwrap_or_else(|_| "info".to_owned())
}

/// WebKitGTK shows a blank window with NVIDIA's driver and DMABUF (tauri#9394); with other drivers
/// the same switch breaks it, so it is set only where that driver is loaded and nobody chose.
#[cfg(target_os = "linux")]
#[allow(unsafe_code)]
pub fn work_around_webkit() {
    const SWITCH: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";
    let nvidia = std::fs::read_to_string("/proc/modules")
        .is_ok_and(|modules| modules.lines().any(|line| line.starts_with("nvidia")));
    if nvidia && std::env::var_os(SWITCH).is_none() {
        // SAFETY: the first statement of `main`, when no other thread exists.
        unsafe { std::env::set_var(SWITCH, "1") };
    }
}

#[cfg(not(target_os = "linux"))]
pub fn work_around_webkit() {}

/// SIGTERM and SIGINT take the same way as closing the app.
#[cfg(unix)]
pub fn stop_on_signals(app: AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    tauri::async_runtime::spawn(async move {
        let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        else {
            tracing::warn!("signals cannot be heard; close the window to stop");
            return;
        };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        app.exit(0);
    });
}

#[cfg(not(unix))]
pub fn stop_on_signals(_: AppHandle) {}
