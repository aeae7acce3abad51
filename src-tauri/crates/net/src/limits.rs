//! How much one caller may ask at once, how fast, and when a failing host is left alone.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devrig_core::{Code, Error, Result, SharedClock, Timestamp};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who asks: a plugin's account, a flow, the AI layer. Limits, connections and breakers are kept
/// apart by it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CallerId(pub String);

impl From<&str> for CallerId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl std::fmt::Display for CallerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// The bounds of one caller.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CallerLimits {
    /// Requests at the same time, as browsers do for a host.
    pub concurrency: usize,
    /// Requests that may wait for their turn; more are refused at once.
    pub queue: usize,
    /// Requests that may start without any pause.
    pub burst: u32,
    /// Requests per second after the burst.
    pub per_second: f64,
    /// Whether a host that keeps failing is left alone for a while.
    pub breaker: bool,
}

impl Default for CallerLimits {
    fn default() -> Self {
        Self { concurrency: 6, queue: 256, burst: 120, per_second: 20.0, breaker: true }
    }
}

/// Failures of one host before it is left alone, the span they must fall into, and how long.
const THRESHOLD: usize = 5;
const WINDOW: Duration = Duration::from_secs(60);
const REST: Duration = Duration::from_secs(30);
/// Hosts that a caller may have in trouble before old trouble is forgotten.
const MAX_BREAKERS: usize = 256;

/// Counts for all callers.
#[derive(Debug)]
pub(crate) struct Limits {
    clock: SharedClock,
    callers: Mutex<HashMap<CallerId, Arc<Caller>>>,
}

#[derive(Debug)]
struct Caller {
    limits: CallerLimits,
    running: Arc<Semaphore>,
    admitted: Arc<Semaphore>,
    bucket: Mutex<Bucket>,
    breakers: Mutex<HashMap<(String, u16), Breaker>>,
}

/// A caller's turn; dropping it gives the turn to the next.
#[derive(Debug)]
pub(crate) struct Turn {
    caller: Arc<Caller>,
    clock: SharedClock,
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
}

impl Limits {
    pub(crate) fn new(clock: SharedClock) -> Self {
        Self { clock, callers: Mutex::default() }
    }

    pub(crate) fn set(&self, caller: CallerId, limits: CallerLimits) {
        lock(&self.callers).insert(caller, Arc::new(Caller::new(limits, self.clock.now())));
    }

    pub(crate) fn forget(&self, caller: &CallerId) {
        lock(&self.callers).remove(caller);
    }

    /// Waits for a place and a token, within `patience`.
    pub(crate) async fn turn(&self, id: &CallerId, patience: Duration) -> Result<Turn> {
        let caller = {
            let mut callers = lock(&self.callers);
            let fresh = || Arc::new(Caller::new(CallerLimits::default(), self.clock.now()));
            Arc::clone(callers.entry(id.clone()).or_insert_with(fresh))
        };
        let too_many = |what: &str| {
            Error::new(Code::RateLimited, format!("{id} {what}"))
                .hint("Send fewer requests at once, and wait for their answers.")
        };
        let Ok(admitted) = Arc::clone(&caller.admitted).try_acquire_owned() else {
            return Err(too_many("has too many requests waiting"));
        };
        let wait = async {
            let running = Arc::clone(&caller.running).acquire_owned().await.ok()?;
            loop {
                let taken = lock(&caller.bucket).take(self.clock.now());
                match taken {
                    Ok(()) => return Some(running),
                    Err(pause) => tokio::time::sleep(pause).await,
                }
            }
        };
        match tokio::time::timeout(patience, wait).await {
            Ok(Some(running)) => Ok(Turn {
                clock: Arc::clone(&self.clock),
                _running: running,
                _admitted: admitted,
                caller,
            }),
            _ => Err(too_many("is over its rate of requests")),
        }
    }
}

impl Caller {
    fn new(limits: CallerLimits, now: Timestamp) -> Self {
        Self {
            running: Arc::new(Semaphore::new(limits.concurrency)),
            admitted: Arc::new(Semaphore::new(limits.concurrency + limits.queue)),
            bucket: Mutex::new(Bucket::new(limits, now)),
            breakers: Mutex::default(),
            limits,
        }
    }
}

