//! What the person can do to items, as pure functions: the side after an operation, and the side
//! after it was taken back.

use devrig_core::Timestamp;
use devrig_core::id::{ItemId, OperationId};
use serde::{Deserialize, Serialize};

use crate::item::{ItemSummary, Priority};
use crate::state::Side;
use crate::wake::Wake;

/// One thing done to items. Each can be undone for 30 days.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum OperationKind {
    Read,
    Unread,
    /// Out of the inbox until the source shows newer activity. Ends a snooze.
    Done,
    NotDone,
    /// Out of the inbox until then, back from done.
    Snooze {
        until: Wake,
    },
    Unsnooze,
    Star,
    Unstar,
    /// The whole thread stays out of the inbox, whatever comes.
    Mute,
    Unmute,
    AddLabels {
        labels: Vec<String>,
    },
    RemoveLabels {
        labels: Vec<String>,
    },
    /// None returns to the source's priority.
    SetPriority {
        priority: Option<Priority>,
    },
}

/// On what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub enum Target {
    Ids(Vec<ItemId>),
    /// Everything that matches, as the list would show it.
    Query(String),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Operation {
    pub kind: OperationKind,
    pub target: Target,
}

/// What an operation, an undo or a redo did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct OperationDone {
    /// None when every item was so already: then nothing was recorded.
    pub operation_id: Option<OperationId>,
    /// The changed items as they are now, at most 200.
    pub items: Vec<ItemSummary>,
    /// How many were changed; those that were so already are not counted.
    pub changed: u32,
    /// For the toast: `Done`, `Marked read`, `Undone: Done`…
    pub label: String,
}

/// One row of the history.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct OperationRow {
    pub id: OperationId,
    /// `read`, `done`, `snooze`… or `action`.
    pub kind: String,
    pub label: String,
    pub actor: devrig_core::Actor,
    pub cause: Option<String>,
    pub at: Timestamp,
    pub count: u32,
    pub undone: bool,
    pub undoable: bool,
    /// Titles of the first few items.
    pub items: Vec<String>,
}

/// The parts of a side that an operation may touch. `before` rows hold only these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Read,
    Done,
    Snoozed,
    Starred,
    Muted,
    Labels,
    Priority,
}

impl OperationKind {
    /// For the toast and the history.
    pub fn label(&self) -> String {
        let list = |labels: &[String]| labels.join(", ");
        match self {
            OperationKind::Read => "Marked read".into(),
            OperationKind::Unread => "Marked unread".into(),
            OperationKind::Done => "Done".into(),
            OperationKind::NotDone => "Moved to inbox".into(),
            OperationKind::Snooze { .. } => "Snoozed".into(),
            OperationKind::Unsnooze => "Unsnoozed".into(),
            OperationKind::Star => "Starred".into(),
            OperationKind::Unstar => "Unstarred".into(),
            OperationKind::Mute => "Muted".into(),
            OperationKind::Unmute => "Unmuted".into(),
            OperationKind::AddLabels { labels } => format!("Labelled {}", list(labels)),
            OperationKind::RemoveLabels { labels } => format!("Removed {}", list(labels)),
            OperationKind::SetPriority { priority: Some(priority) } => {
                format!("Priority {}", priority.as_str())
            }
            OperationKind::SetPriority { priority: None } => "Priority of the source".into(),
        }
    }

