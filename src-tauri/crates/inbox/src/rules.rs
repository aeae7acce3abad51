//! Rules: when a source brings or changes an item that matches a query, something is done to it.

mod run;

use devrig_core::{Change, ChangeKind, Error, Origin, Result, Timestamp};
use devrig_store::{SqliteConnection, Tx, from_sqlx};
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sqlx::sqlite::SqliteRow;

use crate::inbox::Inbox;
use crate::item::ItemSummary;
use crate::operation::OperationKind;
use crate::query::{self, plan::Plan};
use crate::rows::{self, get, integer};
use crate::search::{self, Walk};
use crate::when;

const LONGEST_NAME: usize = 100;
const MOST: i64 = 200;
/// Of a dry run: what is counted at most, and what is shown.
const COUNTED: i64 = 100_000;
const SHOWN: i64 = 20;

/// What a rule says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleDraft {
    pub name: String,
    /// In the inbox's query language; without a place it means the inbox.
    pub query: String,
    /// Done one after the other. A snooze has its own field.
    #[serde(default)]
    pub operations: Vec<OperationKind>,
    /// As people write it, read anew each time: `2d`, `tomorrow 9am`, `until new activity`.
    #[serde(default)]
    pub snooze: Option<String>,
    /// Tell the person outside the window, too.
    #[serde(default)]
    pub notify: bool,
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// A rule, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    pub id: String,
    #[serde(flatten)]
    pub draft: RuleDraftShown,
    /// Items that it changed.
    pub applied: u32,
    pub applied_at: Option<Timestamp>,
    /// What it does, in words.
    pub words: String,
}

/// A draft as it is given out: without refusing what a later version adds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct RuleDraftShown {
    pub name: String,
    pub query: String,
    pub operations: Vec<OperationKind>,
    pub snooze: Option<String>,
    pub notify: bool,
    pub enabled: bool,
}

/// What a rule would have done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
    /// Items of the whole history that match now.
    pub matching: u32,
    /// Those that it would change, of the matching ones that were looked at.
    pub changing: u32,
    /// The newest of those that it would change.
    pub items: Vec<ItemSummary>,
    /// What it would do to each, in words.
    pub words: String,
}

impl RuleDraft {
    /// # Errors
    /// `INVALID_INPUT` and `INVALID_QUERY`, naming the part that is wrong.
    pub fn validate(&self, now: Timestamp) -> Result<()> {
        let name = self.name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME || name.contains('\n') {
            return Err(Error::invalid(format!(
                "a rule's name has 1 to {LONGEST_NAME} characters on one line"
            )));
        }
        Plan::of(&query::parse(&self.query, now)?)?;
        if self.operations.is_empty() && self.snooze.is_none() && !self.notify {
            return Err(Error::invalid(format!("the rule {name:?} does nothing"))
                .hint("Give it at least one operation, such as done, or let it notify."));
        }
        for operation in &self.operations {
            use OperationKind::{AddLabels, Done, Mute, Read, SetPriority, Star};
            if !matches!(
                operation,
                Done | Read | Star | Mute | AddLabels { .. } | SetPriority { .. }
            ) {
                let label = operation.label();
                return Err(Error::invalid(format!("a rule cannot do {label:?}")).hint(
                    "It can do: done, read, star, mute, addLabels, setPriority, or snooze.",
                ));
            }
            crate::operate::check(operation)?;
        }
        if let Some(text) = &self.snooze {
            when::parse(text, now, &TimeZone::system())?;
        }
        Ok(())
    }

    /// The operations that are due now.
    fn due(&self, now: Timestamp) -> Result<Vec<OperationKind>> {
        let mut operations = self.operations.clone();
        if let Some(text) = &self.snooze {
            let until = when::parse(text, now, &TimeZone::system())?;
            operations.push(OperationKind::Snooze { until });
        }
        Ok(operations)
    }

    fn words(&self) -> String {
        let mut words: Vec<String> = self.operations.iter().map(OperationKind::label).collect();
        words.extend(self.snooze.as_ref().map(|text| format!("Snoozed {text}")));
        if self.notify {
            words.push("Told of".to_owned());
        }
        words.join(", ")
    }
}

impl Inbox {
    /// In the order in which they are tried.
    pub async fn rules(&self) -> Result<Vec<Rule>> {
        all(&mut *self.reader().await?).await
    }

    /// Makes a rule, or changes the one with that id.
    ///
    /// # Errors
    /// `INVALID_INPUT` and `INVALID_QUERY` for what it says; `NOT_FOUND`.
    pub async fn save_rule(&self, id: Option<String>, draft: RuleDraft) -> Result<Rule> {
        draft.validate(self.store().clock().now())?;
        self.store().write(async move |tx: &mut Tx| save(tx, id.clone(), &draft).await).await
    }

    /// # Errors
    /// `NOT_FOUND`.
    pub async fn delete_rule(&self, id: String) -> Result<()> {
        self.store()
            .write(async move |tx: &mut Tx| {
                let done = sqlx::query("DELETE FROM rule WHERE id = ?")
                    .bind(&id)
                    .execute(tx.conn())
                    .await
                    .map_err(from_sqlx)?;
                if done.rows_affected() == 0 {
                    return Err(Error::not_found(format!("the rule {id}")));
                }
                tx.change(Change::new("rule", id.clone(), ChangeKind::Deleted, &Origin::person()));
                Ok(())
            })
            .await
    }

