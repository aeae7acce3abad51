//! `http.graphql`.

mod document;

use async_trait::async_trait;
use devrig_core::{Code, Error, Result};
use devrig_net::{Method, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::answer::{self, ReadAs};
use super::ask::{Ask, host};
use super::status;
use crate::action::{About, Action, Context, Effect, Stakes};
use crate::actions::bounds;
use crate::actions::compute::unread;
use crate::network::Network;

use document::Operation;

/// Messages of one answer that are told.
const TOLD: usize = 3;
/// Of each, in characters.
const LONGEST: usize = 300;

pub(super) const ABOUT: About = About {
    name: "http.graphql",
    title: "GraphQL",
    text: "Asks a GraphQL service and gives its `data`. Errors in the answer fail the node, unless \
           `partial` is true and there is data beside them; then they are in `errors`. Values go \
           in through `variables`: the `query` itself is no template. A mutation counts as a \
           change, as a POST of `http.request` does; a query only reads.",
    effect: Effect::Write,
    idempotent: false,
    input: r#"{
        "type": "object",
        "additionalProperties": false,
        "required": ["url", "query"],
        "properties": {
            "url": {"type": "string", "minLength": 1, "description": "The service's address, with https:// in front."},
            "query": {"type": "string", "minLength": 1, "description": "The GraphQL document, as it is."},
            "variables": {"type": ["object", "null"], "description": "What the document's variables stand for."},
            "operationName": {"type": "string", "description": "Which of several operations is meant."},
            "headers": {"type": "object", "description": "By name."},
            "auth": {"description": "Makes the header authorization.", "oneOf": [
                {"type": "object", "additionalProperties": false, "required": ["type", "username", "password"],
                 "properties": {"type": {"const": "basic"}, "username": {"type": "string"}, "password": {"type": "string"}}},
                {"type": "object", "additionalProperties": false, "required": ["type", "token"],
                 "properties": {"type": {"const": "bearer"}, "token": {"type": "string"}}}]},
            "partial": {"type": "boolean", "default": false, "description": "Whether data beside errors is fine."},
            "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 600000, "default": 30000,
                "description": "For the whole request, redirects included."},
            "maxBytes": {"type": "integer", "minimum": 1, "maximum": 12000000, "default": 5242880,
                "description": "Of the answer, unpacked."},
            "idempotencyKey": {"type": "boolean", "default": false,
                "description": "Sends the header Idempotency-Key, the same at every attempt. The server must honour it."}
        }
    }"#,
    output: r#"{"type": "object", "required": ["data", "errors"],
        "properties": {"data": {}, "errors": {"type": "array"}, "extensions": {}}}"#,
    example: r#"{
        "url": "https://api.example.com/graphql",
        "auth": {"type": "bearer", "token": "{{secrets.token}}"},
        "query": "query($id: ID!) { issue(id: $id) { title } }",
        "variables": {"id": "{{trigger.payload.id}}"}
    }"#,
    typical_ms: 300,
    raw: &["query"],
};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    url: String,
    query: String,
    #[serde(default)]
    variables: Option<Map<String, Value>>,
    operation_name: Option<String>,
    #[serde(default)]
    partial: bool,
}

/// What a service answers (GraphQL over HTTP).
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    data: Value,
    #[serde(default)]
    errors: Vec<Value>,
    #[serde(default)]
    extensions: Value,
}

/// Sends one document.
pub(super) struct Send {
    pub network: Network,
}

