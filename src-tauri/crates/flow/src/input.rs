//! What a node is given: its config, whose texts are templates that were compiled once.

use std::borrow::Cow;

use devrig_core::{Error, Result};
use devrig_expr::template::Options;
use devrig_expr::{Config, Data, Reference};
use serde_json::{Map, Value};

use crate::run::Seen;

/// A config, ready to be resolved any number of times.
pub struct Input {
    config: Config,
    /// Fields whose texts are no templates.
    raw: Map<String, Value>,
    pub reads: Reads,
    /// What it reads of a run.
    pub seen: Seen,
}

/// What a config takes from the person's own things, by name.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reads {
    pub secrets: Vec<String>,
    /// Variables of the environment.
    pub env: Vec<String>,
}

impl Input {
    /// `raw` names the fields that are kept as they are.
    ///
    /// # Errors
    /// `INVALID_INPUT` that names the field, with line and column in it.
    pub fn compile(config: &Map<String, Value>, raw: &[&str]) -> Result<Self> {
        let (raw, templates) = config
            .clone()
            .into_iter()
            .partition::<Map<_, _>, _>(|(name, _)| raw.contains(&name.as_str()));
        let config = Config::compile(&Value::Object(templates), Options::default())?;
        let references = config.references();
        let code = raw.values().filter_map(Value::as_str).map(str::to_owned).collect();
        let (reads, seen) = (Reads::of(&references)?, Seen::of(&references).with_code(code));
        Ok(Self { config, raw, reads, seen })
    }

    /// Everything that its expressions read.
    pub fn references(&self) -> Vec<Reference> {
        self.config.references()
    }

    /// A field that is kept as it is.
    pub fn raw(&self, field: &str) -> Option<&Value> {
        self.raw.get(field)
    }

    /// The config with the values of its expressions.
    ///
    /// # Errors
    /// `INVALID_INPUT` and `TOO_LARGE`, that name the field.
    pub fn resolve(&self, data: &Data<'_>) -> Result<Value> {
        let mut resolved = self.config.resolve(data).map(Cow::into_owned)?;
        if let Value::Object(fields) = &mut resolved {
            fields.extend(self.raw.clone());
        }
        Ok(resolved)
    }
}

impl Reads {
    fn of(references: &[Reference]) -> Result<Self> {
        let mut reads = Self::default();
        for reference in references {
            let into = match reference.root() {
                Some("secrets") => &mut reads.secrets,
                Some("env") => &mut reads.env,
                _ => continue,
            };
            let name = named(reference)?;
            if !into.contains(&name) {
                into.push(name);
            }
        }
        Ok(reads)
    }

    pub fn is_empty(&self) -> bool {
        self.secrets.is_empty() && self.env.is_empty()
    }
}

/// Only what is named can be asked for and hidden, so nobody reads all of them.
fn named(reference: &Reference) -> Result<String> {
    let steps = reference.path.steps();
    steps.get(1).map(|step| step.name().to_owned()).ok_or_else(|| {
        let root = steps[0].name();
        Error::invalid(format!("{}: {root} is read without a name", reference.place))
            .hint(format!("Write {{{{{root}.NAME}}}}."))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn compiled(config: Value) -> Result<Input> {
        Input::compile(config.as_object().unwrap(), &["code"])
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
            "code": "return `{{no template}}`",
        }));
        assert_eq!(
            input.unwrap().resolve(&data).unwrap(),
            json!({
                "title": "#17 by kim",
                "number": 17,
                "list": [1, ["a", "b"], {"deep": "a"}],
                "plain": {"a": [true, null, "no template"]},
                "code": "return `{{no template}}`",
            })
        );
    }

    #[test]
    fn what_it_takes_from_the_person_is_known_by_name() {
        let input = compiled(json!({
            "headers": {"authorization": "Bearer {{secrets.token}} {{secrets.token}}"},
            "home": "{{env.HOME}}/{{trigger.id}}",
        }));
        let reads = Reads { secrets: vec!["token".into()], env: vec!["HOME".into()] };
        assert_eq!(input.unwrap().reads, reads);
        let error = compiled(json!({"all": "{{json secrets}}"})).err().unwrap();
        assert!(error.message.contains("config.all"), "{error}");
    }

    #[test]
    fn a_wrong_template_is_told_with_its_field() {
        let error = compiled(json!({"headers": {"x": ["ok", "{{#if"]}})).err().unwrap();
        assert!(error.message.starts_with("config.headers.x[1]: "), "{error}");
    }
}
