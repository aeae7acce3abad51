//! A path, who may use it and within what limits, and who handles what comes.

use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use devrig_core::{Error, Result};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use http::{HeaderMap, HeaderValue, Method};

use super::auth::{Auth, Claim, Replays};
use super::delivery::Handler;
use super::path;
use super::refusal::Refusal;
use super::tally::Tally;

/// What a room registers to receive requests.
pub struct Route {
    /// Exact; upper and lower case differ. `/name/*` is everything below a name that has no route of
    /// its own.
    pub path: String,
    /// Who it belongs to, in words for whoever wants the same path.
    pub owner: String,
    /// Of GET, HEAD, POST, PUT, PATCH and DELETE. GET does not bring HEAD along: a preview or a
    /// scanner must not start anything.
    pub methods: Vec<Method>,
    pub auth: Auth,
    pub limits: RouteLimits,
    pub handler: Arc<dyn Handler>,
}

/// The bounds of one route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RouteLimits {
    /// Bytes of a body.
    pub body: usize,
    /// From the end of the headers to the end of the body.
    pub body_within: Duration,
    /// Up to 100.
    pub headers: usize,
    /// Bytes of all names and values, up to 48 KB.
    pub header_bytes: usize,
    /// Requests in a minute, in one burst or spread; those that are refused later count too.
    pub per_minute: NonZeroU32,
    /// Requests whose body is being read or that are being handled.
    pub at_once: usize,
    /// When the client is told that there is no answer. The handler goes on.
    pub answer_within: Duration,
}

impl Default for RouteLimits {
    fn default() -> Self {
        Self {
            body: 1_000_000,
            body_within: Duration::from_secs(15),
            headers: 64,
            header_bytes: 16 * 1024,
            // A hundred in each second, far above what one sender of events sends.
            per_minute: NonZeroU32::new(6000).expect("it is not zero"),
            at_once: 64,
            // A little less than cloudflared's edge waits, so that the answer is ours.
            answer_within: Duration::from_secs(95),
        }
    }
}

impl RouteLimits {
    /// Beyond these hyper answers before we see the request.
    const MOST_HEADERS: usize = 100;
    const MOST_HEADER_BYTES: usize = 48 * 1024;

    fn sound(&self, path: &str) -> Result<()> {
        let refuse = |what: &str, hint: &str| {
            Err(Error::invalid(format!("the limits of {path} {what}")).hint(hint))
        };
        if self.headers > Self::MOST_HEADERS || self.header_bytes > Self::MOST_HEADER_BYTES {
            return refuse(
                "let in more headers than are read",
                "Allow 100 headers and 49152 bytes.",
            );
        }
        if self.at_once == 0 {
            return refuse("let in no request", "Allow at least one at once.");
        }
        Ok(())
    }

