//! The way of flows to the network: each reaches what it may, through the one policy.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::{Code, Error, Result};
use devrig_net::{CallerId, CallerLimits, Egress, Hooks, HopRequest, Method, Request, Response};

use crate::permissions::Permissions;

/// A flow may be busy on purpose, and has breakers of its own where it wants them.
const LIMITS: CallerLimits = CallerLimits {
    concurrency: 32,
    queue: 10_000,
    burst: 1_000,
    per_second: 200.0,
    breaker: false,
};

/// Headers that say nothing about who asks, and so may follow to another host.
const FOLLOWING: [&str; 4] = ["accept", "accept-language", "content-type", "user-agent"];

/// A handle on the network. Cheap to clone.
#[derive(Clone)]
pub struct Network {
    egress: Arc<Egress>,
    /// Flows whose limits are set.
    known: Arc<Mutex<HashSet<String>>>,
}

impl Network {
    pub fn new(egress: Arc<Egress>) -> Self {
        Self { egress, known: Arc::default() }
    }

    /// Sends a request where the flow may, and reads the whole answer, whatever its status.
    ///
    /// # Errors
    /// `REFUSED` with how to allow it; `NETWORK`, `TIMEOUT` and `TOO_LARGE`.
    pub async fn fetch(
        &self,
        flow: &str,
        permissions: &Permissions,
        request: Request,
    ) -> Result<Response> {
        let caller = self.caller(flow);
        let fetched = self.egress.fetch(&caller, request, &permissions.grants(), &StaysHome).await;
        fetched.map_err(told)
    }

    fn caller(&self, flow: &str) -> CallerId {
        let caller = CallerId(format!("flow:{flow}"));
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        // Setting limits forgets who waits, so it is done once.
        if known.insert(flow.to_owned()) {
            self.egress.set_limits(caller.clone(), LIMITS);
        }
        caller
    }
}

/// A flow's headers may hold secrets under any name, and so may its bodies: neither follows a
/// redirect to another host, allowed or not.
struct StaysHome;

impl Hooks for StaysHome {
    fn before_hop(&self, hop: &mut HopRequest<'_>) -> Result<()> {
        if !hop.left_host {
            return Ok(());
        }
        if !matches!(*hop.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            let host = hop.url.host_str().unwrap_or_default();
            let what = format!("the server sends this {} on to {host}", hop.method);
            return Err(Error::new(Code::Refused, what)
                .hint(format!("Ask {host} itself, if what is sent may go there.")));
        }
        hop.headers.retain(|(name, _)| FOLLOWING.contains(&name.to_ascii_lowercase().as_str()));
        Ok(())
    }
}

/// The client's error as a flow's author can act on it.
fn told(error: Error) -> Error {
    if error.code == Code::TooLarge {
        return error.permanent();
    }
    let grant = error.details.as_ref().and_then(|details| details.get("grant")?.as_str());
    let Some(grant) = grant.map(str::to_owned) else { return error };
    let quoted = if grant.contains(' ') { format!("{grant:?}") } else { grant.clone() };
    let rule = error.details.as_ref().map(|details| details["rule"].clone());
    error
        .hint(format!("If it should be reached, allow it: `devrig flow allow FLOW {quoted}`."))
        .details(serde_json::json!({ "rule": rule, "permission": grant }))
}
