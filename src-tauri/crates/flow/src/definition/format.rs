//! What a definition can hold, told from its schema.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::schema::FLOW_SCHEMA;
use crate::fields::{self, Field};

/// The parts of a definition.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "FlowFormat", rename_all = "camelCase")]
pub struct Format {
    pub triggers: Vec<Part>,
    pub nodes: Vec<Part>,
    /// Fields that every trigger has, and every node.
    pub every_trigger: Vec<Field>,
    pub every_node: Vec<Field>,
    pub edge: Vec<Field>,
    pub settings: Vec<Field>,
}

/// A type of triggers or nodes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, specta::Type)]
#[serde(rename = "FlowPart")]
pub struct Part {
    /// Its `type`.
    pub name: String,
    pub title: String,
    pub about: String,
    pub fields: Vec<Field>,
}

/// Everything that the schema says of a definition's parts.
///
/// # Panics
/// Never: the schema ships with the program, and a test reads it.
pub fn format() -> Format {
    let schema: Value = serde_json::from_str(FLOW_SCHEMA).expect("the schema is JSON");
    let of = |name: &str| fields::of_part(&schema, &schema["$defs"][name]);
    Format {
        triggers: parts(&schema, "trigger"),
        nodes: parts(&schema, "node"),
        every_trigger: common(&schema, "trigger"),
        every_node: common(&schema, "node"),
        edge: of("edge"),
        settings: of("settings"),
    }
}

/// Each type has a rule: if the type is this one, then the fields are those.
fn parts(schema: &Value, name: &str) -> Vec<Part> {
    let rules = schema["$defs"][name]["allOf"].as_array().into_iter().flatten();
    rules
        .filter_map(|rule| {
            let name = rule["if"]["properties"]["type"]["const"].as_str()?;
            let pointer = rule["then"]["$ref"].as_str()?.strip_prefix('#')?;
            let part = schema.pointer(pointer)?;
            let text = |field: &str| part[field].as_str().unwrap_or_default().to_owned();
            Some(Part {
                name: name.to_owned(),
                title: text("title"),
                about: text("description"),
                fields: fields::of_part(schema, part),
            })
        })
        .collect()
}

/// What stands beside the fields of the types.
fn common(schema: &Value, name: &str) -> Vec<Field> {
    let mut plain = schema["$defs"][name].clone();
    if let Some(fields) = plain.as_object_mut() {
        fields.remove("allOf");
    }
    let root = serde_json::json!({ "$defs": schema["$defs"], "part": plain });
    fields::of_part(&root, &root["part"])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_is_told_with_its_fields() {
        let format = format();
        for part in format.triggers.iter().chain(&format.nodes) {
            assert!(!part.title.is_empty(), "{}", part.name);
            for field in &part.fields {
                let here = format!("{}: {}", part.name, field.name);
                assert!(!field.name.starts_with("body."), "{here}");
                assert!(!field.about.is_empty() || field.name.starts_with("config"), "{here}");
            }
        }
        let named = |name: &str| format.triggers.iter().find(|part| part.name == name).unwrap();
        let fields = |name: &str| -> Vec<&str> {
            named(name).fields.iter().map(|field| field.name.as_str()).collect()
        };
        assert!(fields("webhook").contains(&"auth.secret"));
        assert!(fields("polling").contains(&"source.url"));
        assert_eq!(format.nodes.len(), 5);
        assert!(format.triggers.len() >= 8 && named("cron").fields[0].required);
        assert!(format.every_node.iter().any(|field| field.name == "retryPolicy.maxAttempts"));
        assert!(format.settings.iter().any(|field| field.name == "maxConcurrentRuns"));
    }
}
