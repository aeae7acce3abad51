//! What a node is given: its config, whose texts are templates that were compiled once.

use devrig_core::{Context as _, Result};
use devrig_expr::template::Options;
use devrig_expr::{Data, Template};
use serde_json::{Map, Value};

/// A config, ready to be resolved any number of times.
pub struct Input(Part);

enum Part {
    /// Holds no template anywhere below.
    Plain(Value),
    Text(Box<Template>),
    List(Vec<Part>),
    Object(Vec<(String, Part)>),
}

impl Input {
    /// # Errors
    /// `INVALID_INPUT` that names the field, with line and column in it.
    pub fn compile(config: &Map<String, Value>) -> Result<Self> {
        object(config).context("config").map(Self)
    }

    /// The config with the values of its expressions.
    ///
    /// # Errors
    /// `INVALID_INPUT` and `TOO_LARGE`, that name the field.
    pub fn resolve(&self, data: &Data<'_>) -> Result<Value> {
        self.0.resolve(data).context("config")
    }
}

fn part(value: &Value) -> Result<Part> {
    match value {
        Value::String(text) if text.contains("{{") => {
            Template::compile(text, Options::default()).map(|text| Part::Text(Box::new(text)))
        }
        Value::Array(list) => {
            let parts = list.iter().enumerate();
            let parts: Result<Vec<_>> =
                parts.map(|(index, value)| part(value).context(index.to_string())).collect();
            Ok(joined(parts?, value, Part::List))
        }
        Value::Object(map) => object(map),
        plain => Ok(Part::Plain(plain.clone())),
    }
}

fn object(map: &Map<String, Value>) -> Result<Part> {
    let parts: Result<Vec<_>> = map
        .iter()
        .map(|(name, value)| Ok((name.clone(), part(value).context(name.clone())?)))
        .collect();
    let parts = parts?;
    match parts.iter().all(|(_, part)| matches!(part, Part::Plain(_))) {
        true => Ok(Part::Plain(Value::Object(map.clone()))),
        false => Ok(Part::Object(parts)),
    }
}

/// A list without any template is kept as it is.
fn joined(parts: Vec<Part>, whole: &Value, list: fn(Vec<Part>) -> Part) -> Part {
    match parts.iter().all(|part| matches!(part, Part::Plain(_))) {
        true => Part::Plain(whole.clone()),
        false => list(parts),
    }
}

impl Part {
    fn resolve(&self, data: &Data<'_>) -> Result<Value> {
        match self {
            Self::Plain(value) => Ok(value.clone()),
            Self::Text(template) => template.value(data),
            Self::List(parts) => {
                let values = parts.iter().enumerate();
                let values: Result<Vec<_>> =
                    values.map(|(at, part)| part.resolve(data).context(at.to_string())).collect();
                values.map(Value::Array)
            }
            Self::Object(parts) => {
                let fields: Result<Map<_, _>> = parts
                    .iter()
                    .map(|(name, part)| {
                        Ok((name.clone(), part.resolve(data).context(name.clone())?))
                    })
                    .collect();
                fields.map(Value::Object)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compiled(config: Value) -> Result<Input> {
        Input::compile(config.as_object().unwrap())
    }

    #[test]
    fn texts_are_filled_in_and_single_expressions_keep_their_type() {
        let trigger = json!({"payload": {"number": 17, "labels": ["a", "b"], "who": "kim"}});
        let data = Data::object([("trigger", Data::from(&trigger))]);
        let input = compiled(json!({
            "title": "#{{trigger.payload.number}} by {{trigger.payload.who}}",
            "number": "{{trigger.payload.number}}",
            "list": [1, "{{trigger.payload.labels}}", {"deep": "{{trigger.payload.labels.[0]}}"}],
            "plain": {"a": [true, null, "no template"]},
        }));
        assert_eq!(
            input.unwrap().resolve(&data).unwrap(),
            json!({
                "title": "#17 by kim",
                "number": 17,
                "list": [1, ["a", "b"], {"deep": "a"}],
                "plain": {"a": [true, null, "no template"]},
            })
        );
    }

    #[test]
    fn a_wrong_template_is_told_with_its_field() {
        let error = compiled(json!({"headers": {"x": ["ok", "{{#if"]}})).err().unwrap();
        assert!(error.message.starts_with("config: headers: x: 1: "), "{error}");
    }
}
