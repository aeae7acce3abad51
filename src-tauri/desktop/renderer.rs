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
            view.load_alternate_html(&stopped(&uri), &uri, None);
        });
    });
    if let Err(error) = watched {
        tracing::warn!(%error, "the window's renderer is not watched");
    }
}

/// Other systems' web views start their renderer again by themselves.
#[cfg(not(target_os = "linux"))]
pub fn watch(_: &WebviewWindow) {}

/// A link rather than a script, as the page's policy may refuse what is written into it.
#[cfg(target_os = "linux")]
fn stopped(uri: &str) -> String {
    let uri = uri.replace('&', "&amp;").replace('"', "&quot;");
    format!(
        r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>DevRig</title>
<style>
  :root {{ color-scheme: light dark; background: Canvas; color: CanvasText; font: 14px/22px system-ui, sans-serif; }}
  body {{ display: grid; place-content: center; gap: 12px; min-height: 90vh; text-align: center; }}
  a {{ justify-self: center; padding: 3px 16px; border: 1px solid; border-radius: 4px; color: inherit; text-decoration: none; }}
  a:focus {{ outline: 2px solid Highlight; outline-offset: 2px; }}
</style>
<p>The view stopped. Nothing is lost: your inbox and what waits to be sent are on disk.</p>
<a href="{uri}" autofocus>Reload (Enter)</a>
</html>
"#
    )
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn the_page_leads_back_to_where_it_was() {
        let page = stopped("tauri://localhost/inbox?q=a&item=\"x\"");
        assert!(page.contains("href=\"tauri://localhost/inbox?q=a&amp;item=&quot;x&quot;\""));
    }
}
