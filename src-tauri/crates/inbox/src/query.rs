//! The query language, the same in the window, the command line, flows and saved splits:
//! `is:unread from:github repo:a/b,a/c -author:bot older:2d "exact phrase" deplo* (x or y)`.

mod lex;
mod parse;
pub(crate) mod plan;

use std::fmt;

use devrig_core::Timestamp;

use crate::item::Priority;

pub use parse::{parse, parse_typing};

/// An operator, for completion and help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, specta::Type)]
pub struct Operator {
    pub name: &'static str,
    /// All values that it takes, when they are few; else examples of what to write.
    pub values: &'static [&'static str],
    pub closed: bool,
    pub help: &'static str,
}

const fn operator(
    name: &'static str,
    values: &'static [&'static str],
    closed: bool,
    help: &'static str,
) -> Operator {
    Operator { name, values, closed, help }
}

/// Every operator of the language.
pub const OPERATORS: &[Operator] = &[
    operator("is", &Is::NAMES, true, "the state of the item"),
    operator("from", &["github", "git-local"], false, "the plugin or the account"),
    operator("repo", &["owner/name"], false, "the repository or folder"),
    operator("org", &["owner"], false, "the repository's owner"),
    operator("type", &["pull_request", "issue"], false, "the type that the plugin gave"),
    operator("reason", &["review_requested", "mention"], false, "why it came"),
    operator("label", &["bug"], false, "a label of the source or your own"),
    operator("priority", &["urgent", "high", "normal", "low"], true, "how much it matters"),
    operator("state", &["open", "merged", "closed"], false, "its state in the source"),
    operator("author", &["name"], false, "who did it"),
    operator("thread", &["key"], false, "one conversation"),
    operator("older", &["2d", "3w", "6mo", "2026-01-31"], false, "no activity since then"),
    operator("newer", &["12h", "2d", "2026-01-31"], false, "activity since then"),
    operator("has", &Has::NAMES, true, "what the item carries"),
];

/// The state of an item, by the person or (actionable) the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Is {
    Unread,
    Read,
    /// Not done, not snoozed, not muted.
    Inbox,
    Done,
    Snoozed,
    Starred,
    Muted,
    Actionable,
    /// Everything, wherever it is.
    Any,
}

impl Is {
    const ALL: [Is; 9] = [
        Is::Unread,
        Is::Read,
        Is::Inbox,
        Is::Done,
        Is::Snoozed,
        Is::Starred,
        Is::Muted,
        Is::Actionable,
        Is::Any,
    ];
    const NAMES: [&'static str; 9] =
        ["unread", "read", "inbox", "done", "snoozed", "starred", "muted", "actionable", "any"];

    fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// True for the states that say which part of the inbox is meant, so that nothing is implied.
    fn chooses_place(self) -> bool {
        !matches!(self, Is::Unread | Is::Read | Is::Actionable)
    }
}

/// What an item carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Has {
    Draft,
    Body,
    Link,
    Label,
}

impl Has {
    const ALL: [Has; 4] = [Has::Draft, Has::Body, Has::Link, Has::Label];
    const NAMES: [&'static str; 4] = ["draft", "body", "link", "label"];

    pub(crate) fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// An attribute that is compared as a whole, without regard to case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    From,
    Repo,
    Org,
    Type,
    Reason,
    Label,
    Priority,
    State,
    Author,
    Thread,
}

impl Field {
    const ALL: [Field; 10] = [
        Field::From,
        Field::Repo,
        Field::Org,
        Field::Type,
        Field::Reason,
        Field::Label,
        Field::Priority,
        Field::State,
        Field::Author,
        Field::Thread,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Field::From => "from",
            Field::Repo => "repo",
            Field::Org => "org",
            Field::Type => "type",
            Field::Reason => "reason",
            Field::Label => "label",
            Field::Priority => "priority",
            Field::State => "state",
            Field::Author => "author",
            Field::Thread => "thread",
        }
    }
}

/// A place in time, as it was written: an age before now, or a day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct When {
    text: String,
    at: Timestamp,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// Words in this order; the last one may be the beginning of a word.
    Text {
        text: String,
        prefix: bool,
    },
    /// Any of these.
    Is(Vec<Is>),
    Has(Vec<Has>),
    Field(Field, Vec<String>),
    Older(When),
    Newer(When),
}

/// Conditions and how they combine. Built by [`parse()`] only, so that lists are flat and hold two
/// or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    Leaf(Leaf),
}

/// A parsed query. Its `Display` is a text that parses to the same query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// None is the empty query.
    root: Option<Node>,
}

impl Query {
    pub fn root(&self) -> Option<&Node> {
        self.root.as_ref()
    }

    /// True when the query says itself which part of the inbox it means; `is:inbox` is implied
    /// otherwise.
    pub fn chooses_place(&self) -> bool {
        fn chooses(node: &Node) -> bool {
            match node {
                Node::And(list) | Node::Or(list) => list.iter().any(chooses),
                Node::Not(inner) => chooses(inner),
                Node::Leaf(Leaf::Is(list)) => list.iter().any(|is| is.chooses_place()),
                Node::Leaf(Leaf::Field(Field::Thread, _)) => true,
                Node::Leaf(_) => false,
            }
        }
        self.root.as_ref().is_some_and(chooses)
    }
}

impl fmt::Display for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            None => Ok(()),
            Some(root) => root.write(f, false),
        }
    }
}

impl Node {
    fn write(&self, f: &mut fmt::Formatter<'_>, inner: bool) -> fmt::Result {
        match self {
            Node::Leaf(leaf) => write!(f, "{leaf}"),
            Node::Not(node) => {
                f.write_str("-")?;
                node.write(f, true)
            }
            Node::And(list) => Self::write_list(list, " ", f, inner),
            Node::Or(list) => Self::write_list(list, " or ", f, true),
        }
    }

    fn write_list(
        list: &[Node],
        between: &str,
        f: &mut fmt::Formatter<'_>,
        inner: bool,
    ) -> fmt::Result {
        if inner {
            f.write_str("(")?;
        }
        for (index, node) in list.iter().enumerate() {
            if index > 0 {
                f.write_str(between)?;
            }
            node.write(f, true)?;
        }
        if inner {
            f.write_str(")")?;
        }
        Ok(())
    }
}

impl fmt::Display for Leaf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, name: &str, values: &[&str]| {
            write!(f, "{name}:")?;
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    f.write_str(",")?;
                }
                lex::write_value(value, f)?;
            }
            Ok(())
        };
        match self {
            Leaf::Text { text, prefix } => {
                lex::write_word(text, f)?;
                if *prefix { f.write_str("*") } else { Ok(()) }
            }
            Leaf::Is(values) => {
                list(f, "is", &values.iter().map(|is| is.name()).collect::<Vec<_>>())
            }
            Leaf::Has(values) => {
                list(f, "has", &values.iter().map(|has| has.name()).collect::<Vec<_>>())
            }
            Leaf::Field(field, values) => {
                list(f, field.name(), &values.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Leaf::Older(when) => write!(f, "older:{}", when.text),
            Leaf::Newer(when) => write!(f, "newer:{}", when.text),
        }
    }
}

impl Priority {
    pub(crate) const ALL: [Priority; 4] =
        [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];

    pub fn as_str(self) -> &'static str {
        match self {
            Priority::Low => "low",
            Priority::Normal => "normal",
            Priority::High => "high",
            Priority::Urgent => "urgent",
        }
    }
}
