//! One request on its way: hop by hop, each through the whole policy.

use std::net::IpAddr;

use bytes::Bytes;
use devrig_core::{Code, Error, Result};
use http::Method;
use http::header::{self, HeaderMap, HeaderValue};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};
use url::Url;

use crate::client::{Egress, Hooks, HopRequest, MAX_REDIRECTS, Request, Response};
use crate::grant::Grant;
use crate::limits::{CallerId, Turn};
use crate::policy::{self, Allowed, Refusal, Rule};
use crate::pool::{Key, Lease, Outgoing};
use crate::redirect::{after_redirect, redirect_target};
use crate::{body, headers};

/// One request with its redirects.
pub(crate) struct Chain<'a> {
    pub(crate) egress: &'a Egress,
    pub(crate) caller: &'a CallerId,
    pub(crate) grants: &'a [Grant],
    pub(crate) hooks: &'a dyn Hooks,
    pub(crate) turn: &'a Turn,
}

impl Chain<'_> {
    pub(crate) async fn follow(&self, mut request: Request, mut url: Url) -> Result<Response> {
        let first = url.origin();
        let deadline = Instant::now() + request.timeout;
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
            let late = |_| {
                let limit = request.timeout.as_millis();
                let message = format!("{} took longer than {limit} ms", allowed.host);
                Err(Error::new(Code::Timeout, message))
            };
            // Here and not around it all, so that the breaker learns of it.
            let result = timeout_at(deadline, self.hop(hop, &allowed, &request)).await;
            let result = result.unwrap_or_else(late);
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
    async fn addresses(&self, allowed: &Allowed) -> Result<Vec<IpAddr>> {
        let host = &allowed.host;
        let found = match allowed.known_addresses() {
            Some(known) => known,
            None => {
                self.hooks.resolved(host);
                self.egress.connector.resolver.resolve(host).await.map_err(|error| {
                    Error::new(Code::Network, format!("{host} cannot be looked up: {error}"))
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
        addresses: &[IpAddr],
        map: HeaderMap,
        request: &Request,
    ) -> Result<(Lease<'_>, http::Response<Incoming>)> {
        let Allowed { host, port, https, .. } = allowed;
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
        let (stream, ip) = self.egress.connector.connect(host, *https, *port, addresses).await?;
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
        let hidden = [header::CONTENT_ENCODING, header::CONTENT_LENGTH, header::TRANSFER_ENCODING];
        let headers = self
            .head
            .headers
            .iter()
            .filter(|(name, _)| !hidden.contains(name))
            .map(|(name, value)| {
                (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
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
    map.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate, br"));
    let agent = HeaderValue::from_static(concat!("DevRig/", env!("CARGO_PKG_VERSION")));
    map.entry(header::USER_AGENT).or_insert(agent);
    map.entry(header::ACCEPT).or_insert(HeaderValue::from_static("*/*"));
    // Some servers insist on a length where the method is one that usually has a body.
    let has_body = [Method::POST, Method::PUT, Method::PATCH].contains(&request.method);
    if has_body || !request.body.is_empty() {
        map.insert(header::CONTENT_LENGTH, HeaderValue::from(request.body.len()));
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
    let target = if http2 { url.as_str() } else { &url[url::Position::BeforePath..] };
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
