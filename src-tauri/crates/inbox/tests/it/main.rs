//! The inbox on a fresh file with the real migrations and the real writer.

mod outbox;
mod rig;
mod rules;
mod search;
mod source;
mod triage;
mod undo;
