//! JSON Schemas of plugins: built without ever fetching anything, with errors that name fields.

use devrig_core::{Error, Result};
use jsonschema::{ValidationError, Validator};
use serde_json::Value;

use crate::text::shown;

/// A wrong field: its JSON pointer, and a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    pub field: String,
    pub message: String,
}

/// A compiled schema.
#[derive(Debug)]
pub struct Schema(Validator);

impl Schema {
    /// # Errors
    /// `INVALID_INPUT` when it is no schema, or refers to anything outside of itself.
    pub fn new(schema: &Value) -> Result<Self> {
        if let Some(found) = outside(schema, 0) {
            return Err(Error::invalid(format!(
                "the schema refers to {:?}, which is not part of it",
                shown(found, 200)
            ))
            .hint("Refer to #/$defs/… in the same file only."));
        }
        // Patterns without backtracking: a plugin's must not hold up the core.
        let options = jsonschema::options().offline();
        let built = options.with_pattern_options(jsonschema::PatternOptions::regex()).build(schema);
        let wrong = |error: ValidationError<'_>| {
            let at = error.instance_path().as_str().to_owned();
            let message = shown(&error.to_string(), 300);
            Error::invalid(format!("not a JSON Schema: {message}"))
                .details(serde_json::json!({ "field": at }))
        };
        Ok(Self(built.map_err(wrong)?))
    }

    /// A schema of DevRig's own, whose patterns may look ahead.
    pub fn own(text: &str) -> Self {
        let value = serde_json::from_str(text).expect("our own schema is JSON");
        let built = jsonschema::options().offline().build(&value);
        Self(built.expect("our own schema is a schema"))
    }

    /// Everything that is wrong with a value, at most twenty. No value is repeated.
    pub fn check(&self, value: &Value) -> Vec<Wrong> {
        self.0.iter_errors(value).take(20).map(|error| describe(&error)).collect()
    }
}

fn describe(error: &ValidationError<'_>) -> Wrong {
    let at = error.instance_path().as_str();
    let message = shown(&error.masked().to_string(), 300);
    use jsonschema::error::ValidationErrorKind as Kind;
    let field = match error.kind() {
        Kind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            format!("{at}/{}", crate::position::escape(name))
        }
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let name = unexpected.first().map_or("", String::as_str);
            format!("{at}/{}", crate::position::escape(name))
        }
        _ => at.to_owned(),
    };
    let message =
        message.strip_prefix("value ").map_or(message.clone(), |rest| format!("it {rest}"));
    Wrong { field, message }
}

/// A reference that leads out of the schema.
fn outside(schema: &Value, depth: usize) -> Option<&str> {
    // serde_json reads no deeper than this.
    if depth > 128 {
        return None;
    }
    match schema {
        Value::Object(members) => members.iter().find_map(|(name, value)| {
            let refers = matches!(name.as_str(), "$ref" | "$dynamicRef" | "$recursiveRef");
            match value.as_str() {
                Some(target) if refers && !target.starts_with('#') => Some(target),
                _ => outside(value, depth + 1),
            }
        }),
        Value::Array(values) => values.iter().find_map(|value| outside(value, depth + 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn errors_name_the_field_and_not_the_value() {
        let schema = Schema::new(&json!({
            "type": "object",
            "properties": { "desk": { "type": "string" }, "n": { "type": "number" } },
            "required": ["desk"],
            "additionalProperties": false,
        }))
        .unwrap();
        let wrong = schema.check(&json!({ "n": "hunter2", "x": 1 }));
        let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
        for field in ["/desk", "/n", "/x"] {
            assert!(fields.contains(&field), "{field}: {wrong:?}");
        }
        assert!(!format!("{wrong:?}").contains("hunter2"));
        assert!(schema.check(&json!({ "desk": "a" })).is_empty());
    }

    #[test]
    fn nothing_outside_is_referred_to() {
        for target in ["http://evil.test/s.json", "file:///etc/passwd", "other.json", "//x/y"] {
            let schema = json!({ "properties": { "a": { "$ref": target } } });
            let error = Schema::new(&schema).expect_err(target);
            assert!(error.message.contains("not part of it"), "{error}");
        }
        let own = json!({ "$defs": { "a": { "type": "string" } }, "$ref": "#/$defs/a" });
        assert!(Schema::new(&own).unwrap().check(&json!(1)).len() == 1);
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        for schema in [json!({ "type": "strin" }), json!(7), json!({ "pattern": "(" })] {
            assert!(Schema::new(&schema).is_err(), "{schema}");
        }
    }
}
