//! What a request carries.

use base64::Engine as _;
use bytes::Bytes;
use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::ask::scalar;
use crate::actions::input::{object, wrong_kind};

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum BodyType {
    Json,
    Form,
    Text,
    Base64,
    Multipart,
}

/// Ready to be sent.
#[derive(Debug, PartialEq)]
pub(super) struct Body {
    pub bytes: Bytes,
    /// For the header, where the config has none. A multipart body says more than the config can.
    pub content_type: Option<String>,
    pub replaces_header: bool,
}

impl Body {
    fn new(bytes: impl Into<Bytes>, content_type: impl Into<Option<&'static str>>) -> Self {
        let content_type = content_type.into().map(str::to_owned);
        Self { bytes: bytes.into(), content_type, replaces_header: false }
    }
}

/// The body of a value. Without a type the header decides, and without one the value: text goes as
/// it is, anything else as JSON.
pub(super) fn build(
    value: Value,
    kind: Option<BodyType>,
    header: Option<&str>,
    key: &str,
) -> Result<Body> {
    if value.is_null() && kind != Some(BodyType::Json) {
        return Ok(Body::new("", None));
    }
    Ok(match kind.unwrap_or_else(|| by_itself(&value, header)) {
        BodyType::Json => Body::new(value.to_string(), "application/json"),
        BodyType::Text => Body::new(text(value)?, "text/plain; charset=utf-8"),
        BodyType::Base64 => Body::new(decoded(&text(value)?, "body")?, "application/octet-stream"),
        BodyType::Form => Body::new(form(value)?, "application/x-www-form-urlencoded"),
        BodyType::Multipart => multipart(&object(value, "body")?, key)?,
    })
}

fn by_itself(value: &Value, header: Option<&str>) -> BodyType {
    let header = header.unwrap_or_default().to_ascii_lowercase();
    match value {
        Value::String(_) => BodyType::Text,
        Value::Object(_) if header.starts_with("application/x-www-form-urlencoded") => {
            BodyType::Form
        }
        Value::Object(_) if header.starts_with("multipart/form-data") => BodyType::Multipart,
        _ => BodyType::Json,
    }
}

fn text(value: Value) -> Result<String> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(wrong_kind("body", &other, "text").hint("Leave bodyType out to send JSON.")),
    }
}

fn decoded(text: &str, place: &str) -> Result<Vec<u8>> {
    let engine = base64::engine::general_purpose::STANDARD;
    engine.decode(text.trim_ascii()).map_err(|_| {
        Error::invalid(format!("{place} is no base64")).hint("crypto.base64 makes it from text.")
    })
}

fn form(value: Value) -> Result<String> {
    if let Value::String(text) = value {
        return Ok(text);
    }
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in &object(value, "body")? {
        for each in many(value) {
            form.append_pair(name, &plain(each, name)?);
        }
    }
    Ok(form.finish())
}

/// A list stands for a field that comes several times, and null for one that does not come.
fn many(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Array(list) => list,
        one => std::slice::from_ref(one),
    }
}

fn plain(value: &Value, name: &str) -> Result<String> {
    scalar(value).ok_or_else(|| {
        Error::invalid(format!("body.{name} is no text, number or list of them"))
            .hint("Write an object as text with the helper json.")
    })
}

/// A part of a multipart body that has more than a text.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Part {
    text: Option<String>,
    base64: Option<String>,
    filename: Option<String>,
    content_type: Option<String>,
}

