//! Requests: the egress policy with this account's grants, and secrets put in on the way out and
//! taken out on the way back.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use devrig_core::{Code, Error, Result};
use devrig_net::{
    CallerId, DEFAULT_TIMEOUT, Grant, Hooks, HopRequest, Method, Redirect, Request, Response, Url,
    check_url,
};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Broker, Desk, read};
use crate::placeholder::{Placeholders, Values};
use crate::scrub::Scrub;
use crate::worker::{Call, Need};

/// Open requests of one worker that are worth a line in the audit log.
const BURST: usize = 200;
/// Numbers of different hosts that are worth a line in the audit log.
const TOLD_HOSTS: [usize; 4] = [10, 100, 1_000, MOST_HOSTS];
/// That one start of a worker is counted for.
const MOST_HOSTS: usize = 10_000;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Fetch {
    url: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    /// Base64.
    #[serde(default)]
    body: Option<String>,
    #[serde(default)]
    timeout_ms: Option<f64>,
    #[serde(default)]
    redirect: OnRedirect,
}

#[derive(Deserialize, Default, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum OnRedirect {
    #[default]
    Follow,
    Manual,
    Error,
}

impl Broker {
    pub(super) async fn fetch(&self, desk: &Desk, params: &RawValue) -> Result<Value> {
        let request = request(read(params)?)?;
        let _open = self.open_request(desk);
        desk.access.any_network().map_err(|refused| self.refuse(desk, refused))?;
        let grants = desk.access.network();
        let secrets = self.secrets_of(desk, &request).await?;
        let changes = !request.method.is_safe();
        if let (Some(call), true) = (&desk.call, changes) {
            call.note(|notes| notes.sent += 1);
        }
        let fill = Fill {
            placeholders: &self.placeholders,
            secrets: &secrets,
            strays: Mutex::default(),
            resolved: Mutex::default(),
        };
        let caller = CallerId(format!("account:{}", desk.seat.id));
        let (url, method) = (request.url.clone(), request.method.clone());
        let result = desk.core.egress.fetch(&caller, request, &grants, &fill).await;
        self.tell_strays(desk, fill.strays.into_inner().unwrap_or_default());
        self.tell_hosts(desk, fill.resolved.into_inner().unwrap_or_default());
        let surely_not_done = match &result {
            Ok(response) => (400..500).contains(&response.status),
            Err(error) => error.code == Code::Refused,
        };
        if let (Some(call), true, true) = (&desk.call, changes, surely_not_done) {
            call.note(|notes| notes.sent = notes.sent.saturating_sub(1));
        }
        let scrub = {
            let mut spent = self.lock(&self.spent);
            spent.merge(&secrets.scrub);
            &spent.clone()
        };
        match result {
            Ok(response) => {
                note_wait(desk.call.as_deref(), &response);
                answer(response, scrub)
            }
            Err(error) => {
                self.note_ungranted(desk, &url, &method, &error);
                note_breaker(desk.call.as_deref(), &error);
                Err(clean(error, scrub))
            }
        }
    }

    /// The secrets whose placeholders stand in the headers.
    async fn secrets_of(&self, desk: &Desk, request: &Request) -> Result<Secrets> {
        let mut secrets = Secrets::default();
        let texts = request.headers.iter().map(|(_, value)| value.as_str());
        let found: Vec<&str> = texts.flat_map(|text| self.placeholders.find(text)).collect();
        for placeholder in found {
            for name in self.placeholders.names(placeholder) {
                if secrets.values.contains_key(&name) {
                    continue;
                }
                // Revoked since the placeholder was given out: it is worthless from now on.
                let Ok(bound) = desk.access.secret(&name) else { continue };
                let Some(value) = self.secret_value(desk, &name).await? else { continue };
                secrets.bound.insert(name.clone(), bound);
                secrets.values.insert(name, value);
            }
            if let Some(value) = self.placeholders.value(placeholder, &secrets.values) {
                secrets.scrub.add(value.expose(), placeholder);
                let bare = value.expose().strip_prefix("Basic ");
                if let Some(bare) = bare {
                    secrets.scrub.add(bare, placeholder);
                }
            }
        }
        for (name, value) in &secrets.values {
            if let Ok(placeholder) = self.placeholders.secret(name) {
                secrets.scrub.add(value.expose(), &placeholder);
            }
        }
        Ok(secrets)
    }

