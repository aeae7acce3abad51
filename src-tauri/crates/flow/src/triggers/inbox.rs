//! Items of the inbox that start flows. One durable reader follows what arrives for all of these
//! triggers together.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use devrig_core::id::ItemId;
use devrig_core::{Code, Error, Origin, Result};
use devrig_inbox::arrivals::Arrived;
use devrig_inbox::{Inbox, Item, query};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::task::{Health, Told, fire};
use super::{Happened, Source};
use crate::definition::{self, InboxChange};

/// The reader's name in the change feed.
const NAME: &str = "flows";
/// After trouble with the store.
const AGAIN: Duration = Duration::from_secs(5);

/// The triggers that wait for items. Cheap to clone.
#[derive(Clone)]
pub(super) struct Hub {
    inbox: Inbox,
    waiting: Arc<Mutex<HashMap<u64, Arc<Waiting>>>>,
}

struct Waiting {
    wanted: definition::Inbox,
    source: Source,
    health: Health,
}

/// A trigger that waits for items while this is kept.
pub(super) struct Registration {
    hub: Hub,
    number: u64,
    pub health: Health,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.hub.lock().remove(&self.number);
    }
}

/// What became of an item since the trigger last fired.
#[derive(Debug, PartialEq, Eq)]
struct News {
    /// Of its last change.
    seq: i64,
    id: ItemId,
    new: bool,
    depth: u8,
}

impl Hub {
    pub fn new(inbox: Inbox) -> Self {
        Self { inbox, waiting: Arc::default() }
    }

    /// Lets items start the flow.
    ///
    /// # Errors
    /// `INVALID_QUERY`.
    pub fn arm(&self, wanted: &definition::Inbox, source: Source) -> Result<Registration> {
        query::parse(&wanted.query, self.inbox.store().clock().now())?;
        let (number, health) = (fastrand::u64(..), Health::default());
        let waiting = Waiting { wanted: wanted.clone(), source, health: health.clone() };
        self.lock().insert(number, Arc::new(waiting));
        Ok(Registration { hub: self.clone(), number, health })
    }

    /// Follows what arrives until `stop`, and what arrived while nobody did.
    pub async fn run(self, stop: CancellationToken) {
        while let Err(error) = self.follow(&stop).await {
            tracing::warn!(%error, "items start no flows for the moment");
            if stop.run_until_cancelled(tokio::time::sleep(AGAIN)).await.is_none() {
                return;
            }
        }
    }

    async fn follow(&self, stop: &CancellationToken) -> Result<()> {
        let mut arriving = self.inbox.arriving(NAME).await?;
        loop {
            let arrived = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                arrived = arriving.next() => arrived?,
            };
            let waiting: Vec<_> = self.lock().values().cloned().collect();
            for waiting in waiting {
                if !waiting.take(&self.inbox, &arrived, stop).await? {
                    return Ok(());
                }
            }
            arriving.confirm().await?;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Waiting>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Fires for what matches. What was told before a crash is not told again: the trigger's own
    /// cursor is written with each event, so it is ahead of the reader's. False when stopped.
    async fn take(
        &self,
        inbox: &Inbox,
        arrived: &[Arrived],
        stop: &CancellationToken,
    ) -> Result<bool> {
        let told = self.source.cursor().await?;
        let told = told.and_then(|cursor| cursor["seq"].as_i64()).unwrap_or_default();
        let news = news(arrived, told, self.wanted.on);
        let ids: Vec<ItemId> = news.iter().map(|news| news.id.clone()).collect();
        let matching = match inbox.matching(&self.wanted.query, &ids).await {
            Err(error) if matches!(error.code, Code::InvalidQuery | Code::InvalidInput) => {
                self.health.failed(error);
                return Ok(true);
            }
            matching => matching?,
        };
        for news in news.iter().filter(|news| matching.contains(&news.id)) {
            if news.depth >= Origin::MAX_DEPTH {
                self.health.failed(too_deep(&news.id));
                continue;
            }
            let item = match inbox.get(&news.id).await {
                Err(error) if error.code == Code::NotFound => continue,
                item => item?,
            };
            let payload = payload(&item, news.new);
            let event = || happened(news, payload.clone());
            if fire(&self.source, &self.health, stop, event).await == Told::Stopped {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// The items among the changes behind `told`, each once, in the order of their last changes.
fn news(arrived: &[Arrived], told: i64, on: InboxChange) -> Vec<News> {
    let mut by_id: HashMap<&ItemId, News> = HashMap::new();
    for arrived in arrived.iter().filter(|arrived| arrived.seq > told && !arrived.backfill) {
        let fresh = News { seq: 0, id: arrived.id.clone(), new: false, depth: 0 };
        let news = by_id.entry(&arrived.id).or_insert(fresh);
        news.seq = news.seq.max(arrived.seq);
        news.new |= arrived.new;
        news.depth = news.depth.max(arrived.depth);
    }
    let wanted = |news: &News| match on {
        InboxChange::New => news.new,
        InboxChange::Changed => !news.new,
        InboxChange::Both => true,
    };
    let mut news: Vec<News> = by_id.into_values().filter(wanted).collect();
    news.sort_unstable_by_key(|news| news.seq);
    news
}

fn payload(item: &Item, new: bool) -> Value {
    json!({ "change": if new { "new" } else { "changed" }, "item": item })
}

fn happened(news: &News, payload: Value) -> Happened {
    Happened {
        payload,
        key: Some(news.id.0.clone()),
        cursor: Some(json!({ "seq": news.seq })),
        depth: news.depth + 1,
        answer: None,
    }
}

fn too_deep(id: &ItemId) -> Error {
    let steps = Origin::MAX_DEPTH;
    Error::new(
        Code::Refused,
        format!("the item {id} came of {steps} automatic steps in a row, so it starts nothing"),
    )
    .hint("See whether flows and rules set each other off, and narrow the query of one of them.")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn arrived(seq: i64, id: &str, new: bool) -> Arrived {
        Arrived { seq, id: ItemId(id.to_owned()), new, backfill: false, depth: 0 }
    }

    fn told(arrived: &[Arrived], after: i64, on: InboxChange) -> Vec<(i64, String)> {
        news(arrived, after, on).into_iter().map(|news| (news.seq, news.id.0)).collect()
    }

    #[test]
    fn an_item_is_told_once_and_after_what_changed_before_it() {
        let feed = [arrived(1, "a", true), arrived(2, "b", false), arrived(3, "a", false)];
        let of = |seq: i64, id: &str| (seq, id.to_owned());
        assert_eq!(told(&feed, 0, InboxChange::Both), [of(2, "b"), of(3, "a")]);
        assert_eq!(told(&feed, 0, InboxChange::New), [of(3, "a")]);
        assert_eq!(told(&feed, 0, InboxChange::Changed), [of(2, "b")]);
        assert_eq!(told(&feed, 2, InboxChange::Changed), [of(3, "a")], "it was told of as new");
        assert_eq!(told(&feed, 3, InboxChange::Both), []);
        let old = Arrived { backfill: true, ..arrived(4, "c", true) };
        assert_eq!(told(&[old], 0, InboxChange::Both), [], "history is no news");
    }
}
