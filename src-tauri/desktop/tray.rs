//! The tray: how much needs the person, what it is, and what can be done without the window.

use std::time::Duration;

use devrig_core::{QuietHours, Result, Timestamp};
use devrig_engine::api::inbox::Attention;
use devrig_engine::api::plugin::SyncArgs;
use devrig_engine::api::settings::SettingSetArgs;
use devrig_engine::events::EngineEvent;
use devrig_engine::{Api, Connection, NoArgs};
use futures::StreamExt;
use serde_json::Value;
use tauri::menu::{Menu, MenuBuilder, MenuItem};
use tauri::tray::{MouseButton, MouseButtonState, TrayIcon, TrayIconBuilder, TrayIconEvent};
use tauri::{AppHandle, Manager};

use super::badge;
use super::window;

const ID: &str = "devrig";
/// Changes within this time are shown together.
const GATHER: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_secs(60 * 60);
/// Longer titles are cut.
const TITLE: usize = 60;

/// Puts the icon into the tray and keeps it up to date for as long as the app runs.
pub async fn run(app: AppHandle, connection: Connection) {
    let icon = TrayIconBuilder::with_id(ID)
        .icon(badge::icon(0))
        .tooltip("DevRig")
        .show_menu_on_left_click(false)
        .on_tray_icon_event(|tray, event| {
            if let TrayIconEvent::Click {
                button: MouseButton::Left,
                button_state: MouseButtonState::Up,
                ..
            } = event
            {
                window::raise(tray.app_handle());
            }
        })
        .on_menu_event(|app, event| chosen(app.clone(), event.id().0.clone()))
        .build(&app);
    let icon = match icon {
        Ok(icon) => icon,
        Err(error) => {
            tracing::info!(%error, "there is no tray");
            return;
        }
    };
    let mut events = connection.events();
    let mut shown = None;
    loop {
        match Shown::of(&connection).await {
            Ok(now) if shown.as_ref() != Some(&now) => {
                if let Err(error) = now.show(&app, &icon) {
                    tracing::warn!(%error, "the tray could not be changed");
                }
                shown = Some(now);
            }
            Ok(_) => {}
            Err(error) => tracing::debug!(%error, "the tray waits for an owner"),
        }
        loop {
            match events.next().await {
                None => return,
                Some(event) if concerns(&event) => break,
                Some(_) => {}
            }
        }
        tokio::time::sleep(GATHER).await;
    }
}

fn concerns(event: &EngineEvent) -> bool {
    use devrig_core::Tag::{Counts, Items, Settings};
    match event {
        EngineEvent::ItemsChanged { .. } | EngineEvent::Lagged => true,
        EngineEvent::Stale { tags } => {
            tags.iter().any(|tag| matches!(tag, Counts | Items | Settings))
        }
        _ => false,
    }
}

/// All that the tray shows.
#[derive(Debug, PartialEq)]
struct Shown {
    count: u32,
    more: bool,
    /// Ids and titles.
    newest: Vec<(String, String)>,
    paused_until: Option<Timestamp>,
    quiet: String,
}

impl Shown {
    async fn of(connection: &Connection) -> Result<Self> {
        let api = connection.api().await?;
        let Attention { count, capped, items } = api.inbox_attention(NoArgs {}).await?;
        let settings = api.settings_all(NoArgs {}).await?;
        let text = |key: &str| settings.get(key).and_then(Value::as_str).unwrap_or_default();
        Ok(Self {
            count,
            more: capped,
            newest: items.into_iter().map(|item| (item.id.0, title(&item.title))).collect(),
            paused_until: text("notifications.pausedUntil")
                .parse()
                .ok()
                .filter(|until| *until > now()),
            quiet: text("notifications.quietHours").to_owned(),
        })
    }

    fn show(&self, app: &AppHandle, icon: &TrayIcon) -> tauri::Result<()> {
        icon.set_icon(Some(badge::icon(self.count)))?;
        icon.set_tooltip(Some(self.tooltip()))?;
        icon.set_title(Some(self.tooltip()))?;
        icon.set_menu(Some(self.menu(app)?))
    }

