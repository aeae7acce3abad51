//! The same rules told another way, for the property tests: everything is worked out anew from the
//! nodes that have ended, by asking each node about those before it.

use std::collections::BTreeMap;

use super::{Join, Way};

/// What the ways out of a node are like, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is known yet.
    Open,
    /// May run: every condition for it is met.
    Runs,
    /// Never runs.
    Dead,
}

/// Decides by recursion over the ways in. `ended` holds, for each node that has ended, the ways
/// that were taken from it.
pub fn fate(
    joins: &[Join],
    ways: &[Way],
    ended: &BTreeMap<usize, Vec<usize>>,
    node: usize,
) -> Fate {
    let mut open = 0;
    let mut taken = 0;
    let mut dead = 0;
    for (number, way) in ways.iter().enumerate().filter(|(_, way)| way.target == node) {
        match ended.get(&way.source) {
            Some(chosen) if chosen.contains(&number) => taken += 1,
            Some(_) => dead += 1,
            None if fate(joins, ways, ended, way.source) == Fate::Dead => dead += 1,
            None => open += 1,
        }
    }
    match (joins[node], open, taken, dead) {
        (_, 0, 0, 0) => Fate::Runs,
        (Join::Any, _, 1.., _) | (Join::All, 0, 1.., _) => Fate::Runs,
        (_, 0, 0, _) => Fate::Dead,
        _ => Fate::Open,
    }
}
