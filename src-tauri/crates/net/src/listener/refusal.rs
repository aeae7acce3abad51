//! Why a request did not reach a handler, in words for its sender and in a name for counting.

use std::time::Duration;

use devrig_core::{Code, Error};
use http::{HeaderValue, StatusCode};

use super::reply::Reply;

/// One reason to turn a request away, with what its sender should know.
#[derive(Debug)]
pub(super) enum Refusal {
    Path,
    Host,
    Origin,
    Method { allow: HeaderValue },
    HeaderCount { limit: usize },
    HeaderBytes { limit: usize },
    Rate { wait: Duration },
    AtOnce { limit: usize },
    Body { limit: usize },
    Slow { within: Duration },
    Broken,
    Unsigned(String),
    Mismatch,
    Stale { tolerance: Duration },
    Replayed,
    Secret(Error),
}

/// What refusals are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// No route has the path.
    Path,
    /// The Host header names another machine.
    Host,
    /// A page of another site sent it.
    Origin,
    Method,
    /// Too many headers, or too much of them.
    Headers,
    Rate,
    /// Too many requests at once.
    AtOnce,
    /// The body is larger than allowed.
    Body,
    /// The body did not arrive in time.
    Slow,
    /// The body ended early or was garbled.
    Broken,
    /// The signature or token is missing or cannot be read.
    Unsigned,
    /// The signature or token is wrong.
    Mismatch,
    /// The signature is too old, or from the future.
    Stale,
    /// The same signed request was accepted before.
    Replayed,
    /// The secret to check with cannot be had.
    Secret,
}

impl Reason {
    /// All of them, in the order of the request's way through the listener.
    pub const ALL: [Reason; 15] = [
        Reason::Path,
        Reason::Host,
        Reason::Origin,
        Reason::Method,
        Reason::Headers,
        Reason::Rate,
        Reason::AtOnce,
        Reason::Body,
        Reason::Slow,
        Reason::Broken,
        Reason::Unsigned,
        Reason::Mismatch,
        Reason::Stale,
        Reason::Replayed,
        Reason::Secret,
    ];

    /// The name as it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Path => "path",
            Reason::Host => "host",
            Reason::Origin => "origin",
            Reason::Method => "method",
            Reason::Headers => "headers",
            Reason::Rate => "rate",
            Reason::AtOnce => "at_once",
            Reason::Body => "body",
            Reason::Slow => "slow",
            Reason::Broken => "broken",
            Reason::Unsigned => "unsigned",
            Reason::Mismatch => "mismatch",
            Reason::Stale => "stale",
            Reason::Replayed => "replayed",
            Reason::Secret => "secret",
        }
    }
}

impl Refusal {
    pub(super) fn reason(&self) -> Reason {
        match self {
            Refusal::Path => Reason::Path,
            Refusal::Host => Reason::Host,
            Refusal::Origin => Reason::Origin,
            Refusal::Method { .. } => Reason::Method,
            Refusal::HeaderCount { .. } | Refusal::HeaderBytes { .. } => Reason::Headers,
            Refusal::Rate { .. } => Reason::Rate,
            Refusal::AtOnce { .. } => Reason::AtOnce,
            Refusal::Body { .. } => Reason::Body,
            Refusal::Slow { .. } => Reason::Slow,
            Refusal::Broken => Reason::Broken,
            Refusal::Unsigned(_) => Reason::Unsigned,
            Refusal::Mismatch => Reason::Mismatch,
            Refusal::Stale { .. } => Reason::Stale,
            Refusal::Replayed => Reason::Replayed,
            Refusal::Secret(_) => Reason::Secret,
        }
    }

    pub(super) fn into_reply(self) -> Reply {
        let reply = Reply::error(self.status(), &self.error());
        match self {
            Refusal::Method { allow } => reply.allow(allow),
            Refusal::Rate { wait } => reply.retry_after(wait.as_millis().div_ceil(1000) as u64),
            Refusal::AtOnce { .. } => reply.retry_after(1),
            Refusal::Secret(_) => reply.retry_after(60),
            _ => reply,
        }
    }

