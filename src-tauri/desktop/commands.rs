//! Every call of `engine::api` as a command of the window, and its events.

// The names in the list of calls are paths from here.
use devrig_engine::api::*;
use devrig_engine::events::EngineEvent;
use devrig_engine::{Connection, calls};
use futures::StreamExt;
use serde::{Deserialize, Serialize};
use tauri_specta::Event;

/// What the engine tells, on its way to the window.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type, Event)]
pub struct EngineEventMessage(pub EngineEvent);

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
                .commands(tauri_specta::collect_commands![
                    window_painted,
                    $($name),*
                ])
                .events(tauri_specta::collect_events![EngineEventMessage])
                .constant("CALLS", devrig_engine::CALLS)
        }
    };
}

calls!(window_commands);

/// The page has painted: show the window, so that no empty frame is ever seen.
#[tauri::command]
#[specta::specta]
async fn window_painted(window: tauri::WebviewWindow) -> Result<(), devrig_core::Error> {
    super::window::show(&window);
    Ok(())
}

/// Passes the engine's events on for as long as the app runs.
pub async fn tell_events(app: tauri::AppHandle, connection: Connection) {
    let mut events = connection.events();
    loop {
        tokio::select! {
            event = events.next() => {
                let Some(event) = event else { return };
                if let EngineEvent::OpenItem { .. } = &event {
                    super::window::raise(&app);
                }
                if let Err(error) = EngineEventMessage(event).emit(&app) {
                    tracing::warn!(%error, "an event did not reach the window");
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
        let fresh = builder()
            .export_str(specta_typescript::Typescript::default())
            .expect("the calls can be written as TypeScript");
        if std::env::var_os("DEVRIG_WRITE_BINDINGS").is_some() {
            std::fs::write(file, &fresh).expect("the bindings can be written");
        }
        let checked_in = std::fs::read_to_string(file).expect("the bindings are checked in");
        assert!(
            checked_in == fresh,
            "ui/src/platform/bindings.ts is stale: run `./dev bindings` and commit it"
        );
    }
}
