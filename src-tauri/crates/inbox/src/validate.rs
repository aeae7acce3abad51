//! The limits of what a source may hand in. Whatever breaks one is refused by name.

use devrig_core::{Error, Result};
use serde_json::Value;

use crate::clean;
use crate::item::ItemInput;

const EXTERNAL_ID: usize = 512;
const KIND: usize = 64;
const TITLE: usize = 4_096;
const BODY_BYTES: usize = 1024 * 1024;
const URL: usize = 4_096;
const NAME: usize = 512;
const WORD: usize = 128;
const LABELS: usize = 100;
const METADATA_BYTES: usize = 64 * 1024;
const METADATA_DEPTH: usize = 16;

impl ItemInput {
    /// Checks every limit. The error names the item by its place in the call and its external id,
    /// and the field.
    ///
    /// # Errors
    /// `INVALID_INPUT`, with `details` {index, externalId, field}.
    pub fn validate(&self, index: usize) -> Result<()> {
        self.check().map_err(|(field, problem, hint)| {
            let id: String = clean::line(&self.external_id).chars().take(80).collect();
            Error::invalid(format!("item {index} ({id:?}): {field} {problem}"))
                .hint(hint)
                .details(serde_json::json!({ "index": index, "externalId": id, "field": field }))
        })
    }

    fn check(&self) -> Result<(), (&'static str, String, String)> {
        let text = |field: &'static str, value: &Option<String>, limit: usize| match value {
            Some(value) => at_most(field, value, limit),
            None => Ok(()),
        };
        if self.external_id.is_empty() {
            return Err(refusal("externalId", "is empty", "Give each item an id of its own."));
        }
        at_most("externalId", &self.external_id, EXTERNAL_ID)?;
        if self.external_id.chars().any(char::is_control) {
            return Err(refusal("externalId", "holds a control character", "Leave it out."));
        }
        check_kind(&self.kind)?;
        at_most("title", &self.title, TITLE)?;
        if self.body.as_ref().is_some_and(|body| body.len() > BODY_BYTES) {
            return Err(refusal("body", "is larger than 1 MiB", "Cut it, and link to the rest."));
        }
        text("preview", &self.preview, clean::PREVIEW)?;
        if let Some(link) = &self.source_url {
            check_url(link)?;
        }
        text("threadKey", &self.thread_key, EXTERNAL_ID)?;
        text("actor", &self.actor, NAME)?;
        text("repo", &self.repo, NAME)?;
        text("reason", &self.reason, WORD)?;
        text("state", &self.state, WORD)?;
        if self.labels.len() > LABELS {
            return Err(refusal("labels", "are more than 100", "Send the ones that matter."));
        }
        for label in &self.labels {
            at_most("labels", label, WORD)?;
        }
        match &self.metadata {
            Some(metadata) => check_metadata(metadata),
            None => Ok(()),
        }
    }
}

fn refusal(field: &'static str, problem: &str, hint: &str) -> (&'static str, String, String) {
    (field, problem.to_owned(), hint.to_owned())
}

fn at_most(
    field: &'static str,
    value: &str,
    limit: usize,
) -> Result<(), (&'static str, String, String)> {
    if value.len() > limit && value.chars().count() > limit {
        let problem = format!("is longer than {limit} characters");
        return Err(refusal(field, &problem, "Shorten it."));
    }
    Ok(())
}

fn check_kind(kind: &str) -> Result<(), (&'static str, String, String)> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if kind.is_empty() || kind.len() > KIND || !kind.chars().all(plain) {
        return Err(refusal(
            "type",
            "is not 1 to 64 letters, digits, '_', '-' or '.'",
            "Use a word such as pull_request.",
        ));
    }
    Ok(())
}

fn check_url(link: &str) -> Result<(), (&'static str, String, String)> {
    at_most("sourceUrl", link, URL)?;
    let hint = "Give a full address that begins with https:// or http://.";
    let url = url::Url::parse(link).map_err(|_| refusal("sourceUrl", "is not a URL", hint))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(refusal("sourceUrl", "is neither http nor https", hint));
    }
    Ok(())
}

