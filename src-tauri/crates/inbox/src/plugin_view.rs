//! The inbox as a plugin sees it: its own items, in the SDK's shape, with one status.

use devrig_core::id::AccountId;
use devrig_core::{Error, Result};
use devrig_store::{SqliteConnection, from_sqlx};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::inbox::Inbox;
use crate::item::{Item, Priority};
use crate::query::plan::{Alternative, Expr, Plan, words_expr};
use crate::rows;
use crate::search::{self, Walk};
use crate::state::{State, States};

/// The reference's single status, derived from the person's side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginStatus {
    Unread,
    Read,
    /// What the person sees as done.
    Archived,
    Snoozed,
}

impl PluginStatus {
    fn of(state: State) -> Self {
        if state.has(State::DONE) {
            PluginStatus::Archived
        } else if state.has(State::SNOOZED) {
            PluginStatus::Snoozed
        } else if state.has(State::READ) {
            PluginStatus::Read
        } else {
            PluginStatus::Unread
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PluginOrder {
    CreatedAt,
    #[default]
    UpdatedAt,
    Priority,
}

/// The SDK's `InboxQuery`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct PluginQuery {
    /// These items and no others; stands alone, 500 at most.
    pub external_ids: Option<Vec<String>>,
    pub types: Option<Vec<String>>,
    pub status: Option<Vec<PluginStatus>>,
    pub priority: Option<Vec<Priority>>,
    pub is_actionable: Option<bool>,
    /// Words in title and body; never syntax.
    pub search: Option<String>,
    /// 50 when absent, at most 500.
    pub limit: Option<u32>,
    pub offset: Option<u32>,
    /// By creation or priority only the newest 10,000 matches are put in order.
    pub order_by: PluginOrder,
}

const DEEPEST: u32 = 10_000;
const MOST_IDS: usize = 500;
const WORDS: usize = 50;

impl Inbox {
    /// The account's own items in the shape of the SDK's `InboxItem`.
    ///
    /// # Errors
    /// `INVALID_INPUT` beyond the limits.
    pub async fn plugin_query(
        &self,
        account: &AccountId,
        query: &PluginQuery,
    ) -> Result<Vec<Value>> {
        if let Some(ids) = &query.external_ids {
            return self.plugin_items(account, query, ids).await;
        }
        let offset = query.offset.unwrap_or(0);
        let limit = query.limit.unwrap_or(50).min(500);
        if offset > DEEPEST {
            return Err(Error::invalid("offset is larger than 10000").hint("Narrow the query."));
        }
        let plan = plan(account, query)?;
        let wanted = match query.order_by {
            PluginOrder::UpdatedAt => offset + limit,
            PluginOrder::CreatedAt | PluginOrder::Priority => DEEPEST,
        };
        let mut conn = self.reader().await?;
        let found =
            search::positions(&mut conn, &plan, Walk::Down(None), i64::from(wanted)).await?;
        let found = in_order(&mut conn, account, found, query.order_by).await?;
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let count = usize::try_from(limit).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        for id in found.into_iter().skip(from).take(count) {
            let item = rows::item(&mut conn, &id.into()).await?;
            items.extend(item.as_ref().map(plugin_item));
        }
        Ok(items)
    }

    async fn plugin_items(
        &self,
        account: &AccountId,
        query: &PluginQuery,
        external_ids: &[String],
    ) -> Result<Vec<Value>> {
        let alone = PluginQuery { external_ids: query.external_ids.clone(), ..Default::default() };
        if *query != alone {
            return Err(Error::invalid("externalIds stands alone in a query")
                .hint("Leave the other parts out."));
        }
        if external_ids.len() > MOST_IDS {
            return Err(Error::invalid(format!("externalIds holds more than {MOST_IDS}")));
        }
        let ids = self.by_external(account, external_ids).await?;
        let mut conn = self.reader().await?;
        let mut items = Vec::with_capacity(ids.len());
        for id in ids {
            let item = rows::item(&mut conn, &id).await?;
            items.extend(item.as_ref().map(plugin_item));
        }
        Ok(items)
    }
}

fn plan(account: &AccountId, query: &PluginQuery) -> Result<Plan> {
    let any = |field: &str, values: Vec<String>| {
        let terms = values.iter().map(|value| Expr::attribute(field, value));
        Expr::Any(terms.collect())
    };
    let mut all = vec![Expr::attribute("from", &account.0)];
    let none = |list: bool| list.then(|| Plan { alternatives: Vec::new() });
    if let Some(types) = &query.types {
        if let Some(none) = none(types.is_empty()) {
            return Ok(none);
        }
        all.push(any("type", types.clone()));
    }
    if let Some(priorities) = &query.priority {
        if let Some(none) = none(priorities.is_empty()) {
            return Ok(none);
        }
        let names = priorities.iter().map(|priority| priority.as_str().to_owned());
        all.push(any("priority", names.collect()));
    }
    if let Some(actionable) = query.is_actionable {
        all.push(Expr::attribute(if actionable { "is" } else { "no" }, "actionable"));
    }
    let words: Vec<&str> = query.search.as_deref().unwrap_or("").split_whitespace().collect();
    if words.len() > WORDS {
        return Err(Error::invalid("search holds more than 50 words").hint("Use fewer."));
    }
    all.extend(words.into_iter().filter_map(|word| words_expr(word, false)));
    let states = match &query.status {
        None => States::ALL,
        Some(wanted) => States::where_(|state| wanted.contains(&PluginStatus::of(state))),
    };
    let text = Some(Expr::All(all));
    Ok(Plan { alternatives: vec![Alternative { text, states, ..Alternative::everything() }] })
}

/// Ids of those positions that belong to the account: terms are folded and cut, so they alone
/// would be no wall between plugins.
async fn in_order(
    conn: &mut SqliteConnection,
    account: &AccountId,
    positions: Vec<i64>,
    order: PluginOrder,
) -> Result<Vec<String>> {
    let mut found: Vec<(i64, String, i64, i64)> = Vec::with_capacity(positions.len());
    for chunk in positions.chunks(rows::LIST) {
        let mut query = sqlx::QueryBuilder::<sqlx::Sqlite>::new(
            "SELECT t.position, i.id, i.created_at, coalesce(i.own_priority, i.priority, 1)
             FROM inbox_source s JOIN triage t ON t.source = s.no JOIN item i ON i.no = t.no
             WHERE s.account = ",
        );
        query.push_bind(&account.0).push(" AND t.position IN (");
        rows::push_list(&mut query, chunk.iter().copied());
        found.extend(
            query
                .build_query_as::<(i64, String, i64, i64)>()
                .fetch_all(&mut *conn)
                .await
                .map_err(from_sqlx)?,
        );
    }
    found.sort_by_key(|(position, _, created, priority)| {
        let first = match order {
            PluginOrder::UpdatedAt => *position,
            PluginOrder::CreatedAt => *created,
            PluginOrder::Priority => *priority,
        };
        std::cmp::Reverse((first, *position))
    });
    Ok(found.into_iter().map(|(_, id, ..)| id).collect())
}

/// An item in the shape of the SDK's `InboxItem`.
pub fn plugin_item(item: &Item) -> Value {
    let summary = &item.summary;
    let triage = &summary.triage;
    let bit = |set: bool, bit: i64| if set { bit } else { 0 };
    let state = State(
        bit(triage.read_at.is_some(), State::READ)
            | bit(triage.done_at.is_some(), State::DONE)
            | bit(triage.snoozed_until.is_some(), State::SNOOZED),
    );
    json!({
        "id": summary.id,
        "externalId": item.external_id,
        "type": summary.kind,
        "title": summary.title,
        "body": item.body,
        "preview": summary.preview,
        "sourceUrl": summary.source_url,
        "priority": summary.priority,
        "isActionable": summary.is_actionable,
        "metadata": item.metadata,
        "externalCreatedAt": item.source_created_at,
        "externalUpdatedAt": item.source_updated_at,
        "threadKey": summary.thread_key,
        "actor": summary.actor,
        "repo": summary.repo,
        "reason": summary.reason,
        "labels": summary.labels,
        "state": summary.state,
        "status": PluginStatus::of(state),
        "createdAt": item.created_at,
        "updatedAt": item.updated_at,
    })
}
