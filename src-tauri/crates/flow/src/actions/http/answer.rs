//! What came back, as the nodes after it see it.

use base64::Engine as _;
use devrig_core::{Code, Error, Result};
use devrig_net::Response;
use encoding_rs::Encoding;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ask::header;

/// How a body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ReadAs {
    /// As the answer says itself.
    #[default]
    Auto,
    Json,
    Text,
    Base64,
}

/// Status, headers, body and address.
pub(super) fn value(response: &Response, read_as: ReadAs) -> Result<Value> {
    let (kind, body) = body(response, read_as)?;
    Ok(json!({
        "status": response.status,
        "headers": headers(&response.headers),
        "body": body,
        "bodyType": kind,
        "url": response.url.as_str(),
    }))
}

/// A header that comes several times is joined, as HTTP has it; cookies cannot be.
pub(super) fn headers(headers: &[(String, String)]) -> Value {
    let mut joined = Map::new();
    for (name, value) in headers {
        match joined.get_mut(name) {
            Some(Value::Array(list)) => list.push(json!(value)),
            Some(Value::String(text)) => *text = format!("{text}, {value}"),
            _ if name == "set-cookie" => {
                joined.insert(name.clone(), json!([value]));
            }
            _ => {
                joined.insert(name.clone(), json!(value));
            }
        }
    }
    Value::Object(joined)
}

/// The body, with how it was read.
pub(super) fn body(response: &Response, read_as: ReadAs) -> Result<(&'static str, Value)> {
    let (bytes, kind) = (&response.body, header(&response.headers, "content-type"));
    let kind = kind.unwrap_or_default().to_ascii_lowercase();
    match read_as {
        ReadAs::Json => Ok(("json", json_of(bytes)?)),
        ReadAs::Base64 => Ok(("base64", encoded(bytes))),
        ReadAs::Text => Ok(("text", text(bytes, &kind))),
        ReadAs::Auto if bytes.is_empty() => Ok(("none", Value::Null)),
        ReadAs::Auto => Ok(by_itself(bytes, &kind)),
    }
}

fn by_itself(bytes: &[u8], kind: &str) -> (&'static str, Value) {
    if is_json(kind)
        && let Ok(value) = serde_json::from_slice(bytes)
    {
        return ("json", value);
    }
    if charset(kind).is_some() || std::str::from_utf8(bytes).is_ok() {
        return ("text", text(bytes, kind));
    }
    ("base64", encoded(bytes))
}

fn is_json(kind: &str) -> bool {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    kind == "application/json" || kind == "text/json" || kind.ends_with("+json")
}

fn json_of(bytes: &[u8]) -> Result<Value> {
    serde_json::from_slice(bytes).map_err(|error| {
        // The reader's own words may quote what came.
        let (line, column) = (error.line(), error.column());
        Error::new(Code::Http, format!("the answer is no JSON (line {line}, column {column})"))
            .permanent()
            .hint("Read it as text with `response`, and look at what came.")
    })
}

fn text(bytes: &[u8], kind: &str) -> Value {
    let encoding = charset(kind).unwrap_or(encoding_rs::UTF_8);
    let (text, _, _) = encoding.decode(bytes);
    json!(text)
}

fn charset(kind: &str) -> Option<&'static Encoding> {
    let (_, rest) = kind.split_once("charset=")?;
    let name = rest.split(';').next()?.trim().trim_matches('"');
    Encoding::for_label(name.as_bytes())
}

fn encoded(bytes: &[u8]) -> Value {
    json!(base64::engine::general_purpose::STANDARD.encode(bytes))
}

#[cfg(test)]
mod tests {
    use devrig_net::Url;

    use super::*;

    fn read(kind: &str, bytes: &[u8], read_as: ReadAs) -> Result<(&'static str, Value)> {
        let response = Response {
            status: 200,
            headers: vec![("content-type".to_owned(), kind.to_owned())],
            body: bytes.to_vec().into(),
            url: Url::parse("https://a.test/").unwrap(),
            redirected: false,
            hops: Vec::new(),
        };
        body(&response, read_as)
    }

    #[test]
    fn a_body_is_read_as_it_says() {
        for (kind, bytes, expected) in [
            ("application/json", &b"{\"a\":1}"[..], ("json", json!({"a": 1}))),
            ("application/problem+json; charset=utf-8", b"[1]", ("json", json!([1]))),
            ("application/json", b"not json", ("text", json!("not json"))),
            ("text/html; charset=ISO-8859-1", b"gr\xfcn", ("text", json!("gr\u{fc}n"))),
            ("", b"plain", ("text", json!("plain"))),
            ("image/png", b"\xff\xd8", ("base64", json!("/9g="))),
            ("application/json", b"", ("none", json!(null))),
        ] {
            assert_eq!(read(kind, bytes, ReadAs::Auto).unwrap(), expected, "{kind}");
        }
    }

    #[test]
    fn what_is_no_json_is_told_without_what_it_is() {
        let error = read("text/plain", b"hunter2", ReadAs::Json).unwrap_err();
        assert!(!error.retryable && !error.message.contains("hunter2"), "{error:?}");
        let deep = "[".repeat(100_000);
        assert!(read("application/json", deep.as_bytes(), ReadAs::Json).is_err());
    }

    #[test]
    fn headers_that_come_twice_are_joined() {
        let given = [("a", "1"), ("set-cookie", "x"), ("a", "2"), ("set-cookie", "y")];
        let given = given.map(|(name, value)| (name.to_owned(), value.to_owned()));
        assert_eq!(headers(&given), json!({"a": "1, 2", "set-cookie": ["x", "y"]}));
    }
}
