//! Actions that speak HTTP.

mod answer;
mod ask;
mod body;
mod graphql;
mod pages;
mod request;
mod status;

use std::sync::Arc;

use devrig_core::Result;
use devrig_net::{Request, Response};
use serde_json::Value;

use crate::action::{Actions, Does};
use crate::network::Network;

/// Adds them.
///
/// # Errors
/// `CONFLICT` when one of the names is taken.
pub fn add_all(actions: &mut Actions, network: &Network) -> Result<()> {
    let request = request::Send { network: network.clone() };
    actions.add(request::ABOUT, Does::Work(Arc::new(request)))?;
    let graphql = graphql::Send { network: network.clone() };
    actions.add(graphql::ABOUT, Does::Work(Arc::new(graphql)))
}

/// The request that `http.request` makes of a config, for whoever asks outside of a run.
pub(crate) fn request(config: Value) -> Result<Request> {
    request::of(config)
}

/// # Errors
/// That of an answer whose status is none of success, with how long the server wants to rest.
pub(crate) fn check(response: &Response) -> Result<()> {
    status::check(response, None, true)
}

/// What an answer says, read as it says itself.
pub(crate) fn said(response: &Response) -> Result<Value> {
    let (_, said) = answer::body(response, answer::ReadAs::Auto)?;
    crate::actions::bounds::check(&said, "answer")?;
    Ok(said)
}

/// The value of a header, when it was given.
pub(crate) fn header<'a>(headers: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    ask::header(headers, wanted)
}
