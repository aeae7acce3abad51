//! JSON to a condition, with errors that point at the field.

use devrig_core::{Error, Result};
use serde_json::Value;

use super::ask::{Asks, QuestionId};
use super::cast::Cast;
use super::check::Check;
use super::compare::Operator;
use super::pattern::{LARGEST, Pattern, Refused};
use super::value_ref::{Named, ValueRef};
use super::{Condition, Node};
use crate::path::{Path, Step};
use crate::place::{Fields, Place};

const DEEPEST: usize = 32;
const MOST: u32 = 1_000;
const LONGEST_PATTERN: usize = 2_000;
const LONGEST_QUERY: usize = 4_000;

impl Condition {
    /// # Errors
    /// `INVALID_INPUT` that begins with the place, such as `conditions[1].left.path`; the same
    /// place is in `details.path`.
    pub fn parse(value: &Value) -> Result<Self> {
        let mut parser = Parser { parts: 0, questions: 0, pattern_bytes: LARGEST };
        let root = parser.node(value, &Place::Root, 0)?;
        Ok(Self { root })
    }
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    And,
    Or,
    Not,
    Compare,
    Exists,
    Matches,
    In,
    Custom,
    Query,
}

pub(super) const KINDS: [(&str, Kind); 9] = [
    ("and", Kind::And),
    ("or", Kind::Or),
    ("not", Kind::Not),
    ("compare", Kind::Compare),
    ("exists", Kind::Exists),
    ("matches", Kind::Matches),
    ("in", Kind::In),
    ("custom", Kind::Custom),
    ("query", Kind::Query),
];

struct Parser {
    parts: u32,
    questions: u32,
    /// What is left for patterns.
    pattern_bytes: usize,
}

impl Parser {
    fn node(&mut self, value: &Value, place: &Place<'_>, depth: usize) -> Result<Node> {
        self.count(place, depth)?;
        let fields = Fields::of(value, place, "a condition")?;
        match fields.one_of("type", &KINDS)? {
            Kind::And => Ok(Node::And(self.nodes(&fields, place, depth)?)),
            Kind::Or => Ok(Node::Or(self.nodes(&fields, place, depth)?)),
            Kind::Not => {
                fields.only(&["type", "condition"])?;
                let inner = fields.need("condition")?;
                let inner = self.node(inner, &Place::Field(place, "condition"), depth + 1)?;
                Ok(Node::Not(Box::new(inner)))
            }
            Kind::Compare => self.compare(&fields, place),
            Kind::Exists => {
                fields.only(&["type", "ref"])?;
                Ok(Node::Check(Check::Exists(self.value(&fields, place, "ref")?)))
            }
            Kind::Matches => self.matches(&fields, place),
            Kind::In => {
                fields.only(&["type", "ref", "values"])?;
                let subject = self.value(&fields, place, "ref")?;
                Ok(Node::Check(Check::In { subject, values: fields.list("values")?.to_vec() }))
            }
            Kind::Custom => self.custom(&fields, place),
            Kind::Query => self.query(&fields, place),
        }
    }

    /// Values count too, so that the size of all that is kept is bounded.
    fn count(&mut self, place: &Place<'_>, depth: usize) -> Result<()> {
        self.parts += 1;
        if self.parts > MOST {
            return Err(place.error(
                format!("the condition has more than {MOST} parts"),
                "Use `in` for lists of values, or split it.",
            ));
        }
        if depth > DEEPEST {
            return Err(place.error(
                format!("more than {DEEPEST} levels are nested"),
                "Flatten the condition.",
            ));
        }
        Ok(())
    }

    fn nodes(&mut self, fields: &Fields<'_>, place: &Place<'_>, depth: usize) -> Result<Vec<Node>> {
        fields.only(&["type", "conditions"])?;
        let conditions = Place::Field(place, "conditions");
        let nodes = fields.list("conditions")?.iter().enumerate();
        nodes
            .map(|(index, node)| self.node(node, &Place::Element(&conditions, index), depth + 1))
            .collect()
    }

    fn compare(&mut self, fields: &Fields<'_>, place: &Place<'_>) -> Result<Node> {
        fields.only(&["type", "left", "operator", "right"])?;
        Ok(Node::Check(Check::Compare {
            left: self.value(fields, place, "left")?,
            operator: fields.one_of("operator", &Operator::ALL)?,
            right: self.value(fields, place, "right")?,
        }))
    }

    fn matches(&mut self, fields: &Fields<'_>, place: &Place<'_>) -> Result<Node> {
        fields.only(&["type", "ref", "pattern"])?;
        let subject = self.value(fields, place, "ref")?;
        let text = fields.text("pattern")?;
        let place = Place::Field(place, "pattern");
        if text.len() > LONGEST_PATTERN {
            return Err(too_long(&place, "pattern", LONGEST_PATTERN));
        }
        let pattern = Pattern::compile(text, &mut self.pattern_bytes)
            .map_err(|refused| bad_pattern(&place, &refused))?;
        Ok(Node::Check(Check::Matches { subject, pattern: Box::new(pattern) }))
    }

