//! The one evaluator of expressions: conditions, templates, queries and schedules, for flows, AI
//! filters and the routing of exports.
//!
//! Everything here decides and nothing acts: text is compiled once, with errors that name the
//! place, and evaluated on borrowed data. Whatever the input, nothing panics, and depth, size and
//! work are bounded.

pub mod condition;
pub mod config;
pub mod cron;
pub mod data;
mod instant;
pub mod number;
pub mod path;
mod place;
pub mod query;
pub mod reference;
pub mod template;
pub mod view;
mod zone;

pub use condition::{Answers, Condition, Question, Verdict};
pub use config::Config;
pub use cron::Schedule;
pub use data::Data;
pub use number::Number;
pub use path::{Path, Step};
pub use query::{JmesPath, JsonPath};
pub use reference::Reference;
pub use template::{Escape, Limits, Options, Template};
pub use view::View;
