//! Owner or guest: whoever starts gets an [`Api`] and need not care which.

use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use tokio::sync::{broadcast, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::api::Api;
use crate::api::engine::Role;
use crate::engine::{Engine, EngineParts};
use crate::events::{EngineEvent, EventStream};
use crate::lock::OwnerLock;
use crate::socket::Guest;

/// What kind of process owns the home folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OwnerKind {
    Window,
    /// `devrig start`.
    Headless,
    /// A short command, which owns for as long as it takes.
    Command,
}

impl OwnerKind {
    pub fn as_str(self) -> &'static str {
        match self {
            OwnerKind::Window => "window",
            OwnerKind::Headless => "headless",
            OwnerKind::Command => "command",
        }
    }
}

/// How long to wait for an owner that is starting or stopping.
const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);

/// What this process is now.
#[derive(Clone)]
enum Side {
    Owner(Engine),
    Guest(Arc<Guest>),
}

impl Side {
    fn api(&self) -> Arc<dyn Api> {
        match self {
            Side::Owner(engine) => Arc::new(engine.clone()),
            Side::Guest(guest) => guest.clone(),
        }
    }

    /// Owns the home folder when nobody does, else asks who does. A lock that is held while nobody
    /// answers belongs to a process that is starting or stopping, so it is worth a wait.
    async fn take(parts: &EngineParts) -> Result<Self> {
        let deadline = tokio::time::Instant::now() + PATIENCE;
        loop {
            if let Some(lock) = OwnerLock::try_acquire(&parts.home, parts.kind)? {
                return Ok(Side::Owner(Engine::start(parts.clone(), lock).await?));
            }
            match Guest::connect(&parts.home.socket()).await {
                Ok(guest) => return Ok(Side::Guest(Arc::new(guest))),
                Err(error) if error.code == Code::ProtocolMismatch => return Err(error),
                Err(_) if tokio::time::Instant::now() < deadline => {
                    tokio::time::sleep(PAUSE).await;
                }
                Err(_) => return Err(no_answer(parts)),
            }
        }
    }
}

fn no_answer(parts: &EngineParts) -> Error {
    let owner = OwnerLock::owner(&parts.home).map_or_else(String::new, |owner| {
        format!(" (process {}, {})", owner.pid, owner.kind.as_str())
    });
    Error::new(
        Code::OwnerElsewhere,
        format!("another DevRig{owner} holds the home folder and does not answer"),
    )
    .hint("Stop that process, then try again.")
}

/// A lasting connection. When the owner that a guest asks goes away, the guest takes over or finds
/// the next owner; calls made meanwhile wait for that.
#[derive(Clone)]
pub struct Connection {
    side: watch::Receiver<Option<Side>>,
    events: broadcast::Sender<EngineEvent>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Connection {
    pub async fn open(parts: EngineParts) -> Result<Self> {
        let first = Side::take(&parts).await?;
        let (sender, side) = watch::channel(Some(first.clone()));
        let (events, _) = broadcast::channel(4096);
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        let keeper = Keeper { parts, sender, events: events.clone(), stop: stop.clone() };
        tasks.spawn(keeper.keep(first));
        Ok(Self { side, events, stop, tasks })
    }

    /// The present way to ask; waits while the owner changes.
    pub async fn api(&self) -> Result<Arc<dyn Api>> {
        let mut side = self.side.clone();
        let side = side.wait_for(Option::is_some).await.map_err(|_| stopped())?;
        side.as_ref().map(Side::api).ok_or_else(stopped)
    }

    /// Events across every change of owner.
    pub fn events(&self) -> EventStream {
        crate::events::stream(self.events.subscribe())
    }

    pub fn role(&self) -> Option<Role> {
        self.side.borrow().as_ref().map(|side| side.api().role())
    }

    /// Ends when an owner was asked to stop.
    pub async fn stop_requested(&self) {
        let side = self.side.borrow().clone();
        match side {
            Some(Side::Owner(engine)) => engine.stop_requested().await,
            _ => std::future::pending().await,
        }
    }

    /// Stops the engine when it runs here; bounded.
    pub async fn close(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        let side = self.side.borrow().clone();
        if let Some(Side::Owner(engine)) = side {
            engine.shutdown().await;
        }
    }
}

fn stopped() -> Error {
    Error::new(Code::Cancelled, "DevRig is shutting down")
}

struct Keeper {
    parts: EngineParts,
    sender: watch::Sender<Option<Side>>,
    events: broadcast::Sender<EngineEvent>,
    stop: CancellationToken,
}

impl Keeper {
    async fn keep(self, mut side: Side) {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = self.follow(&side) => {}
            }
            let Side::Guest(_) = side else { return };
            // Calls wait from here until there is a side again.
            self.sender.send_replace(None);
            side = loop {
                match tokio::select! {
                    () = self.stop.cancelled() => return,
                    side = Side::take(&self.parts) => side,
                } {
                    Ok(side) => break side,
                    Err(error) => {
                        tracing::warn!(%error, "no owner yet");
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                }
            };
            let role = side.api().role();
            self.sender.send_replace(Some(side.clone()));
            let _ = self.events.send(EngineEvent::OwnerChanged { role });
            let _ = self.events.send(EngineEvent::Lagged);
        }
    }

    /// Passes events on until this side ends.
    async fn follow(&self, side: &Side) {
        use futures::StreamExt;
        let Ok(mut events) = side.api().events().await else { return };
        let closed = async {
            match side {
                Side::Guest(guest) => guest.closed().await,
                Side::Owner(_) => std::future::pending().await,
            }
        };
        tokio::pin!(closed);
        loop {
            tokio::select! {
                () = &mut closed => return,
                event = events.next() => match event {
                    Some(event) => drop(self.events.send(event)),
                    None => return,
                },
            }
        }
    }
}
