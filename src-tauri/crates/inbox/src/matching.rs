//! Tests a query on single items in memory, without the full text. It gives what the search gives:
//! both read the same plan, and the same words of an item.

use std::collections::HashSet;

use devrig_core::Result;
use devrig_core::id::ItemId;
use devrig_store::SqliteConnection;

use crate::change::{self, Which};
use crate::inbox::Inbox;
use crate::query::{
    self,
    plan::{Alternative, Expr, Plan},
};
use crate::rows::{self, Indexed};
use crate::state::State;

/// An item as a plan looks at it.
pub(crate) struct Candidate {
    position: i64,
    state: State,
    title: Vec<String>,
    body: Vec<String>,
}

impl Candidate {
    pub fn of(item: &Indexed) -> Self {
        let (title, body) = item.words();
        // As the full text's tokenizer does it: it splits at spaces and folds ASCII.
        let tokens =
            |text: &str| text.split_ascii_whitespace().map(str::to_ascii_lowercase).collect();
        Self {
            position: item.position,
            state: item.side.state(),
            title: tokens(&title),
            body: tokens(&body),
        }
    }
}

impl Plan {
    pub fn matches(&self, item: &Candidate) -> bool {
        self.alternatives.iter().any(|alternative| alternative.matches(item))
    }
}

impl Alternative {
    fn matches(&self, item: &Candidate) -> bool {
        (self.from..=self.to).contains(&item.position)
            && self.states.contains(item.state)
            && self.text.as_ref().is_none_or(|text| text.matches(item))
    }
}

impl Expr {
    fn matches(&self, item: &Candidate) -> bool {
        match self {
            Expr::Term { tokens, prefix } => {
                let tokens: Vec<String> =
                    tokens.iter().map(|token| token.to_ascii_lowercase()).collect();
                [&item.title, &item.body].into_iter().any(|text| phrase(text, &tokens, *prefix))
            }
            Expr::All(list) => list.iter().all(|expr| expr.matches(item)),
            Expr::Any(list) => list.iter().any(|expr| expr.matches(item)),
            Expr::Not(inner) => !inner.matches(item),
        }
    }
}

/// The tokens in this order, the last one perhaps only begun.
fn phrase(text: &[String], tokens: &[String], prefix: bool) -> bool {
    let Some((last, before)) = tokens.split_last() else { return false };
    text.windows(tokens.len()).any(|window| {
        let end = &window[before.len()];
        window[..before.len()] == *before
            && if prefix { end.starts_with(last.as_str()) } else { end == last }
    })
}

impl Inbox {
    /// Those of the items that match a query, in the order given, each looked at by itself: what
    /// it costs does not grow with the inbox.
    ///
    /// # Errors
    /// `INVALID_QUERY`.
    pub async fn matching(&self, query: &str, ids: &[ItemId]) -> Result<Vec<ItemId>> {
        let plan = Plan::of(&query::parse(query, self.store().clock().now())?)?;
        among(&mut *self.reader().await?, &plan, ids).await
    }
}

/// Those of the items that match, in the order given; unknown ones are left out.
pub(crate) async fn among(
    conn: &mut SqliteConnection,
    plan: &Plan,
    ids: &[ItemId],
) -> Result<Vec<ItemId>> {
    let sided = change::load(conn, Which::Ids(ids)).await?;
    let nos: Vec<i64> = sided.iter().map(|item| item.no).collect();
    let candidates = rows::indexed(conn, &nos).await?;
    let hits: HashSet<i64> = candidates
        .iter()
        .filter(|item| plan.matches(&Candidate::of(item)))
        .map(|item| item.position)
        .collect();
    let matching: HashSet<&ItemId> =
        sided.iter().filter(|item| hits.contains(&item.position)).map(|item| &item.id).collect();
    Ok(ids.iter().filter(|id| matching.contains(id)).cloned().collect())
}
