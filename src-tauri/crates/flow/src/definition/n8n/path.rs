//! A place in the data of a run, written as templates and as conditions want it.

use std::fmt::Write;

use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Name(String),
    Index(u64),
}

/// Begins at a root of expressions, such as `nodes` or `trigger`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Path(Vec<Part>);

impl Path {
    /// A path of plain names, such as `trigger.payload`.
    pub fn of(names: &str) -> Self {
        Self(names.split('.').map(|name| Part::Name(name.to_owned())).collect())
    }

    pub fn then(mut self, parts: impl IntoIterator<Item = Part>) -> Self {
        self.0.extend(parts);
        self
    }

    /// As a template names it: `nodes.a.output.items.[0].[two words]`. None for a name that no
    /// template can write.
    pub fn in_template(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.0 {
            if !text.is_empty() {
                text.push('.');
            }
            match part {
                Part::Name(name) if is_plain(name) => text.push_str(name),
                Part::Name(name) if name.contains(['[', ']', '{', '}']) => return None,
                Part::Name(name) => write!(text, "[{name}]").ok()?,
                Part::Index(index) => write!(text, "[{index}]").ok()?,
            }
        }
        Some(text)
    }

    /// The reference of a condition. That of a node reads its output; its error has a path like
    /// anything else.
    pub fn in_condition(&self) -> Value {
        match self.0.as_slice() {
            [Part::Name(root), Part::Name(id), Part::Name(what), rest @ ..]
                if root == "nodes" && what == "output" =>
            {
                json!({ "type": "node", "nodeId": id, "path": dotted(rest) })
            }
            all => json!({ "type": "context", "path": dotted(all) }),
        }
    }
}

fn dotted(parts: &[Part]) -> String {
    let mut text = String::new();
    for part in parts {
        match part {
            Part::Index(index) => text.push_str(&format!("[{index}]")),
            Part::Name(name) if !is_plain(name) => text.push_str(&format!("[{name:?}]")),
            Part::Name(name) if text.is_empty() => text.push_str(name),
            Part::Name(name) => text.push_str(&format!(".{name}")),
        }
    }
    text
}

fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_for_templates_and_for_conditions() {
        let parts = [Part::Name("a b".to_owned()), Part::Index(0), Part::Name("id".to_owned())];
        let path = Path::of("nodes.get.output").then(parts.clone());
        assert_eq!(path.in_template().unwrap(), "nodes.get.output.[a b].[0].id");
        let expected = json!({ "type": "node", "nodeId": "get", "path": r#"["a b"][0].id"# });
        assert_eq!(path.in_condition(), expected);
        let error = Path::of("nodes.get.error.message").in_condition();
        assert_eq!(error, json!({ "type": "context", "path": "nodes.get.error.message" }));
        let trigger = Path::of("trigger.payload").then(parts);
        let expected = json!({ "type": "context", "path": r#"trigger.payload["a b"][0].id"# });
        assert_eq!(trigger.in_condition(), expected);
        assert_eq!(Path::of("a").then([Part::Name("]".to_owned())]).in_template(), None);
    }
}
