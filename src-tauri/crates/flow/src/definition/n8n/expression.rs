//! n8n's expressions, which are JavaScript between `{{` and `}}`. Those that only name a value are
//! turned into templates; the rest stays as it is and is reported.

mod parse;

use serde_json::Value;

use super::path::Path;

pub(super) use parse::parse;

/// What an expression begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Root {
    /// `$json`, `$input`: what comes in.
    Input,
    /// `$('Name')`, `$node["Name"]`.
    Step(String),
    /// `$now`, `$workflow.name` and others that have a fixed place here.
    Fixed(&'static str),
}

/// An expression that has a counterpart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    Value(Path),
    /// `JSON.stringify(value)`
    Json(Path),
    /// `value || "literal"`, the literal as a template writes it.
    Default(Path, String),
    /// A text, number or truth value.
    Literal(Value),
}

impl Meaning {
    /// As it stands in a template.
    fn write(&self) -> Option<String> {
        Some(match self {
            Self::Value(path) => format!("{{{{{}}}}}", path.in_template()?),
            Self::Json(path) => format!("{{{{json {}}}}}", path.in_template()?),
            Self::Default(path, literal) => {
                format!("{{{{default {} {literal}}}}}", path.in_template()?)
            }
            Self::Literal(Value::String(text)) => escape(text),
            Self::Literal(other) => other.to_string(),
        })
    }
}

/// A text of n8n as a template.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Text {
    pub template: String,
    /// The expressions in it that have no counterpart.
    pub left: Vec<String>,
}

/// Turns a parameter's text into a template. Only a text that begins with `=` has expressions.
pub(super) fn convert(raw: &str, place_of: &dyn Fn(&Root) -> Option<Path>) -> Text {
    let Some(mut rest) = raw.strip_prefix('=') else {
        return Text { template: escape(raw), left: Vec::new() };
    };
    let mut text = Text::default();
    while let Some((before, after)) = rest.split_once("{{") {
        text.template.push_str(before);
        let end = end_of(after);
        let (inside, behind) = (&after[..end], after.get(end + 2..).unwrap_or_default());
        match parse(inside, place_of).and_then(|meaning| meaning.write()) {
            Some(written) => text.template.push_str(&written),
            None => {
                text.template.push_str(&format!("{{{{{inside}}}}}"));
                text.left.push(inside.trim().to_owned());
            }
        }
        rest = behind;
    }
    text.template.push_str(rest);
    text
}

/// The whole text's meaning when it is one single expression.
pub(super) fn single(raw: &str, place_of: &dyn Fn(&Root) -> Option<Path>) -> Option<Meaning> {
    let inside = raw.strip_prefix('=')?.trim().strip_prefix("{{")?;
    let end = end_of(inside);
    inside.get(end + 2..)?.trim().is_empty().then(|| parse(&inside[..end], place_of))?
}

/// Where the closing braces are: the last ones of a row, since objects end with braces too.
fn end_of(inside: &str) -> usize {
    let Some(mut end) = inside.find("}}") else { return inside.len() };
    while inside[end + 2..].starts_with('}') {
        end += 1;
    }
    end
}

/// Braces that were no expression there are none here.
pub(super) fn escape(text: &str) -> String {
    text.replace("{{", "\\{{")
}

#[cfg(test)]
mod tests;