fn check_metadata(metadata: &Value) -> Result<(), (&'static str, String, String)> {
    if !metadata.is_object() {
        return Err(refusal("metadata", "is not an object", "Send {\"key\": value}."));
    }
    if deeper_than(metadata, METADATA_DEPTH) {
        return Err(refusal("metadata", "is nested more than 16 levels", "Flatten it."));
    }
    // Checked after the depth, because writing JSON recurses.
    if metadata.to_string().len() > METADATA_BYTES {
        return Err(refusal("metadata", "is larger than 64 KiB", "Keep what actions need."));
    }
    Ok(())
}

/// Without recursion, so that no depth can overflow the stack.
fn deeper_than(value: &Value, limit: usize) -> bool {
    let mut waiting = vec![(value, 1)];
    while let Some((value, depth)) = waiting.pop() {
        match value {
            Value::Array(_) | Value::Object(_) if depth > limit => return true,
            Value::Array(list) => waiting.extend(list.iter().map(|child| (child, depth + 1))),
            Value::Object(map) => waiting.extend(map.values().map(|child| (child, depth + 1))),
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> ItemInput {
        ItemInput { external_id: "a".into(), kind: "issue".into(), ..ItemInput::default() }
    }

    fn field(item: &ItemInput) -> Option<String> {
        item.validate(3).err().map(|error| {
            assert!(error.message.starts_with("item 3 ("), "{}", error.message);
            assert!(error.hint.is_some());
            error.details.unwrap()["field"].as_str().unwrap().to_owned()
        })
    }

    #[test]
    fn each_limit_names_its_field() {
        assert_eq!(field(&item()), None);
        let long = |n: usize| "错".repeat(n);
        let cases = [
            (ItemInput { external_id: String::new(), ..item() }, "externalId"),
            (ItemInput { external_id: long(513), ..item() }, "externalId"),
            (ItemInput { external_id: "a\nb".into(), ..item() }, "externalId"),
            (ItemInput { kind: "pull request".into(), ..item() }, "type"),
            (ItemInput { title: long(4_097), ..item() }, "title"),
            (ItemInput { body: Some("x".repeat(BODY_BYTES + 1)), ..item() }, "body"),
            (ItemInput { preview: Some(long(281)), ..item() }, "preview"),
            (ItemInput { source_url: Some("javascript:alert(1)".into()), ..item() }, "sourceUrl"),
            (ItemInput { source_url: Some("file:///etc/passwd".into()), ..item() }, "sourceUrl"),
            (ItemInput { source_url: Some("smb://host/share".into()), ..item() }, "sourceUrl"),
            (ItemInput { source_url: Some("/relative".into()), ..item() }, "sourceUrl"),
            (ItemInput { labels: vec!["x".into(); 101], ..item() }, "labels"),
            (ItemInput { metadata: Some(Value::from("text")), ..item() }, "metadata"),
            (
                ItemInput {
                    metadata: Some(serde_json::json!({ "a": "x".repeat(65_536) })),
                    ..item()
                },
                "metadata",
            ),
        ];
        for (case, expected) in cases {
            assert_eq!(field(&case).as_deref(), Some(expected));
        }
        let full = ItemInput { external_id: long(512), preview: Some(long(280)), ..item() };
        assert_eq!(field(&full), None, "limits count characters, not bytes");
    }

    #[test]
    fn nesting_is_measured_without_recursion() {
        let nest = |levels: usize| {
            (1..levels).fold(serde_json::json!({}), |inner, _| serde_json::json!({ "a": inner }))
        };
        assert_eq!(field(&ItemInput { metadata: Some(nest(16)), ..item() }), None);
        let deep = ItemInput { metadata: Some(nest(17)), ..item() };
        assert_eq!(field(&deep).as_deref(), Some("metadata"));
    }
}
