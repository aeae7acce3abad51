//! The calls of one action: which begin, and which wait for one to end.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devrig_core::Timestamp;
use tokio::sync::oneshot;

use super::Limit;
use crate::run::Board;
use crate::stopwatch::{ActionFigures, Stopwatch};

const MINUTE: Duration = Duration::from_secs(60);

/// Who asks for a place: flows take turns.
#[derive(Debug, Clone, Copy)]
pub struct Who {
    /// The number of the flow.
    pub flow: i64,
    pub priority: i8,
}

/// What is said to whoever asks.
pub enum Asked {
    /// It may begin.
    Now(Place),
    /// Its place comes when a call ends. It asks [`Place::begin`] then.
    After(oneshot::Receiver<Place>),
    /// No call begins before this time.
    NotBefore(Timestamp),
}

/// The calls of one action.
pub struct Lane {
    action: String,
    /// Calls at a time unless told.
    usual: Option<u32>,
    /// Nothing is limited, so nobody has to ask.
    open: AtomicBool,
    calls: Mutex<Calls>,
    /// How often it was called, limited or not.
    pub watch: Stopwatch,
}

struct Calls {
    limit: Limit,
    board: Board<Waiting>,
    /// When those of the last minute began, oldest first.
    begun: VecDeque<Timestamp>,
}

struct Waiting {
    flow: i64,
    tell: oneshot::Sender<Place>,
}

/// A place among the calls that go on. It is free again when this is dropped.
#[derive(Default)]
pub struct Place(Option<(Arc<Lane>, i64)>);

impl Lane {
    pub(super) fn new(action: &str, usual: Option<u32>) -> Self {
        let calls = Calls {
            limit: Limit::default(),
            board: Board::new(usize::MAX),
            begun: VecDeque::new(),
        };
        Self {
            action: action.to_owned(),
            usual,
            open: AtomicBool::new(true),
            calls: Mutex::new(calls),
            watch: Stopwatch::default(),
        }
    }

    /// The action that is called.
    pub fn action(&self) -> &str {
        &self.action
    }

    pub(super) fn set(self: &Arc<Self>, limit: Limit) {
        let at_once = limit.at_once.or(self.usual);
        let mut calls = self.lock();
        calls.limit = limit;
        calls.board.set_most(at_once.map_or(usize::MAX, |most| most as usize));
        self.open.store(at_once.is_none() && limit.per_minute.is_none(), Ordering::Relaxed);
        self.fill(&mut calls);
    }

    /// Lets a call begin where it may. Whoever has to wait does so behind those of its own flow, and
    /// in turns with other flows.
    pub fn ask(self: &Arc<Self>, who: Who, now: Timestamp) -> Asked {
        if self.open.load(Ordering::Relaxed) {
            return Asked::Now(Place::default());
        }
        let mut calls = self.lock();
        if let Err(until) = calls.may_begin(now) {
            return Asked::NotBefore(until);
        }
        calls.board.set(who.flow, usize::MAX, who.priority);
        if calls.board.enter(who.flow) {
            calls.begin(now);
            return Asked::Now(self.place(who.flow));
        }
        let (tell, place) = oneshot::channel();
        calls.board.wait(who.flow, Waiting { flow: who.flow, tell });
        Asked::After(place)
    }

    /// Forgets the calls of a flow that nobody waits for any more.
    pub fn tidy(&self, flow: i64) {
        self.lock().board.drop_waiting(flow, |waiting| waiting.tell.is_closed());
    }

    /// What is known of its calls, where there were any.
    pub fn figures(&self) -> Option<ActionFigures> {
        self.watch.figures(&self.action, self.counts().0)
    }

    /// How many calls wait for one to end, and how many go on.
    pub fn counts(&self) -> (usize, usize) {
        self.lock().board.counts()
    }

    /// Gives free places to those that wait.
    fn fill(self: &Arc<Self>, calls: &mut Calls) {
        while let Some(Waiting { flow, tell }) = calls.board.start_next() {
            if let Err(mut place) = tell.send(self.place(flow)) {
                // It went away meanwhile. Giving back by itself would wait for what is held here.
                place.0 = None;
                calls.board.leave(flow);
            }
        }
    }

    fn place(self: &Arc<Self>, flow: i64) -> Place {
        Place(Some((self.clone(), flow)))
    }

    fn lock(&self) -> MutexGuard<'_, Calls> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// Begins the call that a place came for, where no other one took its time.
    ///
    /// # Errors
    /// The time before which no call begins.
    pub fn begin(self, now: Timestamp) -> Result<Self, Timestamp> {
        if let Some((lane, _)) = &self.0 {
            let mut calls = lane.lock();
            calls.may_begin(now)?;
            calls.begin(now);
        }
        Ok(self)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((lane, flow)) = self.0.take() {
            let mut calls = lane.lock();
            calls.board.leave(flow);
            lane.fill(&mut calls);
        }
    }
}

impl Calls {
    fn may_begin(&mut self, now: Timestamp) -> Result<(), Timestamp> {
        let Some(most) = self.limit.per_minute else { return Ok(()) };
        // A clock that was set back must not hold calls up for longer than a minute.
        let counts = |at: &Timestamp| *at <= now && now.since(*at) < MINUTE;
        while self.begun.front().is_some_and(|at| !counts(at)) {
            self.begun.pop_front();
        }
        match self.begun.len().checked_sub(most as usize) {
            Some(over) => Err(self.begun[over] + MINUTE),
            None => Ok(()),
        }
    }

