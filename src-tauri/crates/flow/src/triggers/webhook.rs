//! Requests that start flows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use devrig_core::{Code, Error, Result};
use devrig_net::listener::{
    Auth, Delivery, Encoding, Handler, Registration, Reply, Route, RouteLimits, Scheme,
};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::{Happened, Source, Surroundings};
use crate::definition::{self, HmacAuth, HmacScheme, Respond, Webhook, WebhookAuth};
use crate::run::{Answer, RunStatus};
use crate::runs::{Fired, Rest};

/// Where every webhook's path begins.
const ROOT: &str = "/hooks/";
/// Headers in which senders name a delivery, so that one which is sent again counts once.
const DELIVERY_HEADERS: [&str; 3] = ["x-github-delivery", "idempotency-key", "webhook-id"];

/// The path of a webhook: its own, or one made from the ids of flow and trigger.
pub fn path(webhook: &Webhook, flow: &str, trigger: &str) -> String {
    match &webhook.path {
        Some(own) => format!("{ROOT}{own}"),
        None => format!("{ROOT}{flow}/{trigger}"),
    }
}

/// Lets requests to the webhook's path start its flow, until the registration is dropped.
///
/// # Errors
/// `CONFLICT` when the path is another's; what the listener meets when it opens its port.
pub(super) fn arm(
    webhook: &Webhook,
    source: Source,
    surroundings: &Surroundings,
) -> Result<Registration> {
    let definition = &source.program.definition;
    let usual = RouteLimits::default();
    let rate = webhook.rate_per_minute.and_then(std::num::NonZeroU32::new);
    let route = Route {
        path: path(webhook, definition.id.as_str(), &source.trigger),
        owner: format!("the flow {}", definition.name),
        methods: webhook.methods.iter().map(|method| wire(*method)).collect(),
        auth: auth(&webhook.auth, surroundings)?,
        limits: RouteLimits {
            body: usize::try_from(webhook.body_limit_bytes).unwrap_or(usize::MAX),
            per_minute: rate.unwrap_or(usual.per_minute),
            at_once: 1_000,
            ..usual
        },
        handler: Arc::new(Hook { source, respond: webhook.respond }),
    };
    surroundings.listener.register(route)
}

fn wire(method: definition::Method) -> Method {
    match method {
        definition::Method::Post => Method::POST,
        definition::Method::Get => Method::GET,
        definition::Method::Put => Method::PUT,
        definition::Method::Patch => Method::PATCH,
        definition::Method::Delete => Method::DELETE,
    }
}

fn auth(auth: &WebhookAuth, surroundings: &Surroundings) -> Result<Auth> {
    let WebhookAuth::Hmac(HmacAuth { scheme, secret, header, .. }) = auth else {
        return Ok(Auth::None);
    };
    let scheme = match scheme {
        HmacScheme::Github => Scheme::GitHub,
        HmacScheme::Stripe => Scheme::Stripe,
        HmacScheme::Slack => Scheme::Slack,
        HmacScheme::Plain => Scheme::Plain {
            header: name(header.as_deref().unwrap_or("x-signature"))?,
            encoding: Encoding::Hex,
        },
    };
    Ok(Auth::Signed { scheme, secret: surroundings.secrets.source(secret) })
}

fn name(text: &str) -> Result<HeaderName> {
    HeaderName::try_from(text).map_err(|_| {
        Error::invalid(format!("{text:?} is no name of a header")).hint("Write it as X-Signature.")
    })
}

struct Hook {
    source: Source,
    respond: Respond,
}

#[async_trait]
impl Handler for Hook {
    async fn handle(&self, delivery: Delivery) -> Reply {
        let key = DELIVERY_HEADERS.iter().find_map(|name| delivery.headers.get(*name));
        let key = key.and_then(|value| value.to_str().ok()).map(str::to_owned);
        let payload = payload(&delivery);
        let reply = match self.respond {
            Respond::Immediately => self.accept(payload, key).await,
            Respond::WhenDone => self.answer(payload, key).await,
        };
        reply.unwrap_or_else(|error| {
            tracing::warn!(%error, path = &*delivery.path, "a webhook started nothing");
            Reply::error(StatusCode::SERVICE_UNAVAILABLE, &error)
        })
    }
}

