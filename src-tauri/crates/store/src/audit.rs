//! The audit log: what was refused or done in the person's name, one row each.

use devrig_core::{Actor, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{Row, SqliteExecutor};

use crate::append::Bind;
use crate::error::from_sqlx;
use crate::tx::Tx;

/// One thing worth answering for. `detail` never holds a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    pub actor: Actor,
    /// Whom it concerns: a plugin's name, an account, a flow.
    pub subject: String,
    /// The rule that decided, such as `network:host-not-granted`.
    pub rule: String,
    /// What was tried, such as `http.fetch GET evil.test`.
    pub action: String,
    /// `allowed`, `refused`, `stopped`, `quarantined`.
    pub verdict: String,
    pub detail: Value,
}

/// An entry with its place and time.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    pub seq: i64,
    pub at: Timestamp,
    pub entry: Entry,
}

const INTO: &str = "INSERT INTO audit (at, actor, subject, rule, action, verdict, detail) ";

fn values(at: Timestamp, entry: &Entry) -> Vec<Bind> {
    vec![
        Bind::Text(at.to_string()),
        Bind::from(entry.actor.as_str()),
        Bind::Text(entry.subject.clone()),
        Bind::Text(entry.rule.clone()),
        Bind::Text(entry.action.clone()),
        Bind::Text(entry.verdict.clone()),
        Bind::Text(entry.detail.to_string()),
    ]
}

/// Writes an entry with the caller's transaction.
pub fn record(tx: &mut Tx, entry: &Entry) {
    let at = tx.now();
    tx.append(INTO, 7, values(at, entry));
}

impl crate::Store {
    /// Writes an entry by itself.
    pub async fn audit(&self, entry: &Entry) -> Result<()> {
        self.append(INTO, 7, values(self.clock().now(), entry)).await
    }
}

/// The newest entries of one subject, or of all, newest first.
pub async fn list(
    executor: impl SqliteExecutor<'_>,
    subject: Option<&str>,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<Recorded>> {
    let rows = sqlx::query(
        "SELECT seq, at, actor, subject, rule, action, verdict, detail FROM audit
         WHERE (?1 IS NULL OR subject = ?1) AND (?2 IS NULL OR seq < ?2)
         ORDER BY seq DESC LIMIT ?3",
    )
    .bind(subject)
    .bind(before)
    .bind(limit)
    .fetch_all(executor)
    .await
    .map_err(from_sqlx)?;
    rows.iter().map(read).collect()
}

fn read(row: &sqlx::sqlite::SqliteRow) -> Result<Recorded> {
    let text = |column: &str| row.try_get::<String, _>(column).map_err(from_sqlx);
    Ok(Recorded {
        seq: row.try_get("seq").map_err(from_sqlx)?,
        at: text("at")?.parse()?,
        entry: Entry {
            actor: Actor::parse(&text("actor")?).unwrap_or(Actor::System),
            subject: text("subject")?,
            rule: text("rule")?,
            action: text("action")?,
            verdict: text("verdict")?,
            detail: serde_json::from_str(&text("detail")?)?,
        },
    })
}