impl Turn {
    /// Takes one more token for a further hop, without waiting.
    pub(crate) fn spend(&self) {
        _ = lock(&self.caller.bucket).take(self.clock.now());
    }

    /// How many connections it is worth to keep for one host.
    pub(crate) fn concurrency(&self) -> usize {
        self.caller.limits.concurrency
    }

    /// Asks this caller's breaker for the host.
    pub(crate) fn attempt(&self, host: &str, port: u16) -> Result<Attempt<'_>> {
        let key = (host.to_owned(), port);
        if !self.caller.limits.breaker {
            return Ok(Attempt { turn: self, key, told: true });
        }
        let now = self.clock.now();
        let verdict = {
            let mut breakers = lock(&self.caller.breakers);
            if breakers.len() >= MAX_BREAKERS {
                breakers.retain(|_, breaker| breaker.testing || breaker.is_fresh(now));
            }
            breakers.entry(key.clone()).or_default().admit(now)
        };
        match verdict {
            Ok(()) => Ok(Attempt { turn: self, key, told: false }),
            Err(rest) => Err(Error::new(
                Code::Network,
                format!("{host} keeps failing and is left alone for {} s", rest.as_secs().max(1)),
            )
            .hint("Try again later.")
            .details(serde_json::json!({
                "breaker": "open", "retryAfterMs": u64::try_from(rest.as_millis()).unwrap_or(0),
            }))),
        }
    }
}

/// One request to one host, whose outcome the breaker learns.
#[derive(Debug)]
pub(crate) struct Attempt<'a> {
    turn: &'a Turn,
    key: (String, u16),
    told: bool,
}

impl Attempt<'_> {
    pub(crate) fn succeeded(mut self) {
        self.tell(Some(true));
    }

    pub(crate) fn failed(mut self) {
        self.tell(Some(false));
    }

    fn tell(&mut self, outcome: Option<bool>) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let now = self.turn.clock.now();
        let mut breakers = lock(&self.turn.caller.breakers);
        let Some(breaker) = breakers.get_mut(&self.key) else {
            return;
        };
        breaker.record(outcome, now);
        if breaker.is_idle() {
            breakers.remove(&self.key);
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        self.tell(None);
    }
}

/// Tokens that fill up with time.
#[derive(Debug)]
struct Bucket {
    limits: CallerLimits,
    tokens: f64,
    at: Timestamp,
}

impl Bucket {
    fn new(limits: CallerLimits, now: Timestamp) -> Self {
        Self { tokens: f64::from(limits.burst), at: now, limits }
    }

    /// Takes one token, or says how long until there is one.
    fn take(&mut self, now: Timestamp) -> std::result::Result<(), Duration> {
        let gained = now.since(self.at).as_secs_f64() * self.limits.per_second;
        self.tokens = (self.tokens + gained).min(f64::from(self.limits.burst.max(1)));
        self.at = self.at.max(now);
        if self.tokens >= 1.0 {
            self.tokens -= 1.0;
            return Ok(());
        }
        let seconds = (1.0 - self.tokens) / self.limits.per_second.max(0.001);
        Err(Duration::from_secs_f64(seconds).max(Duration::from_millis(1)))
    }
}

/// Closed, then open for a while, then one test request.
#[derive(Debug, Default)]
struct Breaker {
    failures: VecDeque<Timestamp>,
    open_until: Option<Timestamp>,
    testing: bool,
}

impl Breaker {
    fn admit(&mut self, now: Timestamp) -> std::result::Result<(), Duration> {
        match self.open_until {
            None => Ok(()),
            Some(until) if now < until => Err(until.since(now)),
            Some(_) if self.testing => Err(Duration::from_secs(1)),
            Some(_) => {
                self.testing = true;
                Ok(())
            }
        }
    }

    /// `None`: the request was given up before it said anything about the host.
    fn record(&mut self, outcome: Option<bool>, now: Timestamp) {
        let tested = std::mem::take(&mut self.testing);
        match outcome {
            None => {}
            Some(true) => *self = Self::default(),
            Some(false) if tested => self.open_until = Some(now + REST),
            Some(false) => {
                self.failures.push_back(now);
                while self.failures.front().is_some_and(|&first| now.since(first) > WINDOW) {
                    self.failures.pop_front();
                }
                if self.failures.len() >= THRESHOLD {
                    self.failures.clear();
                    self.open_until = Some(now + REST);
                }
            }
        }
    }