    fn custom(&mut self, fields: &Fields<'_>, place: &Place<'_>) -> Result<Node> {
        fields.only(&["type", "pluginId", "accountId", "functionName", "args"])?;
        let plugin_id = fields.name("pluginId")?.to_owned();
        let account_id = fields.get("accountId").map(|_| fields.name("accountId"));
        let account_id = account_id.transpose()?.map(str::to_owned);
        let function = fields.name("functionName")?.to_owned();
        let list = Place::Field(place, "args");
        let mut args = Vec::new();
        for (index, arg) in fields.list("args")?.iter().enumerate() {
            let place = Place::Element(&list, index);
            let arg = self.value_at(arg, &place, 0)?;
            args.push(public(arg, &place)?);
        }
        Ok(self.ask(Asks::Custom { plugin_id, account_id, function, args }))
    }

    fn query(&mut self, fields: &Fields<'_>, place: &Place<'_>) -> Result<Node> {
        fields.only(&["type", "query", "ref"])?;
        let query = fields.text("query")?;
        if query.len() > LONGEST_QUERY {
            return Err(too_long(&Place::Field(place, "query"), "query", LONGEST_QUERY));
        }
        let subject = match fields.get("ref") {
            Some(_) => {
                let subject = self.value(fields, place, "ref")?;
                Some(public(subject, &Place::Field(place, "ref"))?)
            }
            None => None,
        };
        Ok(self.ask(Asks::Query { query: query.to_owned(), subject }))
    }

    fn ask(&mut self, asks: Asks) -> Node {
        let id = QuestionId(self.questions);
        self.questions += 1;
        Node::Ask { id, asks }
    }

    fn value(&mut self, fields: &Fields<'_>, place: &Place<'_>, name: &str) -> Result<ValueRef> {
        self.value_at(fields.need(name)?, &Place::Field(place, name), 0)
    }

    fn value_at(&mut self, value: &Value, place: &Place<'_>, depth: usize) -> Result<ValueRef> {
        self.count(place, depth)?;
        let fields = Fields::of(value, place, "a value")?;
        match fields.one_of("type", &VALUE_KINDS)? {
            ValueKind::Literal => {
                fields.only(&["type", "value"])?;
                Ok(ValueRef::Literal(fields.need("value")?.clone()))
            }
            ValueKind::Context => {
                fields.only(&["type", "path"])?;
                let path = path(&fields, place)?;
                Ok(ValueRef::Read { named: Named::Context, path })
            }
            ValueKind::Env => keyed(&fields, Named::Env, "env"),
            ValueKind::Secret => keyed(&fields, Named::Secret, "secrets"),
            ValueKind::Node => node_output(&fields, place),
            ValueKind::Cast => {
                fields.only(&["type", "to", "ref"])?;
                let to = fields.one_of("to", &Cast::ALL)?;
                let of = fields.need("ref")?;
                let of = self.value_at(of, &Place::Field(place, "ref"), depth + 1)?;
                Ok(ValueRef::Cast { to, of: Box::new(of) })
            }
        }
    }
}

#[derive(Clone, Copy)]
pub(super) enum ValueKind {
    Literal,
    Context,
    Env,
    Node,
    Secret,
    Cast,
}

pub(super) const VALUE_KINDS: [(&str, ValueKind); 6] = [
    ("literal", ValueKind::Literal),
    ("context", ValueKind::Context),
    ("env", ValueKind::Env),
    ("node", ValueKind::Node),
    ("secret", ValueKind::Secret),
    ("cast", ValueKind::Cast),
];

fn keyed(fields: &Fields<'_>, named: Named, root: &str) -> Result<ValueRef> {
    fields.only(&["type", "key"])?;
    let key = fields.name("key")?;
    Ok(ValueRef::Read { named, path: Path::new([Step::new(root), Step::new(key)]) })
}

fn node_output(fields: &Fields<'_>, place: &Place<'_>) -> Result<ValueRef> {
    fields.only(&["type", "nodeId", "path"])?;
    let id = fields.name("nodeId")?;
    let path = path(fields, place)?;
    let output = [Step::new("nodes"), Step::new(id), Step::new("output")];
    let steps = output.into_iter().chain(path.steps().iter().cloned());
    Ok(ValueRef::Read { named: Named::Node, path: Path::new(steps) })
}

fn path(fields: &Fields<'_>, place: &Place<'_>) -> Result<Path> {
    fields.text("path")?.parse::<Path>().map_err(|error| {
        let hint = error.hint.unwrap_or_default();
        Place::Field(place, "path").error(error.message, hint)
    })
}

/// What a plugin or a query is handed leaves the core, and secrets do not.
fn public(value: ValueRef, place: &Place<'_>) -> Result<ValueRef> {
    if !value.names_secret() {
        return Ok(value);
    }
    Err(place.error(
        "a secret is not handed out",
        "Let the plugin use a secret of its own, or compare the secret in a condition here.",
    ))
}

fn too_long(place: &Place<'_>, what: &str, longest: usize) -> Error {
    place.error(format!("the {what} is longer than {longest} bytes"), "Split it into several.")
}

fn bad_pattern(place: &Place<'_>, refused: &Refused) -> Error {
    match refused {
        Refused::TooLarge => place.error(
            "the patterns of the condition take too much memory",
            "Use smaller repetition counts, or (?-u) where letters are plain ASCII.",
        ),
        Refused::Wrong(why) => place.error(
            format!("not a regular expression: {why}"),
            "Look-around and back-references are not supported, because matching takes linear \
             time whatever the text.",
        ),
    }
}