    fn touches(&self) -> &'static [Part] {
        match self {
            OperationKind::Read | OperationKind::Unread => &[Part::Read],
            OperationKind::Done | OperationKind::Snooze { .. } => &[Part::Done, Part::Snoozed],
            OperationKind::NotDone => &[Part::Done],
            OperationKind::Unsnooze => &[Part::Snoozed],
            OperationKind::Star | OperationKind::Unstar => &[Part::Starred],
            OperationKind::Mute | OperationKind::Unmute => &[Part::Muted],
            OperationKind::AddLabels { .. } | OperationKind::RemoveLabels { .. } => &[Part::Labels],
            OperationKind::SetPriority { .. } => &[Part::Priority],
        }
    }

    pub(crate) fn is_of_threads(&self) -> bool {
        matches!(self, OperationKind::Mute | OperationKind::Unmute)
    }

    /// The side after it was done at `at`. What is so already keeps its time.
    pub(crate) fn apply(&self, at: i64, before: &Side) -> Side {
        let mut side = before.clone();
        match self {
            OperationKind::Read => side.read_at = before.read_at.or(Some(at)),
            OperationKind::Unread => side.read_at = None,
            OperationKind::Done => {
                side.done_at = before.done_at.or(Some(at));
                side.snoozed_until = None;
            }
            OperationKind::NotDone => side.done_at = None,
            OperationKind::Snooze { until } => {
                side.snoozed_until = Some(until.to_ms());
                side.done_at = None;
            }
            OperationKind::Unsnooze => side.snoozed_until = None,
            OperationKind::Star => side.starred_at = before.starred_at.or(Some(at)),
            OperationKind::Unstar => side.starred_at = None,
            OperationKind::Mute => side.muted = true,
            OperationKind::Unmute => side.muted = false,
            OperationKind::AddLabels { labels } => {
                for label in labels {
                    if !side.labels.contains(label) {
                        side.labels.push(label.clone());
                    }
                }
            }
            OperationKind::RemoveLabels { labels } => {
                side.labels.retain(|label| !labels.contains(label));
            }
            OperationKind::SetPriority { priority } => {
                side.priority = priority.map(|priority| priority as i64);
            }
        }
        side
    }

    /// Takes `current` from the one side to the other, part by part. A part that was changed
    /// since by something else stays, and what newer activity of the source brought back is not
    /// put away again.
    fn travel(&self, current: &Side, from: &Side, to: &Side, newer_activity: bool) -> Side {
        let mut side = current.clone();
        for part in self.touches() {
            match part {
                Part::Read if current.read_at == from.read_at => {
                    side.read_at = to.read_at.filter(|_| !newer_activity);
                }
                Part::Done if current.done_at == from.done_at => {
                    side.done_at = to.done_at.filter(|_| !newer_activity);
                }
                Part::Snoozed if current.snoozed_until == from.snoozed_until => {
                    side.snoozed_until = to.snoozed_until;
                }
                Part::Starred if current.starred_at == from.starred_at => {
                    side.starred_at = to.starred_at;
                }
                Part::Muted if current.muted == from.muted => side.muted = to.muted,
                Part::Labels if current.labels == from.labels => {
                    side.labels.clone_from(&to.labels);
                }
                Part::Priority if current.priority == from.priority => {
                    side.priority = to.priority;
                }
                _ => {}
            }
        }
        side
    }

    pub(crate) fn undo(&self, at: i64, before: &Side, current: &Side, newer: bool) -> Side {
        self.travel(current, &self.apply(at, before), before, newer)
    }

    pub(crate) fn redo(&self, at: i64, before: &Side, current: &Side, newer: bool) -> Side {
        self.travel(current, before, &self.apply(at, before), newer)
    }

    /// What `before` must remember, compactly.
    pub(crate) fn remember(&self, before: &Side) -> String {
        let mut kept = Remembered::default();
        for part in self.touches() {
            match part {
                Part::Read => kept.read = before.read_at,
                Part::Done => kept.done = before.done_at,
                Part::Snoozed => kept.snoozed = before.snoozed_until,
                Part::Starred => kept.starred = before.starred_at,
                Part::Muted => kept.muted = before.muted,
                Part::Labels => kept.labels.clone_from(&before.labels),
                Part::Priority => kept.priority = before.priority,
            }
        }
        // Writing a struct of numbers and texts as JSON cannot fail.
        serde_json::to_string(&kept).unwrap_or_default()
    }
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Remembered {
    #[serde(rename = "r", default, skip_serializing_if = "Option::is_none")]
    read: Option<i64>,
    #[serde(rename = "d", default, skip_serializing_if = "Option::is_none")]
    done: Option<i64>,
    #[serde(rename = "z", default, skip_serializing_if = "Option::is_none")]
    snoozed: Option<i64>,
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    starred: Option<i64>,
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    muted: bool,
    #[serde(rename = "l", default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
    #[serde(rename = "p", default, skip_serializing_if = "Option::is_none")]
    priority: Option<i64>,
}

