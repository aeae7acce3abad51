//! Applies the rules to what changed: a durable reader of the change feed.

use devrig_core::id::ItemId;
use devrig_core::{Actor, ChangeKind, Code, Origin, Result};
use devrig_store::{Tx, from_sqlx};
use tokio_util::sync::CancellationToken;

use super::{Rule, all};
use crate::arrivals::{Arrivals, AsyncApply};
use crate::inbox::Inbox;
use crate::matching;
use crate::notices;
use crate::operate;
use crate::operation::{Operation, Target};
use crate::query::{self, plan::Plan};

#[derive(Clone, Copy)]
struct Rules;

impl AsyncApply for Rules {
    async fn apply(&self, tx: &mut Tx, arrivals: &Arrivals) -> Result<()> {
        for rule in all(tx.conn()).await?.iter().filter(|rule| rule.draft.enabled) {
            if let Err(error) = apply(tx, rule, arrivals).await {
                if matches!(error.code, Code::InvalidInput | Code::InvalidQuery) {
                    tracing::warn!(%error, rule = rule.draft.name, "a rule could not be applied");
                    continue;
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

impl Inbox {
    /// Applies the rules to what arrives until `stop`.
    pub async fn run_rules(&self, stop: CancellationToken) -> Result<()> {
        self.follow_arrivals("rules", stop, Rules).await
    }
}

async fn apply(tx: &mut Tx, rule: &Rule, arrivals: &Arrivals) -> Result<()> {
    let now = tx.now();
    let draft = rule.draft();
    let plan = Plan::of(&query::parse(&draft.query, now)?)?;
    let ids: Vec<ItemId> = arrivals.items.iter().map(|arrival| arrival.id.clone()).collect();
    let matching = matching::among(tx.conn(), &plan, &ids).await?;
    if matching.is_empty() {
        return Ok(());
    }
    if draft.notify {
        let news = |id: &&ItemId| !arrivals.items.iter().any(|a| a.backfill && a.id == **id);
        let news: Vec<ItemId> = matching.iter().filter(news).cloned().collect();
        notices::ask(tx, &news, &draft.name).await?;
    }
    let mut origin = Origin::new(Actor::Rule).because(format!("rule {}", draft.name));
    origin.depth = arrivals.depth;
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
