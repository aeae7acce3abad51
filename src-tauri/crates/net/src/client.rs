//! The client: every request passes the policy, at every hop.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use devrig_core::{Code, Error, Result, SharedClock};
use http::header::{self, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use url::{Origin, Url};

use crate::connect::{Connector, Dialer, Proxy, Resolver, Roots, SystemDialer, SystemResolver};
use crate::grant::Grant;
use crate::limits::{CallerId, CallerLimits, Limits, Turn};
use crate::policy::{self, Allowed, Refusal, Rule};
use crate::pool::{Key, Lease, Outgoing, Pool};
use crate::{body, headers};

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
    connector: Connector,
    limits: Limits,
    pool: Pool,
}

impl Egress {
    /// Fails only when a given root certificate is unusable.
    pub fn new(parts: EgressParts) -> Result<Self> {
        let EgressParts {
            resolver,
            dialer,
            roots,
            proxy,
            clock,
        } = parts;
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
    /// more is an answer. A refusal has [`Code::Refused`] and names its rule in the details.
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
        let timeout = request.timeout;
        let host = url.host_str().unwrap_or_default().to_owned();
        let chain = Chain {
            egress: self,
            caller,
            grants,
            hooks,
            turn: &turn,
        };
        match tokio::time::timeout(timeout, chain.follow(request, url)).await {
            Ok(result) => result,
            Err(_) => Err(Error::new(
                Code::Timeout,
                format!("{host} took longer than {} ms", timeout.as_millis()),
            )),
        }
    }
}

/// One request with its redirects.
struct Chain<'a> {
    egress: &'a Egress,
    caller: &'a CallerId,
    grants: &'a [Grant],
    hooks: &'a dyn Hooks,
    turn: &'a Turn,
}

impl Chain<'_> {
    async fn follow(&self, mut request: Request, mut url: Url) -> Result<Response> {
        let first = url.origin();
        let mut hops = Vec::new();
        let mut left_host = false;
        loop {
            let allowed = policy::check_url(&url, &request.method, self.grants)?;
            left_host |= url.origin() != first;
            hops.push(url.clone());
            let hop = HopRequest {
                url: &url,
                method: &request.method,
                headers: request.headers.clone(),
                hop: hops.len() - 1,
                confidential: allowed.is_confidential(),
                left_host,
            };
            let breaker = self.turn.attempt(&allowed.host, allowed.port)?;
            let result = self.hop(hop, &allowed, &request).await;
            match &result {
                Ok(answer) if answer.head.status.is_server_error() => breaker.failed(),
                Ok(_) => breaker.succeeded(),
                Err(error) if says_host_is_ill(error.code) => breaker.failed(),
                Err(_) => drop(breaker),
            }
            let answer = result?;
            let Some(next) = redirect_target(&request, &url, &answer.head)? else {
                return Ok(answer.into_response(url, hops));
            };
            if hops.len() > MAX_REDIRECTS {
                return Err(Refusal::new(
                    Rule::Redirect,
                    format!("more than {MAX_REDIRECTS} redirects"),
                    "Ask the last address directly.",
                )
                .into());
            }
            after_redirect(&mut request, answer.head.status, &url, &next);
            self.turn.spend();
            url = next;
        }
    }

    async fn hop(
        &self,
        mut hop: HopRequest<'_>,
        allowed: &Allowed,
        request: &Request,
    ) -> Result<Answer> {
        self.hooks.before_hop(&mut hop)?;
        let mut map = headers::to_map(&hop.headers, &request.headers)?;
        let addresses = self.addresses(allowed).await?;
        set_own_headers(&mut map, request);
        let (lease, response) = self.send(&hop, allowed, &addresses, map, request).await?;
        let (head, incoming) = response.into_parts();
        let body = self
            .read(&hop, request, &head, incoming)
            .await
            .map_err(|error| error.context(&allowed.host))?;
        lease.give_back();
        Ok(Answer { head, body })
    }

    async fn read(
        &self,
        hop: &HopRequest<'_>,
        request: &Request,
        head: &http::response::Parts,
        incoming: Incoming,
    ) -> Result<Bytes> {
        if *hop.method == Method::HEAD {
            return Ok(Bytes::new());
        }
        body::check_length(&head.headers, request.max_body)?;
        body::read(incoming, &head.headers, request.max_body).await
    }

    /// Asks the name server once, and keeps the addresses that pass.
    async fn addresses(&self, allowed: &Allowed) -> Result<Vec<std::net::IpAddr>> {
        let host = &allowed.host;
        let found = match allowed.known_addresses() {
            Some(known) => known,
            None => {
                self.hooks.resolved(host);
                self.egress
                    .connector
                    .resolver
                    .resolve(host)
                    .await
                    .map_err(|error| {
                        Error::new(
                            Code::Network,
                            format!("{host} cannot be looked up: {error}"),
                        )
                    })?
            }
        };
        if found.is_empty() {
            return Err(Error::new(Code::Network, format!("{host} has no address")));
        }
        Ok(policy::allowed_addresses(&found, allowed)?)
    }

    async fn send(
        &self,
        hop: &HopRequest<'_>,
        allowed: &Allowed,
        addresses: &[std::net::IpAddr],
        map: HeaderMap,
        request: &Request,
    ) -> Result<(Lease<'_>, http::Response<Incoming>)> {
        let Allowed {
            host, port, https, ..
        } = allowed;
        let key = |ip| Key {
            caller: self.caller.clone(),
            https: *https,
            host: host.clone(),
            port: *port,
            ip,
        };
        let pool = &self.egress.pool;
        let most = self.turn.concurrency();
        // A kept connection may have been closed by the server in the meantime. What it never
        // sent goes out on another; what changes nothing goes out once more, on a fresh one.
        while let Some(mut lease) = addresses.iter().find_map(|&ip| pool.take(key(ip), most)) {
            let outgoing = outgoing(hop, map.clone(), request, lease.is_http2())?;
            match lease.send(outgoing).await {
                Ok(response) => return Ok((lease, response)),
                Err(failed) if failed.unsent => {}
                Err(_) if hop.method.is_safe() => break,
                Err(failed) => return Err(send_error(host, &failed.error)),
            }
        }
        let (stream, ip) = self
            .egress
            .connector
            .connect(host, *https, *port, addresses)
            .await?;
        let mut lease = pool.open(key(ip), stream, most).await?;
        let outgoing = outgoing(hop, map, request, lease.is_http2())?;
        match lease.send(outgoing).await {
            Ok(response) => Ok((lease, response)),
            Err(failed) => Err(send_error(host, &failed.error)),
        }
    }
}

