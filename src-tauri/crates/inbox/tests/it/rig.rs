//! A database in a folder of its own, a clock moved by hand, and short words for what tests do.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::{AccountId, ItemId};
use devrig_core::{Actor, Clock, ManualClock, Origin, Timestamp};
use devrig_inbox::{
    Inbox, Item, ItemInput, ListQuery, Operation, OperationDone, OperationKind, Target, Upserted,
};
use devrig_jobs::Jobs;
use devrig_store::{Durability, Store, StoreOptions};

pub struct Rig {
    pub inbox: Inbox,
    pub clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

pub fn day(n: i64) -> Timestamp {
    Timestamp::from_ms(1_700_000_000_000 + n * 86_400_000)
}

/// An item with this external id, last changed on that day.
pub fn item(external_id: &str, at: i64) -> ItemInput {
    ItemInput {
        external_id: external_id.into(),
        kind: "issue".into(),
        title: format!("Item {external_id}"),
        external_updated_at: Some(day(at)),
        ..ItemInput::default()
    }
}

impl Rig {
    /// It is day 1000.
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at(day(1_000));
        let inbox = open(folder.path(), &clock).await;
        Self { inbox, clock, folder }
    }

    /// Closes the file and opens it again.
    pub async fn restart(&mut self) {
        self.inbox.store().close().await;
        self.inbox = open(self.folder.path(), &self.clock).await;
    }

    pub async fn store(&self, items: Vec<ItemInput>) -> Upserted {
        self.store_as("acc", items).await
    }

    pub async fn store_as(&self, account: &str, items: Vec<ItemInput>) -> Upserted {
        let origin = Origin::new(Actor::Source);
        let account = AccountId::from(account);
        self.inbox.store_items(&account, "devrig-plugin-github", items, &origin).await.unwrap()
    }

    pub async fn operate(&self, kind: OperationKind, target: Target) -> OperationDone {
        self.clock.advance(Duration::from_millis(1));
        self.inbox.operate(Operation { kind, target }, Origin::person()).await.unwrap()
    }

    pub async fn on(&self, kind: OperationKind, id: &ItemId) -> OperationDone {
        self.operate(kind, Target::Ids(vec![id.clone()])).await
    }

    pub async fn get(&self, id: &ItemId) -> Item {
        self.inbox.get(id).await.unwrap()
    }

    /// External ids of what matches, newest first.
    pub async fn find(&self, query: &str) -> Vec<String> {
        let ask = ListQuery { query: query.into(), limit: 500, ..ListQuery::default() };
        let page = self.inbox.list(&ask).await.unwrap();
        let mut found = Vec::new();
        for item in page.items {
            found.push(self.inbox.get(&item.id).await.unwrap().external_id);
        }
        found
    }

    /// The kept numbers are those that counting gives.
    pub async fn check_counts(&self) {
        let rows: Vec<(i64, i64, i64)> = sqlx::query_as(
            "SELECT source, state, sum(n) FROM (
               SELECT source, state, count(*) AS n FROM triage GROUP BY source, state
               UNION ALL SELECT source, state, -items FROM inbox_count)
             GROUP BY source, state HAVING sum(n) <> 0",
        )
        .fetch_all(self.inbox.store().reader())
        .await
        .unwrap();
        assert_eq!(rows, [], "kept numbers differ from counted ones");
        let broken: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM item i LEFT JOIN triage t ON t.position = i.position
             WHERE t.no IS NOT i.no OR (t.state & 1) <> (t.read_at IS NOT NULL)
               OR (t.state & 2) / 2 <> (t.done_at IS NOT NULL)
               OR (t.state & 4) / 4 <> (t.snoozed_until IS NOT NULL)
               OR (t.state & 16) / 16 <> (t.starred_at IS NOT NULL)",
        )
        .fetch_one(self.inbox.store().reader())
        .await
        .unwrap();
        assert_eq!(broken, 0, "item and triage belong together, and bits to times");
    }
}

async fn open(folder: &std::path::Path, clock: &Arc<ManualClock>) -> Inbox {
    let mut options =
        StoreOptions::new(folder.join("devrig.db"), folder.join("backups"), clock.clone());
    options.durability = Durability::Normal;
    let store = Store::open(options).await.unwrap();
    Inbox::new(store.clone(), Jobs::new(store))
}

/// The newest change rows, as table, id and kind.
pub async fn changes(rig: &Rig, after: i64) -> Vec<(String, String, String, String)> {
    sqlx::query_as("SELECT tbl, row_id, kind, actor FROM change WHERE seq > ? ORDER BY seq")
        .bind(after)
        .fetch_all(rig.inbox.store().reader())
        .await
        .unwrap()
}

pub async fn last_change(rig: &Rig) -> i64 {
    sqlx::query_scalar("SELECT coalesce(max(seq), 0) FROM change")
        .fetch_one(rig.inbox.store().reader())
        .await
        .unwrap()
}

pub fn now(rig: &Rig) -> Timestamp {
    rig.clock.now()
}
