//! Whether an account's secret works, and who it belongs to: the plugin asks its service, DevRig
//! keeps the answer and shows it on the account.

use std::sync::Arc;

use devrig_core::protocol::{ConnectionOutput, Handler};
use devrig_core::{Actor, Code, Error, Origin, Result};
use devrig_store::Tx;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::info::{ConnectInfo, ConnectionState};
use crate::manifest::Connect;
use crate::permission;
use crate::seat::Seat;
use crate::sync::need_in_words;
use crate::table::account;
use crate::text::shown;
use crate::worker::Purpose;

const MOST_WARNINGS: usize = 20;

/// Asks the service through the plugin, and keeps what it says. That the secret does not work is
/// an answer, kept as `error`.
///
/// # Errors
/// `UNSUPPORTED` for a plugin that has no check; why its worker cannot be started.
pub(crate) async fn check(core: &Arc<Core>, seat: &Arc<Seat>) -> Result<()> {
    if seat.plugin.manifest.connection.is_none() {
        let message = format!("{} has no connection to check", seat.plugin.name());
        return Err(Error::new(Code::Unsupported, message));
    }
    seat.plugin.may_run()?;
    let worker = seat.worker().await?;
    let (outcome, notes) = worker
        .call(Handler::Connection, Value::Null, Purpose::Connection, &CancellationToken::new())
        .await;
    let before = seat.connection();
    let now = core.clock.now();
    let state = match outcome.and_then(|output| answer(output.get())) {
        Ok(output) => ConnectionState {
            identity: Some(output.identity),
            detail: output.detail,
            warnings: output.warnings,
            checked_at: now,
            error: None,
        },
        Err(error) => {
            let error = match &notes.need {
                Some(need) => Error { message: need_in_words(need), ..error },
                None => error,
            };
            let known = before.unwrap_or_else(|| ConnectionState::unknown(now));
            ConnectionState { checked_at: now, error: Some(error), ..known }
        }
    };
    keep(core, seat, Some(state)).await
}

/// What a sync or an action learnt in passing: a secret that was refused, or one that works again.
pub(crate) async fn learn(core: &Arc<Core>, seat: &Arc<Seat>, error: Option<&Error>) -> Result<()> {
    if seat.plugin.manifest.connection.is_none() {
        return Ok(());
    }
    let known = seat.connection();
    let refused = error.filter(|error| error.code == Code::Unauthorized);
    let now = core.clock.now();
    match (refused, known) {
        (Some(refused), known) => {
            let known = known.unwrap_or_else(|| ConnectionState::unknown(now));
            let state = ConnectionState { checked_at: now, error: Some(refused.clone()), ..known };
            keep(core, seat, Some(state)).await
        }
        (None, Some(known)) if error.is_none() && known.error.is_some() => {
            let state = ConnectionState { checked_at: now, error: None, ..known };
            keep(core, seat, Some(state)).await
        }
        _ => Ok(()),
    }
}

/// Another secret or none: what was known of the old one is over.
pub(crate) async fn forget(core: &Arc<Core>, seat: &Arc<Seat>) -> Result<()> {
    match seat.connection() {
        Some(_) => keep(core, seat, None).await,
        None => Ok(()),
    }
}

async fn keep(core: &Arc<Core>, seat: &Arc<Seat>, state: Option<ConnectionState>) -> Result<()> {
    let (id, stored) = (seat.id.clone(), state.clone());
    core.store
        .write(async move |tx: &mut Tx| {
            let origin = Origin::new(Actor::Source);
            account::set_connection(tx, &id, stored.as_ref(), &origin).await
        })
        .await?;
    seat.set_connection(state);
    core.state_changed(seat.plugin.name());
    Ok(())
}

fn answer(text: &str) -> Result<ConnectionOutput> {
    let output: ConnectionOutput = serde_json::from_str(text).map_err(|error| {
        let message = format!("the check of the connection returned something else: {error}");
        Error::new(Code::PluginFailed, message).hint("It returns { identity, detail?, warnings? }.")
    })?;
    let mut warnings = output.warnings;
    warnings.truncate(MOST_WARNINGS);
    Ok(ConnectionOutput {
        identity: shown(&output.identity, 200),
        detail: output.detail.map(|detail| shown(&detail, 500)),
        warnings: warnings.iter().map(|warning| shown(warning, 500)).collect(),
    })
}

/// What the manifest says, with the account's settings filled in.
pub(crate) fn info(connect: &Connect, settings: &Value) -> ConnectInfo {
    let url = connect.url.as_deref().and_then(|url| permission::filled(url, settings));
    let url = url.and_then(|url| devrig_net::Url::parse(&url).ok());
    ConnectInfo {
        secret: connect.secret.clone(),
        title: shown(&connect.title, 100),
        description: shown(&connect.description, 1_000),
        scopes: connect.scopes.clone(),
        url: url.filter(|url| matches!(url.scheme(), "http" | "https")).map(String::from),
    }
}
