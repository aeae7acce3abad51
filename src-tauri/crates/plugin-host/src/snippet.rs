//! The worker as a runner of snippets: each run has an engine that nobody used before.
//!
//! Building an engine takes longer than most snippets run, so it is built once. All its memory
//! lies in one range of addresses ([`region`]), of which an image is kept from the moment before
//! the first run ([`images`]); before each run the range is put back to that image ([`machine`]).
//! What is compiled of a source is kept as what it changed in the image ([`cache`]), so that a
//! known source costs no compilation either.

mod cache;
mod console;
mod eval;
mod failure;
mod images;
mod machine;
mod meter;
mod natives;
mod outside;
mod place;
mod region;
mod runner;

pub use machine::{Machine, Outcome};
pub use runner::serve;