    /// False when forgetting it would change nothing but how soon it is tested.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.open_until.is_some_and(|until| until > now)
            || self.failures.back().is_some_and(|&last| now.since(last) < WINDOW)
    }

    fn is_idle(&self) -> bool {
        self.failures.is_empty() && self.open_until.is_none()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_ms(1_800_000_000_000) + Duration::from_secs(seconds)
    }

    #[test]
    fn the_breaker_opens_after_five_failures_in_a_minute() {
        let mut breaker = Breaker::default();
        for second in 0..5 {
            assert!(breaker.admit(at(second)).is_ok());
            breaker.record(Some(false), at(second));
        }
        assert_eq!(breaker.admit(at(5)), Err(Duration::from_secs(29)));
        assert!(breaker.admit(at(34)).is_ok(), "one test after 30 s");
        assert!(breaker.admit(at(34)).is_err(), "and only one");
        breaker.record(Some(false), at(35));
        assert!(breaker.admit(at(36)).is_err(), "a failed test opens it again");
        assert!(breaker.admit(at(65)).is_ok());
        breaker.record(Some(true), at(65));
        assert!(breaker.is_idle());
    }

    #[test]
    fn slow_failures_and_successes_between_keep_it_closed() {
        let mut breaker = Breaker::default();
        for minute in 0..20 {
            breaker.record(Some(false), at(minute * 16));
            assert!(breaker.admit(at(minute * 16)).is_ok(), "never five within a minute");
        }
        let mut breaker = Breaker::default();
        for second in 0..20 {
            breaker.record(Some(second % 4 == 3), at(second));
            assert!(breaker.admit(at(second)).is_ok());
        }
    }

    #[test]
    fn a_test_that_was_given_up_lets_another_one_test() {
        let mut breaker = Breaker { open_until: Some(at(0)), ..Breaker::default() };
        assert!(breaker.admit(at(1)).is_ok());
        breaker.record(None, at(2));
        assert!(breaker.admit(at(2)).is_ok());
    }

    #[tokio::test]
    async fn who_has_breakers_of_their_own_gets_none_here() {
        let limits = Limits::new(devrig_core::ManualClock::at(at(0)));
        let caller = CallerId::from("flow");
        limits.set(caller.clone(), CallerLimits { breaker: false, ..CallerLimits::default() });
        let turn = limits.turn(&caller, Duration::from_secs(1)).await.unwrap();
        for _ in 0..20 {
            turn.attempt("a.test", 443).unwrap().failed();
        }
        assert!(lock(&turn.caller.breakers).is_empty());
    }

    #[tokio::test]
    async fn old_trouble_with_many_hosts_is_forgotten() {
        let clock = devrig_core::ManualClock::at(at(0));
        let limits = Limits::new(clock.clone());
        let turn = limits.turn(&"plugin".into(), Duration::from_secs(1)).await.unwrap();
        for n in 0..10 * MAX_BREAKERS {
            turn.attempt(&format!("{n}.test"), 443).unwrap().failed();
            clock.advance(Duration::from_secs(1));
        }
        assert!(lock(&turn.caller.breakers).len() <= MAX_BREAKERS);
    }

    #[test]
    fn the_bucket_gives_its_burst_and_then_its_rate() {
        let limits = CallerLimits { burst: 3, per_second: 2.0, ..CallerLimits::default() };
        let mut bucket = Bucket::new(limits, at(0));
        for _ in 0..3 {
            bucket.take(at(0)).unwrap();
        }
        assert_eq!(bucket.take(at(0)), Err(Duration::from_millis(500)));
        assert!(bucket.take(at(1)).is_ok());
        assert!(bucket.take(at(1)).is_ok());
        assert!(bucket.take(at(1)).is_err());
        let granted = (0..1000).filter(|_| bucket.take(at(1000)).is_ok()).count();
        assert_eq!(granted, 3, "rest does not add up beyond the burst");
    }
}
