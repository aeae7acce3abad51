//! What the engine tells while it runs. Changed rows travel with the event; tags tell what else is
//! stale (order, counts).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::ItemId;
use devrig_core::{ChangeKind, Error, Tag};
use devrig_flow::runs::Defect;
use devrig_inbox::{Inbox, ItemSummary};
use devrig_plugins::info::SyncStatus;
use devrig_secrets::KeychainStatus;
use devrig_store::{ChangeRow, Store};
use futures::StreamExt;
use futures::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::api::engine::Role;

/// Events as they come; ends when the engine or the connection ends.
pub type EventStream = BoxStream<'static, EngineEvent>;

/// Something happened.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum EngineEvent {
    /// Rows to patch in place.
    ItemsChanged {
        items: Vec<ItemSummary>,
        removed: Vec<ItemId>,
    },
    /// What else has to be read again.
    Stale {
        tags: Vec<Tag>,
    },
    SyncChanged {
        status: Box<SyncStatus>,
    },
    KeychainChanged {
        status: KeychainStatus,
    },
    /// The person asked from outside for the window, or for this item in it.
    Shown {
        item: Option<ItemId>,
    },
    OwnerChanged {
        role: Role,
    },
    /// A defect of DevRig's own ended something; the rest goes on.
    EngineError {
        error: Error,
        /// The run that has failed by it, and the node in it.
        run: Option<String>,
        node: Option<String>,
    },
    /// Some events were lost on the way: read again what is shown.
    Lagged,
}

/// Changes within this time travel together.
const GATHER: Duration = Duration::from_millis(30);
/// More changed items than this are told as a stale list.
const ROWS: usize = 200;

/// Turns a broadcast into a stream that says when it lost something.
pub fn stream(events: broadcast::Receiver<EngineEvent>) -> EventStream {
    futures::stream::unfold(events, |mut events| async move {
        match events.recv().await {
            Ok(event) => Some((event, events)),
            Err(broadcast::error::RecvError::Lagged(_)) => Some((EngineEvent::Lagged, events)),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    })
    .boxed()
}

/// Tells the change feed on as events, until stopped.
pub(crate) async fn tell_changes(
    store: Store,
    inbox: Inbox,
    events: broadcast::Sender<EngineEvent>,
    stop: CancellationToken,
) {
    let mut feed = store.changes();
    loop {
        let first = tokio::select! {
            () = stop.cancelled() => return,
            first = feed.recv() => first,
        };
        let mut gathered = Gathered::default();
        match first {
            Ok(rows) => gathered.add(&rows),
            Err(broadcast::error::RecvError::Lagged(_)) => gathered.lagged = true,
            Err(broadcast::error::RecvError::Closed) => return,
        }
        tokio::time::sleep(GATHER).await;
        loop {
            match feed.try_recv() {
                Ok(rows) => gathered.add(&rows),
                Err(broadcast::error::TryRecvError::Lagged(_)) => gathered.lagged = true,
                Err(_) => break,
            }
        }
        for event in gathered.into_events(&inbox).await {
            // Nobody listening is no error.
            let _ = events.send(event);
        }
    }
}

#[derive(Default)]
struct Gathered {
    items: BTreeMap<String, ChangeKind>,
    tags: BTreeSet<u8>,
    lagged: bool,
}

impl Gathered {
    fn add(&mut self, rows: &Arc<[ChangeRow]>) {
        for row in rows.iter() {
            if row.table == "item" {
                // A created item that is updated at once is still new to the list.
                let kind = self.items.entry(row.id.clone()).or_insert(row.kind);
                if row.kind == ChangeKind::Deleted {
                    *kind = ChangeKind::Deleted;
                }
            }
            for tag in tags_of(&row.table, row.kind, row.origin.actor) {
                self.tags.insert(*tag as u8);
            }
        }
    }

    async fn into_events(self, inbox: &Inbox) -> Vec<EngineEvent> {
        if self.lagged {
            return vec![EngineEvent::Lagged];
        }
        let mut tags: Vec<Tag> =
            ALL_TAGS.iter().copied().filter(|t| self.tags.contains(&(*t as u8))).collect();
        let mut events = Vec::new();
        if self.items.len() > ROWS {
            if !tags.contains(&Tag::Items) {
                tags.push(Tag::Items);
            }
        } else if !self.items.is_empty() {
            let (removed, changed): (Vec<_>, Vec<_>) =
                self.items.into_iter().partition(|(_, kind)| *kind == ChangeKind::Deleted);
            let changed: Vec<ItemId> = changed.into_iter().map(|(id, _)| ItemId(id)).collect();
            let removed = removed.into_iter().map(|(id, _)| ItemId(id)).collect();
            match inbox.summaries(&changed).await {
                Ok(items) => events.push(EngineEvent::ItemsChanged { items, removed }),
                Err(error) => {
                    tracing::warn!(%error, "changed items could not be read for the window");
                    return vec![EngineEvent::Lagged];
                }
            }
        }
        if !tags.is_empty() {
            events.push(EngineEvent::Stale { tags });
        }
        events
    }
}

const ALL_TAGS: &[Tag] = &[
    Tag::Items,
    Tag::Counts,
    Tag::Operations,
    Tag::Outbox,
    Tag::Plugins,
    Tag::Accounts,
    Tag::Sync,
    Tag::Secrets,
    Tag::Jobs,
    Tag::Settings,
    Tag::Rules,
    Tag::Flows,
    Tag::Runs,
    Tag::Logs,
    Tag::Health,
];

/// A person's triage patches rows; what comes or goes changes the list itself.
fn tags_of(table: &str, kind: ChangeKind, actor: devrig_core::Actor) -> &'static [Tag] {
    match table {
        "item" if kind != ChangeKind::Updated || actor != devrig_core::Actor::Person => {
            &[Tag::Items, Tag::Counts]
        }
        "item" => &[Tag::Counts],
        "operation" => &[Tag::Operations],
        "outbox" => &[Tag::Outbox],
        "setting" => &[Tag::Settings],
        "rule" => &[Tag::Rules],
        "flow" | "flow_file" => &[Tag::Flows],
        "run" => &[Tag::Runs],
        "plugin" => &[Tag::Plugins, Tag::Accounts],
        "account" | "grant" => &[Tag::Plugins, Tag::Accounts, Tag::Sync],
        "sync_state" => &[Tag::Sync],
        "secret" => &[Tag::Secrets, Tag::Accounts],
        "job" => &[Tag::Jobs],
        _ => &[],
    }
}