    /// A secret's placeholder was sent where it means nothing: harmless, and worth knowing.
    fn tell_strays(&self, desk: &Desk, strays: Vec<(String, String)>) {
        for (name, host) in strays {
            let message = format!("the secret {name} is not bound to {host}, so it was not put in");
            let error = Error::new(Code::Refused, message);
            let action = format!("http.fetch {host} with secret {name}");
            self.tell_as(desk, "secret:unbound-host", &action, "refused", &error);
        }
    }

    /// Counts a request until what it gives is dropped. A burst is only slowed down, so that it is
    /// the audit log that tells of it.
    fn open_request(&self, desk: &Desk) -> OpenRequest<'_> {
        let open = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        if open == BURST {
            let message = format!("{open} requests are open or wait for their turn");
            let error = Error::new(Code::RateLimited, message);
            self.tell_as(desk, "limit:burst", "http.fetch", "delayed", &error);
        }
        OpenRequest(&self.requests)
    }

    /// Names can carry data to whoever answers for a granted suffix. How many there were is written
    /// down each time that their number has grown tenfold.
    fn tell_hosts(&self, desk: &Desk, hosts: Vec<String>) {
        let (before, count) = {
            let mut known = self.lock(&self.hosts);
            let before = known.len();
            known.extend(hosts.into_iter().take(MOST_HOSTS.saturating_sub(before)));
            (before, known.len())
        };
        if TOLD_HOSTS.iter().any(|worth| (before + 1..=count).contains(worth)) {
            let detail = json!({ "account": desk.seat.id, "hosts": count });
            let action = format!("http.fetch {count} different hosts");
            desk.core.audit(desk.plugin(), "network:hosts", &action, "allowed", detail);
        }
    }

    /// A refusal that a declared permission would lift is something that the person can grant.
    fn note_ungranted(&self, desk: &Desk, url: &str, method: &Method, error: &Error) {
        let (Code::Refused, Ok(url)) = (error.code, Url::parse(url)) else { return };
        let fits = |grants: &[Grant]| check_url(&url, method, grants).is_ok();
        if let Some(permission) = desk.access.ungranted_network(fits) {
            desk.note_need(Need::Grant(permission));
        }
    }
}

#[derive(Default)]
struct Secrets {
    values: Values,
    bound: HashMap<String, Vec<Grant>>,
    scrub: Scrub,
}

/// Puts values in the place of placeholders, hop by hop.
struct OpenRequest<'a>(&'a AtomicUsize);

impl Drop for OpenRequest<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Fill<'a> {
    placeholders: &'a Placeholders,
    secrets: &'a Secrets,
    /// Secrets that were to go to a host that they are not bound to.
    strays: Mutex<Vec<(String, String)>>,
    /// Hosts that a name server was asked for.
    resolved: Mutex<Vec<String>>,
}

impl Hooks for Fill<'_> {
    fn before_hop(&self, hop: &mut HopRequest<'_>) -> Result<()> {
        if hop.left_host {
            // Whatever held a secret was meant for the host that was asked, and for no other.
            hop.headers.retain(|(_, value)| self.placeholders.find(value).is_empty());
            return Ok(());
        }
        let (url, method, confidential) = (hop.url, hop.method, hop.confidential);
        for (_, text) in &mut hop.headers {
            let found: Vec<String> =
                self.placeholders.find(text).into_iter().map(str::to_owned).collect();
            for placeholder in found {
                if self.may_go(&placeholder, url, method, confidential)
                    && let Some(value) = self.placeholders.value(&placeholder, &self.secrets.values)
                {
                    *text = text.replace(&placeholder, value.expose());
                }
            }
        }
        Ok(())
    }

    fn resolved(&self, host: &str) {
        self.resolved.lock().unwrap_or_else(|e| e.into_inner()).push(host.to_owned());
    }
}

