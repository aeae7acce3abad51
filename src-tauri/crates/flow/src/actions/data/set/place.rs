//! Setting and taking away what a path leads to.

use devrig_core::{Error, Result};
use devrig_expr::{Path, Step, View};
use serde_json::{Map, Value};

/// Deeper than any output may be.
const MOST_STEPS: usize = crate::actions::bounds::DEEPEST;

/// Sets it, and makes what is missing on the way.
pub(super) fn set(root: &mut Value, path: &Path, value: Value) -> Result<()> {
    let steps = path.steps();
    if steps.is_empty() || steps.len() > MOST_STEPS {
        let what = if steps.is_empty() { "empty" } else { "longer than an object is deep" };
        return Err(
            Error::invalid(format!("the path is {what}")).hint("Name a field: author.name.")
        );
    }
    let mut here = root;
    for (at, step) in steps.iter().enumerate() {
        here = inside(here, step, &steps[..at])?;
    }
    *here = value;
    Ok(())
}

fn inside<'v>(here: &'v mut Value, step: &Step, before: &[Step]) -> Result<&'v mut Value> {
    if here.is_null() {
        *here = beginning(step);
    }
    match here {
        Value::Object(map) => Ok(map.entry(step.name()).or_insert(Value::Null)),
        Value::Array(list) => element(list, step, before),
        other => Err(Error::invalid(format!(
            "{} is {}, so nothing can be set inside of it",
            place(before),
            View::of(other).kind()
        ))
        .hint("Take it away first, or choose another name.")),
    }
}

/// A number names an element only where a list begins: `counts.404` is a field.
fn beginning(step: &Step) -> Value {
    if step.name() == "0" { Value::Array(Vec::new()) } else { Value::Object(Map::new()) }
}

fn element<'v>(list: &'v mut Vec<Value>, step: &Step, before: &[Step]) -> Result<&'v mut Value> {
    let Some(index) = step.index() else {
        return Err(Error::invalid(format!("{} is a list, not an object", place(before)))
            .hint("Name an element by its number, counted from 0: [0]."));
    };
    let length = list.len();
    if index == length {
        list.push(Value::Null);
    }
    list.get_mut(index).ok_or_else(|| {
        Error::invalid(format!("{} has {length} elements, so there is no [{index}]", place(before)))
            .hint(format!("Add the next one with [{length}]."))
    })
}

/// Takes it away, if it is there.
pub(super) fn remove(root: &mut Value, path: &Path) {
    let Some((last, before)) = path.steps().split_last() else { return };
    match before.iter().try_fold(root, present) {
        Some(Value::Object(map)) => {
            map.shift_remove(last.name());
        }
        Some(Value::Array(list)) => {
            if let Some(index) = last.index().filter(|index| *index < list.len()) {
                list.remove(index);
            }
        }
        _ => {}
    }
}

fn present<'v>(here: &'v mut Value, step: &Step) -> Option<&'v mut Value> {
    match here {
        Value::Object(map) => map.get_mut(step.name()),
        Value::Array(list) => step.index().and_then(|index| list.get_mut(index)),
        _ => None,
    }
}

fn place(steps: &[Step]) -> String {
    match steps {
        [] => "the object".to_owned(),
        steps => Path::new(steps.iter().cloned()).to_string(),
    }
}
