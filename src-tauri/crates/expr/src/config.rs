//! A JSON config in which any text may be a template.

use std::borrow::Cow;

use devrig_core::{Error, Result};
use serde_json::Value;

use crate::data::Data;
use crate::place::Place;
use crate::reference::Reference;
use crate::template::{Budget, Options, Template};

/// The config of a node, compiled: every text with `{{` in it is a template.
///
/// A text that is one single expression becomes the value itself, so a number stays a number.
#[derive(Debug, Clone)]
pub struct Config {
    source: Value,
    templates: Vec<Entry>,
    options: Options,
}

/// A template and the way to it.
#[derive(Debug, Clone)]
struct Entry {
    way: Vec<Key>,
    /// `config.headers.Authorization`
    place: String,
    template: Template,
}

#[derive(Debug, Clone)]
enum Key {
    Field(String),
    Element(usize),
}

/// Objects and lists within one another.
const DEEPEST: usize = 64;
const MOST: usize = 10_000;

impl Config {
    /// `options` hold for all of it together: the output of all its templates is counted as one.
    ///
    /// # Errors
    /// Those of [`Template::compile`], after the field: `config.headers.Authorization: line 1,
    /// column 3: …`, which is in `details.path` too.
    pub fn compile(config: &Value, options: Options) -> Result<Self> {
        let mut finder = Finder { way: Vec::new(), templates: Vec::new(), options };
        finder.find(config, &Place::Field(&Place::Root, "config"))?;
        Ok(Self { source: config.clone(), templates: finder.templates, options })
    }

    /// The config with every template's value in its place; borrowed when there is none.
    ///
    /// # Errors
    /// Those of [`Template::value`], after the field.
    pub fn resolve(&self, data: &Data<'_>) -> Result<Cow<'_, Value>> {
        if self.templates.is_empty() {
            return Ok(Cow::Borrowed(&self.source));
        }
        let mut budget = Budget::new(self.options.limits);
        let mut resolved = self.source.clone();
        for Entry { way, place, template } in &self.templates {
            let value =
                template.value_within(data, &mut budget).map_err(|error| at(place, error))?;
            if let Some(slot) = slot(&mut resolved, way) {
                *slot = value;
            }
        }
        Ok(Cow::Owned(resolved))
    }

    /// What its templates read, with the field and the place in it.
    pub fn references(&self) -> Vec<Reference> {
        let of = |entry: &Entry| {
            let place = entry.place.clone();
            let within = move |reference: &Reference| Reference {
                place: format!("{place}: {}", reference.place),
                ..reference.clone()
            };
            entry.template.references().iter().map(within).collect::<Vec<_>>()
        };
        self.templates.iter().flat_map(of).collect()
    }

    /// The config as it was written.
    pub fn source(&self) -> &Value {
        &self.source
    }
}

fn at(place: &str, mut error: Error) -> Error {
    let mut details = error.details.take().map_or(Value::Null, |details| *details);
    if let Value::Object(fields) = &mut details {
        fields.insert("path".to_owned(), place.into());
    } else {
        details = serde_json::json!({ "path": place });
    }
    error.context(place).details(details)
}

fn slot<'v>(root: &'v mut Value, way: &[Key]) -> Option<&'v mut Value> {
    way.iter().try_fold(root, |value, key| match key {
        Key::Field(name) => value.get_mut(name),
        Key::Element(index) => value.get_mut(index),
    })
}

struct Finder {
    way: Vec<Key>,
    templates: Vec<Entry>,
    options: Options,
}

impl Finder {
    fn find(&mut self, value: &Value, place: &Place<'_>) -> Result<()> {
        if self.way.len() > DEEPEST {
            return Err(place
                .error(format!("more than {DEEPEST} levels are nested"), "Flatten the config."));
        }
        match value {
            Value::String(text) if text.contains("{{") => self.template(text, place),
            Value::Array(list) => list.iter().enumerate().try_for_each(|(index, value)| {
                self.within(Key::Element(index), value, &Place::Element(place, index))
            }),
            Value::Object(map) => map.iter().try_for_each(|(name, value)| {
                self.within(Key::Field(name.clone()), value, &Place::Field(place, name))
            }),
            _ => Ok(()),
        }
    }

    fn within(&mut self, key: Key, value: &Value, place: &Place<'_>) -> Result<()> {
        self.way.push(key);
        let found = self.find(value, place);
        self.way.pop();
        found
    }

