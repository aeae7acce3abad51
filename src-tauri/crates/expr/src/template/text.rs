//! Values as text.

use std::borrow::Cow;

use super::budget::Budget;
use devrig_core::Result;

use crate::view::View;

/// What becomes of characters that mean something in HTML.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Escape {
    /// `{{x}}` is written as it is, for commands, messages and JSON. An object is written as JSON.
    #[default]
    None,
    /// As handlebars.js does it, where that is odd too: `{{x}}` is escaped, an object is
    /// `[object Object]`, and a block whose context equals the one outside is no level for `../`.
    Html,
}

/// Deeper lists are left out; no JSON that was read from text has them.
const DEEPEST: usize = 300;

/// A single value's text, borrowed where it is text already. Lists are not single values.
pub(crate) fn scalar(view: View<'_>) -> Option<Cow<'_, str>> {
    match view {
        View::Null => Some(Cow::Borrowed("")),
        View::Bool(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
        View::Number(number) => Some(Cow::Owned(number.to_string())),
        View::List(_) | View::Map(_) | View::Object(_) => None,
        text => text.text().map(Cow::Borrowed),
    }
}

/// As compact JSON. An object of roots shows no secret in it: only who names one gets it.
pub(crate) fn json(view: View<'_>) -> String {
    // Serialising a map of values cannot fail; a key that is no text could, and JSON has none.
    match view {
        View::Map(map) => serde_json::to_string(map).unwrap_or_default(),
        View::List(list) => serde_json::to_string(list).unwrap_or_default(),
        view => view.to_masked_value().to_string(),
    }
}

/// The text of anything: elements of a list with commas between them.
pub(crate) fn write(
    view: View<'_>,
    escape: Escape,
    out: &mut String,
    budget: &mut Budget,
) -> Result<()> {
    write_nested(view, escape, DEEPEST, out, budget)
}

fn write_nested(
    view: View<'_>,
    escape: Escape,
    depth: usize,
    out: &mut String,
    budget: &mut Budget,
) -> Result<()> {
    match view {
        View::List(list) if depth > 0 => {
            for (index, value) in list.iter().enumerate() {
                push(if index > 0 { "," } else { "" }, out, budget)?;
                budget.step()?;
                write_nested(View::of(value), escape, depth - 1, out, budget)?;
            }
            Ok(())
        }
        View::Map(_) | View::Object(_) => match escape {
            Escape::Html => push("[object Object]", out, budget),
            Escape::None => push(&json(view), out, budget),
        },
        view => push(&scalar(view).unwrap_or_default(), out, budget),
    }
}

fn push(text: &str, out: &mut String, budget: &mut Budget) -> Result<()> {
    budget.write(text.len())?;
    out.push_str(text);
    Ok(())
}

/// The entity of each character that handlebars.js escapes.
fn entity(byte: u8) -> Option<&'static str> {
    match byte {
        b'&' => Some("&amp;"),
        b'<' => Some("&lt;"),
        b'>' => Some("&gt;"),
        b'"' => Some("&quot;"),
        b'\'' => Some("&#x27;"),
        b'`' => Some("&#x60;"),
        b'=' => Some("&#x3D;"),
        _ => None,
    }
}

/// Replaces what was written from `from` on by its escaped form.
pub(super) fn escape_tail(out: &mut String, from: usize, budget: &mut Budget) -> Result<()> {
    let tail = &out[from..];
    let Some(first) = tail.bytes().position(|byte| entity(byte).is_some()) else { return Ok(()) };
    let tail = tail[first..].to_owned();
    out.truncate(from + first);
    let mut kept = 0;
    for (at, byte) in tail.bytes().enumerate() {
        let Some(entity) = entity(byte) else { continue };
        budget.write(entity.len() - 1)?;
        out.push_str(&tail[kept..at]);
        out.push_str(entity);
        kept = at + 1;
    }
    out.push_str(&tail[kept..]);
    Ok(())
}
