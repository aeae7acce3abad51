//! `devrig start`: DevRig without a window.

use std::process::ExitCode;

use devrig_core::{Code, Error, Result};
use devrig_engine::api::engine::Role;
use devrig_engine::{Connection, NoArgs};

use crate::output::Output;

/// Runs until SIGTERM, SIGINT or `devrig stop`.
pub async fn run(connection: &Connection, unlock: bool, output: Output) -> Result<ExitCode> {
    let info = connection.api().await?.engine_info(NoArgs {}).await?;
    if connection.role() == Some(Role::Guest) {
        return Err(Error::new(
            Code::Conflict,
            format!("DevRig runs already ({}, process {})", info.owner, info.owner_pid),
        )
        .hint("Nothing needs to be started; `devrig stop` stops it."));
    }
    if unlock {
        super::secret::unlock(&*connection.api().await?).await?;
    }
    output.show(&info, |info| format!("DevRig {} runs in {}", info.version, info.home))?;
    tokio::select! {
        () = signals() => {}
        () = connection.stop_requested() => {}
    }
    Ok(ExitCode::SUCCESS)
}

#[cfg(unix)]
async fn signals() {
    use tokio::signal::unix::{SignalKind, signal};
    let Ok(mut terminate) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

#[cfg(not(unix))]
async fn signals() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