    fn begin(&mut self, now: Timestamp) {
        match self.limit.per_minute {
            Some(_) => self.begun.push_back(now),
            None => self.begun.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::limits::{Limits, read};

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000 + ms)
    }

    fn who(flow: i64) -> Who {
        Who { flow, priority: 0 }
    }

    fn limits(value: &serde_json::Value) -> Limits {
        let limits = Limits::default();
        limits.set(read(value).unwrap());
        limits
    }

    fn now(asked: Asked) -> Place {
        match asked {
            Asked::Now(place) => place,
            Asked::After(_) => panic!("too many go on"),
            Asked::NotBefore(until) => panic!("not before {until}"),
        }
    }

    fn after(asked: Asked) -> oneshot::Receiver<Place> {
        match asked {
            Asked::After(place) => place,
            _ => panic!("it does not wait"),
        }
    }

    #[test]
    fn what_was_only_named_is_forgotten() {
        let limits = limits(&json!({"named 7": {"atOnce": 1}}));
        let (held, called) = (limits.lane("held", None), limits.lane("called", None));
        drop(called.watch.begin());
        drop(called);
        (0..1_000).for_each(|number| drop(limits.lane(&format!("named {number}"), None)));
        assert!(limits.lock().lanes.len() <= 3);
        assert!(Arc::ptr_eq(&held, &limits.lane("held", None)));
        assert!(limits.lane("called", None).figures().is_some());
        let _one = now(limits.lane("named 7", None).ask(who(1), at(0)));
    }

    #[test]
    fn no_more_begin_within_a_minute_than_may() {
        let lane = limits(&json!({"a": {"perMinute": 2}})).lane("a", None);
        for (ms, expected) in [
            (0, None),
            (10_000, None),
            (20_000, Some(60_000)),
            (59_999, Some(60_000)),
            (60_000, None),
            (60_001, Some(70_000)),
            (70_000, None),
        ] {
            let until = match lane.ask(who(1), at(ms)) {
                Asked::NotBefore(until) => Some(until),
                _ => None,
            };
            assert_eq!(until, expected.map(at), "at {ms}");
        }
        now(lane.ask(who(1), at(0)));
    }

    #[test]
    fn a_free_place_goes_to_the_flows_in_turns() {
        let lane = limits(&json!({"a": {"atOnce": 1}})).lane("a", Some(9));
        let first = now(lane.ask(who(1), at(0)));
        let mut of_one = [(); 2].map(|()| after(lane.ask(who(1), at(0))));
        let mut of_two = after(lane.ask(who(2), at(0)));
        assert!(of_two.try_recv().is_err());
        drop(first);
        drop(of_two.try_recv().expect("the other flow waited for its first"));
        drop(of_one[0].try_recv().expect("then the one that came first"));
        drop(of_one[1].try_recv().unwrap());
        assert_eq!(lane.counts(), (0, 0));
    }

    #[test]
    fn those_that_went_away_take_no_place() {
        let lane = limits(&json!({"a": {"atOnce": 1}})).lane("a", None);
        let first = now(lane.ask(who(1), at(0)));
        drop((0..10_000).map(|_| after(lane.ask(who(1), at(0)))).collect::<Vec<_>>());
        let mut last = after(lane.ask(who(1), at(0)));
        assert_eq!(lane.counts(), (10_001, 1));
        lane.tidy(1);
        assert_eq!(lane.counts(), (1, 1));
        drop((0..10_000).map(|_| after(lane.ask(who(1), at(0)))).collect::<Vec<_>>());
        drop(first);
        drop(last.try_recv().unwrap());
        assert_eq!(lane.counts(), (0, 0));
        // One that was given its place and never looks.
        let first = now(lane.ask(who(1), at(0)));
        let ungrateful = after(lane.ask(who(1), at(0)));
        drop(first);
        drop(ungrateful);
        now(lane.ask(who(1), at(0)));
    }

    #[test]
    fn a_place_that_comes_too_soon_is_given_back() {
        let lane = limits(&json!({"a": {"atOnce": 1, "perMinute": 2}})).lane("a", None);
        let first = now(lane.ask(who(1), at(0)));
        let mut second = after(lane.ask(who(1), at(1)));
        let mut third = after(lane.ask(who(1), at(1)));
        drop(first);
        drop(second.try_recv().unwrap().begin(at(10)).ok().unwrap());
        assert_eq!(third.try_recv().unwrap().begin(at(11)).err(), Some(at(60_000)));
        assert_eq!(lane.counts(), (0, 0));
    }

    #[test]
    fn a_higher_limit_lets_those_in_that_wait_and_none_lets_everybody() {
        let limits = limits(&json!({"a": {"atOnce": 1}}));
        let (lane, other) = (limits.lane("a", None), limits.lane("b", Some(1)));
        let _other = now(other.ask(who(1), at(0)));
        let _one = now(lane.ask(who(1), at(0)));
        let mut more = [(); 3].map(|()| after(lane.ask(who(1), at(0))));
        limits.set(read(&json!({"a": {"atOnce": 2}})).unwrap());
        let _two = more[0].try_recv().unwrap();
        assert!(more[1].try_recv().is_err());
        limits.set(read(&json!({})).unwrap());
        let _all = [more[1].try_recv().unwrap(), more[2].try_recv().unwrap()];
        now(lane.ask(who(1), at(0)));
        after(other.ask(who(1), at(0)));
    }
}
