//! How many items are in which state, by source: kept with every write, so that the sidebar and
//! the query plan cost nothing.

use std::collections::BTreeMap;

use devrig_core::Result;
use devrig_store::{SqliteConnection, from_sqlx};
use sqlx::{QueryBuilder, Row, Sqlite};

use crate::state::{State, States};

/// Changes of the numbers, gathered during a write.
#[derive(Debug, Default)]
pub(crate) struct Deltas(BTreeMap<(i64, State), i64>);

impl Deltas {
    pub fn add(&mut self, source: i64, state: State, items: i64) {
        *self.0.entry((source, state)).or_default() += items;
    }

    pub fn moved(&mut self, source: i64, from: State, to: State) {
        self.add(source, from, -1);
        self.add(source, to, 1);
    }

    pub async fn write(self, conn: &mut SqliteConnection) -> Result<()> {
        let changed: Vec<_> = self.0.into_iter().filter(|(_, items)| *items != 0).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let mut query =
            QueryBuilder::<Sqlite>::new("INSERT INTO inbox_count (source, state, items) ");
        query.push_values(changed, |mut row, ((source, state), items)| {
            row.push_bind(source).push_bind(state.0).push_bind(items);
        });
        query.push(" ON CONFLICT (source, state) DO UPDATE SET items = items + excluded.items");
        query.build().execute(conn).await.map_err(from_sqlx)?;
        Ok(())
    }
}

/// The numbers by state, all sources together or one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Counts(pub [i64; State::COMBINATIONS as usize]);

impl Counts {
    pub async fn read(conn: &mut SqliteConnection) -> Result<Counts> {
        let mut counts = Counts::default();
        for (_, state, items) in rows(conn).await? {
            counts.0[index(state)] += items;
        }
        Ok(counts)
    }

    pub fn of(&self, states: States) -> i64 {
        (0..State::COMBINATIONS)
            .filter(|state| states.contains(State(*state)))
            .map(|state| self.0[index(State(state))])
            .sum()
    }

    /// The states that have items, among these.
    pub fn present(&self, states: States) -> Vec<i64> {
        (0..State::COMBINATIONS)
            .filter(|state| states.contains(State(*state)) && self.0[index(State(*state))] > 0)
            .collect()
    }
}

fn index(state: State) -> usize {
    // The column holds what `Side::state` wrote: 0 to 31.
    usize::try_from(state.0 & (State::COMBINATIONS - 1)).unwrap_or(0)
}

pub(crate) async fn rows(conn: &mut SqliteConnection) -> Result<Vec<(i64, State, i64)>> {
    let rows = sqlx::query("SELECT source, state, items FROM inbox_count WHERE items <> 0")
        .fetch_all(conn)
        .await
        .map_err(from_sqlx)?;
    rows.iter()
        .map(|row| {
            let number = |column: &str| row.try_get::<i64, _>(column).map_err(from_sqlx);
            Ok((number("source")?, State(number("state")?), number("items")?))
        })
        .collect()
}

/// By source: its number with the counts of its items.
pub(crate) async fn by_source(conn: &mut SqliteConnection) -> Result<BTreeMap<i64, Counts>> {
    let mut all: BTreeMap<i64, Counts> = BTreeMap::new();
    for (source, state, items) in rows(conn).await? {
        all.entry(source).or_default().0[index(state)] += items;
    }
    Ok(all)
}
