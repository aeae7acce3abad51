//! How the model is read from JSON and written to it. Reading goes on after a problem, so that a
//! person sees all of them at once: what is wrong stands in the list, and its default takes its
//! place in a value that nobody gets.

mod at;
mod nearest;
mod object;
mod place;
mod words;
mod writer;

pub(crate) use at::{At, Gathered, Owner};
pub(crate) use nearest::{did_you_mean, nearest};
pub(crate) use object::Object;
pub(crate) use place::Place;
pub(crate) use words::{Word, words};
pub(crate) use writer::{Writer, serde_by_wire};
