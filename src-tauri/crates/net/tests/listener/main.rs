//! A real listener on loopback, and clients that write every byte themselves.

mod auth;
mod life;
mod limits;
mod rig;
mod wire;
