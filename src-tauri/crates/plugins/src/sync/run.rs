//! One run of a source: page after page, each cursor stored after the items that it covers.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::AccountId;
use devrig_core::protocol::{Handler as WorkerHandler, SyncInput, SyncOutput};
use devrig_core::{Code, Error, Result, Timestamp};
use devrig_inbox::outbox;
use devrig_jobs::{Handler, Job, JobContext, Outcome, async_trait};
use devrig_secrets::Scope;
use devrig_store::Tx;
use serde::Deserialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::plan;
use crate::connection;
use crate::core::Core;
use crate::manifest::DataSource;
use crate::schema::Schema;
use crate::seat::Seat;
use crate::table::sync::{self, End, SyncRow};
use crate::text::shown;
use crate::worker::{Need, Notes, Purpose};

/// Pages of one run; a source that has more goes on at its next turn.
const PAGES: u32 = 200;
/// Such a source does not wait for its whole interval.
const GO_ON: Duration = Duration::from_secs(30);
/// Before a run looks again whether the one before it is over.
const BUSY: Duration = Duration::from_secs(1);
const LONGEST_CURSOR: usize = 64 * 1024;

/// Runs the jobs `plugin.sync`.
pub(crate) struct Sync(pub Arc<Core>);

#[derive(Deserialize)]
struct Payload {
    account: AccountId,
    source: String,
}

#[async_trait]
impl Handler for Sync {
    /// Never fails for what a source does: that is kept with the source, which backs off by itself.
    async fn run(&self, job: &Job, context: JobContext) -> Result<Outcome> {
        let Payload { account, source } = serde_json::from_value(job.payload.clone())?;
        // The account or the source went away since the job was queued.
        let Ok(seat) = self.0.seat(&account) else { return Ok(Value::Null.into()) };
        let Some(declared) = seat.plugin.manifest.data_source(&source).cloned() else {
            return Ok(Value::Null.into());
        };
        let Some(row) = sync::one(self.0.store.reader(), &account, &source).await? else {
            return Ok(Value::Null.into());
        };
        if !row.enabled || seat.plugin.may_run().is_err() {
            return Ok(Value::Null.into());
        }
        if !seat.sync_begins(&source) {
            return Ok(Outcome::Later { after: BUSY });
        }
        // Also when this future is dropped in the middle.
        let _running = Running { seat: &seat, source: &source };
        let (core, token) = (&self.0, context.token);
        let began_at = core.clock.now();
        let run = Run { core, seat: Arc::clone(&seat), declared, began_at, token };
        run.whole(row).await
    }
}

struct Running<'a> {
    seat: &'a Seat,
    source: &'a str,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.seat.sync_ended(self.source);
    }
}

struct Run<'a> {
    core: &'a Arc<Core>,
    seat: Arc<Seat>,
    declared: DataSource,
    began_at: Timestamp,
    token: CancellationToken,
}

/// How the pages ended.
enum Pages {
    /// The source asks not to be synced again within `wish`.
    CaughtUp { wish: Duration },
    /// There are more than one run takes.
    More,
}

