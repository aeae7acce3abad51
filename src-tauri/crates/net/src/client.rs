//! The client: every request passes the policy, at every hop.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use devrig_core::{Result, SharedClock};
use http::Method;
use url::Url;

use crate::chain::Chain;
use crate::connect::{Connector, Dialer, Proxy, Resolver, Roots, SystemDialer, SystemResolver};
use crate::grant::Grant;
use crate::limits::{CallerId, CallerLimits, Limits};
use crate::pool::Pool;
use crate::{headers, policy};

/// Redirects of one request.
pub const MAX_REDIRECTS: usize = 5;
/// Of a response, decoded.
pub const DEFAULT_MAX_BODY: usize = 10 * 1024 * 1024;
/// For the whole request, from its turn to the last byte.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// What a client is made of. Nothing else has an influence, no environment variable either.
pub struct EgressParts {
    pub resolver: Arc<dyn Resolver>,
    pub dialer: Arc<dyn Dialer>,
    pub roots: Roots,
    pub proxy: Option<Proxy>,
    pub clock: SharedClock,
}

impl EgressParts {
    /// The operating system's resolver and sockets, no proxy.
    pub fn system(clock: SharedClock) -> Self {
        Self {
            resolver: Arc::new(SystemResolver),
            dialer: Arc::new(SystemDialer),
            roots: Roots::System,
            proxy: None,
            clock,
        }
    }
}

/// A request as its caller wants it.
#[derive(Debug, Clone)]
pub struct Request {
    /// As the caller wrote it: some spellings are refused before they are read.
    pub url: String,
    pub method: Method,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub timeout: Duration,
    pub redirect: Redirect,
    /// The most bytes of a response, decoded.
    pub max_body: usize,
}

impl Request {
    pub fn get(url: impl Into<String>) -> Self {
        Self::new(Method::GET, url)
    }

    pub fn new(method: Method, url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            method,
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: DEFAULT_TIMEOUT,
            redirect: Redirect::Follow,
            max_body: DEFAULT_MAX_BODY,
        }
    }

    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }
}

/// What to do when the server sends elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redirect {
    /// Follow where the grants allow it, at most [`MAX_REDIRECTS`] times.
    #[default]
    Follow,
    /// Give the redirecting response to the caller.
    Manual,
    Error,
}

/// An answer, whatever its status.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: u16,
    /// Names in lower case. Without the encoding and length of the body, which is decoded.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Where the answer came from in the end.
    pub url: Url,
    pub redirected: bool,
    /// Where each request went, the first one included.
    pub hops: Vec<Url>,
}

/// One request of the chain, before it leaves.
#[derive(Debug)]
pub struct HopRequest<'a> {
    pub url: &'a Url,
    pub method: &'a Method,
    /// To be changed for this hop only: the next one starts again from what the caller gave.
    pub headers: Vec<(String, String)>,
    /// 0 for the first.
    pub hop: usize,
    /// Encrypted, or to this machine by a grant of its own: the only places for a secret.
    pub confidential: bool,
    /// Some hop before left the host that the caller named.
    pub left_host: bool,
}

/// What the owner of a caller does at each hop.
pub trait Hooks: Send + Sync {
    /// Called when the hop has passed the policy, before its name is resolved. The place to put
    /// in the secrets that are bound to this host. An error ends the request.
    fn before_hop(&self, hop: &mut HopRequest<'_>) -> Result<()> {
        let _ = hop;
        Ok(())
    }

    /// Called with each host that is about to be asked of a name server, for the audit.
    fn resolved(&self, host: &str) {
        let _ = host;
    }
}

/// No hooks.
impl Hooks for () {}

/// The one way out for requests made on behalf of plugins, flows, AI and exporters.
pub struct Egress {
    pub(crate) connector: Connector,
    pub(crate) limits: Limits,
    pub(crate) pool: Pool,
}

impl Egress {
    /// Fails only when a given root certificate is unusable.
    pub fn new(parts: EgressParts) -> Result<Self> {
        let EgressParts { resolver, dialer, roots, proxy, clock } = parts;
        Ok(Self {
            connector: Connector::new(resolver, dialer, &roots, proxy)?,
            pool: Pool::new(Arc::clone(&clock)),
            limits: Limits::new(clock),
        })
    }

    /// Sets a caller's limits, and starts its counts anew.
    pub fn set_limits(&self, caller: CallerId, limits: CallerLimits) {
        self.limits.set(caller, limits);
    }

    /// Closes a caller's idle connections and forgets its counts.
    pub fn forget(&self, caller: &CallerId) {
        self.limits.forget(caller);
        self.pool.forget(caller);
    }

    /// Sends a request where the grants allow it, and reads the whole answer. A status of 400 or
    /// more is an answer. A refusal has [`devrig_core::Code::Refused`] and names its rule in the details.
    /// Dropping the future ends the request.
    pub async fn fetch(
        &self,
        caller: &CallerId,
        request: Request,
        grants: &[Grant],
        hooks: &dyn Hooks,
    ) -> Result<Response> {
        // Refused before it costs a turn.
        let url = policy::parse_url(&request.url)?;
        policy::check_url(&url, &request.method, grants)?;
        headers::check(&request.headers)?;
        let turn = self.limits.turn(caller, request.timeout).await?;
        let chain = Chain { egress: self, caller, grants, hooks, turn: &turn };
        chain.follow(request, url).await
    }
}
