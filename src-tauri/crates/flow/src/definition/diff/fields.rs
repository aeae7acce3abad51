//! The fields in which two values differ.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field that changed. Absent stands for "at its default".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
pub struct FieldChange {
    /// The path below the thing that changed, such as `config.headers.accept`.
    pub field: String,
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    #[specta(type = Option<Value>)]
    pub before: Option<Value>,
    #[serde(default, deserialize_with = "there", skip_serializing_if = "Option::is_none")]
    #[specta(type = Option<Value>)]
    pub after: Option<Value>,
}

/// A null that is there is not absent.
fn there<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

pub(super) fn compare(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    walk(&mut String::new(), Some(before), Some(after), &mut changes);
    changes
}

/// Down to the smallest parts that still have a name; lists of another length change as a whole.
fn walk(
    path: &mut String,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<FieldChange>,
) {
    if before == after {
        return;
    }
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|name| !old.contains_key(*name));
            for name in old.keys().chain(added) {
                within(path, name, |path| walk(path, old.get(name), new.get(name), changes));
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                let step = format!("[{index}]");
                within(path, &step, |path| walk(path, Some(old), Some(new), changes));
            }
        }
        (before, after) => changes.push(FieldChange {
            field: path.clone(),
            before: before.cloned(),
            after: after.cloned(),
        }),
    }
}

fn within(path: &mut String, step: &str, inner: impl FnOnce(&mut String)) {
    let end = path.len();
    if !path.is_empty() && !step.starts_with('[') {
        path.push('.');
    }
    path.push_str(step);
    inner(path);
    path.truncate(end);
}
