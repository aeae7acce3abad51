//! What an expression reads, known before it is evaluated.

use crate::path::Path;

/// One part of the data that an expression reads, and where the expression says so.
///
/// Whoever builds the data loads the part at `path` with all that lies below it. An empty path
/// means everything.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    pub path: Path,
    /// `line 1, column 8`, `conditions[1].left`, or the field of a config and both.
    pub place: String,
    /// Within `{{#x}}…{{/x}}` a name is a field of x, or of what is outside if x is `true`. Both
    /// are told, and neither is certain.
    pub certain: bool,
}

impl Reference {
    /// `nodes` of `nodes.fetch.output`.
    pub fn root(&self) -> Option<&str> {
        self.path.root()
    }

    /// `fetch` of `nodes.fetch.output`; nothing when all of the root is read.
    pub fn name(&self) -> Option<&str> {
        self.path.steps().get(1).map(|step| step.name())
    }
}
