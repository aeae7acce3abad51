//! When notifications are shown: gathered, held in quiet hours and pauses, told as one when they
//! are many, and answered by what their buttons say.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::id::ItemId;
use devrig_core::notify::{Answer, Notice, Notifier};
use devrig_core::{Origin, QuietHours, Result, Timestamp};
use devrig_inbox::notices::Due;
use devrig_inbox::{ItemSummary, Operation, OperationKind, Target, Wake};
use devrig_store::Store;
use serde_json::Value;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use crate::Engine;
use crate::settings;

/// What comes at once is told at once: a sync stores its items page by page.
const GATHER: Duration = Duration::from_secs(3);
/// No sleep is longer, so that a machine that slept or a clock that jumped is noticed.
const LONGEST: Duration = Duration::from_secs(30);
/// More than these are told as one.
const SINGLE: usize = 3;
/// Titles in what is told as one.
const LISTED: usize = 4;
/// Of the rooms' own that are held: a flow may tell without end through a night.
const MOST: usize = 500;
const SNOOZE: Duration = Duration::from_secs(60 * 60);

/// What the rooms hand their own notices to, such as a plugin's or that a plugin was stopped.
pub(crate) struct Desk(mpsc::UnboundedSender<Notice>);

impl Desk {
    pub fn new() -> (Self, mpsc::UnboundedReceiver<Notice>) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self(sender), receiver)
    }
}

impl Notifier for Desk {
    fn notify(&self, notice: Notice) {
        if self.0.send(notice).is_err() {
            tracing::debug!("a notice came after the end");
        }
    }
}

/// What the person has set.
struct Policy {
    enabled: bool,
    quiet: Option<QuietHours>,
    paused_until: Option<Timestamp>,
    gather: Duration,
}

impl Policy {
    async fn of(store: &Store) -> Result<Self> {
        let get = async |key: &str| settings::value(store, key).await;
        let minutes = get("notifications.batchMinutes").await?.as_u64().unwrap_or(0);
        Ok(Self {
            enabled: get("notifications.enabled").await?.as_bool().unwrap_or(true),
            quiet: text(&get("notifications.quietHours").await?),
            paused_until: text(&get("notifications.pausedUntil").await?),
            gather: GATHER.max(Duration::from_secs(60 * minutes)),
        })
    }

    /// When what was asked for at `since` may be shown: not later than now means now.
    fn due(&self, since: Timestamp, now: Timestamp) -> Timestamp {
        let gathered = since + self.gather;
        let paused = self.paused_until.unwrap_or(gathered);
        let quiet = self.quiet.as_ref().and_then(|hours| hours.until(now)).unwrap_or(gathered);
        gathered.max(paused).max(quiet)
    }
}

fn text<T: std::str::FromStr>(value: &Value) -> Option<T> {
    value.as_str().and_then(|text| text.parse().ok())
}

/// Shows what is due until `stop`.
pub(crate) async fn run(
    engine: Engine,
    mut own: mpsc::UnboundedReceiver<Notice>,
    stop: CancellationToken,
) {
    let mut changes = engine.store().changes();
    let mut held: Vec<Notice> = Vec::new();
    let mut held_since = None;
    loop {
        let sleep = match turn(&engine, &mut held, held_since).await {
            Ok(sleep) => sleep,
            Err(error) => {
                tracing::warn!(%error, "notifications could not be read");
                LONGEST
            }
        };
        if held.is_empty() {
            held_since = None;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(sleep) => {}
            notice = own.recv() => {
                held_since.get_or_insert(engine.clock().now());
                held.extend(notice);
                if held.len() > MOST {
                    held.remove(0);
                }
            }
            () = asked(&mut changes) => {}
        }
    }
}

/// Something was asked for, or a setting changed.
async fn asked(changes: &mut broadcast::Receiver<Arc<[devrig_store::ChangeRow]>>) {
    let concerns = |row: &devrig_store::ChangeRow| {
        row.table == "notice" || row.table == "setting" && row.id.starts_with("notifications.")
    };
    loop {
        match changes.recv().await {
            Ok(rows) if rows.iter().any(concerns) => return,
            Ok(_) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => return,
            Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
        }
    }
}

/// Shows what is due, and gives the time until the next look.
async fn turn(
    engine: &Engine,
    held: &mut Vec<Notice>,
    held_since: Option<Timestamp>,
) -> Result<Duration> {
    let since = [engine.inbox().notices_since().await?, held_since].into_iter().flatten().min();
    let Some(since) = since else { return Ok(LONGEST) };
    let policy = Policy::of(engine.store()).await?;
    let now = engine.clock().now();
    if policy.enabled && policy.due(since, now) > now {
        return Ok(policy.due(since, now).since(now).min(LONGEST));
    }
    let due = engine.inbox().take_notices().await?;
    let own = gathered(std::mem::take(held));
    if policy.enabled {
        for notice in own.into_iter().chain(told(&due)) {
            show(engine, notice);
        }
    }
    Ok(Duration::ZERO)
}

