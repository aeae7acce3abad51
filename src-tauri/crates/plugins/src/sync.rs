//! The sync scheduler: when each data source is due, and one run of it.

mod plan;
mod run;
mod timer;

use std::sync::Arc;

use devrig_core::id::AccountId;
use devrig_core::{Result, Timestamp};

pub(crate) use devrig_core::QuietHours;
pub(crate) use plan::{SHORTEST, interval};
pub(crate) use run::{Sync, missing, need_in_words};
pub(crate) use timer::{queue, run as run_timer};

use crate::core::{Core, PluginEvent};
use crate::info::{SyncState, SyncStatus};
use crate::manifest::DataSource;
use crate::seat::Seat;
use crate::table::sync::{self, SyncRow};

/// The job that syncs one source; its payload is `{"account", "source"}`.
pub(crate) const JOB: &str = "plugin.sync";

/// Tells the window how a source stands.
pub(crate) async fn tell(core: &Core, account: &AccountId, source: &str) {
    match status(core, account, source).await {
        Ok(Some(status)) => core.tell(PluginEvent::SyncChanged(Box::new(status))),
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "a sync's state could not be read"),
    }
}

async fn status(core: &Core, account: &AccountId, source: &str) -> Result<Option<SyncStatus>> {
    let Ok(seat) = core.seat(account) else { return Ok(None) };
    let Some(declared) = seat.plugin.manifest.data_source(source).cloned() else {
        return Ok(None);
    };
    let row = sync::one(core.store.reader(), account, source).await?;
    Ok(row.map(|row| status_of(&seat, &declared, row, core.clock.now())))
}

/// Every source of every account.
pub(crate) async fn all(core: &Core) -> Result<Vec<SyncStatus>> {
    let rows = sync::all(core.store.reader()).await?;
    let known = rows.into_iter().filter_map(|row| {
        let seat = core.seat(&row.account).ok()?;
        let declared = seat.plugin.manifest.data_source(&row.source).cloned()?;
        Some(status_of(&seat, &declared, row, core.clock.now()))
    });
    Ok(known.collect())
}

/// The end of the quiet hours that it lies in, else the time itself.
pub(crate) fn quiet_until(row: &SyncRow, now: Timestamp) -> Timestamp {
    let hours = row.quiet_hours.as_ref().and_then(|hours| hours.parse::<QuietHours>().ok());
    hours.and_then(|hours| hours.until(now)).unwrap_or(now)
}

pub(crate) fn status_of(
    seat: &Arc<Seat>,
    declared: &DataSource,
    row: SyncRow,
    now: Timestamp,
) -> SyncStatus {
    let running = seat.sync_now(&row.source);
    let interval = plan::interval(declared, row.interval_ms);
    let runs = row.enabled && seat.plugin.may_run().is_ok();
    let state = match (&running, &row) {
        (Some(_), _) => SyncState::Syncing,
        _ if !runs => SyncState::Disabled,
        (_, SyncRow { waiting: Some(_), .. }) => SyncState::Waiting,
        (_, SyncRow { error: Some(_), .. }) => SyncState::Error,
        _ => SyncState::Idle,
    };
    let quiet_until = quiet_until(&row, now);
    SyncStatus {
        account: row.account,
        plugin: seat.plugin.name().to_owned(),
        source: row.source,
        name: declared.name.clone(),
        state,
        last_sync_at: row.last_sync_at,
        ended_at: row.ended_at,
        began_at: row.began_at,
        next_sync_at: (runs && row.waiting.is_none()).then_some(row.next_at.max(quiet_until)),
        quiet_hours: row.quiet_hours,
        error: row.error,
        items_synced: row.items_synced as f64,
        progress: running.flatten(),
        interval_ms: interval.as_millis() as f64,
    }
}