#[async_trait]
impl Action for Send {
    async fn run(&self, mut value: Value, context: &Context<'_>) -> Result<Value> {
        let input: Input = Input::deserialize(&value).map_err(|error| unread(&error))?;
        // The document is no part of the address.
        value.as_object_mut().map(|fields| fields.remove("query"));
        let ask: Ask = serde_json::from_value(value).map_err(|error| unread(&error))?;
        if document::operation(&input.query, input.operation_name.as_deref())
            == Operation::Subscription
        {
            return Err(Error::new(
                Code::Unsupported,
                format!("{} is asked for a subscription", input.url),
            )
            .hint("Ask again and again with a query, or let the service call a webhook."));
        }
        let mut request = ask.request(Method::POST, context.key)?;
        request = request
            .header("content-type", "application/json")
            .header("accept", "application/graphql-response+json, application/json;q=0.9");
        request.body = input.sent().into();
        let response = self.network.fetch(context.flow, context.permissions, request).await?;
        let output = read(&response, input.partial)?;
        bounds::check(&output, "answer")?;
        Ok(output)
    }

    fn stakes(&self, input: &Value, usual: Stakes) -> Stakes {
        let query = input["query"].as_str().unwrap_or_default();
        match document::operation(query, input["operationName"].as_str()) {
            Operation::Mutation => {
                Stakes { idempotent: input["idempotencyKey"] == json!(true), ..usual }
            }
            _ => Stakes { effect: Effect::Read, idempotent: true },
        }
    }

    fn target(&self, input: &Value) -> Option<String> {
        host(input)
    }
}

impl Input {
    fn sent(&self) -> String {
        let mut sent = json!({ "query": self.query });
        if let Some(variables) = &self.variables {
            sent["variables"] = json!(variables);
        }
        if let Some(name) = &self.operation_name {
            sent["operationName"] = json!(name);
        }
        sent.to_string()
    }
}

/// Services answer with 200 whatever happened, and with other statuses and errors beside them.
fn read(response: &Response, partial: bool) -> Result<Value> {
    let answer = answer::body(response, ReadAs::Json);
    let answer = answer.and_then(|(_, body)| answered(body));
    let fine = (200..300).contains(&response.status);
    match answer {
        Err(_) if !fine => Err(status::failure(response)),
        Err(error) => Err(error),
        Ok(answer) if answer.is_failure(partial) => Err(failure(response, &answer.errors, fine)),
        Ok(_) if !fine => Err(status::failure(response)),
        Ok(answer) => Ok(answer.output()),
    }
}

fn answered(body: Value) -> Result<Answer> {
    let is_one = body.get("data").is_some() || body.get("errors").is_some();
    let answer = is_one.then(|| serde_json::from_value(body).ok()).flatten();
    answer.ok_or_else(|| {
        Error::new(Code::Http, "the answer is none of a GraphQL service")
            .permanent()
            .hint("Check the url.")
    })
}

impl Answer {
    fn is_failure(&self, partial: bool) -> bool {
        let enough = partial && !self.data.is_null();
        !self.errors.is_empty() && !enough
    }

    fn output(self) -> Value {
        let mut output = json!({ "data": self.data, "errors": self.errors });
        if !self.extensions.is_null() {
            output["extensions"] = self.extensions;
        }
        output
    }
}

/// The error of an answer that has errors: their messages, and the category by what they or the
/// status say.
fn failure(response: &Response, errors: &[Value], fine: bool) -> Error {
    let host = response.url.host_str().unwrap_or_default();
    let messages: Vec<String> = errors.iter().take(TOLD).map(message).collect();
    let message = format!("{host} answered with errors: {}", messages.join("; "));
    let error = match fine {
        true => Error { message, ..by_kind(errors) },
        false => Error { message, ..status::failure(response) },
    };
    let mut details = error.details.as_deref().cloned().unwrap_or_else(|| json!({}));
    details["errors"] = json!(errors.iter().take(20).collect::<Vec<_>>());
    error.details(details)
}

fn message(error: &Value) -> String {
    let text = error["message"].as_str().unwrap_or("an error without a message");
    let text: String = text.chars().take(LONGEST).collect();
    match path(&error["path"]) {
        Some(path) => format!("{text} (at {path})"),
        None => text,
    }
}

fn path(path: &Value) -> Option<String> {
    let steps = path.as_array()?.iter().take(20);
    let steps: Vec<String> = steps.filter_map(super::ask::scalar).collect();
    (!steps.is_empty()).then(|| steps.join("."))
}

