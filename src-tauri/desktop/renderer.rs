//! What draws the page is a process of the web view's own, and may die alone.

use tauri::WebviewWindow;

/// Says in the window that the view stopped. A reload shows what was shown: the page's path tells
/// it, and everything else is in the database.
#[cfg(target_os = "linux")]
pub fn watch(window: &WebviewWindow) {
    use webkit2gtk::WebViewExt;

    let watched = window.with_webview(|view| {
        view.inner().connect_web_process_terminated(|view, reason| {
            tracing::error!(?reason, "what draws the window ended");
            let uri = view.uri().unwrap_or_else(|| "tauri://localhost".into());
            view.load_alternate_html(STOPPED, &uri, None);
        });
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "the window's renderer is not watched");
    }
}

/// Other systems' web views start their renderer again by themselves.
#[cfg(not(target_os = "linux"))]
pub fn watch(_: &WebviewWindow) {}

#[cfg(target_os = "linux")]
const STOPPED: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>DevRig</title>
<style>
  :root { color-scheme: light dark; font: 14px/22px system-ui, sans-serif; }
  body { display: grid; place-content: center; gap: 12px; min-height: 90vh; text-align: center; }
  button { font: inherit; padding: 4px 16px; justify-self: center; }
</style>
<p>The view stopped. Nothing is lost: your inbox and what waits to be sent are on disk.</p>
<button autofocus onclick="location.reload()">Reload (Enter)</button>
</html>
"#;
