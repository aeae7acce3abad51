//! What sources and scripts bring, for durable readers of the change feed: rules, notices, and the
//! triggers of flows.

use std::collections::HashMap;

use devrig_core::id::ItemId;
use devrig_core::{Actor, ChangeKind, Code, Origin, Result};
use devrig_store::{ChangeRow, Store, Subscriber, Tx};
use tokio_util::sync::CancellationToken;

use crate::inbox::Inbox;

/// A reader that did nothing for so many changes notes that it has read them.
const UNNOTED: i64 = 2_000;
/// Changes of one turn, which is one transaction.
const TURN: u32 = 500;
/// How the cause of a change begins that a source's first sync made.
pub const BACKFILL: &str = "back-fill";

/// Items that are new or were changed by their source, each once.
#[derive(Debug)]
pub(crate) struct Arrivals {
    pub items: Vec<Arrival>,
    /// That of what the reader does about them.
    pub depth: u8,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub id: ItemId,
    /// It came with the history that a new source brings.
    pub backfill: bool,
}

/// A change of an item that its source or a script made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Rises from change to change.
    pub seq: i64,
    pub id: ItemId,
    /// It came with this change.
    pub new: bool,
    /// It came with the history that a new source brings.
    pub backfill: bool,
    /// Automatic steps since a person or a source acted.
    pub depth: u8,
}

/// What arrives, for a reader whose effects are in transactions of their own: each change is given
/// again until it is confirmed, also after a kill.
pub struct Arriving {
    store: Store,
    name: &'static str,
    feed: Subscriber,
    seen: i64,
    confirmed: i64,
}

impl Arriving {
    /// The next changes, oldest first; waits until there are some.
    ///
    /// # Errors
    /// What reading meets.
    pub async fn next(&mut self) -> Result<Vec<Arrived>> {
        loop {
            let rows = self.feed.next_after(self.seen, TURN).await?;
            self.seen = rows.last().map_or(self.seen, |row| row.seq);
            let arrived: Vec<_> = rows.iter().filter(|row| arrives(row)).map(arrived).collect();
            if !arrived.is_empty() {
                return Ok(arrived);
            }
            if self.seen - self.confirmed > UNNOTED {
                self.confirm().await?;
            }
        }
    }

    /// Confirms everything that was given.
    ///
    /// # Errors
    /// What the store meets.
    pub async fn confirm(&mut self) -> Result<()> {
        let (name, seen) = (self.name, self.seen);
        let advance = async move |tx: &mut Tx| Subscriber::advance(name, tx, seen).await;
        self.store.write(advance).await?;
        self.confirmed = seen;
        Ok(())
    }
}

fn arrived(row: &ChangeRow) -> Arrived {
    Arrived {
        seq: row.seq,
        id: ItemId(row.id.clone()),
        new: row.kind == ChangeKind::Created,
        backfill: is_backfill(row),
        depth: row.origin.depth,
    }
}

fn is_backfill(row: &ChangeRow) -> bool {
    row.origin.cause.as_ref().is_some_and(|cause| cause.starts_with(BACKFILL))
}

impl Inbox {
    /// A durable reader of what arrives, under its own name. A new one begins with what comes next.
    ///
    /// # Errors
    /// What the store meets.
    pub async fn arriving(&self, name: &'static str) -> Result<Arriving> {
        let feed = self.store().subscriber(name).await?;
        Ok(Arriving { store: self.store().clone(), name, feed, seen: 0, confirmed: 0 })
    }

    /// Gives what arrives to `apply` until `stop`, each change once, also after a kill: what it
    /// does and how far it has read are one transaction. What happened while nobody ran this is
    /// caught up with.
    pub(crate) async fn follow_arrivals(
        &self,
        name: &'static str,
        stop: CancellationToken,
        apply: impl AsyncApply,
    ) -> Result<()> {
        let mut feed = self.store().subscriber(name).await?;
        let (mut seen, mut noted) = (0, 0);
        loop {
            let rows = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                rows = feed.next_after(seen, TURN) => match rows {
                    Err(error) if error.code == Code::Cancelled => return Ok(()),
                    rows => rows?,
                },
            };
            seen = rows.last().map_or(seen, |row| row.seq);
            let arrivals = of(&rows);
            if arrivals.items.is_empty() && seen - noted <= UNNOTED {
                continue;
            }
            let apply = apply.clone();
            self.store()
                .write(async move |tx: &mut Tx| {
                    if !arrivals.items.is_empty() {
                        apply.apply(tx, &arrivals).await?;
                    }
                    Subscriber::advance(name, tx, seen).await
                })
                .await?;
            noted = seen;
        }
    }
}

/// What a reader does about arrivals, in the transaction that moves it forward.
pub(crate) trait AsyncApply: Clone + Send + Sync + 'static {
    fn apply(&self, tx: &mut Tx, arrivals: &Arrivals) -> impl Future<Output = Result<()>> + Send;
}

fn of(rows: &[ChangeRow]) -> Arrivals {
    let mut items: Vec<Arrival> = Vec::new();
    let mut places = HashMap::new();
    let mut depth = 0;
    let shallow = |row: &&ChangeRow| row.origin.depth < Origin::MAX_DEPTH;
    for row in rows.iter().filter(|row| arrives(row)).filter(shallow) {
        depth = depth.max(row.origin.depth);
        let backfill = is_backfill(row);
        let place = *places.entry(&row.id).or_insert_with(|| {
            items.push(Arrival { id: ItemId(row.id.clone()), backfill });
            items.len() - 1
        });
        items[place].backfill &= backfill;
    }
    Arrivals { items, depth: depth + 1 }
}

/// What a source or its action brought, and new items of scripts. What the person did is their
/// word, and what rules did has been looked at.
fn arrives(row: &ChangeRow) -> bool {
    let by_source = matches!(row.origin.actor, Actor::Source | Actor::Plugin);
    row.table == "item"
        && match row.kind {
            ChangeKind::Created => row.origin.actor != Actor::Rule,
            ChangeKind::Updated => by_source,
            ChangeKind::Deleted => false,
        }
}