    fn tooltip(&self) -> String {
        match (self.count, self.more) {
            (0, _) => "DevRig: nothing waiting".to_owned(),
            (count, true) => format!("DevRig: more than {count} waiting"),
            (count, false) => format!("DevRig: {count} waiting"),
        }
    }

    fn menu(&self, app: &AppHandle) -> tauri::Result<Menu<tauri::Wry>> {
        let mut menu = MenuBuilder::new(app);
        for (id, title) in &self.newest {
            menu = menu.text(format!("item:{id}"), title);
        }
        if self.newest.is_empty() {
            menu = menu.item(&MenuItem::new(app, "Nothing waiting", false, None::<&str>)?);
        }
        menu = menu.separator().text("open", "Open DevRig").text("sync", "Sync now").separator();
        menu = match self.paused_until {
            Some(_) => menu.text("resume", "Resume notifications"),
            None => menu.text("pause", "Pause notifications for 1 hour"),
        };
        let quiet = match self.quiet.parse::<QuietHours>() {
            Ok(hours) => format!("Quiet hours: {hours}…"),
            Err(_) => "Quiet hours…".to_owned(),
        };
        menu.text("quiet", quiet).separator().text("quit", "Quit DevRig").build()
    }
}

/// Menus read an underscore as the mark of a key.
fn title(text: &str) -> String {
    let cut: String = text.chars().take(TITLE).collect();
    let cut = if cut.len() < text.len() { format!("{cut}…") } else { cut };
    cut.replace('_', "__")
}

fn now() -> Timestamp {
    devrig_core::SystemClock::shared().now()
}

fn chosen(app: AppHandle, id: String) {
    match id.as_str() {
        "open" => window::raise(&app),
        "quit" => app.exit(0),
        "quiet" => window::show_at(&app, "settings"),
        "sync" | "pause" | "resume" => {
            tauri::async_runtime::spawn(async move {
                let connection = app.state::<Connection>().inner().clone();
                if let Err(error) = ask(&connection, &id).await {
                    tracing::warn!(%error, id, "the tray's menu could not do it");
                }
            });
        }
        _ => {
            if let Some(item) = id.strip_prefix("item:") {
                window::show_item(&app, item);
            }
        }
    }
}

async fn ask(connection: &Connection, id: &str) -> Result<()> {
    let api = connection.api().await?;
    if id == "sync" {
        return api.sync_now(SyncArgs { account: None, source: None }).await;
    }
    let until = match id {
        "pause" => Value::String((now() + PAUSE).to_string()),
        _ => Value::Null,
    };
    pause(&*api, until).await
}

async fn pause(api: &dyn Api, until: Value) -> Result<()> {
    let key = "notifications.pausedUntil".to_owned();
    api.settings_set(SettingSetArgs { key, value: until }).await
}

/// Whether anything would show the icon. Where nothing does, a closed window could not come back.
#[cfg(target_os = "linux")]
pub async fn has_host() -> bool {
    let asked = async {
        let bus = zbus::Connection::session().await?;
        let watcher = zbus::Proxy::new(
            &bus,
            "org.kde.StatusNotifierWatcher",
            "/StatusNotifierWatcher",
            "org.kde.StatusNotifierWatcher",
        )
        .await?;
        watcher.get_property::<bool>("IsStatusNotifierHostRegistered").await
    };
    // A session without a bus, or a watcher that hangs, shows nothing.
    matches!(tokio::time::timeout(Duration::from_secs(2), asked).await, Ok(Ok(true)))
}

#[cfg(not(target_os = "linux"))]
pub async fn has_host() -> bool {
    true
}

/// At login the tray may come later than we do.
pub async fn wait_for_host() -> bool {
    for _ in 0..20 {
        if has_host().await {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_fit_a_menu() {
        assert_eq!(title("fix snake_case"), "fix snake__case");
        let long = title(&"ö".repeat(100));
        assert_eq!(long.chars().count(), TITLE + 1);
    }
}
