//! Syncs as the person asks for and sets them.

use devrig_core::id::AccountId;
use devrig_core::{Error, Result};
use devrig_store::Tx;

use super::Plugins;
use crate::info::SyncStatus;
use crate::sync::{self, SHORTEST};
use crate::table::sync as sync_table;
use crate::text::shown;

/// Before syncs that only the clock asks for.
const PRIORITY: i32 = 10;
const LONGEST_MS: f64 = 7.0 * 24.0 * 60.0 * 60.0 * 1_000.0;

impl Plugins {
    /// How every source of every account stands.
    pub async fn sync_status(&self) -> Result<Vec<SyncStatus>> {
        sync::all(&self.inner.core).await
    }

    /// Syncs at once: one source, all of an account, or all there are.
    ///
    /// # Errors
    /// `NOT_FOUND`; why the account's plugin cannot run, when an account was named.
    pub async fn sync_now(&self, account: Option<AccountId>, source: Option<String>) -> Result<()> {
        let core = &self.inner.core;
        if let Some(id) = &account {
            core.seat(id)?.plugin.may_run()?;
        }
        let mut found = false;
        for row in sync_table::all(core.store.reader()).await? {
            let wanted = account.as_ref().is_none_or(|id| *id == row.account)
                && source.as_ref().is_none_or(|source| *source == row.source);
            let Ok(seat) = core.seat(&row.account) else { continue };
            let Some(declared) = seat.plugin.manifest.data_source(&row.source) else { continue };
            if !wanted || !row.enabled || seat.plugin.may_run().is_err() {
                continue;
            }
            found = true;
            let next_at = core.clock.now() + sync::interval(declared, row.interval_ms);
            sync::queue(core, &row, next_at, PRIORITY).await?;
        }
        if found || (account.is_none() && source.is_none()) {
            return Ok(());
        }
        Err(Error::not_found("a source that can be synced")
            .hint("`devrig plugin status` shows the sources there are."))
    }

    /// Sets how often a source syncs, whether it does, and when it is left alone: hours such as
    /// `22:00-07:00 Europe/Berlin`, none when empty.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for an interval under 30 s or over a week, or for hours that
    /// are none.
    pub async fn sync_configure(
        &self,
        account: &AccountId,
        source: &str,
        interval_ms: Option<f64>,
        enabled: Option<bool>,
        quiet_hours: Option<String>,
    ) -> Result<SyncStatus> {
        let core = &self.inner.core;
        let seat = core.seat(account)?;
        let unknown = || Error::not_found(format!("the source {:?}", shown(source, 100)));
        let declared = seat.plugin.manifest.data_source(source).cloned().ok_or_else(unknown)?;
        let shortest = SHORTEST.as_millis() as f64;
        if interval_ms.is_some_and(|ms| !(shortest..=LONGEST_MS).contains(&ms)) {
            return Err(Error::invalid(
                "a source syncs every 30 seconds at most, and every week at least",
            )
            .hint("Give milliseconds from 30000 to 604800000."));
        }
        let quiet_hours = match quiet_hours {
            Some(text) if !text.trim().is_empty() => {
                Some(text.parse::<sync::QuietHours>()?.to_string())
            }
            other => other.map(|_| String::new()),
        };
        let interval_ms = interval_ms.map(|ms| ms as i64);
        let row = sync_table::one(core.store.reader(), account, source).await?;
        let row = row.ok_or_else(unknown)?;
        let interval = sync::interval(&declared, interval_ms.or(row.interval_ms));
        let next_at = row.next_at.min(core.clock.now() + interval);
        let (id, name) = (account.clone(), source.to_owned());
        let chosen = sync_table::Chosen { interval_ms, enabled, quiet_hours };
        core.store
            .write(async move |tx: &mut Tx| {
                sync_table::configure(tx, &id, &name, &chosen, next_at).await
            })
            .await?;
        core.wake.notify_one();
        let row = sync_table::one(core.store.reader(), account, source).await?;
        Ok(sync::status_of(&seat, &declared, row.ok_or_else(unknown)?, core.clock.now()))
    }
}