/// What the usual kinds of errors mean. Services put them in one of two places.
fn by_kind(errors: &[Value]) -> Error {
    let of = |error: &Value| {
        let kind = error["extensions"]["code"].as_str().or_else(|| error["type"].as_str());
        kind.unwrap_or_default().to_ascii_uppercase()
    };
    let kinds: Vec<String> = errors.iter().map(of).collect();
    let has = |names: &[&str]| kinds.iter().any(|kind| names.contains(&kind.as_str()));
    if has(&["UNAUTHENTICATED", "UNAUTHORIZED", "FORBIDDEN"]) {
        return Error::new(Code::Unauthorized, "")
            .hint("Check the token that the node sends, and what it is allowed to do.");
    }
    if has(&["RATE_LIMITED", "RATE_LIMIT", "THROTTLED", "TOO_MANY_REQUESTS"]) {
        return Error::new(Code::RateLimited, "").hint("Ask less often.");
    }
    if has(&["INTERNAL_SERVER_ERROR", "SERVICE_UNAVAILABLE", "TIMEOUT"]) {
        return Error::new(Code::Http, "").hint("The service is in trouble: try again later.");
    }
    Error::new(Code::Http, "")
        .permanent()
        .hint("The errors are in the error's details; `partial` takes data beside errors.")
}

#[cfg(test)]
mod tests {
    use devrig_core::Category;
    use devrig_net::Url;

    use super::*;

    fn answered(status: u16, body: &str) -> Response {
        Response {
            status,
            headers: Vec::new(),
            body: body.to_owned().into(),
            url: Url::parse("https://api.test/graphql").unwrap(),
            redirected: false,
            hops: Vec::new(),
        }
    }

    #[test]
    fn errors_fail_whatever_the_status_and_say_what_they_are() {
        let field = r#"{"data": {"a": 1, "b": null},
            "errors": [{"message": "no b", "path": ["x", 0, "b"]}]}"#;
        let error = read(&answered(200, field), false).unwrap_err();
        assert_eq!(error.message, "api.test answered with errors: no b (at x.0.b)");
        assert_eq!(error.category, Category::Permanent);
        let partial = read(&answered(200, field), true).unwrap();
        assert_eq!(
            (&partial["data"]["a"], partial["errors"].as_array().unwrap().len()),
            (&json!(1), 1)
        );
        let nothing = r#"{"data": null, "errors": [{"message": "no"}]}"#;
        assert!(read(&answered(200, nothing), true).is_err(), "nothing is no part");
    }

    #[test]
    fn what_errors_mean_decides_whether_it_is_asked_again() {
        for (status, body, code, again) in [
            (
                200,
                r#"{"errors": [{"message": "m", "extensions": {"code": "UNAUTHENTICATED"}}]}"#,
                Code::Unauthorized,
                false,
            ),
            (
                200,
                r#"{"errors": [{"message": "m", "type": "RATE_LIMITED"}]}"#,
                Code::RateLimited,
                true,
            ),
            (
                200,
                r#"{"errors": [{"message": "m", "extensions": {"code": "INTERNAL_SERVER_ERROR"}}]}"#,
                Code::Http,
                true,
            ),
            (200, r#"{"errors": [{}]}"#, Code::Http, false),
            (401, r#"{"errors": [{"message": "m"}]}"#, Code::Unauthorized, false),
            (502, "<html>", Code::Http, true),
            (500, r#"{"data": {"a": 1}}"#, Code::Http, true),
            (200, "<html>", Code::Http, false),
            (200, "[]", Code::Http, false),
            (200, "{}", Code::Http, false),
            (200, r#"{"errors": 1}"#, Code::Http, false),
        ] {
            let error = read(&answered(status, body), false).unwrap_err();
            assert_eq!((error.code, error.retryable), (code, again), "{body}: {error}");
        }
    }
}
