//! Notifications through the desktop's own daemon, with or without a window.

use devrig_core::notify::{Notice, Notifier};

/// Speaks to the notification daemon of the session; a session without one is logged once each.
#[derive(Debug, Default)]
pub struct DesktopNotifier;

impl Notifier for DesktopNotifier {
    fn notify(&self, notice: Notice) {
        // The daemon may be slow or absent, and the caller must not wait for it.
        std::thread::spawn(move || {
            let shown = notify_rust::Notification::new()
                .appname("DevRig")
                .summary(&notice.title)
                .body(&escape(&notice.body))
                .show();
            if let Err(error) = shown {
                tracing::info!(%error, title = notice.title, "a notification could not be shown");
            }
        });
    }
}

/// Some daemons render markup without saying so.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
