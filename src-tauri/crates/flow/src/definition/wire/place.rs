//! Where in the JSON: a chain on the stack, written out only when a problem needs it.

use std::fmt;

#[derive(Debug, Clone, Copy)]
enum Step<'a> {
    Field(&'a str),
    Index(usize),
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    above: Option<(&'a Place<'a>, Step<'a>)>,
}

impl<'a> Place<'a> {
    pub const ROOT: Place<'static> = Place { above: None };

    pub fn field(&'a self, name: &'a str) -> Place<'a> {
        Place { above: Some((self, Step::Field(name))) }
    }

    pub fn index(&'a self, index: usize) -> Place<'a> {
        Place { above: Some((self, Step::Index(index))) }
    }

    /// The last name on the way here, for sentences.
    pub fn name(&self) -> String {
        match self.above {
            None => "the flow".to_owned(),
            Some((_, Step::Field(name))) => name.to_owned(),
            Some((above, Step::Index(index))) => format!("{}[{index}]", above.name()),
        }
    }
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((above, step)) = self.above else { return f.write_str("$") };
        write!(f, "{above}")?;
        match step {
            Step::Index(index) => write!(f, "[{index}]"),
            Step::Field(name) if is_plain(name) => write!(f, ".{name}"),
            Step::Field(name) => write!(f, "[{name:?}]"),
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_json_path() {
        let nodes = Place::ROOT.field("nodes");
        let node = nodes.index(2);
        let config = node.field("config");
        let header = config.field("x-api key");
        assert_eq!(header.to_string(), r#"$.nodes[2].config["x-api key"]"#);
        assert_eq!(node.name(), "nodes[2]");
    }
}