impl Run<'_> {
    async fn whole(&self, row: SyncRow) -> Result<Outcome> {
        let (id, source) = (&self.seat.id, &self.declared.id);
        let interval = plan::interval(&self.declared, row.interval_ms);
        let failures = row.failures + 1;
        let (given, given_here) = (self.seat.given(), self.seat.given_here());
        let (end, pause) = match missing(self.core, &self.seat).await? {
            Some(why) => (End::Waits(why), interval),
            None => {
                super::tell(self.core, id, source).await;
                let mut notes = Notes::default();
                match self.pages(row, &mut notes).await {
                    Ok(Pages::CaughtUp { wish }) => {
                        (End::Well { caught_up: true }, interval.max(wish))
                    }
                    Ok(Pages::More) => (End::Well { caught_up: false }, GO_ON.min(interval)),
                    // Stopped with DevRig: the job is put back, and the source stays due.
                    Err(error) if self.token.is_cancelled() => return Err(error),
                    Err(error) => match notes.need {
                        Some(need) => (End::Waits(need_in_words(&need)), interval),
                        None => {
                            let asked = notes.retry_after.max(wait_of(&error));
                            let pause = plan::backoff(failures, asked);
                            (End::Failed(error), pause)
                        }
                    },
                }
            }
        };
        let next_at = self.core.clock.now() + pause;
        self.store_end(&end, next_at).await?;
        self.seat.sync_ended(source);
        let more_here = self.seat.given_here() != given_here;
        let again = match &end {
            End::Waits(_) => self.seat.given() != given,
            End::Failed(_) => more_here,
            End::Well { .. } | End::Due => false,
        };
        if again {
            // What it lacked, or was refused with, may have come while it ran.
            self.store_end(&End::Due, self.core.clock.now()).await?;
            self.core.wake.notify_one();
        }
        super::tell(self.core, id, source).await;
        match &end {
            // A secret that came while this ran is not what this run was refused with.
            _ if more_here => {}
            End::Well { .. } => connection::learn(self.core, &self.seat, None).await?,
            End::Failed(error) => connection::learn(self.core, &self.seat, Some(error)).await?,
            End::Waits(_) | End::Due => {}
        }
        if let End::Failed(error) = &end {
            let message = format!("Sync of {source} failed: {}", error.message);
            self.core.note(self.seat.plugin.name(), id, "error", message);
        }
        Ok(Value::Null.into())
    }

    async fn store_end(&self, end: &End, next_at: Timestamp) -> Result<()> {
        let (account, source) = (self.seat.id.clone(), self.declared.id.clone());
        let (end, inbox, began_at) = (end.clone(), self.core.inbox.clone(), self.began_at);
        self.core
            .store
            .write(async move |tx: &mut Tx| {
                sync::end(tx, &account, &source, &end, began_at, next_at).await?;
                // The service answers, so that what could not be sent to it may go now.
                match end {
                    End::Well { .. } => outbox::hasten(&inbox, tx, Some(&account)).await,
                    _ => Ok(()),
                }
            })
            .await
    }

    async fn pages(&self, row: SyncRow, seen: &mut Notes) -> Result<Pages> {
        let mut cursor = row.cursor;
        for _ in 0..PAGES {
            if self.token.is_cancelled() {
                return Err(Error::new(Code::Cancelled, "the sync was stopped"));
            }
            let output = self.page(cursor.as_deref(), !row.backfilled, seen).await?;
            let moved = cursor.as_deref() != Some(output.cursor.as_str());
            self.commit(&output.cursor, seen.items).await?;
            if !output.has_more {
                return Ok(Pages::CaughtUp { wish: plan::wish(output.next_sync_after_ms) });
            }
            if !moved {
                let message = "the source says that there is more, but its cursor does not move";
                let detail = serde_json::json!({ "account": self.seat.id, "message": message });
                let action = format!("sync {}", self.declared.id);
                let plugin = self.seat.plugin.name();
                self.core.audit(plugin, "sync:no-progress", &action, "stopped", detail);
                return Err(Error::new(Code::PluginFailed, message)
                    .hint("This is a defect of the plugin: report it to its author."));
            }
            cursor = Some(output.cursor);
        }
        Ok(Pages::More)
    }

    async fn page(
        &self,
        cursor: Option<&str>,
        backfill: bool,
        seen: &mut Notes,
    ) -> Result<SyncOutput> {
        let worker = self.seat.worker().await?;
        let source = self.declared.id.clone();
        let input = SyncInput { cursor: cursor.map(str::to_owned), backfill };
        let handler = WorkerHandler::Sync { source: source.clone() };
        let purpose = Purpose::Sync { source, backfill };
        let input = serde_json::to_value(input)?;
        let (outcome, notes) = worker.call(handler, input, purpose, &self.token).await;
        *seen = notes;
        let output: SyncOutput = serde_json::from_str(outcome?.get()).map_err(|error| {
            let message = format!("the sync returned something else: {error}");
            Error::new(Code::PluginFailed, message)
                .hint("It returns { cursor, itemCount, hasMore }.")
        })?;
        if output.cursor.len() > LONGEST_CURSOR {
            return Err(Error::new(Code::PluginFailed, "the cursor is longer than 64 KB"));
        }
        Ok(output)
    }

    /// After the items, never before: a crash in between only reads the page again.
    async fn commit(&self, cursor: &str, items: u32) -> Result<()> {
        let (account, source) = (self.seat.id.clone(), self.declared.id.clone());
        let cursor = cursor.to_owned();
        let stored = self
            .core
            .store
            .write(async move |tx: &mut Tx| {
                sync::commit_page(tx, &account, &source, &cursor, i64::from(items)).await
            })
            .await?;
        if stored {
            return Ok(());
        }
        Err(Error::new(Code::Cancelled, "the account was removed"))
    }
}

/// What has to be there before a sync can be tried at all.
pub(crate) async fn missing(core: &Core, seat: &Seat) -> Result<Option<String>> {
    if let Some(why) = incomplete(seat) {
        return Ok(Some(why));
    }
    let Some(connect) = &seat.plugin.manifest.connection else { return Ok(None) };
    let stored = core.vault.list(&Scope::Account(seat.id.clone())).await?;
    let connected = stored.iter().any(|entry| entry.name == connect.secret);
    Ok((!connected).then(|| "It is not connected yet.".to_owned()))
}

/// What its settings or grants lack.
fn incomplete(seat: &Seat) -> Option<String> {
    let access = seat.access();
    if let Some(schema) = &seat.plugin.manifest.settings_schema
        && let Ok(schema) = Schema::new(schema)
        && let Some(wrong) = schema.check(&access.settings).first()
    {
        let field = wrong.field.trim_start_matches('/');
        return Some(match field {
            "" => format!("Its settings are not complete: {}.", wrong.message),
            field => format!("The setting {} is missing or wrong.", shown(field, 60)),
        });
    }
    access.waits_for_grants(!seat.plugin.manifest.data_sources.is_empty())
}

/// What whoever refused said of the next time.
fn wait_of(error: &Error) -> Option<Duration> {
    Duration::try_from_secs_f64(error.retry_after_ms()? / 1_000.0).ok()
}

/// What is missing, for people.
pub(crate) fn need_in_words(need: &Need) -> String {
    match need {
        Need::Grant(permission) => format!("It needs the permission {}.", shown(permission, 200)),
        Need::Secret(name) => format!("The secret {name} has no value."),
        Need::Keychain => "The keychain is locked or not there.".to_owned(),
    }
}
