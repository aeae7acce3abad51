//! `http.request`.

use async_trait::async_trait;
use devrig_core::{Code, Error, Result};
use devrig_net::{Method, Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::answer::{self, ReadAs};
use super::ask::{Ask, header, host};
use super::body::{self, BodyType};
use super::pages::Pages;
use super::status::{self, Wanted};
use crate::action::{About, Action, Context, Effect, Stakes};
use crate::actions::bounds;
use crate::actions::compute::unread;
use crate::network::Network;

pub(super) const ABOUT: About = About {
    name: "http.request",
    title: "HTTP request",
    text: "Sends a request and gives the answer: `status`, `headers`, `body`, how the body was \
           read (`bodyType`: json, text, base64 or none) and the `url` that it came from. The \
           flow must be allowed to reach the host (`network:HOST`, with `:PORT` where it is not \
           443); plain http goes to an allowed port of this machine only. An answer that is not \
           expected fails the node: 5xx, 429 and network trouble may be tried again, as soon as \
           the server's Retry-After says; 4xx is final. Other methods than GET, HEAD and OPTIONS \
           change something, so after a crash the person is asked whether to send them again; \
           `idempotencyKey` sends a key that stays the same, for servers that know such keys, and \
           then nobody is asked. Headers and bodies do not follow a redirect to another host.",
    effect: Effect::Write,
    idempotent: false,
    input: r##"{
        "type": "object",
        "additionalProperties": false,
        "required": ["url"],
        "properties": {
            "method": {"type": "string", "pattern": "^[A-Za-z]{1,20}$", "default": "GET",
                "description": "GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS or another."},
            "url": {"type": "string", "minLength": 1, "description": "With https:// in front."},
            "query": {"type": "object", "description": "Is added to the url. A list comes as several parameters, null not at all."},
            "headers": {"type": "object", "description": "By name."},
            "body": {"description": "Text is sent as it is, anything else as JSON, unless bodyType or the header content-type says so."},
            "bodyType": {"enum": ["json", "form", "text", "base64", "multipart"],
                "description": "How the body is written. A field of a multipart body is a text, or an object with text or base64, and filename and contentType."},
            "auth": {"description": "Makes the header authorization.", "oneOf": [
                {"type": "object", "additionalProperties": false, "required": ["type", "username", "password"],
                 "properties": {"type": {"const": "basic"}, "username": {"type": "string"}, "password": {"type": "string"}}},
                {"type": "object", "additionalProperties": false, "required": ["type", "token"],
                 "properties": {"type": {"const": "bearer"}, "token": {"type": "string"}}}]},
            "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 600000, "default": 30000,
                "description": "For the whole of one request, redirects included."},
            "followRedirects": {"type": "boolean", "default": true, "description": "At most 5 of them."},
            "expect": {"description": "Statuses that are no failure, such as 200 or \"2xx\"; several as a list.",
                "anyOf": [{"$ref": "#/$defs/status"}, {"type": "array", "minItems": 1, "maxItems": 50, "items": {"$ref": "#/$defs/status"}}]},
            "response": {"enum": ["auto", "json", "text", "base64"], "default": "auto",
                "description": "How the body of the answer is read."},
            "maxBytes": {"type": "integer", "minimum": 1, "maximum": 12000000, "default": 5242880,
                "description": "Of the body of the answer, unpacked; of all pages together."},
            "idempotencyKey": {"type": "boolean", "default": false,
                "description": "Sends the header Idempotency-Key, the same at every attempt. The server must honour it."},
            "pages": {"description": "Asks for the pages that follow too; the body is then the list of what all of them have.",
                "type": "object", "additionalProperties": false, "required": ["by"],
                "properties": {
                    "by": {"enum": ["link", "cursor"], "description": "The header Link, or a text in the page."},
                    "path": {"type": "string", "description": "Where a page has the cursor of the next."},
                    "parameter": {"type": "string", "description": "What the query calls it."},
                    "items": {"type": "string", "description": "Where a page has its list."},
                    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10, "description": "Pages at most."}},
                "if": {"properties": {"by": {"const": "cursor"}}},
                "then": {"required": ["path", "parameter"]}}
        },
        "$defs": {"status": {"anyOf": [
            {"type": "integer", "minimum": 100, "maximum": 599},
            {"type": "string", "pattern": "^[1-5]xx$"}]}}
    }"##,
    output: r#"{"type": "object", "required": ["status", "headers", "body", "bodyType", "url"],
        "properties": {
            "status": {"type": "integer"}, "headers": {"type": "object"}, "body": {},
            "bodyType": {"enum": ["json", "text", "base64", "none"]}, "url": {"type": "string"},
            "pages": {"type": "integer", "description": "How many were read."},
            "more": {"type": "boolean", "description": "Whether there are pages beyond the limit."}}}"#,
    example: r#"{
        "method": "POST",
        "url": "https://api.example.com/issues",
        "auth": {"type": "bearer", "token": "{{secrets.token}}"},
        "body": {"title": "{{trigger.payload.title}}"}
    }"#,
    typical_ms: 300,
    raw: &[],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    #[serde(flatten)]
    ask: Ask,
    #[serde(default = "get")]
    method: String,
    #[serde(default)]
    body: Value,
    body_type: Option<BodyType>,
    expect: Option<Wanted>,
    #[serde(default)]
    response: ReadAs,
    pages: Option<Pages>,
}