impl Hook {
    async fn accept(&self, payload: Value, key: Option<String>) -> Result<Reply> {
        let told = match self.source.fire(Happened { payload, key, ..Happened::default() }).await? {
            Fired::Started(started) => json!({ "run": started.id }),
            Fired::Refused => json!({ "run": null, "reason": "the entry conditions do not hold" }),
            Fired::Repeated => json!({ "run": null, "reason": "this delivery came before" }),
        };
        Ok(Reply::json(StatusCode::ACCEPTED, &told))
    }

    async fn answer(&self, payload: Value, key: Option<String>) -> Result<Reply> {
        let (tell, answer) = oneshot::channel();
        let event = Happened { payload, key, answer: Some(tell), ..Happened::default() };
        let Fired::Started(mut started) = self.source.fire(event).await? else {
            return Ok(Reply::new(StatusCode::NO_CONTENT));
        };
        // The run drops its end of the answer when it comes to rest without one.
        if let Some(answer) = started.answered(answer).await {
            return reply(answer);
        }
        let rest = started.rest.await;
        Ok(at_rest(&started.id, rest.ok()))
    }
}

/// A run that came to rest without an answer of its own.
fn at_rest(run: &str, rest: Option<Rest>) -> Reply {
    match rest {
        Some(Rest { status: RunStatus::Completed, output, .. }) => {
            Reply::json(StatusCode::OK, &output)
        }
        Some(Rest { status: RunStatus::Waiting, .. }) => {
            Reply::json(StatusCode::ACCEPTED, &json!({ "run": run, "status": "waiting" }))
        }
        Some(Rest { error: Some(error), .. }) => {
            let told = Error::new(error.code, format!("the run {run} failed"));
            Reply::error(StatusCode::INTERNAL_SERVER_ERROR, &told)
        }
        _ => {
            let told = Error::new(Code::Cancelled, format!("the run {run} did not end"));
            Reply::error(StatusCode::SERVICE_UNAVAILABLE, &told)
        }
    }
}

/// What `http.respond` gave, as a reply: text as it is, anything else as JSON.
fn reply(answer: Answer) -> Result<Reply> {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut reply = match answer.body {
        Value::Null => Reply::new(status),
        Value::String(text) => {
            let mut reply = Reply::new(status);
            reply.body = Bytes::from(text);
            let plain = HeaderValue::from_static("text/plain; charset=utf-8");
            reply.headers.insert(http::header::CONTENT_TYPE, plain);
            reply
        }
        value => Reply::json(status, &value),
    };
    for (header, value) in answer.headers {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = HeaderValue::try_from(text)
            .map_err(|_| Error::invalid(format!("the header {header} has a value that is none")))?;
        reply.headers.insert(name(&header)?, value);
    }
    Ok(reply)
}

/// The request as the run keeps it. The body is kept once, as it came.
pub(super) fn payload(delivery: &Delivery) -> Value {
    let texts = |(name, value)| (name, Value::String(value));
    let query = delivery.query_pairs().into_iter().map(texts).collect();
    let headers = delivery.storable_headers().into_iter().map(texts).collect();
    let mut payload = json!({ "method": delivery.method.as_str(), "path": &*delivery.path });
    // Put in as they are; the macro would copy them.
    payload["query"] = Value::Object(query);
    payload["headers"] = Value::Object(headers);
    match std::str::from_utf8(&delivery.body) {
        Ok(text) => payload["rawBody"] = json!(text),
        Err(_) => {
            let text = base64::engine::general_purpose::STANDARD.encode(&delivery.body);
            payload["rawBodyBase64"] = json!(text);
        }
    }
    payload
}

