//! What conditions can be made of, for documentation. The lists are those that the parser reads by.

use super::cast::Cast;
use super::compare::Operator;
use super::parse::{KINDS, Kind, VALUE_KINDS, ValueKind};

/// A name that can stand in a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub name: &'static str,
    /// The fields beside `type`, empty for what has none.
    pub fields: &'static [&'static str],
    /// When it holds, or what it gives.
    pub about: &'static str,
}

/// Types of conditions.
pub fn kinds() -> impl Iterator<Item = Term> {
    KINDS.iter().map(|(name, kind)| kind.term(name))
}

/// Types of values that conditions look at.
pub fn values() -> impl Iterator<Item = Term> {
    VALUE_KINDS.iter().map(|(name, kind)| kind.term(name))
}

/// Operators of `compare`.
pub fn operators() -> impl Iterator<Item = Term> {
    Operator::ALL.iter().map(|(name, operator)| Term { name, fields: &[], about: operator.about() })
}

/// What `cast` can make of a value.
pub fn casts() -> impl Iterator<Item = Term> {
    Cast::ALL.iter().map(|(name, cast)| Term { name, fields: &[], about: cast.about() })
}

impl Kind {
    fn term(self, name: &'static str) -> Term {
        let (fields, about): (&'static [&'static str], _) = match self {
            Self::And => (&["conditions"], "All of them hold; so it does with none."),
            Self::Or => (&["conditions"], "One of them at least holds."),
            Self::Not => (&["condition"], "It does not hold."),
            Self::Compare => (&["left", "operator", "right"], "The two values compare so."),
            Self::Exists => (&["ref"], "There is something that is not null."),
            Self::Matches => (
                &["ref", "pattern"],
                "The text matches the regular expression, in time in proportion to the text.",
            ),
            Self::In => (&["ref", "values"], "The value is one of the list."),
            Self::Custom => {
                (&["pluginId", "accountId", "functionName", "args"], "A plugin says that it does.")
            }
            Self::Query => (&["query", "ref"], "The inbox has an item like that."),
        };
        Term { name, fields, about }
    }
}

impl ValueKind {
    fn term(self, name: &'static str) -> Term {
        let (fields, about): (&'static [&'static str], _) = match self {
            Self::Literal => (&["value"], "The value as it is written."),
            Self::Context => (&["path"], "What lies at the path, such as `trigger.payload.id`."),
            Self::Env => (&["key"], "A variable of the environment."),
            Self::Node => (&["nodeId", "path"], "What a node gave; the path begins in its output."),
            Self::Secret => (&["key"], "A secret."),
            Self::Cast => (&["to", "ref"], "Another value as another kind."),
        };
        Term { name, fields, about }
    }
}

impl Operator {
    fn about(self) -> &'static str {
        match self {
            Self::Eq => "Both are the same, in kind too.",
            Self::Neq => "Both are of one kind, and not the same.",
            Self::Gt => "Left is greater: a number, a text or a date.",
            Self::Gte => "Left is greater or equal.",
            Self::Lt => "Left is less.",
            Self::Lte => "Left is less or equal.",
            Self::Contains => "Left, a text or a list, has right in it.",
            Self::StartsWith => "Left, a text, begins with right.",
            Self::EndsWith => "Left, a text, ends with right.",
        }
    }
}

impl Cast {
    fn about(self) -> &'static str {
        match self {
            Self::Number => "A number of a text.",
            Self::String => "A text of a number, a boolean or null.",
            Self::Boolean => "True or false of the words, or of 1 and 0.",
            Self::Date => "A moment of a text or of milliseconds since 1970.",
            Self::Json => "What a text holds as JSON.",
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::Condition;

    /// The parser refuses a field that it does not know, so these are the ones that it does.
    #[test]
    fn the_fields_that_are_told_are_those_that_are_read() {
        let value = || json!({ "type": "literal", "value": 1 });
        let field = |name: &str| match name {
            "conditions" | "values" | "args" => json!([]),
            "condition" => json!({ "type": "exists", "ref": value() }),
            "left" | "right" | "ref" => value(),
            "operator" => json!("eq"),
            "to" => json!("number"),
            _ => json!("a"),
        };
        let made = |term: &Term| {
            let fields = term.fields.iter().map(|name| ((*name).to_owned(), field(name)));
            let mut all: serde_json::Map<String, Value> = fields.collect();
            all.insert("type".to_owned(), json!(term.name));
            Value::Object(all)
        };
        for term in kinds() {
            Condition::parse(&made(&term)).unwrap_or_else(|error| panic!("{term:?}: {error}"));
        }
        for term in values() {
            let exists = json!({ "type": "exists", "ref": made(&term) });
            Condition::parse(&exists).unwrap_or_else(|error| panic!("{term:?}: {error}"));
        }
    }
}
