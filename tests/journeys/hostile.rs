//! Plugins that misbehave on purpose, against the whole engine: one file for each letter of the
//! suite, one row for each way. The standing oracle is [`devrig_tests::oracle`].
//!
//! What only the worker can answer for (B4, B6, C2, C3, C8 in every variant) is tried in
//! `devrig-plugin-host` as well; here the same code runs as an installed plugin.

mod a_cpu;
mod b_memory;
mod c_integrity;
mod d_network;
mod e_secrets;
mod f_data;
