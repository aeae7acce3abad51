//! Frames as the worker reads and writes them.
//!
//! Payloads that only cross between the socket and JavaScript stay JSON text: no second tree in
//! Rust for a message of megabytes.

use std::borrow::Cow;

use devrig_core::protocol::{Handler, HostMethod, LogLevel, MAX_FRAME};
use devrig_core::{Error, Result, frame};
use serde::Deserialize;
use serde_json::value::RawValue;

/// Deepest nesting that is sent. The core's JSON reader stops at 128 levels and would take a
/// deeper frame for a broken one.
const MAX_DEPTH: usize = 100;

/// Any [`devrig_core::protocol::ToWorker`] but `Start`, with payloads as text.
#[derive(Debug, Deserialize)]
pub struct Incoming<'a> {
    #[serde(rename = "type", borrow)]
    pub kind: Cow<'a, str>,
    #[serde(default)]
    pub id: u64,
    pub handler: Option<Handler>,
    #[serde(borrow)]
    pub input: Option<&'a RawValue>,
    #[serde(borrow)]
    pub outcome: Option<&'a RawValue>,
    #[serde(borrow)]
    pub topic: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub data: Option<&'a RawValue>,
}

/// `FromWorker::Host`.
pub fn host(id: u64, call: u64, method: HostMethod, params: &str) -> Result<Vec<u8>> {
    let method = serde_json::to_string(&method)?;
    let head = format!(r#"{{"type":"host","id":{id},"call":{call},"method":{method},"params":"#);
    message(&head, params, "}")
}

/// `FromWorker::Done` of a handler that ended well.
pub fn done(id: u64, output: &str) -> Result<Vec<u8>> {
    message(&format!(r#"{{"type":"done","id":{id},"outcome":{{"ok":"#), output, "}}")
}

/// `FromWorker::Done` of a handler that failed; `failure` is a `Failure` as JSON.
pub fn failed(id: u64, failure: &str) -> Result<Vec<u8>> {
    message(&format!(r#"{{"type":"done","id":{id},"outcome":{{"err":"#), failure, "}}")
}

/// `FromWorker::Active`.
pub fn active(registered: &str) -> Result<Vec<u8>> {
    message(r#"{"type":"active","registered":"#, registered, "}")
}

/// `FromWorker::Log`.
pub fn log(level: LogLevel, text: &str, meta: &str) -> Result<Vec<u8>> {
    let (level, text) = (serde_json::to_string(&level)?, serde_json::to_string(text)?);
    message(&format!(r#"{{"type":"log","level":{level},"message":{text},"meta":"#), meta, "}")
}

fn message(head: &str, payload: &str, tail: &str) -> Result<Vec<u8>> {
    let payload = sendable(payload)?;
    let mut bytes = Vec::with_capacity(frame::HEADER + head.len() + payload.len() + tail.len());
    bytes.resize(frame::HEADER, 0);
    bytes.extend_from_slice(head.as_bytes());
    bytes.extend_from_slice(payload.as_bytes());
    bytes.extend_from_slice(tail.as_bytes());
    frame::seal(bytes)
}

/// Makes text from the engine's JSON writer fit for the core: refuses what is too large or too
/// deep, and turns lone surrogates, which JavaScript strings may hold and JSON readers refuse,
/// into U+FFFD.
pub fn sendable(json: &str) -> Result<Cow<'_, str>> {
    if json.len() > MAX_FRAME {
        return Err(Error::new(
            devrig_core::Code::TooLarge,
            format!("{} bytes are more than one message may hold ({MAX_FRAME})", json.len()),
        )
        .hint("Send the data in smaller parts."));
    }
    let (mut depth, mut in_string) = (0usize, false);
    let mut lone = Vec::new();
    let bytes = json.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'"' => in_string = !in_string,
            b'\\' if in_string => {
                if bytes[at + 1..].starts_with(b"ud") {
                    lone.push(at);
                }
                at += 1;
            }
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > MAX_DEPTH {
                    return Err(Error::invalid(format!(
                        "the data is nested more than {MAX_DEPTH} levels deep"
                    )));
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
    }
    if lone.is_empty() {
        return Ok(Cow::Borrowed(json));
    }
    // The writer escapes nothing else as \udxxx, and the replacement is as long.
    let mut text = json.to_owned();
    for at in lone {
        text.replace_range(at..at + 6, "\\ufffd");
    }
    Ok(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use devrig_core::protocol::{Declared, FromWorker, Outcome, ToWorker};
    use serde_json::{Value, json};

    use super::*;

    fn decode(frame: Vec<u8>) -> FromWorker {
        serde_json::from_slice(&frame[frame::HEADER..]).unwrap()
    }

    #[test]
    fn frames_written_by_hand_are_the_protocol() {
        let FromWorker::Host { id: 3, call: 9, method: HostMethod::StorageGet, params } =
            decode(host(3, 9, HostMethod::StorageGet, r#"{"key":"a"}"#).unwrap())
        else {
            panic!("not the host call that was written")
        };
        assert_eq!(params, json!({"key": "a"}));
        assert!(matches!(
            decode(done(4, "[1]").unwrap()),
            FromWorker::Done { id: 4, outcome: Outcome::Ok(value) } if value == json!([1])
        ));
        assert!(matches!(
            decode(failed(4, r#"{"code":"X"}"#).unwrap()),
            FromWorker::Done { id: 4, outcome: Outcome::Err(failure) } if failure.code == "X"
        ));
        let registered = Declared { data_sources: vec!["a.b".into()], ..Declared::default() };
        assert!(matches!(
            decode(active(&serde_json::to_string(&registered).unwrap()).unwrap()),
            FromWorker::Active { registered: read } if read == registered
        ));
        assert!(matches!(
            decode(log(LogLevel::Warn, "a \"b\"\n", "null").unwrap()),
            FromWorker::Log { level: LogLevel::Warn, message, meta: None } if message == "a \"b\"\n"
        ));
    }

    #[test]
    fn every_message_of_the_core_is_understood() {
        let messages = [
            ToWorker::Call {
                id: 7,
                handler: Handler::Action { action: "a".into() },
                input: json!({"x": 1}),
            },
            ToWorker::Cancel { id: 7 },
            ToWorker::Reply { id: 8, outcome: Outcome::Ok(Value::Null) },
            ToWorker::Event { topic: "a:b\n".into(), data: json!(1) },
            ToWorker::Stop,
        ];
        for message in messages {
            let text = serde_json::to_string(&message).unwrap();
            let read: Incoming = serde_json::from_str(&text).unwrap();
            let wanted = serde_json::to_value(&message).unwrap();
            assert_eq!(read.kind, wanted["type"].as_str().unwrap());
            assert_eq!(read.id, wanted["id"].as_u64().unwrap_or(0));
            for (raw, name) in
                [(read.input, "input"), (read.outcome, "outcome"), (read.data, "data")]
            {
                let raw = raw.map(|raw| serde_json::from_str::<Value>(raw.get()).unwrap());
                assert_eq!(raw.as_ref(), wanted.get(name));
            }
        }
    }

    #[test]
    fn lone_surrogates_become_replacement_characters() {
        let text = r#"{"a":"\ud83d x \\ud83d \"\udfff"}"#;
        let sent = sendable(text).unwrap();
        let value: Value = serde_json::from_str(&sent).unwrap();
        assert_eq!(value["a"], "\u{fffd} x \\ud83d \"\u{fffd}");
    }

    #[test]
    fn brackets_in_strings_are_not_nesting() {
        let text = format!(r#"["{}"]"#, "[".repeat(500));
        assert!(sendable(&text).is_ok());
        let deep = format!("{}{}", "[".repeat(101), "]".repeat(101));
        assert!(sendable(&deep).unwrap_err().message.contains("100 levels"));
        let wide = format!("[{}1]", "[[1]],".repeat(1000));
        assert!(sendable(&wide).is_ok());
    }
}
