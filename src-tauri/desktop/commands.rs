//! Every call of `engine::api` as a command of the window, and its events.

// The names in the list of calls are paths from here.
use devrig_engine::api::*;
use devrig_engine::events::EngineEvent;
use devrig_engine::{Connection, calls};
use futures::StreamExt;
use tauri::Emitter;

use super::theme::{self, Choice};
use super::window;

/// The name under which the page hears of the engine's events.
const EVENT: &str = "engine-event";

macro_rules! window_commands {
    ($($kind:ident $name:ident = $module:ident :: $function:ident ($args:ty) -> $answer:ty [$($tag:ident),*];)*) => {
        $(
            #[tauri::command]
            #[specta::specta]
            async fn $name(
                connection: tauri::State<'_, Connection>,
                args: $args,
            ) -> Result<$answer, devrig_core::Error> {
                connection.api().await?.$name(args).await
            }
        )*

        /// Commands and events, for the app and for the generated TypeScript.
        pub fn builder() -> tauri_specta::Builder<tauri::Wry> {
            tauri_specta::Builder::<tauri::Wry>::new()
                // Only in JSON values, whose numbers are doubles in the page anyway.
                .dangerously_cast_bigints_to_number()
                .disable_serde_phases()
                .commands(tauri_specta::collect_commands![
                    open_url,
                    set_theme,
                    set_zoom,
                    $($name),*
                ])
                .typ::<EngineEvent>()
                .constant("CALLS", devrig_engine::CALLS)
        }
    };
}

calls!(window_commands);

/// Opens a link of an item's text in the person's browser; http and https only.
#[tauri::command]
#[specta::specta]
async fn open_url(url: String) -> Result<(), devrig_core::Error> {
    devrig_engine::open_page(&url).await
}

/// The frame around the page follows its theme, and the next start begins with it.
#[tauri::command]
#[specta::specta]
async fn set_theme(window: tauri::WebviewWindow, theme: Choice) -> Result<(), devrig_core::Error> {
    theme::apply(&window, theme)
}

/// The size of everything in the window, in percent.
#[tauri::command]
#[specta::specta]
async fn set_zoom(window: tauri::WebviewWindow, percent: u16) -> Result<(), devrig_core::Error> {
    if !(80..=200).contains(&percent) {
        return Err(devrig_core::Error::invalid("the zoom is 80 to 200 percent"));
    }
    window.set_zoom(f64::from(percent) / 100.0).map_err(|error| {
        devrig_core::Error::internal(format!("the window could not be zoomed: {error}"))
    })
}

/// Passes the engine's events on for as long as the app runs.
pub async fn tell_events(app: tauri::AppHandle, connection: Connection) {
    let mut events = connection.events();
    loop {
        tokio::select! {
            event = events.next() => {
                let Some(event) = event else { return };
                match event {
                    EngineEvent::Shown { item: Some(id) } => window::show_item(&app, id.as_str()),
                    EngineEvent::Shown { item: None } => window::raise(&app),
                    event => if let Err(error) = app.emit(EVENT, event) {
                        tracing::warn!(%error, "an event did not reach the window");
                    },
                }
            }
            () = connection.stop_requested() => {
                app.exit(0);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checked_in_typescript_is_what_the_calls_say() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/ui/src/platform/bindings.ts");
        let scratch = std::env::temp_dir().join(format!("devrig-bindings-{}", std::process::id()));
        builder()
            .export(specta_typescript::Typescript::default(), &scratch)
            .expect("the calls can be written as TypeScript");
        let fresh = std::fs::read_to_string(&scratch).expect("they were written");
        std::fs::remove_file(&scratch).expect("and can be removed");
        // Free JSON is checked where it is read; as a union of everything it could not be read.
        let json = fresh.lines().find(|line| line.starts_with("export type Value = "));
        let fresh = fresh.replace(json.expect("JSON has a type"), "export type Value = any;");
        if std::env::var_os("DEVRIG_WRITE_BINDINGS").is_some() {
            std::fs::write(file, &fresh).expect("the bindings can be written");
        }
        let checked_in = std::fs::read_to_string(file).expect("the bindings are checked in");
        assert!(
            checked_in == fresh,
            "ui/src/platform/bindings.ts is stale: set DEVRIG_WRITE_BINDINGS=1, run this test again and commit the file"
        );
    }
}