    fn status(&self) -> StatusCode {
        match self {
            Refusal::Path => StatusCode::NOT_FOUND,
            Refusal::Host => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Origin => StatusCode::FORBIDDEN,
            Refusal::Method { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Refusal::HeaderCount { .. } | Refusal::HeaderBytes { .. } => {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            }
            Refusal::Rate { .. } => StatusCode::TOO_MANY_REQUESTS,
            Refusal::AtOnce { .. } | Refusal::Secret(_) => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Body { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Refusal::Slow { .. } => StatusCode::REQUEST_TIMEOUT,
            Refusal::Broken => StatusCode::BAD_REQUEST,
            Refusal::Unsigned(_) | Refusal::Mismatch | Refusal::Stale { .. } => {
                StatusCode::UNAUTHORIZED
            }
            Refusal::Replayed => StatusCode::CONFLICT,
        }
    }

    fn error(&self) -> Error {
        match self {
            // Whoever guesses paths learns nothing.
            Refusal::Path => Error::new(Code::NotFound, "there is nothing here"),
            Refusal::Host => {
                Error::new(Code::Refused, "the Host header does not name this listener")
                    .hint("Ask localhost, 127.0.0.1 or the tunnel's address.")
            }
            Refusal::Origin => Error::new(Code::Refused, "web pages of other sites may not ask")
                .hint("Send the request from a program, without an Origin header."),
            Refusal::Method { allow } => {
                let allowed = String::from_utf8_lossy(allow.as_bytes()).into_owned();
                Error::new(Code::Unsupported, "the method is not taken here")
                    .hint(format!("Use {allowed}."))
            }
            Refusal::HeaderCount { limit } => {
                Error::new(Code::TooLarge, format!("there are more than {limit} headers"))
                    .hint("Send fewer headers.")
            }
            Refusal::HeaderBytes { limit } => {
                Error::new(Code::TooLarge, format!("the headers have more than {limit} bytes"))
                    .hint("Send smaller headers.")
            }
            Refusal::Rate { .. } => {
                Error::new(Code::RateLimited, "too many requests came for this path")
                    .hint("Wait as long as Retry-After says.")
            }
            Refusal::AtOnce { limit } => {
                let text = format!("{limit} requests for this path are being handled already");
                Error::new(Code::RateLimited, text).hint("Send it again in a moment.")
            }
            Refusal::Body { limit } => {
                Error::new(Code::TooLarge, format!("the body has more than {limit} bytes"))
                    .hint("Send less, or raise the limit of this webhook.")
            }
            Refusal::Slow { within } => {
                let text = format!("the body did not arrive within {} ms", within.as_millis());
                Error::new(Code::Timeout, text).hint("Send it again, without pauses.")
            }
            Refusal::Broken => Error::invalid("the body ended early or is not framed as it says")
                .hint("Send as many bytes as Content-Length tells, or whole chunks."),
            Refusal::Unsigned(what) => Error::new(Code::Unauthorized, what.clone())
                .hint("Have the sender sign its requests as this webhook expects."),
            Refusal::Mismatch => {
                Error::new(Code::Unauthorized, "the signature or token is not the right one")
                    .hint("Give the sender and this webhook the same secret.")
            }
            Refusal::Stale { tolerance } => {
                let seconds = tolerance.as_secs();
                let text = format!("the signature was not made within the last {seconds} s");
                Error::new(Code::Unauthorized, text)
                    .hint("Sign it anew, and set the clocks of both machines.")
            }
            Refusal::Replayed => {
                Error::new(Code::Conflict, "this very request was accepted before")
                    .hint("Sign it anew to have it taken as another one.")
            }
            Refusal::Secret(error) => withheld(error),
        }
    }
}

/// A locked keychain is for the person to open, so the sender may see it in its log of
/// deliveries. Other reasons stay here: they may name what is stored.
fn withheld(error: &Error) -> Error {
    let what = "the secret of this webhook cannot be read now";
    match error.code {
        Code::KeychainLocked | Code::KeychainAbsent => {
            let hint = "Unlock the keychain on the receiving machine, then send it again.";
            Error::new(error.code, format!("{what}: {}", error.message)).hint(hint)
        }
        _ => Error::new(Code::Internal, what)
            .hint("Look into the receiving machine's log, and set the secret again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every() -> Vec<Refusal> {
        vec![
            Refusal::Path,
            Refusal::Host,
            Refusal::Origin,
            Refusal::Method { allow: HeaderValue::from_static("POST") },
            Refusal::HeaderCount { limit: 1 },
            Refusal::HeaderBytes { limit: 1 },
            Refusal::Rate { wait: Duration::from_millis(1) },
            Refusal::AtOnce { limit: 1 },
            Refusal::Body { limit: 1 },
            Refusal::Slow { within: Duration::from_secs(1) },
            Refusal::Broken,
            Refusal::Unsigned("no header".into()),
            Refusal::Mismatch,
            Refusal::Stale { tolerance: Duration::from_secs(300) },
            Refusal::Replayed,
            Refusal::Secret(Error::new(Code::KeychainLocked, "the keychain is locked")),
        ]
    }

    #[test]
    fn every_refusal_is_an_error_with_a_remedy() {
        for refusal in every() {
            let (reason, hinted) = (refusal.reason(), refusal.error().hint.is_some());
            assert_eq!(hinted, reason != Reason::Path, "{reason:?}");
            let reply = refusal.into_reply();
            assert!(reply.status.is_client_error() || reply.status.is_server_error());
            assert!(reply.body.starts_with(b"{\"error\":{\"code\":"), "{reason:?}");
        }
        for reason in Reason::ALL {
            assert!(every().iter().any(|refusal| refusal.reason() == reason), "{reason:?}");
        }
    }

    #[test]
    fn a_wait_is_told_in_whole_seconds_and_never_as_none() {
        for (ms, seconds) in [(0, "1"), (1, "1"), (1000, "1"), (1001, "2"), (30_000, "30")] {
            let reply = Refusal::Rate { wait: Duration::from_millis(ms) }.into_reply();
            assert_eq!(reply.headers["retry-after"], seconds);
        }
    }

    #[test]
    fn what_is_stored_is_not_told_to_the_sender() {
        let error = Error::not_found("the secret flow:deploy/stripe");
        let reply = Refusal::Secret(error).into_reply();
        assert!(!String::from_utf8_lossy(&reply.body).contains("stripe"));
    }
}
