//! Names of flows, triggers and nodes, as their author wrote them.

use crate::definition::wire::At;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(
            Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default,
            serde::Serialize, serde::Deserialize,
        )]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }
    )*};
}

ids! {
    /// A flow. Made by DevRig, or chosen by whoever writes the file.
    FlowId;
    /// A node, unique in its flow, bodies included. Expressions name it.
    NodeId;
    /// A trigger, unique in its flow.
    TriggerId;
}

/// The longest id.
pub(crate) const LONGEST: usize = 64;

/// An id that an expression can name without quotes.
pub(crate) fn read_name<I: From<String> + Default>(at: At<'_>) -> I {
    checked(at, is_name, "a letter, then at most 63 letters, digits, - and _")
}

/// A flow's id, which may begin with a digit, as made ones do.
pub(crate) fn read<I: From<String> + Default>(at: At<'_>) -> I {
    checked(at, is_id, "1 to 64 letters, digits, - and _")
}

pub(crate) fn is_name(text: &str) -> bool {
    is_id(text) && text.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn is_id(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=LONGEST).contains(&text.len()) && text.chars().all(plain)
}

fn checked<I: From<String> + Default>(at: At<'_>, good: impl Fn(&str) -> bool, form: &str) -> I {
    let text = at.text(500);
    if text.is_empty() || good(&text) {
        return I::from(text);
    }
    at.wrong_value(&format!("must be {form}"), "Choose another, such as fetch_items.")
}

/// An id made of a flow's name, another one than those that are taken.
pub fn fresh_id(name: &str, taken: impl Fn(&str) -> bool) -> FlowId {
    FlowId::from(to_name(&name.to_lowercase(), "flow", taken))
}

/// A name made of any text, such as a title: `taken` says which are no longer free.
pub(crate) fn to_name(text: &str, usual: &str, taken: impl Fn(&str) -> bool) -> String {
    let mut name = String::new();
    for c in text.trim().chars().take(LONGEST) {
        match c {
            '-' | '_' => name.push(c),
            c if c.is_ascii_alphanumeric() => name.push(c),
            _ if name.ends_with('_') => {}
            _ => name.push('_'),
        }
    }
    let name = name.trim_matches('_');
    let mut name = match name.chars().next() {
        None => usual.to_owned(),
        Some(c) if c.is_ascii_alphabetic() => name.to_owned(),
        Some(_) => format!("{usual}_{name}"),
    };
    // Room for a number behind it.
    name.truncate(LONGEST - 6);
    let numbered = (2..).map(|number| format!("{name}_{number}"));
    std::iter::once(name.clone()).chain(numbered).find(|name| !taken(name)).unwrap_or(name)
}