/// A request that a person wrote: where it has a body and not the text of one, the text is made.
pub(super) fn as_sent(mut payload: Value) -> Value {
    let Some(fields) = payload.as_object_mut() else { return payload };
    if fields.contains_key("rawBody") || fields.contains_key("rawBodyBase64") {
        return payload;
    }
    let (raw, kind) = match fields.remove("body") {
        Some(Value::String(text)) => (text, "text/plain"),
        Some(body) => (body.to_string(), "application/json"),
        None => return payload,
    };
    fields.insert("rawBody".to_owned(), json!(raw));
    let headers = fields.entry("headers").or_insert_with(|| json!({}));
    if let Some(headers) = headers.as_object_mut() {
        headers.entry("content-type").or_insert_with(|| json!(kind));
    }
    payload
}

/// Adds `body` to a payload: what the raw body says where that is JSON or a form, else its text.
pub(crate) fn with_body(mut payload: Value) -> Value {
    // One that a person wrote may have a body only.
    if payload.get("rawBody").is_none() && payload.get("body").is_some() {
        return payload;
    }
    let raw = payload["rawBody"].as_str().unwrap_or_default();
    let kind = payload["headers"]["content-type"].as_str().unwrap_or_default();
    let body = match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => form(raw),
        _ => serde_json::from_str(raw).unwrap_or_else(|_| json!(raw)),
    };
    if let Some(fields) = payload.as_object_mut() {
        fields.insert("body".to_owned(), body);
    }
    payload
}

fn form(raw: &str) -> Value {
    let pairs = url::form_urlencoded::parse(raw.as_bytes()).into_owned();
    Value::Object(pairs.map(|(name, value)| (name, json!(value))).collect())
}

/// How long a delivery that names itself is not taken again.
pub(super) const WINDOW: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use serde_json::Map;

    use super::*;

    #[test]
    fn a_body_is_read_by_what_it_says_it_is() {
        let of = |kind: &str, raw: &str| {
            let payload = json!({"headers": {"content-type": kind}, "rawBody": raw});
            with_body(payload)["body"].clone()
        };
        assert_eq!(of("application/json; charset=utf-8", r#"{"a": [1]}"#), json!({"a": [1]}));
        assert_eq!(
            of("application/x-www-form-urlencoded", "a=1&b=x+y"),
            json!({"a": "1", "b": "x y"})
        );
        assert_eq!(of("text/plain", "hello"), json!("hello"));
        assert_eq!(of("application/json", "{"), json!("{"), "what is none is given as it came");
        let written = json!({"body": {"a": 1}});
        assert_eq!(with_body(written.clone()), written);
    }

    #[test]
    fn a_request_may_be_written_with_its_body() {
        let body = |written: Value| with_body(as_sent(written))["body"].clone();
        assert_eq!(body(json!({"body": {"a": 1}})), json!({"a": 1}));
        assert_eq!(body(json!({"body": "plain"})), json!("plain"));
        assert_eq!(body(json!({"rawBody": "[1]", "body": 2})), json!([1]));
        assert_eq!(as_sent(json!(7)), json!(7));
    }

    #[test]
    fn an_answer_is_sent_as_what_it_is() {
        let answer = |body: Value| Answer { status: 201, headers: Map::new(), body };
        let sent = |body| {
            let reply = reply(answer(body)).unwrap();
            (reply.status.as_u16(), String::from_utf8(reply.body.to_vec()).unwrap())
        };
        assert_eq!(sent(json!("plain")), (201, "plain".to_owned()));
        assert_eq!(sent(json!({"a": 1})), (201, r#"{"a":1}"#.to_owned()));
        assert_eq!(sent(Value::Null), (201, String::new()));
        let broken = Answer {
            headers: Map::from_iter([("a b".to_owned(), json!("x"))]),
            ..answer(json!(1))
        };
        assert!(reply(broken).is_err());
    }
}