/// The same key gives the same bytes, which some servers compare when they are sent again.
fn multipart(parts: &Map<String, Value>, key: &str) -> Result<Body> {
    let hash: String =
        Sha256::digest(key.as_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect();
    let boundary = format!("devrig-{hash}");
    let mut bytes = Vec::new();
    for (name, value) in parts {
        for each in many(value) {
            add_part(&mut bytes, &boundary, name, each)?;
        }
    }
    bytes.extend(format!("--{boundary}--\r\n").as_bytes());
    let content_type = Some(format!("multipart/form-data; boundary={boundary}"));
    Ok(Body { bytes: bytes.into(), content_type, replaces_header: true })
}

fn add_part(into: &mut Vec<u8>, boundary: &str, name: &str, value: &Value) -> Result<()> {
    let part: Part = match value {
        Value::Object(_) => serde_json::from_value(value.clone()).map_err(|_| wrong_part(name))?,
        other => Part {
            text: Some(plain(other, name)?),
            base64: None,
            filename: None,
            content_type: None,
        },
    };
    let content = match (part.text, part.base64) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(base64)) => decoded(&base64, &format!("body.{name}"))?,
        _ => return Err(wrong_part(name)),
    };
    let mut head =
        format!("--{boundary}\r\ncontent-disposition: form-data; name=\"{}\"", quoted(name));
    if let Some(filename) = &part.filename {
        head.push_str(&format!("; filename=\"{}\"", quoted(filename)));
    }
    if let Some(kind) = &part.content_type {
        head.push_str(&format!("\r\ncontent-type: {}", quoted(kind)));
    }
    into.extend(head.as_bytes());
    into.extend(b"\r\n\r\n");
    into.extend(content);
    into.extend(b"\r\n");
    Ok(())
}

fn wrong_part(name: &str) -> Error {
    Error::invalid(format!("body.{name} is no part of a multipart body"))
        .hint("Write a text, or an object with text or base64, and filename and contentType.")
}

/// As HTML's forms escape names, so that none ends its header early.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(value: Value, kind: Option<BodyType>, header: Option<&str>) -> (String, String) {
        let body = build(value, kind, header, "run/node").unwrap();
        let text = String::from_utf8(body.bytes.to_vec()).unwrap();
        (text, body.content_type.unwrap_or_default())
    }

    fn pair(text: &str, kind: &str) -> (String, String) {
        (text.to_owned(), kind.to_owned())
    }

    #[test]
    fn a_value_goes_as_its_kind_or_the_header_says() {
        let form = "application/x-www-form-urlencoded";
        let text = "text/plain; charset=utf-8";
        assert_eq!(sent(json!({"a": 1}), None, None), pair(r#"{"a":1}"#, "application/json"));
        assert_eq!(sent(json!("a b"), None, Some(form)), pair("a b", text));
        assert_eq!(sent(json!(null), None, None), pair("", ""));
        let fields = json!({"a": "x y&", "b": [1, true], "c": null});
        assert_eq!(sent(fields, None, Some(form)), pair("a=x+y%26&b=1&b=true", form));
        assert_eq!(sent(json!("aGk="), Some(BodyType::Base64), None).0, "hi");
        assert_eq!(sent(json!(null), Some(BodyType::Json), None).0, "null");
    }

    #[test]
    fn the_parts_of_a_multipart_body_cannot_break_out_of_their_headers() {
        let evil = "a\"\r\nx-evil: 1";
        let value = json!({
            "note": ["one", 2],
            evil: {"base64": "aGk=", "filename": evil, "contentType": "text/plain\r\nx: 1"},
        });
        let (text, kind) = sent(value.clone(), Some(BodyType::Multipart), None);
        let boundary = kind.strip_prefix("multipart/form-data; boundary=").unwrap();
        assert_eq!(text.matches(boundary).count(), 4, "three parts and the end");
        assert!(!text.contains("\r\nx-evil") && !text.contains("\r\nx: 1"), "{text}");
        assert_eq!(
            sent(value, Some(BodyType::Multipart), None).0,
            text,
            "the same when sent again"
        );
    }

    #[test]
    fn what_cannot_be_sent_is_told_with_its_field() {
        for (value, kind, said) in [
            (json!({"a": {"b": 1}}), BodyType::Form, "body.a is no text"),
            (json!("%"), BodyType::Base64, "body is no base64"),
            (json!([1]), BodyType::Text, "body is"),
            (
                json!({"f": {"text": "a", "base64": "aGk="}}),
                BodyType::Multipart,
                "body.f is no part",
            ),
        ] {
            let error = build(value, Some(kind), None, "").unwrap_err();
            assert!(error.message.starts_with(said) && error.hint.is_some(), "{error:?}");
        }
    }
}
