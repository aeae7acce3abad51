//! What the mapping of one node needs: its parameters, where its data lies, and the report.

use serde_json::{Map, Value};

use super::data::Data;
use super::expression::{self, Meaning, Root};
use super::path::Path;
use super::report::Report;
use super::workflow::{Step, one_line, text};

pub(super) struct Context<'a> {
    pub data: &'a Data<'a>,
    pub index: usize,
    pub report: &'a mut Report,
}

impl<'a> Context<'a> {
    pub fn step(&self) -> &'a Step {
        &self.data.workflow.steps[self.index]
    }

    pub fn place(&self) -> String {
        format!("node \"{}\"", self.step().name)
    }

    /// A parameter by its path, such as `options.timeout`.
    pub fn get(&self, path: &str) -> Option<&'a Value> {
        path.split('.').try_fold(&self.step().parameters, |value, name| value.get(name))
    }

    /// A parameter's text, or nothing.
    pub fn text(&self, path: &str) -> &'a str {
        self.get(path).and_then(Value::as_str).unwrap_or_default()
    }

    pub fn flag(&self, path: &str) -> bool {
        self.get(path).and_then(Value::as_bool).unwrap_or_default()
    }

    /// A list of objects, as n8n keeps what can be added several times.
    pub fn list(&self, path: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
        self.get(path).and_then(Value::as_array).into_iter().flatten()
    }

    /// A parameter with its expressions turned into templates.
    pub fn value(&mut self, path: &str) -> Option<Value> {
        let value = self.get(path)?;
        Some(self.convert(value, path))
    }

    /// Any value with the expressions in it turned into templates; the depth was bounded when it
    /// was read.
    pub fn convert(&mut self, value: &Value, path: &str) -> Value {
        match value {
            Value::String(raw) => match self.meaning(raw) {
                Some(Meaning::Literal(value)) if !value.is_string() => value,
                _ => self.convert_text(raw, path).into(),
            },
            Value::Array(values) => {
                let each = values.iter().enumerate();
                let each = each.map(|(i, value)| self.convert(value, &format!("{path}[{i}]")));
                Value::Array(each.collect())
            }
            Value::Object(map) => {
                let each = map.iter().map(|(name, value)| {
                    (name.clone(), self.convert(value, &format!("{path}.{name}")))
                });
                Value::Object(each.collect())
            }
            other => other.clone(),
        }
    }

    pub fn convert_text(&mut self, raw: &str, path: &str) -> String {
        let converted = expression::convert(raw, &|root: &Root| self.place_of(root));
        if raw.contains("$now") && converted.left.is_empty() && raw.starts_with('=') {
            let what = "`$now` became the time at which the run began";
            self.report.changed(format!("{}, {path}", self.place()), what);
        }
        for left in converted.left {
            let shown = one_line(&left, 120).unwrap_or_default();
            let reason = format!(
                "the expression {{{{ {shown} }}}} computes, or names data that cannot be told"
            );
            let remedy = "Write it as a template, or compute the value in a code.js node before.";
            self.report.not_mapped(format!("{}, {path}", self.place()), reason, remedy);
        }
        converted.template
    }

    /// The meaning of a text that is one single expression.
    pub fn meaning(&self, raw: &str) -> Option<Meaning> {
        expression::single(raw, &|root: &Root| self.place_of(root))
    }

    fn place_of(&self, root: &Root) -> Option<Path> {
        self.data.place_of(self.index, root)
    }

    /// What comes in, as a template.
    pub fn input(&mut self) -> Value {
        let path = self.data.input_of(self.index).and_then(|path| path.in_template());
        match path {
            Some(path) => format!("{{{{{path}}}}}").into(),
            None => {
                let reason = "several nodes lead to it, or none, so its input cannot be told";
                let remedy = "Name the output that is meant, such as {{nodes.fetch.output}}.";
                self.report.not_mapped(self.place(), reason, remedy);
                Value::Null
            }
        }
    }

    /// Pairs of a name and a value, as n8n keeps headers and fields.
    pub fn pairs(&mut self, path: &str) -> Map<String, Value> {
        let pairs = self.list(path).map(|pair| {
            let value = pair.get("value").unwrap_or(&Value::Null);
            let name = text(pair, "name").to_owned();
            let value = self.convert(value, &format!("{path}.{name}"));
            (name, value)
        });
        pairs.filter(|(name, _)| !name.is_empty()).collect()
    }

    pub fn changed(&mut self, what: impl Into<String>) {
        self.report.changed(self.place(), what);
    }

    pub fn not_mapped(&mut self, reason: impl Into<String>, remedy: impl Into<String>) {
        self.report.not_mapped(self.place(), reason, remedy);
    }
}
