//! Whether a definition means something: its graph, its expressions, and what it names outside of
//! itself. Errors keep a flow from being saved as one that runs; warnings are told.

mod ancestors;
mod bits;
mod calls;
mod cycles;
mod edges;
mod expressions;
mod ids;
mod outside;
mod ports;
mod reach;
mod references;
mod scopes;
mod start;
mod triggers;
mod view;

pub use outside::{ActionShape, Fault, Findings, Outside, Reference, TriggerShape};
pub(crate) use triggers::input_of;

use super::model::Definition;
use super::problem::Problem;
use view::View;

/// More than anybody reads.
const MOST_PROBLEMS: usize = 200;

/// Everything that is wrong with a definition, errors first, otherwise in the order of the flow.
pub fn check(definition: &Definition, outside: &dyn Outside) -> Vec<Problem> {
    let view = View::new(definition, outside);
    start::check(&view);
    ids::check(&view);
    triggers::check(&view);
    edges::check(&view);
    for scope in &view.scopes.list {
        let cyclic = cycles::check(&view, scope);
        let reach = reach::Reach::of(&view, scope);
        start::check_disabled(&view, scope, &reach);
        if !cyclic {
            reach::check(&view, scope, &reach);
        }
    }
    ports::check(&view);
    calls::check(&view);
    expressions::check(&view);
    let mut problems = view.into_problems();
    problems.sort_by_key(|problem| problem.severity);
    problems.truncate(MOST_PROBLEMS);
    problems
}

#[cfg(test)]
mod tests;
