//! Finds runs among a million: by what they are, when they were, and what their errors say.

use devrig_core::{Error, Result, Timestamp};
use devrig_store::{Batch, Bind, SqliteConnection, from_sqlx};
use sqlx::{QueryBuilder, Sqlite};

use super::run::{COLUMNS, FlowNames, named};
use crate::run::{RunKind, RunRow, RunStatus};

/// Which runs are wanted. What is absent does not matter.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub flow: Option<i64>,
    pub status: Option<RunStatus>,
    pub kind: Option<RunKind>,
    pub trigger_type: Option<&'static str>,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Comes before this place of the order: a time of queuing and a number.
    pub before: Option<(Timestamp, i64)>,
}

/// A run and its flow's names.
pub type Found = (RunRow, FlowNames);

/// The words of an error as they can be looked for. Longer ones are dumps, and are cut.
const WORDS: usize = 4_000;
/// So many entries of an index are passed by in a few milliseconds.
const FEW: i64 = 20_000;
/// An id is not looked for by less of it.
const PART: usize = 4;

/// Writes the words of a run's error.
pub fn add_words(batch: &mut Batch, run: i64, error: &Error) {
    let hint = error.hint.as_deref().unwrap_or_default();
    let text = format!("{} {} {hint}", error.code.as_str(), error.message);
    let text: String = text.chars().take(WORDS).collect();
    batch.append(
        "INSERT OR REPLACE INTO run_error (rowid, error) ",
        2,
        vec![Bind::Int(run), Bind::from(text)],
    );
}

/// Runs that fit, newest first.
pub async fn list(conn: &mut SqliteConnection, filter: &Filter, limit: u32) -> Result<Vec<Found>> {
    let way = narrowest(conn, filter).await?;
    // The index has all that is asked, and in the order of the list.
    let mut query = QueryBuilder::new(COLUMNS);
    query.push("WHERE run.seq IN (SELECT seq FROM run INDEXED BY ").push(way.index());
    query.push(" WHERE 1");
    filter.push(&mut query);
    query.push(" ORDER BY queued_at DESC, seq DESC LIMIT ").push_bind(limit);
    query.push(") ORDER BY run.queued_at DESC, run.seq DESC");
    read(conn, query).await
}

/// Runs that fit, whose error has the words of a text or whose id begins with it, newest first.
///
/// # Errors
/// `INVALID_INPUT` for a text without a word.
pub async fn with_text(
    conn: &mut SqliteConnection,
    filter: &Filter,
    text: &str,
    limit: u32,
) -> Result<Vec<Found>> {
    let words = words(text)?;
    let mut query = QueryBuilder::new(COLUMNS);
    query.push(
        "WHERE run.seq IN (SELECT seq FROM run_error CROSS JOIN run ON seq = run_error.rowid",
    );
    query.push(" WHERE run_error MATCH ").push_bind(words);
    if let Some((_, seq)) = filter.before {
        query.push(" AND run_error.rowid < ").push_bind(seq);
    }
    query.push(" AND run.error IS NOT NULL");
    filter.push_facts(&mut query);
    query.push(" ORDER BY run_error.rowid DESC LIMIT ").push_bind(limit);
    query.push(") ORDER BY run.seq DESC");
    let mut found = read(conn, query).await?;
    found.extend(with_id(conn, filter, text.trim(), limit).await?);
    found.sort_by_key(|(run, _)| std::cmp::Reverse(run.seq));
    found.dedup_by_key(|(run, _)| run.seq);
    found.truncate(limit as usize);
    Ok(found)
}

async fn with_id(
    conn: &mut SqliteConnection,
    filter: &Filter,
    part: &str,
    limit: u32,
) -> Result<Vec<Found>> {
    if part.len() < PART || !part.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return Ok(Vec::new());
    }
    let part = part.to_ascii_lowercase();
    let end = format!("{part}{{");
    let mut query = QueryBuilder::new("SELECT count(*) FROM (SELECT 1 FROM run INDEXED BY run_id ");
    query.push("WHERE id >= ").push_bind(&part).push(" AND id < ").push_bind(&end);
    query.push(" LIMIT ").push_bind(FEW).push(")");
    let count: i64 = query.build_query_scalar().fetch_one(&mut *conn).await.map_err(from_sqlx)?;
    let mut query = QueryBuilder::new(COLUMNS);
    query.push("WHERE run.seq IN (SELECT seq FROM run ");
    // SQLite does not know how few begin so, and would rather read all that pass the filter.
    if count < FEW {
        query.push("INDEXED BY run_id ");
    }
    query.push("WHERE id >= ").push_bind(&part).push(" AND id < ").push_bind(&end);
    if let Some((_, seq)) = filter.before {
        query.push(" AND seq < ").push_bind(seq);
    }
    filter.push_facts(&mut query);
    // The order of their ranks, and so that of their numbers, without sorting all that begin so.
    query.push(" ORDER BY id DESC LIMIT ").push_bind(limit);
    query.push(") ORDER BY run.seq DESC");
    read(conn, query).await
}

