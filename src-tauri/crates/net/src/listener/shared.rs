//! What the parts of one listener share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use devrig_core::{Code, Error, Result, SharedClock};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ListenerOptions;
use super::accept;
use super::gate::{Gate, Opening};
use super::hosts::Hosts;
use super::pace::Patience;
use super::route::Entry;
use super::routes::Routes;
use super::tally::Tally;

pub(super) struct Shared {
    pub clock: SharedClock,
    pub gate: Gate,
    pub hosts: Hosts,
    pub routes: Routes,
    pub patience: Patience,
    /// One for each connection.
    pub rooms: Arc<Semaphore>,
    capacity: usize,
    /// Connections and handlers.
    pub tasks: TaskTracker,
    /// Ends them all at once.
    pub kill: CancellationToken,
    /// What was refused before it came to a route.
    pub strays: Tally,
    crowded: AtomicU64,
}

impl Shared {
    pub(super) fn new(options: ListenerOptions, clock: SharedClock) -> Arc<Self> {
        Arc::new(Self {
            clock,
            gate: Gate::new(options.port),
            hosts: Hosts::default(),
            routes: Routes::default(),
            patience: Patience { head: options.head_within, rest: options.rest_within },
            rooms: Arc::new(Semaphore::new(options.connections)),
            capacity: options.connections,
            tasks: TaskTracker::new(),
            kill: CancellationToken::new(),
            strays: Tally::default(),
            crowded: AtomicU64::new(0),
        })
    }

    /// Adds the route, and opens the port for the first one.
    pub(super) fn enter(self: &Arc<Self>, entry: Arc<Entry>) -> Result<()> {
        let mut gate = self.gate.lock();
        if gate.ended {
            let text = format!("the listener was shut down, so {} is not added", entry.path);
            return Err(Error::new(Code::Cancelled, text));
        }
        self.routes.vacant(&entry)?;
        if gate.open.is_none() {
            gate.open = Some(self.open(gate.port)?);
        }
        self.routes.insert(entry);
        Ok(())
    }

    /// Opens the other port first, and gives what is to be closed then.
    pub(super) fn move_to(self: &Arc<Self>, port: u16) -> Result<Option<Arc<Opening>>> {
        let mut gate = self.gate.lock();
        let left = match &gate.open {
            Some(open) if open.address.port() != port => {
                let next = self.open(port)?;
                gate.open.replace(next)
            }
            _ => None,
        };
        gate.port = port;
        Ok(left)
    }

    fn open(self: &Arc<Self>, port: u16) -> Result<Arc<Opening>> {
        let (opening, socket) = Opening::bind(port)?;
        self.tasks.spawn(accept::run(Arc::clone(self), Arc::clone(&opening), socket));
        tracing::info!(address = %opening.address, "listening for webhooks");
        Ok(opening)
    }

    /// Removes the route; the acceptor is told that it may be the last.
    pub(super) fn leave(&self, entry: &Entry) {
        let gate = self.gate.lock();
        self.routes.remove(entry);
        if let Some(opening) = &gate.open
            && self.routes.is_empty()
        {
            opening.unused.notify_one();
        }
    }

    /// Under the lock that routes are added under: whoever adds one sees the port either open,
    /// and it stays so, or free to be taken again.
    pub(super) fn close_if_unused(&self, opening: &Arc<Opening>, socket: &mut Option<TcpListener>) {
        let mut gate = self.gate.lock();
        let ours = gate.open.as_ref().is_some_and(|open| Arc::ptr_eq(open, opening));
        if ours && self.routes.is_empty() {
            *socket = None;
            gate.open = None;
            opening.stop.cancel();
            tracing::info!(address = %opening.address, "no webhook is left, so the port is closed");
        }
    }

    pub(super) fn connections(&self) -> usize {
        self.capacity - self.rooms.available_permits()
    }

    /// A connection came for which there was no room.
    pub(super) fn crowded(&self) {
        self.crowded.fetch_add(1, Relaxed);
    }

    pub(super) fn crowded_out(&self) -> u64 {
        self.crowded.load(Relaxed)
    }
}
