//! The window: thin commands and events over `engine::api`, and nothing that the command line
//! could not do.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod commands;
mod platform;
mod theme;
mod window;

use devrig_engine::{Connection, EngineParts, Home, OwnerKind};
use tauri::Manager;

fn main() -> std::process::ExitCode {
    // Before any thread exists: WebKit reads its environment when it starts.
    platform::work_around_webkit();
    match run() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("devrig-desktop: {error}");
            if let Some(hint) = &error.hint {
                eprintln!("{hint}");
            }
            std::process::ExitCode::FAILURE
        }
    }
}

fn run() -> devrig_core::Result<()> {
    let home = Home::from_environment()?;
    home.prepare()?;
    let _logs = devrig_engine::logging::start(&home.logs(), &platform::log_level())?;
    let parts = EngineParts::system(home.clone(), OwnerKind::Window)?;
    let theme = theme::Choice::last(&home);

    let specta = commands::builder();
    let invoke = specta.invoke_handler();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, _arguments, _folder| window::raise(app)))
        .plugin(tauri_plugin_dialog::init())
        .plugin(
            tauri_plugin_window_state::Builder::default()
                // Visibility is ours: the window is shown when its page stands.
                .with_state_flags(
                    tauri_plugin_window_state::StateFlags::all()
                        & !tauri_plugin_window_state::StateFlags::VISIBLE,
                )
                .build(),
        )
        .invoke_handler(invoke)
        .setup(move |app| {
            let connection = tauri::async_runtime::block_on(Connection::open(parts))?;
            app.manage(connection.clone());
            window::open(app.handle(), theme)?;
            tauri::async_runtime::spawn(commands::tell_events(app.handle().clone(), connection));
            Ok(())
        })
        .build(tauri::generate_context!())
        .map_err(|error| {
            devrig_core::Error::internal(format!("the window could not be opened: {error}"))
                .hint("Run `devrig doctor`; the command line works without a window.")
        })?;

    app.run(|app, event| match event {
        tauri::RunEvent::Ready => platform::stop_on_signals(app.clone()),
        tauri::RunEvent::Exit => {
            let connection = app.state::<Connection>().inner().clone();
            tauri::async_runtime::block_on(connection.close());
        }
        _ => {}
    });
    Ok(())
}