    fn template(&mut self, text: &str, place: &Place<'_>) -> Result<()> {
        if self.templates.len() == MOST {
            return Err(place.error(
                format!("the config has more than {MOST} templates"),
                "Loop over a list instead of writing each element.",
            ));
        }
        let place = place.to_string();
        let template = Template::compile(text, self.options).map_err(|error| at(&place, error))?;
        self.templates.push(Entry { way: self.way.clone(), place, template });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use devrig_core::Code;
    use serde_json::json;

    use super::*;
    use crate::template::Limits;

    fn resolve(config: &Value, data: &Value) -> Result<Value> {
        let config = Config::compile(config, Options::default())?;
        config.resolve(&Data::from(data)).map(Cow::into_owned)
    }

    #[test]
    fn texts_are_rendered_and_single_expressions_keep_their_type() {
        let config = json!({
            "url": "https://api.example.org/{{repo}}/issues",
            "method": "POST",
            "body": { "title": "{{title}}", "labels": "{{labels}}", "count": "{{length labels}}" },
            "list": ["{{missing}}", 1, null, "\\{{kept}}", ["{{repo}}!"]],
            "{{repo}}": "keys are left alone",
        });
        let data = json!({ "repo": "acme/shop", "title": "Fix", "labels": ["bug", "ui"] });
        let expected = json!({
            "url": "https://api.example.org/acme/shop/issues",
            "method": "POST",
            "body": { "title": "Fix", "labels": ["bug", "ui"], "count": 2 },
            "list": [null, 1, null, "{{kept}}", ["acme/shop!"]],
            "{{repo}}": "keys are left alone",
        });
        assert_eq!(resolve(&config, &data).unwrap(), expected);
        assert_eq!(resolve(&json!("{{labels.0}}"), &data).unwrap(), json!("bug"));
    }

    #[test]
    fn a_config_without_templates_is_lent() {
        let config = json!({ "a": [1, { "b": "}} {" }] });
        let compiled = Config::compile(&config, Options::default()).unwrap();
        let resolved = compiled.resolve(&Data::from(&Value::Null)).unwrap();
        assert!(matches!(resolved, Cow::Borrowed(_)));
        assert_eq!(*resolved, config);
    }

    #[test]
    fn errors_name_the_field() {
        let written = json!({ "headers": { "Authorization": "Bearer {{secrets.token" } });
        let error = Config::compile(&written, Options::default()).unwrap_err();
        assert_eq!(
            error.message,
            "config.headers.Authorization: line 1, column 8: this tag is never closed"
        );
        let place = json!({ "path": "config.headers.Authorization", "line": 1, "column": 8 });
        assert_eq!(sorted(*error.details.unwrap()), sorted(place));

        let wrong = json!({ "list": ["{{upper l}}"] });
        let error = resolve(&wrong, &json!({ "l": [] })).unwrap_err();
        assert!(error.message.starts_with("config.list[0]: line 1, column 1: upper"), "{error}");
    }

    fn sorted(value: Value) -> Vec<String> {
        let mut fields: Vec<String> =
            value.as_object().unwrap().iter().map(|field| format!("{field:?}")).collect();
        fields.sort();
        fields
    }

    #[test]
    fn references_name_the_field_and_the_place() {
        let config = json!({ "a": { "b": "x {{secrets.token}}" }, "c": ["{{nodes.n.output}}"] });
        let config = Config::compile(&config, Options::default()).unwrap();
        let found: Vec<(String, String)> = config
            .references()
            .into_iter()
            .map(|reference| (reference.path.to_string(), reference.place))
            .collect();
        let expected = [
            ("secrets.token", "config.a.b: line 1, column 5"),
            ("nodes.n.output", "config.c[0]: line 1, column 3"),
        ];
        assert_eq!(found, expected.map(|(path, place)| (path.to_owned(), place.to_owned())));
    }

    #[test]
    fn all_templates_share_one_account() {
        let config = json!({ "a": "{{t}} ", "b": "{{t}} ", "c": "{{l}}", "d": "{{l}}" });
        let data = json!({ "t": "x".repeat(40), "l": vec![1; 300] });
        let limited = |output, steps| {
            let limits = Limits { output, steps };
            let options = Options { limits, ..Options::default() };
            Config::compile(&config, options).unwrap().resolve(&Data::from(&data)).map(drop)
        };
        assert!(limited(82, 200).is_ok());
        let error = limited(81, 200).unwrap_err();
        assert_eq!(error.code, Code::TooLarge);
        assert!(error.message.starts_with("config.b: "), "{error}");
        let error = limited(82, 70).unwrap_err();
        assert!(error.message.starts_with("config.d: "), "copies of values count: {error}");
    }

    #[test]
    fn depth_and_number_are_bounded() {
        let nest = |depth: usize| (0..depth).fold(json!("{{a}}"), |inner, _| json!([inner]));
        assert!(resolve(&nest(DEEPEST), &Value::Null).is_ok());
        let error = resolve(&nest(DEEPEST + 1), &Value::Null).unwrap_err();
        assert!(error.message.contains("levels are nested"), "{error}");
        let error = resolve(&json!(vec!["{{a}}"; MOST + 1]), &Value::Null).unwrap_err();
        assert!(error.message.starts_with("config[10000]: the config has more"), "{error}");
    }
}