fn get() -> String {
    "GET".to_owned()
}

/// The request of a config, without a key of its own.
pub(super) fn of(config: Value) -> Result<Request> {
    let input: Input = serde_json::from_value(config).map_err(|error| unread(&error))?;
    input.request("")
}

/// Sends one request, or one for each page.
pub(super) struct Send {
    pub network: Network,
}

#[async_trait]
impl Action for Send {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let input: Input = serde_json::from_value(input).map_err(|error| unread(&error))?;
        let request = input.request(context.key)?;
        let output = match &input.pages {
            None => {
                let response = self.send(&input, request, context).await?;
                answer::value(&response, input.response)?
            }
            Some(pages) => self.send_for_all(&input, pages, request, context).await?,
        };
        bounds::check(&output, "answer")?;
        Ok(output)
    }

    fn stakes(&self, input: &Value, usual: Stakes) -> Stakes {
        let method = input["method"].as_str().unwrap_or("GET").to_ascii_uppercase();
        match method.as_str() {
            "GET" | "HEAD" | "OPTIONS" => Stakes { effect: Effect::Read, idempotent: true },
            _ => Stakes { idempotent: input["idempotencyKey"] == json!(true), ..usual },
        }
    }

    fn target(&self, input: &Value) -> Option<String> {
        host(input)
    }
}

impl Send {
    async fn send(
        &self,
        input: &Input,
        request: Request,
        context: &Context<'_>,
    ) -> Result<Response> {
        let response = self.network.fetch(context.flow, context.permissions, request).await?;
        status::check(&response, input.expect.as_ref(), input.ask.follow_redirects)?;
        Ok(response)
    }

    async fn send_for_all(
        &self,
        input: &Input,
        pages: &Pages,
        mut request: Request,
        context: &Context<'_>,
    ) -> Result<Value> {
        let (mut items, mut count) = (Vec::new(), 0);
        loop {
            let response = self.send(input, request.clone(), context).await?;
            let (_, page) = answer::body(&response, ReadAs::Json)?;
            items.extend(pages.items(&page)?);
            count += 1;
            let next = pages.next(&request.url, &response, &page)?;
            let more = next.is_some();
            if let Some(next) = next.filter(|_| count < pages.limit) {
                request.url = next;
                request.max_body = request.max_body.saturating_sub(response.body.len());
                continue;
            }
            return Ok(json!({
                "status": response.status,
                "headers": answer::headers(&response.headers),
                "body": items,
                "bodyType": "json",
                "url": response.url.as_str(),
                "pages": count,
                "more": more,
            }));
        }
    }
}

impl Input {
    fn request(&self, key: &str) -> Result<Request> {
        let method = Method::from_bytes(self.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Error::invalid("method is none"))?;
        if self.pages.is_some() && method != Method::GET {
            return Err(Error::invalid(format!("pages are read with GET, not with {method}"))
                .hint("Leave pages out."));
        }
        if [Method::CONNECT, Method::TRACE].contains(&method) {
            return Err(Error::new(Code::Refused, format!("{method} is not sent"))
                .hint("It is for proxies, not for flows."));
        }
        let mut request = self.ask.request(method, key)?;
        let declared = header(&request.headers, "content-type").map(str::to_owned);
        let body = body::build(self.body.clone(), self.body_type, declared.as_deref(), key)?;
        if let Some(kind) = body.content_type
            && (declared.is_none() || body.replaces_header)
        {
            request.headers.retain(|(name, _)| !name.eq_ignore_ascii_case("content-type"));
            request.headers.push(("content-type".to_owned(), kind));
        }
        request.body = body.bytes;
        Ok(request)
    }
}
