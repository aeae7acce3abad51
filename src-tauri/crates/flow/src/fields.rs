//! The fields that a JSON Schema tells of, as rows that people read.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One field of a config or definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "FlowField")]
pub struct Field {
    /// With those around it: `retryPolicy.maxAttempts`, `cases[].port`.
    pub name: String,
    /// What its value is, in words.
    pub kind: String,
    pub required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<Value>,
    pub about: String,
}

/// How deep fields of fields are told.
const DEEPEST: usize = 3;
/// Definitions that stand for themselves.
const WHOLE: [&str; 4] = ["graph", "condition", "free", "pick"];

/// All fields of a schema, those inside of others behind them.
pub fn of(schema: &Value) -> Vec<Field> {
    of_part(schema, schema)
}

/// The same for a part of a schema, whose references lead into the whole.
pub fn of_part(root: &Value, part: &Value) -> Vec<Field> {
    let mut walk = Walk { root, found: Vec::new() };
    walk.object(part, "", 0, true);
    walk.found
}

struct Walk<'a> {
    root: &'a Value,
    found: Vec<Field>,
}

impl<'a> Walk<'a> {
    fn object(&mut self, schema: &'a Value, prefix: &str, depth: usize, sure: bool) {
        let schema = self.resolved(schema);
        let required = |name: &str| {
            let list = schema["required"].as_array().into_iter().flatten();
            sure && list.clone().any(|one| one == name)
        };
        for (name, field) in schema["properties"].as_object().into_iter().flatten() {
            self.field(field, format!("{prefix}{name}"), required(name), depth);
        }
        for name in ["allOf", "oneOf", "anyOf"] {
            for part in schema[name].as_array().into_iter().flatten() {
                self.object(part, prefix, depth, sure && name == "allOf");
            }
        }
        if schema["then"].is_object() {
            self.object(&schema["then"], prefix, depth, false);
        }
    }

    fn field(&mut self, schema: &'a Value, name: String, required: bool, depth: usize) {
        // Parts of a choice repeat what tells them apart.
        if schema.get("const").is_some() || self.found.iter().any(|field| field.name == name) {
            return;
        }
        let resolved = self.resolved(schema);
        let text = |of: &Value, field: &str| of[field].as_str().map(str::to_owned);
        let about = text(schema, "description").or_else(|| text(resolved, "description"));
        self.found.push(Field {
            kind: self.kind(schema),
            required,
            default: schema.get("default").or(resolved.get("default")).cloned(),
            about: about.unwrap_or_default(),
            name: name.clone(),
        });
        if depth == DEEPEST || WHOLE.contains(&reference(schema)) {
            return;
        }
        self.object(resolved, &format!("{name}."), depth + 1, true);
        if resolved["items"].is_object() && !WHOLE.contains(&reference(&resolved["items"])) {
            self.object(&resolved["items"], &format!("{name}[]."), depth + 1, true);
        }
        if resolved["additionalProperties"]["properties"].is_object() {
            let below = format!("{name}.*.");
            self.object(&resolved["additionalProperties"], &below, depth + 1, true);
        }
    }

    fn resolved(&self, schema: &'a Value) -> &'a Value {
        let mut found = schema;
        // References in our schemas do not lead round; others are followed so far.
        for _ in 0..8 {
            let Some(pointer) = found["$ref"].as_str().and_then(|path| path.strip_prefix('#'))
            else {
                break;
            };
            found = self.root.pointer(pointer).unwrap_or(&Value::Null);
        }
        found
    }

    fn kind(&self, schema: &'a Value) -> String {
        let schema = self.resolved(schema);
        if let Some(words) = schema["enum"].as_array() {
            let words: Vec<String> = words.iter().map(code).collect();
            return any_of(&words);
        }
        for name in ["oneOf", "anyOf"] {
            if let (Some(parts), None) = (schema[name].as_array(), schema.get("type")) {
                let mut kinds: Vec<String> = parts.iter().map(|part| self.kind(part)).collect();
                kinds.dedup();
                return any_of(&kinds);
            }
        }
        match &schema["type"] {
            Value::String(name) => self.named(name, schema),
            Value::Array(names) => {
                let names = names.iter().filter_map(Value::as_str).filter(|name| *name != "null");
                let kinds: Vec<String> = names.map(|name| self.named(name, schema)).collect();
                any_of(&kinds)
            }
            _ => schema.get("const").map_or("anything".to_owned(), code),
        }
    }

    fn named(&self, name: &str, schema: &'a Value) -> String {
        let kind = match name {
            "string" => "text",
            "integer" => "whole number",
            "boolean" => "true or false",
            "array" if schema["items"].is_object() => {
                return format!("list: {}", self.kind(&schema["items"]));
            }
            "array" => "list",
            other => other,
        };
        let range = match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!(", {least} to {most}"),
            (Some(least), None) => format!(", at least {least}"),
            (None, Some(most)) => format!(", at most {most}"),
            (None, None) => String::new(),
        };
        let ranged = matches!(name, "integer" | "number");
        format!("{kind}{}", if ranged { range } else { String::new() })
    }
}

/// The last name of a reference.
fn reference(schema: &Value) -> &str {
    schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default()
}

fn code(value: &Value) -> String {
    match value {
        Value::String(text) => format!("`{text}`"),
        value => format!("`{value}`"),
    }
}

fn any_of(kinds: &[String]) -> String {
    match kinds {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} or {last}", others.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_are_told_with_those_inside_of_them() {
        let schema = json!({
            "type": "object", "required": ["url"],
            "properties": {
                "url": {"type": "string", "description": "The address."},
                "mode": {"enum": ["a", "b"], "default": "a"},
                "tries": {"type": "integer", "minimum": 1, "maximum": 9},
                "either": {"type": ["array", "string"], "items": {"$ref": "#/$defs/one"}},
                "auth": {"oneOf": [
                    {"type": "object", "required": ["key"], "properties": {"key": {"type": "string"}}},
                    {"type": "null"},
                ]},
            },
            "$defs": {"one": {"type": "object", "required": ["x"], "properties": {"x": {}}}},
        });
        let told: Vec<String> = of(&schema)
            .into_iter()
            .map(|field| format!("{}: {} {}", field.name, field.kind, field.required))
            .collect();
        assert_eq!(
            told,
            [
                "url: text true",
                "mode: `a` or `b` false",
                "tries: whole number, 1 to 9 false",
                "either: list: object or text false",
                "either[].x: anything true",
                "auth: object or null false",
                "auth.key: text false",
            ]
        );
    }

    #[test]
    fn a_schema_that_leads_round_comes_to_an_end() {
        let round = json!({
            "properties": {"a": {"$ref": "#/$defs/b"}},
            "$defs": {"b": {"$ref": "#/$defs/b", "properties": {"a": {"$ref": "#"}}}},
        });
        assert!(of(&round).len() < 10);
    }
}