/// Of each group the newest, with how many there were; when many are left, all as one.
fn gathered(own: Vec<Notice>) -> Vec<Notice> {
    let mut kept: Vec<(Notice, usize)> = Vec::new();
    for notice in own {
        let same = |(other, _): &&mut (Notice, usize)| {
            other.group.is_some() && other.group == notice.group
        };
        match kept.iter_mut().find(same) {
            Some((newest, count)) => (*newest, *count) = (notice, *count + 1),
            None => kept.push((notice, 1)),
        }
    }
    let counted = |(mut notice, count): (Notice, usize)| {
        if count > 1 {
            notice.title = format!("{} ({count})", notice.title);
        }
        notice
    };
    let kept: Vec<Notice> = kept.into_iter().map(counted).collect();
    if kept.len() <= SINGLE { kept } else { vec![as_one(&kept)] }
}

fn as_one(notices: &[Notice]) -> Notice {
    let mut lines: Vec<String> =
        notices.iter().rev().take(LISTED).map(|notice| notice.title.clone()).collect();
    if notices.len() > LISTED {
        lines.push(format!("and {} more", notices.len() - LISTED));
    }
    Notice {
        title: format!("{} notifications", notices.len()),
        body: lines.join("\n"),
        urgency: notices.iter().map(|notice| notice.urgency).max().unwrap_or_default(),
        sound: notices.iter().rev().find_map(|notice| notice.sound.clone()),
        ..Notice::default()
    }
}

/// A few are told each by itself, and many as one.
fn told(due: &[Due]) -> Vec<Notice> {
    if due.len() <= SINGLE {
        return due.iter().map(single).collect();
    }
    let mut lines: Vec<String> =
        due.iter().take(LISTED).map(|due| due.item.title.clone()).collect();
    if due.len() > LISTED {
        lines.push(format!("and {} more", due.len() - LISTED));
    }
    let title = format!("{} new items", due.len());
    vec![Notice { title, body: lines.join("\n"), ..Notice::default() }]
}

fn single(due: &Due) -> Notice {
    let ItemSummary { id, title, repo, reason, actor, .. } = &due.item;
    let reason = reason.as_ref().map(|reason| reason.replace('_', " "));
    let about: Vec<&str> =
        [repo, actor, &reason].into_iter().flatten().map(String::as_str).collect();
    let body = match about.is_empty() {
        true => due.because.clone(),
        false => about.join(" · "),
    };
    Notice { title: title.clone(), body, item: Some(id.clone()), ..Notice::default() }
}

fn show(engine: &Engine, notice: Notice) {
    let (presenter, engine) = (Arc::clone(&engine.parts().presenter), engine.clone());
    let (item, page) = (notice.item.clone(), notice.page.clone());
    let runtime = tokio::runtime::Handle::current();
    let on_answer = Box::new(move |answer| {
        runtime.spawn(async move {
            if let Err(error) = act(&engine, item, page, answer).await {
                tracing::warn!(%error, "what a notification was answered could not be done");
            }
        });
    });
    presenter.show(notice, on_answer);
}

async fn act(
    engine: &Engine,
    item: Option<ItemId>,
    page: Option<String>,
    answer: Answer,
) -> Result<()> {
    let kind = match (answer, &item) {
        (Answer::Open, None) if page.is_some() => {
            return engine.open_url(&page.unwrap_or_default()).await;
        }
        (Answer::Open, _) | (_, None) => return engine.open_window(item).await,
        (Answer::Done, _) => OperationKind::Done,
        (Answer::Snooze, _) => {
            OperationKind::Snooze { until: Wake::At(engine.clock().now() + SNOOZE) }
        }
    };
    let target = Target::Ids(item.into_iter().collect());
    let origin = Origin::person().because("a notification's button");
    engine.inbox().operate(Operation { kind, target }, origin).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_are_told_as_their_newest_and_many_as_one() {
        let notice = |title: &str, group: Option<&str>| Notice {
            title: title.into(),
            group: group.map(str::to_owned),
            ..Notice::default()
        };
        let titles = |notices: Vec<Notice>| {
            gathered(notices).into_iter().map(|notice| notice.title).collect::<Vec<_>>()
        };
        let (a, b) = (Some("a"), Some("b"));
        let own = vec![notice("1", a), notice("2", None), notice("3", a), notice("4", b)];
        assert_eq!(titles(own), ["3 (2)", "2", "4"]);
        let many: Vec<Notice> = (1..=9).map(|n| notice(&n.to_string(), None)).collect();
        let one = gathered(many);
        assert_eq!(one[0].title, "9 notifications");
        assert_eq!(one[0].body, "9\n8\n7\n6\nand 5 more");
        assert_eq!(titles(vec![notice("1", None), notice("1", None)]), ["1", "1"], "no group");
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn quiet_hours_and_pauses_hold_what_was_gathered() {
        let noon = at("2026-03-02T12:00:00.000Z");
        let plain = Policy { enabled: true, quiet: None, paused_until: None, gather: GATHER };
        assert_eq!(plain.due(noon, noon), noon + GATHER);
        let quiet = Policy { quiet: Some("11:00-14:30 UTC".parse().unwrap()), ..plain };
        assert_eq!(quiet.due(noon, noon), at("2026-03-02T14:30:00.000Z"));
        let evening = at("2026-03-02T18:00:00.000Z");
        assert_eq!(quiet.due(evening, evening), evening + GATHER);
        let paused = Policy { paused_until: Some(evening), ..quiet };
        assert_eq!(paused.due(noon, noon), evening);
        let late = evening + Duration::from_secs(60);
        assert_eq!(paused.due(late, late), late + GATHER, "a pause that is over holds nothing");
    }
}