impl Fill<'_> {
    fn may_go(&self, placeholder: &str, url: &Url, method: &Method, confidential: bool) -> bool {
        let mut all = true;
        for name in self.placeholders.names(placeholder) {
            let bound = self.secrets.bound.get(&name);
            let fits = bound.is_some_and(|bound| check_url(url, method, bound).is_ok());
            if !(fits && confidential) {
                all = false;
                let host = url.host_str().unwrap_or_default().to_owned();
                let mut strays = self.strays.lock().unwrap_or_else(|e| e.into_inner());
                strays.push((name, host));
            }
        }
        all
    }
}

fn request(fetch: Fetch) -> Result<Request> {
    let method = fetch.method.as_deref().unwrap_or("GET");
    let method = Method::from_str(method)
        .ok()
        .filter(|method| ![Method::CONNECT, Method::TRACE].contains(method))
        .ok_or_else(|| Error::invalid("the method cannot be sent"))?;
    let mut request = Request::new(method, fetch.url);
    request.headers = fetch.headers;
    if let Some(body) = fetch.body {
        let body = STANDARD.decode(body).map_err(|_| Error::invalid("the body is not base64"))?;
        request = request.body(body);
    }
    if let Some(timeout) = fetch.timeout_ms.filter(|timeout| timeout.is_finite()) {
        let most = DEFAULT_TIMEOUT.as_secs_f64() * 1_000.0;
        request.timeout = Duration::from_secs_f64(timeout.clamp(1.0, most) / 1_000.0);
    }
    request.redirect = match fetch.redirect {
        OnRedirect::Follow => Redirect::Follow,
        OnRedirect::Manual => Redirect::Manual,
        OnRedirect::Error => Redirect::Error,
    };
    Ok(request)
}

fn answer(response: Response, scrub: &Scrub) -> Result<Value> {
    let body = scrub.bytes(&response.body);
    let body = body.as_deref().unwrap_or(&response.body);
    // Placeholders are longer than most values: what grew beyond a message is not cut in half.
    if body.len() > devrig_net::DEFAULT_MAX_BODY + 1024 * 1024 {
        return Err(Error::new(Code::TooLarge, "the answer repeats a secret too often"));
    }
    let headers: Vec<(String, String)> =
        response.headers.iter().map(|(name, value)| (name.clone(), scrub.text(value))).collect();
    let reason = http::StatusCode::from_u16(response.status)
        .ok()
        .and_then(|status| status.canonical_reason())
        .unwrap_or_default();
    Ok(json!({
        "status": response.status,
        "statusText": reason,
        "url": scrub.text(response.url.as_str()),
        "redirected": response.redirected,
        "headers": headers,
        "body": STANDARD.encode(body),
    }))
}

/// An error may name a host that a redirect made of the secret.
fn clean(mut error: Error, scrub: &Scrub) -> Error {
    if scrub.is_empty() {
        return error;
    }
    error.message = scrub.any_case(&error.message);
    error.hint = error.hint.map(|hint| scrub.any_case(&hint));
    error
}

/// What a server that is asked too much wants us to wait.
fn note_wait(call: Option<&Call>, response: &Response) {
    let (Some(call), 429 | 503) = (call, response.status) else { return };
    let header = |name: &str| response.headers.iter().find(|(known, _)| known == name);
    let seconds = header("retry-after").and_then(|(_, value)| value.trim().parse::<u64>().ok());
    if let Some(seconds) = seconds {
        let wait = Duration::from_secs(seconds.min(24 * 60 * 60));
        call.note(|notes| notes.retry_after = notes.retry_after.max(Some(wait)));
    }
}

/// True when the host was not asked, because it kept failing.
pub(super) fn is_breaker(error: &Error) -> bool {
    error.details.as_ref().is_some_and(|details| details["breaker"] == "open")
}

fn note_breaker(call: Option<&Call>, error: &Error) {
    let wait = error.details.as_ref().and_then(|details| details["retryAfterMs"].as_u64());
    if let (Some(call), Some(wait)) = (call, wait) {
        let wait = Duration::from_millis(wait);
        call.note(|notes| notes.retry_after = notes.retry_after.max(Some(wait)));
    }
}
