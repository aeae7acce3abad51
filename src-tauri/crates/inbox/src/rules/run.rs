//! Applies the rules to what changed: a durable reader of the change feed.

use std::collections::HashSet;

use devrig_core::id::ItemId;
use devrig_core::{Actor, ChangeKind, Code, Origin, Result};
use devrig_store::{ChangeRow, Subscriber, Tx, from_sqlx};
use tokio_util::sync::CancellationToken;

use super::{Rule, all};
use crate::inbox::Inbox;
use crate::matching;
use crate::operate;
use crate::operation::{Operation, Target};
use crate::query::{self, plan::Plan};

const NAME: &str = "rules";
/// Changes of one turn, which is one transaction.
const TURN: u32 = 500;

impl Inbox {
    /// Applies the rules until `stop`. What happened while nobody ran this is caught up with.
    pub async fn run_rules(&self, stop: CancellationToken) -> Result<()> {
        let mut feed = self.store().subscriber(NAME).await?;
        loop {
            let rows = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                rows = feed.next(TURN) => match rows {
                    Err(error) if error.code == Code::Cancelled => return Ok(()),
                    rows => rows?,
                },
            };
            // Effects and cursor are one transaction: each change is applied once, also after a kill.
            self.store().write(async move |tx: &mut Tx| turn(tx, &rows).await).await?;
        }
    }
}

async fn turn(tx: &mut Tx, rows: &[ChangeRow]) -> Result<()> {
    let concerned: Vec<&ChangeRow> = rows.iter().filter(|row| concerns(row)).collect();
    if !concerned.is_empty() {
        let mut seen = HashSet::new();
        let ids: Vec<ItemId> = concerned
            .iter()
            .filter(|row| seen.insert(&row.id))
            .map(|row| ItemId(row.id.clone()))
            .collect();
        let depth = concerned.iter().map(|row| row.origin.depth).max().unwrap_or(0) + 1;
        for rule in all(tx.conn()).await?.iter().filter(|rule| rule.draft.enabled) {
            if let Err(error) = apply(tx, rule, &ids, depth).await {
                if matches!(error.code, Code::InvalidInput | Code::InvalidQuery) {
                    tracing::warn!(%error, rule = rule.draft.name, "a rule could not be applied");
                    continue;
                }
                return Err(error);
            }
        }
    }
    match rows.last() {
        Some(last) => Subscriber::advance(NAME, tx, last.seq).await,
        None => Ok(()),
    }
}

/// What a source or its action brought, and new items of scripts. What the person did is their
/// word, and what rules did has been looked at.
fn concerns(row: &ChangeRow) -> bool {
    let by_source = matches!(row.origin.actor, Actor::Source | Actor::Plugin);
    row.table == "item"
        && row.origin.depth < Origin::MAX_DEPTH
        && match row.kind {
            ChangeKind::Created => row.origin.actor != Actor::Rule,
            ChangeKind::Updated => by_source,
            ChangeKind::Deleted => false,
        }
}

async fn apply(tx: &mut Tx, rule: &Rule, ids: &[ItemId], depth: u8) -> Result<()> {
    let now = tx.now();
    let draft = rule.draft();
    let plan = Plan::of(&query::parse(&draft.query, now)?)?;
    let matching = matching::among(tx.conn(), &plan, ids).await?;
    if matching.is_empty() {
        return Ok(());
    }
    let mut origin = Origin::new(Actor::Rule).because(format!("rule {}", draft.name));
    origin.depth = depth;
    // Of several operations, the one that changed the most: they are on the same items.
    let mut changed = 0;
    for kind in draft.due(now)? {
        let operation = Operation { kind, target: Target::Ids(matching.clone()) };
        let done = operate::operate(tx, &operation, &origin).await?;
        changed = changed.max(done.changed);
    }
    if changed == 0 {
        return Ok(());
    }
    sqlx::query("UPDATE rule SET applied = applied + ?, applied_at = ? WHERE id = ?")
        .bind(i64::from(changed))
        .bind(now.as_ms())
        .bind(&rule.id)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    tx.change(devrig_core::Change::new("rule", rule.id.clone(), ChangeKind::Updated, &origin));
    Ok(())
}