/// The side that [`OperationKind::remember`] wrote; parts that the operation does not touch are
/// empty.
pub(crate) fn recall(text: &str) -> devrig_core::Result<Side> {
    let kept: Remembered = serde_json::from_str(text)
        .map_err(|error| devrig_core::Error::internal(format!("a stored operation: {error}")))?;
    Ok(Side {
        read_at: kept.read,
        done_at: kept.done,
        snoozed_until: kept.snoozed,
        starred_at: kept.starred,
        muted: kept.muted,
        labels: kept.labels,
        priority: kept.priority,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> impl Strategy<Value = OperationKind> {
        let labels = || prop::collection::vec("[ab]", 1..3);
        prop_oneof![
            Just(OperationKind::Read),
            Just(OperationKind::Unread),
            Just(OperationKind::Done),
            Just(OperationKind::NotDone),
            (100i64..200).prop_map(|ms| OperationKind::Snooze { until: Wake::from_ms(ms) }),
            Just(OperationKind::Unsnooze),
            Just(OperationKind::Star),
            Just(OperationKind::Unstar),
            Just(OperationKind::Mute),
            Just(OperationKind::Unmute),
            labels().prop_map(|labels| OperationKind::AddLabels { labels }),
            labels().prop_map(|labels| OperationKind::RemoveLabels { labels }),
            Just(OperationKind::SetPriority { priority: Some(Priority::High) }),
            Just(OperationKind::SetPriority { priority: None }),
        ]
    }

    proptest! {
        #[test]
        fn undoing_in_reverse_restores_every_side(kinds in prop::collection::vec(kinds(), 1..20)) {
            let start = Side { read_at: Some(1), labels: vec!["a".into()], ..Side::default() };
            let mut side = start.clone();
            let mut done = Vec::new();
            for (at, kind) in (10..).zip(&kinds) {
                let after = kind.apply(at, &side);
                done.push((at, kind, kind.remember(&side), after.clone()));
                side = after;
            }
            for (at, kind, before, after) in done.iter().rev() {
                prop_assert_eq!(&side, after);
                side = kind.undo(*at, &recall(before).unwrap(), &side, false);
            }
            prop_assert_eq!(&side, &start);
            for (at, kind, before, after) in &done {
                side = kind.redo(*at, &recall(before).unwrap(), &side, false);
                prop_assert_eq!(&side, after);
            }
        }
    }

    #[test]
    fn undo_keeps_what_something_else_changed_since() {
        let before = Side::default();
        let elsewhere = Side { snoozed_until: Some(9), ..Side::default() };
        let kind = OperationKind::Snooze { until: Wake::from_ms(5) };
        assert_eq!(kind.undo(1, &before, &elsewhere, false), elsewhere);
    }

    #[test]
    fn undo_does_not_put_away_what_newer_activity_brought_back() {
        let before = Side { done_at: Some(1), read_at: Some(1), ..Side::default() };
        let current = Side { read_at: None, done_at: None, ..Side::default() };
        assert_eq!(OperationKind::NotDone.undo(2, &before, &current, true).done_at, None);
        assert_eq!(OperationKind::Unread.undo(2, &before, &current, true).read_at, None);
        assert_eq!(OperationKind::NotDone.undo(2, &before, &current, false).done_at, Some(1));
    }
}
