//! What an action that only computes is made of, and how it is run within its bounds.

use devrig_core::{Error, Result};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::bounds;
use crate::action::{About, Actions, Does};

/// An action as a function from its config to its output.
pub(super) trait Compute {
    const ABOUT: About;
    type Input: DeserializeOwned;

    fn compute(input: Self::Input) -> Result<Value>;
}

pub(super) fn add<C: Compute>(actions: &mut Actions) -> Result<()> {
    actions.add(C::ABOUT, Does::Pure(run::<C>))
}

pub(super) fn run<C: Compute>(input: Value) -> Result<Value> {
    bounded::<C>(input).map_err(|error| brief(error.context(C::ABOUT.name)))
}

/// Names that stand in the data are told, and may be as long as the data.
fn brief(mut error: Error) -> Error {
    if let Some((end, _)) = error.message.char_indices().nth(LONGEST_MESSAGE) {
        error.message.truncate(end);
        error.message.push('…');
    }
    error
}

/// In characters.
const LONGEST_MESSAGE: usize = 400;

fn bounded<C: Compute>(input: Value) -> Result<Value> {
    bounds::check(&input, "input")?;
    let input = serde_json::from_value(input).map_err(|error| unread(&error))?;
    let output = C::compute(input)?;
    bounds::check(&output, "output")?;
    Ok(output)
}

/// Only what names a field is repeated: other messages quote the value, which may be a secret.
pub(super) fn unread(error: &serde_json::Error) -> Error {
    let text = error.to_string();
    let told = match text.split_once(" field ") {
        Some(("missing" | "unknown", _)) => text,
        _ => "a field is of another kind than the action takes".to_owned(),
    };
    Error::invalid(told).hint("Compare the config with the action's example.")
}