/// Tells how syncs go on, until stopped.
pub(crate) async fn tell_plugins(
    mut plugins: broadcast::Receiver<devrig_plugins::PluginEvent>,
    events: broadcast::Sender<EngineEvent>,
    stop: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            () = stop.cancelled() => return,
            event = plugins.recv() => event,
        };
        let event = match event {
            Ok(devrig_plugins::PluginEvent::SyncChanged(status)) => {
                EngineEvent::SyncChanged { status }
            }
            Ok(devrig_plugins::PluginEvent::StateChanged { .. }) => {
                // Flows that use it can do more now, or less.
                EngineEvent::Stale { tags: vec![Tag::Plugins, Tag::Accounts, Tag::Flows] }
            }
            Ok(devrig_plugins::PluginEvent::Log { .. }) => {
                EngineEvent::Stale { tags: vec![Tag::Logs] }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => EngineEvent::Lagged,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let _ = events.send(event);
    }
}

/// Tells of defects that ended runs, until stopped.
pub(crate) async fn tell_defects(
    mut defects: broadcast::Receiver<Defect>,
    events: broadcast::Sender<EngineEvent>,
    stop: CancellationToken,
) {
    loop {
        let defect = tokio::select! {
            () = stop.cancelled() => return,
            defect = defects.recv() => defect,
        };
        let event = match defect {
            Ok(Defect { run, node, error }) => {
                EngineEvent::EngineError { error, run: Some(run), node }
            }
            Err(broadcast::error::RecvError::Lagged(_)) => EngineEvent::Lagged,
            Err(broadcast::error::RecvError::Closed) => return,
        };
        let _ = events.send(event);
    }
}

/// Tells when the keychain comes, goes, locks or unlocks, until stopped.
pub(crate) async fn tell_keychain(
    vault: devrig_secrets::Vault,
    events: broadcast::Sender<EngineEvent>,
    stop: CancellationToken,
) {
    let mut statuses = vault.watch();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = statuses.changed() => if changed.is_err() { return },
        }
        let status = statuses.borrow_and_update().clone();
        let _ = events.send(EngineEvent::KeychainChanged { status });
    }
}