async fn read(conn: &mut SqliteConnection, mut query: QueryBuilder<Sqlite>) -> Result<Vec<Found>> {
    let rows = query.build().fetch_all(conn).await.map_err(from_sqlx)?;
    rows.iter().map(named).collect()
}

/// Each word as a phrase of its own; the last one may go on.
fn words(text: &str) -> Result<String> {
    let words: Vec<String> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| word.chars().any(char::is_alphanumeric))
        .map(|word| format!("\"{}\"", word.replace('"', "\"\"")))
        .collect();
    if words.is_empty() {
        return Err(Error::invalid(format!("there is no word in {text:?} to look for")));
    }
    Ok(format!("{}*", words.join(" ")))
}

/// The ways to runs: an index each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Time,
    Status,
    Kind,
    Flow,
    Trigger,
}

impl Way {
    fn index(self) -> &'static str {
        match self {
            Self::Time => "run_queued",
            Self::Status => "run_status",
            Self::Kind => "run_kind",
            Self::Flow => "run_flow",
            Self::Trigger => "run_trigger",
        }
    }
}

/// The way with the fewest runs on it. Several are compared by counting, as what is rare differs
/// from person to person.
async fn narrowest(conn: &mut SqliteConnection, filter: &Filter) -> Result<Way> {
    let ways = filter.ways();
    if let [] | [_] = ways[..] {
        return Ok(ways.first().copied().unwrap_or(Way::Time));
    }
    let (mut best, mut fewest) = (ways[0], i64::MAX);
    for way in ways {
        let count = count(conn, filter, way).await?;
        if count < fewest {
            (best, fewest) = (way, count);
        }
    }
    Ok(best)
}

async fn count(conn: &mut SqliteConnection, filter: &Filter, way: Way) -> Result<i64> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM (SELECT 1 FROM run INDEXED BY ");
    query.push(way.index()).push(" WHERE 1");
    filter.push_fact(&mut query, way);
    filter.push_times(&mut query);
    query.push(" LIMIT ").push_bind(FEW).push(")");
    query.build_query_scalar().fetch_one(conn).await.map_err(from_sqlx)
}

impl Filter {
    fn ways(&self) -> Vec<Way> {
        let rare = |status| status != RunStatus::Completed;
        let ways = [
            (self.status.is_some_and(rare), Way::Status),
            (self.kind.is_some_and(|kind| kind != RunKind::Live), Way::Kind),
            (self.flow.is_some(), Way::Flow),
            (self.trigger_type.is_some(), Way::Trigger),
        ];
        ways.into_iter().filter_map(|(open, way)| open.then_some(way)).collect()
    }

    fn push(&self, query: &mut QueryBuilder<Sqlite>) {
        self.push_facts(query);
        if let Some((at, seq)) = self.before {
            query.push(" AND (queued_at, seq) < (").push_bind(at.as_ms());
            query.push(", ").push_bind(seq).push(")");
        }
    }

    fn push_facts(&self, query: &mut QueryBuilder<Sqlite>) {
        for way in [Way::Status, Way::Kind, Way::Flow, Way::Trigger] {
            self.push_fact(query, way);
        }
        self.push_times(query);
    }

    /// A partial index is only taken when its own condition is among those that are asked.
    fn push_fact(&self, query: &mut QueryBuilder<Sqlite>, way: Way) {
        match way {
            Way::Time => {}
            Way::Status => {
                push_word(query, " AND status = ", self.status.map(RunStatus::as_str));
                if self.status.is_some_and(|status| status != RunStatus::Completed) {
                    query.push(" AND status <> 'completed'");
                }
            }
            Way::Kind => {
                push_word(query, " AND kind = ", self.kind.map(RunKind::as_str));
                if self.kind.is_some_and(|kind| kind != RunKind::Live) {
                    query.push(" AND kind <> 'live'");
                }
            }
            Way::Trigger => push_word(query, " AND trigger_type = ", self.trigger_type),
            Way::Flow => {
                if let Some(flow) = self.flow {
                    query.push(" AND run.flow = ").push_bind(flow);
                }
            }
        }
    }

    fn push_times(&self, query: &mut QueryBuilder<Sqlite>) {
        if let Some(since) = self.since {
            query.push(" AND queued_at >= ").push_bind(since.as_ms());
        }
        if let Some(until) = self.until {
            query.push(" AND queued_at < ").push_bind(until.as_ms());
        }
    }
}

fn push_word(query: &mut QueryBuilder<Sqlite>, is: &str, word: Option<&'static str>) {
    if let Some(word) = word {
        query.push(is).push_bind(word);
    }
}