struct Answer {
    head: http::response::Parts,
    body: Bytes,
}

impl Answer {
    fn into_response(self, url: Url, hops: Vec<Url>) -> Response {
        let hidden = [
            header::CONTENT_ENCODING,
            header::CONTENT_LENGTH,
            header::TRANSFER_ENCODING,
        ];
        let headers = self
            .head
            .headers
            .iter()
            .filter(|(name, _)| !hidden.contains(name))
            .map(|(name, value)| {
                (
                    name.as_str().to_owned(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect();
        Response {
            status: self.head.status.as_u16(),
            headers,
            body: self.body,
            url,
            redirected: hops.len() > 1,
            hops,
        }
    }
}

fn says_host_is_ill(code: Code) -> bool {
    matches!(code, Code::Network | Code::Timeout | Code::Http)
}

fn send_error(host: &str, error: &hyper::Error) -> Error {
    Error::new(Code::Network, format!("{host} gave no answer: {error}"))
}

fn set_own_headers(map: &mut HeaderMap, request: &Request) {
    map.insert(
        header::ACCEPT_ENCODING,
        HeaderValue::from_static("gzip, deflate, br"),
    );
    let agent = HeaderValue::from_static(concat!("DevRig/", env!("CARGO_PKG_VERSION")));
    map.entry(header::USER_AGENT).or_insert(agent);
    map.entry(header::ACCEPT)
        .or_insert(HeaderValue::from_static("*/*"));
    // Some servers insist on a length where the method is one that usually has a body.
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    if has_body || !request.body.is_empty() {
        map.insert(
            header::CONTENT_LENGTH,
            HeaderValue::from(request.body.len()),
        );
    }
}

fn outgoing(
    hop: &HopRequest<'_>,
    map: HeaderMap,
    request: &Request,
    http2: bool,
) -> Result<Outgoing> {
    let mut url = hop.url.clone();
    url.set_fragment(None);
    let target = if http2 {
        url.as_str()
    } else {
        &url[url::Position::BeforePath..]
    };
    let mut outgoing = http::Request::builder()
        .method(hop.method.clone())
        .uri(target)
        .body(Full::new(request.body.clone()))
        .map_err(|error| Error::invalid(format!("the URL cannot be sent: {error}")))?;
    *outgoing.headers_mut() = map;
    if !http2 {
        let host = HeaderValue::from_str(&url[url::Position::BeforeHost..url::Position::AfterPort])
            .map_err(|_| Error::invalid("the host cannot be sent"))?;
        outgoing.headers_mut().insert(header::HOST, host);
    }
    Ok(outgoing)
}

/// Where a response sends to; `None` when it is the answer.
fn redirect_target(
    request: &Request,
    url: &Url,
    head: &http::response::Parts,
) -> Result<Option<Url>> {
    let redirects = matches!(
        head.status,
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = head.headers.get(header::LOCATION);
    let (true, Some(location)) = (redirects, location) else {
        return Ok(None);
    };
    match request.redirect {
        Redirect::Manual => Ok(None),
        Redirect::Error => Err(Refusal::new(
            Rule::Redirect,
            "the server redirects, and the request says not to follow",
            "Ask the final address, or follow redirects.",
        )
        .into()),
        Redirect::Follow => {
            let text = String::from_utf8_lossy(location.as_bytes());
            let mut next = policy::join_url(url, text.trim())?;
            if next.fragment().is_none() {
                next.set_fragment(url.fragment());
            }
            Ok(Some(next))
        }
    }
}

/// Method, body and headers of the next hop, as the Fetch standard has it; but credentials stay
/// behind whenever host or port changes, for good.
fn after_redirect(request: &mut Request, status: StatusCode, from: &Url, to: &Url) {
    let becomes_get = match status {
        StatusCode::SEE_OTHER => !matches!(request.method, Method::GET | Method::HEAD),
        StatusCode::MOVED_PERMANENTLY | StatusCode::FOUND => request.method == Method::POST,
        _ => false,
    };
    if becomes_get {
        request.method = Method::GET;
        request.body = Bytes::new();
        headers::drop_body_headers(&mut request.headers);
    }
    let same = match (from.origin(), to.origin()) {
        (a @ Origin::Tuple(..), b) => a == b,
        _ => false,
    };
    if !same {
        headers::drop_for_one_host(&mut request.headers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(method: Method, status: u16, to: &str) -> Request {
        let mut request = Request::new(method, "https://a.test/")
            .header("Authorization", "Bearer x")
            .header("Content-Type", "text/plain")
            .header("X-Other", "kept")
            .body("body");
        let from = Url::parse(&request.url).unwrap();
        let status = StatusCode::from_u16(status).unwrap();
        after_redirect(&mut request, status, &from, &Url::parse(to).unwrap());
        request
    }

    #[test]
    fn methods_and_bodies_change_as_fetch_has_it() {
        for (method, status, becomes, keeps_body) in [
            (Method::POST, 301, Method::GET, false),
            (Method::POST, 302, Method::GET, false),
            (Method::POST, 303, Method::GET, false),
            (Method::PUT, 303, Method::GET, false),
            (Method::PUT, 302, Method::PUT, true),
            (Method::HEAD, 303, Method::HEAD, true),
            (Method::POST, 307, Method::POST, true),
            (Method::DELETE, 308, Method::DELETE, true),
        ] {
            let request = redirected(method.clone(), status, "https://a.test/next");
            assert_eq!(request.method, becomes, "{method} {status}");
            assert_eq!(!request.body.is_empty(), keeps_body, "{method} {status}");
            let typed = request
                .headers
                .iter()
                .any(|(name, _)| name == "Content-Type");
            assert_eq!(typed, keeps_body, "{method} {status}");
        }
    }

    #[test]
    fn credentials_stay_with_the_host_and_port() {
        let has = |request: &Request, wanted: &str| {
            request.headers.iter().any(|(name, _)| name == wanted)
        };
        let same = redirected(Method::GET, 302, "https://a.test:443/next");
        assert!(has(&same, "Authorization"));
        for to in [
            "https://b.test/",
            "https://a.test:8443/",
            "http://a.test/",
            "https://x.a.test/",
        ] {
            let request = redirected(Method::GET, 302, to);
            assert!(!has(&request, "Authorization"), "{to}");
            assert!(has(&request, "X-Other"), "{to}");
        }
    }
}
