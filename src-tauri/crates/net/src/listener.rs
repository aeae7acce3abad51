//! The one local HTTP listener. Webhooks of flows, activity sources and webhook-driven sync
//! register routes here.
//!
//! It stands straight on hyper: there is one lookup and a fixed list of checks, so a router and a
//! stack of layers would cost at each request and decide nothing. It listens on 127.0.0.1 alone,
//! from the first route to the last; what the internet may reach goes through a
//! [`crate::tunnel::Tunnel`], which the person starts.

mod accept;
mod auth;
mod body;
mod connection;
mod delivery;
mod gate;
mod hosts;
mod pace;
mod path;
mod refusal;
mod reply;
mod route;
mod routes;
mod shared;
mod tally;
mod visit;

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use devrig_core::{Result, SharedClock};

pub use auth::{Auth, Encoding, Scheme, SecretSource};
pub use delivery::{Delivery, Handler};
pub use refusal::Reason;
pub use reply::Reply;
pub use route::{Route, RouteLimits};
pub use tally::Counts;

use route::Entry;
use shared::Shared;

/// How long killed tasks may take to be gone: they are dropped where they wait.
const AFTER_KILL: Duration = Duration::from_secs(1);

/// The bounds of the whole listener.
#[derive(Debug, Clone, Copy)]
pub struct ListenerOptions {
    /// Zero lets the system choose one at each opening.
    pub port: u16,
    /// Connections at once.
    pub connections: usize,
    /// From the first byte of a head to its last.
    pub head_within: Duration,
    /// Without a request; taking the reply to the last one counts.
    pub rest_within: Duration,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        Self {
            port: 0,
            connections: 256,
            head_within: Duration::from_secs(10),
            // cloudflared keeps its connections for 90 s, and loses a request that it sends on
            // one that we just closed.
            rest_within: Duration::from_secs(120),
        }
    }
}

/// The listener. Dropping it ends what it runs at once; [`Listener::shutdown`] is kinder.
pub struct Listener {
    shared: Arc<Shared>,
}

/// A route for as long as it is kept. Dropping it removes the route: requests that were let in
/// are finished, and behind the last route the port is closed.
#[must_use = "the route is removed when this is dropped"]
pub struct Registration {
    shared: Weak<Shared>,
    entry: Arc<Entry>,
}

/// What one route has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteStatus {
    pub path: String,
    pub owner: String,
    /// Whether a request has to prove where it comes from.
    pub protected: bool,
    /// Requests in its handler now, or with their body on the way.
    pub running: usize,
    pub counts: Counts,
}

/// What the listener is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenerStatus {
    /// While the port is open.
    pub address: Option<SocketAddr>,
    pub public_host: Option<String>,
    pub connections: usize,
    /// Connections that there was no room for.
    pub crowded_out: u64,
    /// What was refused before it came to a route.
    pub strays: Counts,
    /// In the order of their paths.
    pub routes: Vec<RouteStatus>,
}

impl Listener {
    /// Opens nothing yet.
    pub fn new(options: ListenerOptions, clock: SharedClock) -> Self {
        Self { shared: Shared::new(options, clock) }
    }

    /// Adds a route, and opens the port for the first one. Must be called within a tokio runtime.
    /// A path that is taken is a conflict that names its owner; a busy port is one too, and the
    /// route is not added.
    pub fn register(&self, route: Route) -> Result<Registration> {
        let entry = Arc::new(Entry::new(route)?);
        self.shared.enter(Arc::clone(&entry))?;
        Ok(Registration { shared: Arc::downgrade(&self.shared), entry })
    }

    /// Where it listens, while it does.
    pub fn address(&self) -> Option<SocketAddr> {
        self.shared.gate.address()
    }

    /// Moves to another port, at once if it is open, and returns when the old one is free. An
    /// error leaves everything as it was.
    pub async fn set_port(&self, port: u16) -> Result<()> {
        if let Some(left) = self.shared.move_to(port)? {
            left.stop.cancel();
            left.closed.cancelled().await;
        }
        Ok(())
    }

    /// The name under which a tunnel leads here, so that requests may ask for it.
    pub fn set_public_host(&self, host: Option<&str>) {
        self.shared.hosts.set_public(host);
    }

    pub fn status(&self) -> ListenerStatus {
        let shared = &self.shared;
        let routes = shared.routes.all();
        ListenerStatus {
            address: shared.gate.address(),
            public_host: shared.hosts.public(),
            connections: shared.connections(),
            crowded_out: shared.crowded_out(),
            strays: shared.strays.counts(),
            routes: routes.iter().map(|entry| entry.status()).collect(),
        }
    }

    /// Closes the port, lets requests finish within `patience`, then ends them. Routes cannot be
    /// added afterwards.
    pub async fn shutdown(&self, patience: Duration) {
        let open = {
            let mut gate = self.shared.gate.lock();
            gate.ended = true;
            gate.open.take()
        };
        if let Some(open) = open {
            open.stop.cancel();
        }
        self.shared.tasks.close();
        if tokio::time::timeout(patience, self.shared.tasks.wait()).await.is_err() {
            self.end_what_runs().await;
        }
    }

    async fn end_what_runs(&self) {
        for entry in self.shared.routes.all().iter().filter(|entry| entry.running() > 0) {
            let running = entry.running();
            tracing::warn!(path = %entry.path, running, "requests were ended by the shutdown");
        }
        self.shared.kill.cancel();
        let tasks = &self.shared.tasks;
        if tokio::time::timeout(AFTER_KILL, tasks.wait()).await.is_err() {
            tracing::warn!(left = tasks.len(), "a handler of webhooks does not let go");
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let mut gate = self.shared.gate.lock();
        gate.ended = true;
        gate.open = None;
        self.shared.kill.cancel();
    }
}

impl Registration {
    /// The path as it is kept.
    pub fn path(&self) -> &str {
        &self.entry.path
    }

    pub fn status(&self) -> RouteStatus {
        self.entry.status()
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.leave(&self.entry);
        }
    }
}

impl Entry {
    fn status(&self) -> RouteStatus {
        RouteStatus {
            path: self.path.to_string(),
            owner: self.owner.clone(),
            protected: !matches!(self.auth, Auth::None),
            running: self.running(),
            counts: self.tally.counts(),
        }
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").field("address", &self.address()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration").field("path", &self.path()).finish_non_exhaustive()
    }
}
