//! JSONPath, as RFC 9535 has it.

use devrig_core::Result;
use serde_json::Value;

use super::shape::{Bounds, Shape, shape};
use super::{allow, error_at, measure, too_long};

/// A compiled JSONPath.
#[derive(Debug, Clone)]
pub struct JsonPath {
    path: serde_json_path::JsonPath,
    shape: Shape,
    searches_below: bool,
}

/// The parser reads what is in a bracket up to three times, and does so again within.
const BOUNDS: Bounds = Bounds { depth: 6, marks: 200 };

impl JsonPath {
    /// # Errors
    /// `INVALID_INPUT` with the column, from 1, in the message and in the details.
    pub fn parse(text: &str) -> Result<Self> {
        too_long(text)?;
        let shape = shape(text, BOUNDS)?;
        let path = serde_json_path::JsonPath::parse(text).map_err(|error| {
            let message = match error.message() {
                "parser error" => "nothing that can be read begins here",
                message => message,
            };
            let message = format!("not JSONPath: {message}");
            let hint = "Write it as $.items[?@.state == 'open'].title.";
            error_at(text, error.position(), message, hint)
        })?;
        let searches_below = shape.descents > 0 || text.contains('?');
        Ok(Self { path, shape, searches_below })
    }

    /// What the path leads to, in its order; nothing where it leads nowhere.
    ///
    /// # Errors
    /// `TOO_LARGE` when the search could take too long on so much data.
    pub fn query<'v>(&self, data: &'v Value) -> Result<Vec<&'v Value>> {
        if self.searches_below {
            let size = measure(data)?;
            let depth = size.depth as u64;
            let again = depth.saturating_pow(self.shape.descents.saturating_sub(1));
            let filters = size.values.saturating_pow(self.shape.root_filters);
            allow(size.values.saturating_mul(again).saturating_mul(filters))?;
        }
        Ok(self.path.query(data).all())
    }
}
