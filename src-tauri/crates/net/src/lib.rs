//! The one egress policy and HTTP client. Plugins, flows, AI and exporters reach the network
//! through [`Egress::fetch`] and nothing else.
//!
//! A URL is checked against the caller's grants; its name is resolved once; each address is
//! checked; the connection goes to a checked address; every redirect starts from the beginning.
//!
//! And the one way in: [`listener`], a local HTTP server for webhooks, with [`tunnel`] for those
//! that come from outside.

mod address;
mod body;
mod chain;
mod client;
mod connect;
mod grant;
mod headers;
mod limits;
pub mod listener;
pub mod outliving;
mod policy;
mod pool;
mod redirect;
#[cfg(feature = "testnet")]
pub mod testnet;
pub mod tunnel;

pub use address::{AddressClass, classify, is_global};
pub use client::{
    DEFAULT_MAX_BODY, DEFAULT_TIMEOUT, Egress, EgressParts, Hooks, HopRequest, MAX_REDIRECTS,
    Redirect, Request, Response,
};
pub use connect::{Dialer, Proxy, Resolver, Roots, SystemDialer, SystemResolver};
pub use grant::Grant;
pub use http::header::{HeaderMap, HeaderName, HeaderValue};
pub use http::{Method, StatusCode};
pub use limits::{CallerId, CallerLimits};
pub use policy::{Allowed, Refusal, Rule, check_address, check_url, join_url, parse_url};
pub use url::Url;
