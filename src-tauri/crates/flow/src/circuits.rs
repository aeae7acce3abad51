//! Targets that keep failing are left alone for a while, then tried with few attempts at first.
//! Shared by all runs of a flow; what is known ends with DevRig.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devrig_core::{Category, Code, Error, Result, SharedClock, Timestamp};
use serde_json::json;

use crate::definition::CircuitBreaker;

/// Targets that are known before those without trouble are forgotten.
const MOST: usize = 10_000;

/// A flow's id and a target of its actions, such as a host.
type Key = (String, String);

/// Every circuit.
pub struct Circuits {
    clock: SharedClock,
    all: Mutex<HashMap<Key, Circuit>>,
}

/// How a circuit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CircuitState {
    /// The id of the flow.
    pub flow: String,
    pub target: String,
    /// Failures that count.
    pub failures: usize,
    /// When it is tried again; nothing while it is closed.
    pub open_until: Option<Timestamp>,
}

#[derive(Debug, Default)]
struct Circuit {
    failures: VecDeque<Timestamp>,
    open_until: Option<Timestamp>,
    /// Trials that are under way.
    trials: u32,
}

/// What an attempt says of its target.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    Fine,
    Trouble,
    /// It was not asked, or nobody waited for what it said.
    Nothing,
}

impl Outcome {
    /// Only what may pass by itself is trouble: whoever refuses a bad request is well.
    fn of(error: &Error) -> Self {
        match error.category {
            Category::Cancelled => Self::Nothing,
            Category::Transient | Category::Timeout | Category::Plugin => Self::Trouble,
            _ if error.code == Code::Refused => Self::Nothing,
            _ => Self::Fine,
        }
    }
}

/// Leave to try a target once. Its owner tells how that went; dropping it says nothing.
#[must_use]
pub struct Pass<'a> {
    circuits: &'a Circuits,
    breaker: &'a CircuitBreaker,
    key: Key,
    trial: bool,
    told: bool,
}

impl Circuits {
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, all: Mutex::default() }
    }

    /// Asks whether a target may be tried.
    ///
    /// # Errors
    /// `CIRCUIT_OPEN` with when it is tried again.
    pub fn enter<'a>(
        &'a self,
        flow: &str,
        target: &str,
        breaker: &'a CircuitBreaker,
    ) -> Result<Pass<'a>> {
        let key = (flow.to_owned(), target.to_owned());
        let now = self.clock.now();
        let mut all = self.lock();
        let trial = match all.get_mut(&key) {
            None => false,
            Some(circuit) => circuit.admit(now, breaker).map_err(|rest| open(target, rest))?,
        };
        Ok(Pass { circuits: self, breaker, key, trial, told: false })
    }

    /// Those with failures, by flow and target.
    pub fn states(&self) -> Vec<CircuitState> {
        let shown = |(key, circuit): (&Key, &Circuit)| CircuitState {
            flow: key.0.clone(),
            target: key.1.clone(),
            failures: circuit.failures.len(),
            open_until: circuit.open_until,
        };
        let mut states: Vec<_> = self.lock().iter().map(shown).collect();
        states.sort_unstable_by(|a, b| (&a.flow, &a.target).cmp(&(&b.flow, &b.target)));
        states
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Circuit>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    /// Whether the attempt is a trial; how long to wait when there is none to be had.
    fn admit(&mut self, now: Timestamp, breaker: &CircuitBreaker) -> Result<bool, Duration> {
        match self.open_until {
            None => Ok(false),
            Some(until) if now < until => Err(until.since(now)),
            Some(_) if self.trials >= breaker.half_open_max_attempts => {
                Err(reset(breaker).min(Duration::from_secs(1)))
            }
            Some(_) => {
                self.trials += 1;
                Ok(true)
            }
        }
    }

    fn record(&mut self, outcome: Outcome, trial: bool, now: Timestamp, breaker: &CircuitBreaker) {
        match outcome {
            Outcome::Nothing => self.trials = self.trials.saturating_sub(u32::from(trial)),
            // What was let through before it opened says nothing about how it is now.
            _ if self.open_until.is_some() && !trial => {}
            Outcome::Fine => *self = Self::default(),
            Outcome::Trouble => self.failed(trial, now, breaker),
        }
    }

    fn failed(&mut self, trial: bool, now: Timestamp, breaker: &CircuitBreaker) {
        self.failures.push_back(now);
        let window = Duration::from_millis(breaker.monitor_window_ms);
        while self.failures.front().is_some_and(|first| now.since(*first) > window) {
            self.failures.pop_front();
        }
        let threshold = usize::try_from(breaker.failure_threshold).unwrap_or(usize::MAX);
        if trial || self.failures.len() >= threshold {
            *self = Self { open_until: Some(now + reset(breaker)), ..Self::default() };
        }
    }

    /// False when forgetting it changes nothing but how soon it is tried.
    fn is_fresh(&self, now: Timestamp, window: Duration) -> bool {
        self.open_until.is_some_and(|until| until > now)
            || self.failures.back().is_some_and(|last| now.since(*last) <= window)
    }

    fn is_idle(&self) -> bool {
        self.failures.is_empty() && self.open_until.is_none()
    }
}

