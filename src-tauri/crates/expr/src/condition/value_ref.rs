//! Where a condition takes a value from.

use std::fmt;

use serde_json::Value;

use super::cast::{Cast, Operand};
use super::excerpt::one_line;
use crate::path::Path;
use crate::view::{MASK, View};

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ValueRef {
    Literal(Value),
    /// A path from the root, whatever name the condition gave it.
    Read {
        named: Named,
        path: Path,
    },
    Cast {
        to: Cast,
        of: Box<ValueRef>,
    },
}

/// How the condition writes the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// `{ "type": "context", "path": … }`
    Context,
    /// `env.<key>`
    Env,
    /// `nodes.<nodeId>.output.<path>`
    Node,
    /// `secrets.<key>`
    Secret,
}

impl ValueRef {
    pub fn read<'a>(&'a self, root: View<'a>) -> Option<Operand<'a>> {
        match self {
            Self::Literal(value) => Some(Operand::Data(value.into())),
            Self::Read { path, .. } => path.get(root).map(|view| Operand::Data(view.into())),
            Self::Cast { to, of } => of.read(root).and_then(|operand| operand.cast(*to)),
        }
    }

    /// For whoever is asked outside: what is missing is null, a secret is masked even where a
    /// cast would make something else of it.
    pub fn read_public(&self, root: View<'_>) -> Value {
        if self.is_secret(root) {
            return Value::String(MASK.to_owned());
        }
        self.read(root).map_or(Value::Null, |found| found.to_public_value())
    }

    /// The path that is read, under whatever casts.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Literal(_) => None,
            Self::Read { path, .. } => Some(path),
            Self::Cast { of, .. } => of.path(),
        }
    }

    /// Known from the path alone, before there is data.
    pub fn names_secret(&self) -> bool {
        self.path().and_then(Path::root) == Some("secrets")
    }

    /// Whether what is read may not be shown, by its name or by what stands there.
    pub fn is_secret(&self, root: View<'_>) -> bool {
        let found = self.path().and_then(|path| path.get(root));
        self.names_secret() || matches!(found, Some(View::Secret(_)))
    }
}

impl fmt::Display for ValueRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(value) => f.write_str(&one_line(View::of(value))),
            Self::Read { path, .. } if path.steps().is_empty() => f.write_str("everything"),
            Self::Read { path, .. } => path.fmt(f),
            Self::Cast { to, of } => write!(f, "{}({of})", to.name()),
        }
    }
}
