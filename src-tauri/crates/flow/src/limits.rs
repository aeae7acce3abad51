//! How many calls of one action go on at a time and begin within a minute, over all flows.

mod given;
mod lane;

pub use given::{Given, Limit, read};
pub use lane::{Asked, Lane, Place, Who};

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::stopwatch::ActionFigures;

/// The lanes of all actions. Cheap to clone.
#[derive(Clone, Default)]
pub struct Limits {
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    given: Given,
    lanes: BTreeMap<String, Arc<Lane>>,
}

impl Limits {
    /// Sets the limits of all actions; those that are not named have the usual ones.
    pub fn set(&self, given: Given) {
        let mut state = self.lock();
        for (action, lane) in &state.lanes {
            lane.set(given.get(action).copied().unwrap_or_default());
        }
        state.given = given;
    }

    /// The lane of an action; all nodes that call it share it. `usual` is how many of its calls go on
    /// at a time where nobody said otherwise, which the first to ask for the lane decides.
    pub(crate) fn lane(&self, action: &str, usual: Option<u32>) -> Arc<Lane> {
        let mut state = self.lock();
        if let Some(lane) = state.lanes.get(action) {
            return lane.clone();
        }
        // Definitions may name any action of a plugin, also those that are only checked.
        state.lanes.retain(|_, lane| Arc::strong_count(lane) > 1 || lane.watch.was_used());
        let lane = Arc::new(Lane::new(action, usual));
        lane.set(state.given.get(action).copied().unwrap_or_default());
        state.lanes.insert(action.to_owned(), lane.clone());
        lane
    }

    /// What is known of the actions that were called, by name.
    pub fn figures(&self) -> Vec<ActionFigures> {
        let lanes: Vec<_> = self.lock().lanes.values().cloned().collect();
        lanes.iter().filter_map(|lane| lane.figures()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
