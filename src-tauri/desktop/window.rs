//! The one window: opened hidden in its final colour, shown when its page stands, hidden into the
//! tray, and given up when it stays hidden, as its page costs more memory than all the rest.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use devrig_engine::{Connection, Home};
use tauri::webview::PageLoadEvent;
use tauri::{
    AppHandle, Emitter, Manager, WebviewUrl, WebviewWindow, WebviewWindowBuilder, WindowEvent,
};

use super::theme::Choice;
use super::{renderer, tray};

const LABEL: &str = "main";
/// The name under which the page hears where to go.
const GO: &str = "go";
/// A page that never loads is shown all the same, so that its error can be seen.
const PATIENCE: Duration = Duration::from_millis(1500);
/// A hidden window comes back at once for so long.
const KEPT: Duration = Duration::from_secs(10 * 60);

/// The path of the page that was given up last, for the next window to begin at.
#[derive(Default)]
pub struct LastPage(Mutex<String>);

/// Opens the window at a page's path, not yet visible.
pub fn open(app: &AppHandle, path: &str) -> tauri::Result<()> {
    let theme = Home::from_environment().map(|home| Choice::last(&home)).unwrap_or_default();
    let path = if path.is_empty() { "index.html" } else { path };
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::App(path.into()))
        .title("DevRig")
        .inner_size(1280.0, 800.0)
        .min_inner_size(720.0, 480.0)
        .visible(false)
        .background_color(theme.color())
        .theme(theme.theme())
        .on_page_load(|window, page| {
            if page.event() == PageLoadEvent::Finished {
                show(&window);
            }
        })
        .on_navigation(|url| {
            // The app itself and nothing else; links are opened in the person's browser.
            matches!(url.scheme(), "tauri") || url.host_str() == Some("tauri.localhost")
        })
        .build()?;
    renderer::watch(&window);
    let closing = window.clone();
    window.on_window_event(move |event| {
        if let WindowEvent::CloseRequested { api, .. } = event {
            api.prevent_close();
            tauri::async_runtime::spawn(close(closing.clone()));
        }
    });
    tauri::async_runtime::spawn(async move {
        tokio::time::sleep(PATIENCE).await;
        show(&window);
    });
    Ok(())
}

/// Into the tray where the person wants it and something would show it; else the app ends.
async fn close(window: WebviewWindow) {
    if !(stays(window.app_handle()).await && tray::has_host().await) {
        window.app_handle().exit(0);
        return;
    }
    if let Err(error) = window.hide() {
        tracing::warn!(%error, "the window could not be hidden");
        return;
    }
    tokio::time::sleep(KEPT).await;
    if !window.is_visible().unwrap_or(true) {
        if let Ok(url) = window.url() {
            let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
            let path = format!("{}{query}", url.path().trim_start_matches('/'));
            *window.state::<LastPage>().0.lock().unwrap_or_else(PoisonError::into_inner) = path;
        }
        let _ = window.destroy();
    }
}

async fn stays(app: &AppHandle) -> bool {
    let connection = app.state::<Connection>().inner().clone();
    let setting = async {
        let key = "desktop.closeToTray".to_owned();
        let args = devrig_engine::api::settings::SettingArgs { key };
        connection.api().await?.settings_get(args).await
    };
    // An engine that hangs must not keep the window open.
    match tokio::time::timeout(Duration::from_secs(2), setting).await {
        Ok(Ok(value)) => value.as_bool().unwrap_or(true),
        _ => false,
    }
}

/// Makes the window visible, once.
fn show(window: &WebviewWindow) {
    if window.is_visible().unwrap_or(false) {
        return;
    }
    if let Err(error) = window.show().and_then(|()| window.set_focus()) {
        tracing::warn!(%error, "the window could not be shown");
    }
}

/// Brings the window to the front as it is.
pub fn raise(app: &AppHandle) {
    match app.get_webview_window(LABEL) {
        Some(window) => {
            let _ = window.unminimize();
            let _ = window.show();
            let _ = window.set_focus();
        }
        None => {
            let last = app.state::<LastPage>();
            let path = last.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
            reopen(app, &path);
        }
    }
}

/// Brings the window to the front at a page's path.
pub fn show_at(app: &AppHandle, path: &str) {
    if app.get_webview_window(LABEL).is_none() {
        reopen(app, path);
        return;
    }
    raise(app);
    if let Err(error) = app.emit(GO, format!("/{path}")) {
        tracing::warn!(%error, "the window could not be told where to go");
    }
}

/// Brings the window to the front with an item.
pub fn show_item(app: &AppHandle, id: &str) {
    show_at(app, &format!("inbox?view=all&item={id}"));
}

fn reopen(app: &AppHandle, path: &str) {
    // Windows are made on the main thread.
    let (handle, path) = (app.clone(), path.to_owned());
    let opened = app.run_on_main_thread(move || {
        if let Err(error) = open(&handle, &path) {
            tracing::error!(%error, "the window could not be opened");
        }
    });
    if let Err(error) = opened {
        tracing::error!(%error, "the window could not be opened");
    }
}
