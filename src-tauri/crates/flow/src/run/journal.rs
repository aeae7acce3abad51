//! Writes a run down: behind it where nothing depends on it, and before it where something does.
//!
//! A run that ends soon and has no effect is written once, with its event and its end in one
//! transaction. Everything before an effect is on disk before the effect begins, and all of it
//! before the run reports its end (DESIGN §3).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::{Actor, Change, ChangeKind, Origin, Result, Timestamp};
use devrig_store::{Batch, Store};

use super::{End, Entry, RunRow};
use crate::action::{Level, Log};
use crate::secrets::Masks;
use crate::table::run::{self as table, EventRow};

/// A line of the log at most, in characters.
const LINE: usize = 4_000;
/// Entries of so many bytes are not kept in memory until somebody needs them on disk.
const HEAVY: usize = 512 * 1024;

/// The journal of one run.
pub struct Journal {
    store: Store,
    started_at: Timestamp,
    state: Mutex<State>,
    /// About how much memory the entries take that are not written.
    weight: AtomicUsize,
    masks: Masks,
    writes: bool,
    /// One write at a time, so that an older state of the row never comes after a newer one.
    writing: tokio::sync::Mutex<()>,
}

struct State {
    run: RunRow,
    /// The event that started the run, until it is written.
    event: Option<EventRow>,
    entries: Vec<Entry>,
    /// What is written in one transaction with the next state of the row.
    along: Batch,
    part: i64,
    written: Written,
}

/// What the table has of the run's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Written {
    Nothing,
    Older,
    Same,
}

/// What one write takes along.
struct Taken {
    run: Option<(RunRow, ChangeKind)>,
    event: Option<EventRow>,
    entries: Vec<Entry>,
    along: Batch,
    seq: i64,
    part: i64,
}

impl Journal {
    /// For a run of which nothing is stored yet, with the event that starts it where that is not
    /// stored either.
    pub fn fresh(store: Store, run: RunRow, event: Option<EventRow>) -> Self {
        Self::new(store, run, event, 0, Written::Nothing)
    }

    /// For a run that is stored, whose next part has the number `part`.
    pub fn resumed(store: Store, run: RunRow, part: i64) -> Self {
        Self::new(store, run, None, part, Written::Same)
    }

    /// For a walk that leaves no run behind.
    pub fn unwritten(store: Store, run: RunRow) -> Self {
        Self { writes: false, ..Self::new(store, run, None, 0, Written::Same) }
    }

    /// How nodes ended, of what is not written.
    pub fn ends(&self) -> Vec<Arc<End>> {
        let ended = |entry: &Entry| match entry {
            Entry::Ended(end) => Some(end.clone()),
            _ => None,
        };
        self.lock().entries.iter().filter_map(ended).collect()
    }

    fn new(
        store: Store,
        run: RunRow,
        event: Option<EventRow>,
        part: i64,
        written: Written,
    ) -> Self {
        let started_at = run.started_at.unwrap_or(run.queued_at);
        let (entries, along) = (Vec::new(), Batch::default());
        let state = State { run, event, entries, along, part, written };
        Self {
            store,
            started_at,
            state: Mutex::new(state),
            weight: AtomicUsize::default(),
            masks: Masks::default(),
            writes: true,
            writing: tokio::sync::Mutex::default(),
        }
    }

    /// Milliseconds since the start of the run, as entries have them.
    pub fn elapsed(&self) -> u64 {
        let elapsed = self.store.clock().now().since(self.started_at);
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    /// The secrets that the run has seen. Whoever notes an entry hides them first.
    pub fn masks(&self) -> &Masks {
        &self.masks
    }

    /// Notes an entry, which is written with the next barrier.
    pub fn note(&self, entry: Entry) {
        self.lock().entries.push(entry);
    }

    /// Counts the bytes of what is about to be noted.
    pub fn weigh(&self, bytes: usize) {
        self.weight.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Writes what was noted when it takes much memory. Where that fails, it is kept for the next
    /// barrier.
    pub async fn lighten(&self) {
        if self.weight.load(Ordering::Relaxed) < HEAVY {
            return;
        }
        if let Err(error) = Box::pin(self.barrier()).await {
            tracing::warn!(%error, "a run could not be written down yet");
        }
    }

    /// Whether anything is written.
    pub fn writes(&self) -> bool {
        self.writes
    }

    /// The number of the run.
    pub fn number(&self) -> i64 {
        self.lock().run.seq
    }

    /// Changes the row, which is written with the next barrier.
    pub fn change(&self, change: impl FnOnce(&mut RunRow)) {
        let mut state = self.lock();
        change(&mut state.run);
        if state.written == Written::Same {
            state.written = Written::Older;
        }
    }

    /// Changes the row for the last time, with what follows from that: it is written in the same
    /// transaction.
    pub fn end(&self, change: impl FnOnce(&mut RunRow), follows: Batch) {
        self.lock().along.merge(follows);
        self.change(change);
    }

    /// The row as it stands.
    pub fn run(&self) -> RunRow {
        self.lock().run.clone()
    }

    /// Returns when everything that was noted before is on disk.
    ///
    /// # Errors
    /// What the store meets; the entries are kept for the next try.
    pub async fn barrier(&self) -> Result<()> {
        if !self.writes {
            return Ok(());
        }
        let _one = self.writing.lock().await;
        let Some(taken) = self.take() else { return Ok(()) };
        let written = match taken.rows() {
            Ok(rows) => self.store.write_batch(rows).await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            self.put_back(taken);
        }
        written
    }

    fn take(&self) -> Option<Taken> {
        let mut state = self.lock();
        let kind = match state.written {
            Written::Nothing => Some(ChangeKind::Created),
            Written::Older => Some(ChangeKind::Updated),
            Written::Same => None,
        };
        if kind.is_none() && state.entries.is_empty() {
            return None;
        }
        let run = kind.map(|kind| (state.run.clone(), kind));
        let entries = std::mem::take(&mut state.entries);
        self.weight.store(0, Ordering::Relaxed);
        let along = match kind {
            Some(_) => std::mem::take(&mut state.along),
            None => Batch::default(),
        };
        let part = state.part;
        state.part += i64::from(!entries.is_empty());
        state.written = Written::Same;
        Some(Taken { run, event: state.event.take(), entries, along, seq: state.run.seq, part })
    }

    /// A write that failed left nothing behind, so what it took is still to be written.
    fn put_back(&self, taken: Taken) {
        let mut state = self.lock();
        let later = std::mem::replace(&mut state.entries, taken.entries);
        state.entries.extend(later);
        state.part = taken.part;
        state.event = taken.event;
        state.along.merge(taken.along);
        match taken.run {
            Some((_, ChangeKind::Created)) => state.written = Written::Nothing,
            Some(_) => state.written = Written::Older,
            None => {}
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Log for Journal {
    fn say(&self, level: Level, message: &str) {
        let at = self.elapsed();
        let message = self.masks.text(message.chars().take(LINE).collect());
        self.weigh(message.len());
        self.note(Entry::Said { at, level, message });
    }
}

impl Taken {
    fn rows(&self) -> Result<Batch> {
        let mut batch = self.along.clone();
        if let Some(event) = &self.event {
            table::add_event(&mut batch, event)?;
        }
        if let Some((run, kind)) = &self.run {
            table::put(&mut batch, run)?;
            let origin = Origin { depth: run.depth, ..Origin::new(Actor::Flow) };
            batch.change(Change::new("run", &run.id, *kind, &origin));
        }
        table::add_entries(&mut batch, self.seq, self.part, &self.entries)?;
        Ok(batch)
    }
}
