//! What a definition says before it runs: texts that only its variables decide.

use devrig_expr::{Data, Options, Template};
use serde_json::{Map, Value};

/// A config in which the templates that read nothing but the flow's variables have their values.
pub(super) fn filled(
    config: &Map<String, Value>,
    raw: &[&str],
    variables: &Map<String, Value>,
) -> Map<String, Value> {
    let root = Value::Object(variables.clone());
    let data = Data::object([("variables", Data::from(&root))]);
    let field = |(name, value): (&String, &Value)| {
        let value = match raw.contains(&name.as_str()) {
            true => value.clone(),
            false => fill(value, &data),
        };
        (name.clone(), value)
    };
    config.iter().map(field).collect()
}

fn fill(value: &Value, data: &Data<'_>) -> Value {
    match value {
        Value::String(text) => constant(text, data).unwrap_or_else(|| value.clone()),
        Value::Array(list) => list.iter().map(|value| fill(value, data)).collect(),
        Value::Object(fields) => {
            let each = fields.iter().map(|(name, value)| (name.clone(), fill(value, data)));
            Value::Object(each.collect())
        }
        other => other.clone(),
    }
}

fn constant(text: &str, data: &Data<'_>) -> Option<Value> {
    if !text.contains("{{") {
        return None;
    }
    let template = Template::compile(text, Options::default()).ok()?;
    let fixed = template.references().iter().all(|one| one.root() == Some("variables"));
    if fixed { template.value(data).ok() } else { None }
}

/// The address that a text begins with, when its host stands there as it is: what follows the host
/// is left out where it is a template.
pub(super) fn address(text: &str) -> Option<&str> {
    let Some((before, _)) = text.split_once("{{") else { return Some(text) };
    let (_, rest) = before.split_once("://")?;
    rest.contains('/').then_some(before)
}
