//! Plugins: what they are, what they may, how they run, and when they sync.
//!
//! A plugin runs as one worker process for each account, without authority; every effect is a
//! message that the broker checks against what the manifest declares and the person granted
//! (DESIGN §6). First-party plugins have no other door.

mod access;
mod broker;
mod check;
mod connection;
mod core;
mod failures;
mod hooks;
pub mod info;
mod install;
mod logs;
mod manifest;
mod opener;
mod outbox;
mod package;
mod permission;
mod placeholder;
mod plugins;
mod position;
mod schema;
mod scrub;
mod seat;
mod sync;
mod table;
mod text;
mod worker;

pub use core::PluginEvent;
pub use opener::{Opener, SystemOpener};
pub use plugins::{
    ActionAbout, ConditionAbout, HookAnswers, HookSilence, PluginAbout, Plugins, PluginsParts,
    Poll, Polled, Question, Said, TriggerAbout, TriggerFired, TriggerSink, Wanted,
};
