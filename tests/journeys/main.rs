//! Journeys across crates: a real engine, the tests' own internet, real workers.

mod basics;
#[cfg(target_os = "linux")]
mod crash;
#[cfg(unix)]
mod example_flows;
mod flow_commands;
mod flow_plugin_conditions;
mod flow_plugin_hooks;
mod flow_plugin_triggers;
mod flow_plugins;
mod flows;
#[cfg(target_os = "linux")]
mod hostile;
mod notices;
#[cfg(target_os = "linux")]
mod offline;
mod reference;
#[cfg(target_os = "linux")]
mod secrets;