impl Pass<'_> {
    /// Tells how the attempt went.
    pub fn ended<T>(mut self, result: &Result<T>) {
        self.tell(match result {
            Ok(_) => Outcome::Fine,
            Err(error) => Outcome::of(error),
        });
    }

    fn tell(&mut self, outcome: Outcome) {
        self.told = true;
        let now = self.circuits.clock.now();
        let mut all = self.circuits.lock();
        if all.len() >= MOST {
            let window = Duration::from_millis(self.breaker.monitor_window_ms);
            all.retain(|_, circuit| circuit.is_fresh(now, window));
        }
        let circuit = all.entry(self.key.clone()).or_default();
        circuit.record(outcome, self.trial, now, self.breaker);
        if circuit.is_idle() {
            all.remove(&self.key);
        }
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if !self.told && self.trial {
            self.tell(Outcome::Nothing);
        }
    }
}

fn reset(breaker: &CircuitBreaker) -> Duration {
    Duration::from_millis(breaker.reset_timeout_ms)
}

fn open(target: &str, rest: Duration) -> Error {
    let seconds = rest.as_secs_f64().ceil().max(1.0);
    let ms = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
    Error::new(
        Code::CircuitOpen,
        format!("{target} keeps failing and is left alone for {seconds} s"),
    )
    .hint("It is tried again after that; settings.circuitBreaker of the flow says how soon.")
    .details(json!({ "target": target, "retryAfterMs": ms }))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use devrig_core::ManualClock;

    use super::*;

    const BREAKER: CircuitBreaker = CircuitBreaker {
        failure_threshold: 3,
        reset_timeout_ms: 30_000,
        half_open_max_attempts: 1,
        monitor_window_ms: 60_000,
    };

    fn circuits() -> (Circuits, Arc<ManualClock>) {
        let clock = ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap());
        (Circuits::new(clock.clone()), clock)
    }

    fn attempt(circuits: &Circuits, code: Option<Code>) -> Result<()> {
        let pass = circuits.enter("flow", "a.test", &BREAKER)?;
        pass.ended(&code.map_or(Ok(()), |code| Err(Error::new(code, "no"))));
        Ok(())
    }

    #[test]
    fn it_opens_after_failures_in_a_window_and_closes_after_a_trial() {
        let (circuits, clock) = circuits();
        for _ in 0..3 {
            attempt(&circuits, Some(Code::Http)).unwrap();
            clock.advance(Duration::from_secs(5));
        }
        let error = attempt(&circuits, None).unwrap_err();
        assert_eq!((error.code, error.retry_after_ms()), (Code::CircuitOpen, Some(25_000.0)));
        assert!(error.message.contains("25 s"), "{error}");
        assert!(circuits.enter("flow", "b.test", &BREAKER).is_ok(), "another target");
        assert!(circuits.enter("other", "a.test", &BREAKER).is_ok(), "another flow");
        clock.advance(Duration::from_secs(25));
        let trial = circuits.enter("flow", "a.test", &BREAKER).unwrap();
        assert!(attempt(&circuits, None).is_err(), "one trial at a time");
        trial.ended::<()>(&Err(Error::new(Code::Timeout, "no")));
        assert_eq!(circuits.states()[0].open_until, Some(clock_after(&clock, 30)));
        clock.advance(Duration::from_secs(30));
        drop(circuits.enter("flow", "a.test", &BREAKER).unwrap());
        attempt(&circuits, None).unwrap();
        assert!(circuits.states().is_empty(), "nothing is kept of a target that is well");
    }

    fn clock_after(clock: &ManualClock, seconds: u64) -> Timestamp {
        use devrig_core::Clock;
        clock.now() + Duration::from_secs(seconds)
    }

    #[test]
    fn only_trouble_counts_and_only_in_a_row() {
        let (circuits, clock) = circuits();
        for code in [Code::NotFound, Code::Refused, Code::Cancelled, Code::Unauthorized] {
            (0..10).for_each(|_| attempt(&circuits, Some(code)).unwrap());
        }
        for turn in 0..20 {
            attempt(&circuits, (turn % 3 != 2).then_some(Code::Network)).unwrap();
        }
        for _ in 0..20 {
            clock.advance(Duration::from_secs(31));
            attempt(&circuits, Some(Code::Network)).unwrap();
        }
    }

    #[test]
    fn what_was_asked_before_it_opened_does_not_change_it() {
        let (circuits, clock) = circuits();
        let early = [(); 5].map(|()| circuits.enter("flow", "a.test", &BREAKER).unwrap());
        let mut early = early.into_iter();
        for pass in early.by_ref().take(3) {
            pass.ended::<()>(&Err(Error::new(Code::Network, "no")));
        }
        let until = circuits.states()[0].open_until;
        clock.advance(Duration::from_secs(1));
        early.next().unwrap().ended(&Ok(()));
        early.next().unwrap().ended::<()>(&Err(Error::new(Code::Network, "no")));
        assert_eq!(circuits.states()[0].open_until, until);
    }
}
