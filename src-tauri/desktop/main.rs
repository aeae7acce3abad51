//! The window: thin commands and events over `engine::api`, and nothing that the command line
//! could not do.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

mod badge;
mod commands;
mod failure;
mod link;
mod platform;
mod renderer;
mod theme;
mod tray;
mod window;

use devrig_engine::{Connection, EngineParts, Home, OwnerKind};
use tauri::Manager;

/// Values of runs are made in one thread and let go in another, which it does better than glibc.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

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
    let arguments: Vec<String> = std::env::args().skip(1).collect();

    let specta = commands::builder();
    let invoke = specta.invoke_handler();
    let app = tauri::Builder::default()
        .plugin(tauri_plugin_single_instance::init(|app, arguments, _folder| {
            match arguments.iter().find_map(|argument| link::path(argument)) {
                // The dialog that says why DevRig did not start is the only window then.
                _ if app.try_state::<Connection>().is_none() => {}
                Some(path) => window::show_at(app, &path),
                None => window::raise(app),
            }
        }))
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
            let connection = match tauri::async_runtime::block_on(Connection::open(parts)) {
                Ok(connection) => connection,
                Err(error) => {
                    failure::tell(app.handle(), &error, home.path());
                    return Ok(());
                }
            };
            app.manage(connection.clone());
            app.manage(window::LastPage::default());
            let app = app.handle().clone();
            tauri::async_runtime::spawn(commands::tell_events(app.clone(), connection.clone()));
            tauri::async_runtime::spawn(tray::run(app.clone(), connection));
            let path = arguments.iter().find_map(|argument| link::path(argument));
            // At login the tray says that DevRig runs; where there is none, the window does.
            let hidden = arguments.iter().any(|argument| argument == "--hidden");
            if !(hidden && tauri::async_runtime::block_on(tray::wait_for_host())) {
                window::open(&app, &path.unwrap_or_default())?;
            }
            Ok(())
        })
        .build(tauri::generate_context!())
        .map_err(|error| {
            devrig_core::Error::internal(format!("the window could not be opened: {error}"))
                .hint("Run `devrig doctor`; the command line works without a window.")
        })?;

    app.run(|app, event| match event {
        tauri::RunEvent::Ready => platform::stop_on_signals(app.clone()),
        // The app outlives its window in the tray; what ends it gives a code.
        tauri::RunEvent::ExitRequested { code: None, api, .. } => api.prevent_exit(),
        #[cfg(target_os = "macos")]
        tauri::RunEvent::Opened { urls } => {
            let started = app.try_state::<Connection>().is_some();
            if let Some(path) =
                urls.iter().filter(|_| started).find_map(|url| link::path(url.as_str()))
            {
                window::show_at(app, &path);
            }
        }
        tauri::RunEvent::Exit => {
            if let Some(connection) = app.try_state::<Connection>() {
                tauri::async_runtime::block_on(connection.close());
            }
        }
        _ => {}
    });
    Ok(())
}