    fn check(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if headers.len() > self.headers {
            return Err(Refusal::HeaderCount { limit: self.headers });
        }
        let size =
            |(name, value): (&http::HeaderName, &HeaderValue)| name.as_str().len() + value.len();
        if headers.iter().map(size).sum::<usize>() > self.header_bytes {
            return Err(Refusal::HeaderBytes { limit: self.header_bytes });
        }
        Ok(())
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Route")
            .field("path", &self.path)
            .field("owner", &self.owner)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

/// A route as the listener keeps it.
pub(super) struct Entry {
    pub path: Arc<str>,
    pub owner: String,
    pub methods: Vec<Method>,
    allow: HeaderValue,
    pub auth: Auth,
    pub limits: RouteLimits,
    pub handler: Arc<dyn Handler>,
    pub replays: Arc<Replays>,
    pub tally: Tally,
    rate: DefaultDirectRateLimiter,
    running: AtomicUsize,
}

impl Entry {
    pub(super) fn new(route: Route) -> Result<Self> {
        let path = path::checked(&route.path)?;
        route.limits.sound(&path)?;
        Ok(Self {
            allow: allowed(&path, &route.methods)?,
            path: path.into(),
            owner: route.owner,
            methods: route.methods,
            auth: route.auth,
            rate: RateLimiter::direct(Quota::per_minute(route.limits.per_minute)),
            limits: route.limits,
            handler: route.handler,
            replays: Arc::default(),
            tally: Tally::default(),
            running: AtomicUsize::new(0),
        })
    }

    /// The path of a request as its handler is told it.
    pub(super) fn path_of(&self, asked: &str) -> Arc<str> {
        match self.path.ends_with("/*") {
            true => path::normalised(asked).into(),
            false => Arc::clone(&self.path),
        }
    }

    /// Everything that can be judged without waiting.
    pub(super) fn check(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        if !self.methods.contains(method) {
            return Err(Refusal::Method { allow: self.allow.clone() });
        }
        self.limits.check(headers)?;
        self.rate.check().map_err(|negative| {
            // The limiter's own clock, as its times mean nothing to another.
            Refusal::Rate { wait: negative.wait_time_from(DefaultClock::default().now()) }
        })
    }

    /// A place among the requests at once, until it is dropped.
    pub(super) fn place(self: &Arc<Self>) -> Result<Place, Refusal> {
        let place = Place { entry: Arc::clone(self) };
        if self.running.fetch_add(1, Relaxed) < self.limits.at_once {
            Ok(place)
        } else {
            Err(Refusal::AtOnce { limit: self.limits.at_once })
        }
    }

    pub(super) fn running(&self) -> usize {
        self.running.load(Relaxed)
    }
}

fn allowed(path: &str, methods: &[Method]) -> Result<HeaderValue> {
    const TAKEN: [Method; 6] =
        [Method::GET, Method::HEAD, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    if let Some(odd) = methods.iter().find(|method| !TAKEN.contains(method)) {
        return Err(Error::invalid(format!("the route {path} cannot take the method {odd}"))
            .hint("Choose among GET, HEAD, POST, PUT, PATCH and DELETE."));
    }
    if methods.is_empty() {
        return Err(Error::invalid(format!("the route {path} takes no method"))
            .hint("Name at least one, such as POST."));
    }
    let names: Vec<_> = methods.iter().map(Method::as_str).collect();
    HeaderValue::from_str(&names.join(", "))
        .map_err(|_| Error::internal(format!("the methods of {path} make no header")))
}

/// One of the requests at once.
pub(super) struct Place {
    entry: Arc<Entry>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.entry.running.fetch_sub(1, Relaxed);
    }
}

/// A request in its handler. Unless it is told how it ended, it counts as failed, and what it was
/// signed with may be sent again.
pub(super) struct Run {
    place: Place,
    claim: Option<Claim>,
    ended: bool,
}

impl Run {
    pub(super) fn new(place: Place, claim: Option<Claim>) -> Self {
        Self { place, claim, ended: false }
    }

    pub(super) fn succeed(mut self) {
        self.ended = true;
        if let Some(claim) = self.claim.take() {
            claim.keep();
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        if !self.ended {
            self.place.entry.tally.fail();
        }
    }
}

#[cfg(test)]
mod tests {
    use async_trait::async_trait;
    use http::StatusCode;

    use super::*;
    use crate::listener::{Delivery, Reply};

    struct Fine;

    #[async_trait]
    impl Handler for Fine {
        async fn handle(&self, _: Delivery) -> Reply {
            Reply::new(StatusCode::OK)
        }
    }

    fn entry(methods: &[Method], limits: RouteLimits) -> Result<Entry> {
        Entry::new(Route {
            path: "/hooks/a".into(),
            owner: "a test".into(),
            methods: methods.to_vec(),
            auth: Auth::None,
            limits,
            handler: Arc::new(Fine),
        })
    }

    #[test]
    fn methods_without_a_meaning_here_are_refused() {
        for methods in [vec![], vec![Method::OPTIONS], vec![Method::POST, Method::CONNECT]] {
            let error = entry(&methods, RouteLimits::default()).err().unwrap();
            assert!(error.message.contains("/hooks/a") && error.hint.is_some(), "{error}");
        }
    }

    #[test]
    fn limits_that_would_not_hold_are_refused() {
        let limits = RouteLimits::default();
        for limits in [
            RouteLimits { headers: 101, ..limits },
            RouteLimits { header_bytes: 1 << 20, ..limits },
            RouteLimits { at_once: 0, ..limits },
        ] {
            let error = entry(&[Method::POST], limits).err().unwrap();
            assert!(error.message.contains("/hooks/a") && error.hint.is_some(), "{error}");
        }
    }

    #[test]
    fn headers_are_limited_in_number_and_in_bytes() {
        let limits = RouteLimits { headers: 2, header_bytes: 20, ..RouteLimits::default() };
        let mut headers = HeaderMap::new();
        headers.append("a", HeaderValue::from_static("123456789"));
        headers.append("a", HeaderValue::from_static("123456789"));
        assert!(limits.check(&headers).is_ok());
        headers.insert("a", HeaderValue::from_static("12345678901234567890"));
        assert!(matches!(limits.check(&headers), Err(Refusal::HeaderBytes { limit: 20 })));
        for name in ["b", "c"] {
            headers.append(name, HeaderValue::from_static(""));
        }
        assert!(matches!(limits.check(&headers), Err(Refusal::HeaderCount { limit: 2 })));
    }

    #[test]
    fn places_are_given_back() {
        let limits = RouteLimits { at_once: 2, ..RouteLimits::default() };
        let entry = Arc::new(entry(&[Method::POST], limits).unwrap());
        let first = entry.place().ok().unwrap();
        let _second = entry.place().ok().unwrap();
        assert!(entry.place().is_err());
        assert_eq!(entry.running(), 2, "a refused request takes no place");
        drop(first);
        assert!(entry.place().is_ok());
    }
}