    /// What the rule would do to the items that there are. Changes nothing.
    ///
    /// # Errors
    /// As for saving it.
    pub async fn try_rule(&self, draft: &RuleDraft) -> Result<DryRun> {
        let now = self.store().clock().now();
        draft.validate(now)?;
        let plan = Plan::of(&query::parse(&draft.query, now)?)?;
        let operations = draft.due(now)?;
        let mut conn = self.reader().await?;
        let matching = search::count(&mut conn, &plan, COUNTED).await?;
        let newest = search::positions(&mut conn, &plan, Walk::Down(None), COUNTED).await?;
        let mut changing = 0_u32;
        let mut shown = Vec::new();
        for chunk in newest.chunks(rows::LIST) {
            let items =
                crate::change::load(&mut conn, crate::change::Which::Positions(chunk)).await?;
            for item in items {
                let after = operations
                    .iter()
                    .fold(item.side.clone(), |side, kind| kind.apply(now.as_ms(), &side));
                if after != item.side {
                    changing += 1;
                    shown.push((item.position, item.id));
                }
            }
            shown.sort_unstable_by_key(|(position, _)| std::cmp::Reverse(*position));
            shown.truncate(usize::try_from(SHOWN).unwrap_or(20));
        }
        let ids: Vec<_> = shown.into_iter().map(|(_, id)| id).collect();
        Ok(DryRun {
            matching: u32::try_from(matching).unwrap_or(u32::MAX),
            changing,
            items: rows::summaries(&mut conn, &ids).await?,
            words: draft.words(),
        })
    }
}

async fn save(tx: &mut Tx, id: Option<String>, draft: &RuleDraft) -> Result<Rule> {
    let operations = serde_json::to_string(&draft.operations)?;
    let (id, kind) = match id {
        Some(id) => {
            let done = sqlx::query(
                "UPDATE rule SET name = ?, query = ?, operations = ?, snooze = ?, notify = ?,
                   enabled = ?
                 WHERE id = ?",
            )
            .bind(draft.name.trim())
            .bind(&draft.query)
            .bind(&operations)
            .bind(&draft.snooze)
            .bind(draft.notify)
            .bind(draft.enabled)
            .bind(&id)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
            if done.rows_affected() == 0 {
                return Err(Error::not_found(format!("the rule {id}")));
            }
            (id, ChangeKind::Updated)
        }
        None => {
            let rules: i64 = sqlx::query_scalar("SELECT count(*) FROM rule")
                .fetch_one(tx.conn())
                .await
                .map_err(from_sqlx)?;
            if rules >= MOST {
                return Err(Error::invalid(format!("there are {MOST} rules already"))
                    .hint("Delete one that is no longer needed."));
            }
            let id = devrig_core::id::OperationId::fresh().0;
            sqlx::query(
                "INSERT INTO rule (id, name, query, operations, snooze, notify, enabled, position)
                 VALUES (?, ?, ?, ?, ?, ?, ?, (SELECT coalesce(max(position), 0) + 1 FROM rule))",
            )
            .bind(&id)
            .bind(draft.name.trim())
            .bind(&draft.query)
            .bind(&operations)
            .bind(&draft.snooze)
            .bind(draft.notify)
            .bind(draft.enabled)
            .execute(tx.conn())
            .await
            .map_err(from_sqlx)?;
            (id, ChangeKind::Created)
        }
    };
    tx.change(Change::new("rule", id.clone(), kind, &Origin::person()));
    let rules = all(tx.conn()).await?;
    rules
        .into_iter()
        .find(|rule| rule.id == id)
        .ok_or_else(|| Error::internal("a rule that was just written is not there"))
}

async fn all(conn: &mut SqliteConnection) -> Result<Vec<Rule>> {
    let rows = sqlx::query(
        "SELECT id, name, query, operations, snooze, notify, enabled, applied, applied_at FROM rule
         ORDER BY position, id",
    )
    .fetch_all(conn)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(read).collect()
}

fn read(row: &SqliteRow) -> Result<Rule> {
    let operations: String = get(row, "operations")?;
    let draft = RuleDraft {
        name: get(row, "name")?,
        query: get(row, "query")?,
        operations: serde_json::from_str(&operations)
            .map_err(|error| Error::internal(format!("a stored rule: {error}")))?,
        snooze: get(row, "snooze")?,
        notify: integer(row, "notify")? != 0,
        enabled: integer(row, "enabled")? != 0,
    };
    let words = draft.words();
    let RuleDraft { name, query, operations, snooze, notify, enabled } = draft;
    Ok(Rule {
        id: get(row, "id")?,
        draft: RuleDraftShown { name, query, operations, snooze, notify, enabled },
        applied: u32::try_from(integer(row, "applied")?).unwrap_or(u32::MAX),
        applied_at: get::<Option<i64>>(row, "applied_at")?.map(Timestamp::from_ms),
        words,
    })
}

impl Rule {
    fn draft(&self) -> RuleDraft {
        let RuleDraftShown { name, query, operations, snooze, notify, enabled } =
            self.draft.clone();
        RuleDraft { name, query, operations, snooze, notify, enabled }
    }
}
