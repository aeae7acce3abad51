//! What happened to triggers, counted in memory: a webhook must not cost a second write. It is
//! written some seconds later, and wholly when DevRig stops; a crash loses those seconds.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{Batch, Store};
use tokio::sync::{Notify, OnceCell};
use tokio_util::sync::CancellationToken;

use crate::table::trigger::{self as table, Tally, TriggerKey};

/// What changes within this time is one write.
const GATHER: Duration = Duration::from_secs(5);

/// The counts of all triggers. Cheap to clone.
#[derive(Clone)]
pub(super) struct Tallies {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    meters: Mutex<HashMap<TriggerKey, Arc<Meter>>>,
    read: OnceCell<()>,
    changed: Arc<Notify>,
}

/// The counts of one trigger, whatever its version.
pub(crate) struct Meter {
    key: TriggerKey,
    /// Held by whoever must not fire it while another one does.
    pub lane: tokio::sync::Mutex<()>,
    tally: Mutex<Tally>,
    is_changed: AtomicBool,
    changed: Arc<Notify>,
}

impl Tallies {
    pub fn new(store: Store) -> Self {
        let inner = Inner {
            store,
            meters: Mutex::default(),
            read: OnceCell::new(),
            changed: Arc::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Reads what was counted before; once is enough.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn read(&self) -> Result<()> {
        self.inner.read.get_or_try_init(|| self.read_once()).await.map(drop)
    }

    async fn read_once(&self) -> Result<()> {
        let mut conn = self.inner.store.read().await?;
        let tallies = table::tallies(&mut conn).await?;
        let mut meters = self.meters();
        for (key, tally) in tallies {
            let meter = self.new_meter(key.clone(), tally);
            meters.entry(key).or_insert(meter);
        }
        Ok(())
    }

    /// The counts of one trigger, which begin at nothing.
    pub fn meter(&self, flow: i64, trigger: &str) -> Arc<Meter> {
        let key = (flow, trigger.to_owned());
        let mut meters = self.meters();
        let found = meters.get(&key).cloned();
        found.unwrap_or_else(|| {
            let meter = self.new_meter(key.clone(), Tally::default());
            meters.insert(key, meter.clone());
            meter
        })
    }

    fn new_meter(&self, key: TriggerKey, tally: Tally) -> Arc<Meter> {
        let changed = self.inner.changed.clone();
        let is_changed = AtomicBool::new(false);
        let lane = tokio::sync::Mutex::default();
        Arc::new(Meter { key, lane, tally: Mutex::new(tally), is_changed, changed })
    }

    /// Writes what changes until `stop`.
    pub async fn keep(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.inner.changed.notified() => {}
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(GATHER) => {}
            }
            if let Err(error) = self.write().await {
                tracing::warn!(%error, "counts of triggers could not be written yet");
            }
        }
    }

    /// Writes what changed since the last time.
    ///
    /// # Errors
    /// What the store meets; then it is still to be written.
    pub async fn write(&self) -> Result<()> {
        let changed: Vec<_> =
            self.meters().values().filter(|meter| meter.take()).cloned().collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut batch = Batch::default();
        for meter in &changed {
            table::put_tally(&mut batch, &meter.key, &meter.tally())?;
        }
        let written = self.inner.store.write_batch(batch).await;
        if written.is_err() {
            changed.iter().for_each(|meter| meter.mark());
        }
        written
    }

    fn meters(&self) -> std::sync::MutexGuard<'_, HashMap<TriggerKey, Arc<Meter>>> {
        self.inner.meters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Meter {
    /// It started a run.
    pub fn fired(&self, at: Timestamp) {
        self.change(|tally| {
            tally.fired += 1;
            tally.fired_at = Some(at);
        });
    }

    /// It should have started something and did not, this often.
    pub fn missed(&self, count: u64, error: Error, at: Timestamp) {
        self.change(|tally| {
            tally.missed += count;
            tally.error = Some((error, at));
        });
    }

    /// Something is wrong with it.
    pub fn failed(&self, error: Error, at: Timestamp) {
        self.missed(0, error, at);
    }

    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    fn change(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.lock());
        self.mark();
    }

    fn mark(&self) {
        if !self.is_changed.swap(true, Ordering::AcqRel) {
            self.changed.notify_one();
        }
    }

    fn take(&self) -> bool {
        self.is_changed.swap(false, Ordering::AcqRel)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
