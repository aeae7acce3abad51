//! Keeps the triggers of flows in step with the flows, and lends them the listener and the secrets.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Error, Result, Sensitive};
use devrig_flow::action::Actions;
use devrig_flow::limits;
use devrig_flow::network::Network;
use devrig_flow::plugins::PluginTriggers;
use devrig_flow::secrets::Secrets;
use devrig_flow::triggers::wait::WaitDoor;
use devrig_flow::triggers::{Surroundings, Triggers};
use devrig_flow::{Flows, Runs};
use devrig_inbox::Inbox;
use devrig_net::listener::{Listener, ListenerOptions, SecretSource};
use devrig_plugins::Plugins;
use devrig_secrets::{Scope, Vault};
use devrig_store::Store;
use tokio::sync::Mutex;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;

use crate::plugin_actions::{OfPlugins, OfTriggers};
use crate::settings;
use crate::tunnel::TunnelDesk;

/// The setting of the port.
pub(crate) const PORT: &str = "webhooks.port";
/// The setting of how much of each action goes on.
pub(crate) const LIMITS: &str = "flows.limits";
/// After reading the flows failed.
const AGAIN: Duration = Duration::from_secs(5);
/// What requests that are under way may take at the end.
const GRACE: Duration = Duration::from_secs(3);

/// The triggers of all flows, with the listener that some of them hear.
pub(crate) struct Hearing {
    pub triggers: Triggers,
    pub listener: Arc<Listener>,
    pub tunnel: TunnelDesk,
    door: Arc<WaitDoor>,
    runs: Runs,
    actions: Arc<Actions>,
    store: Store,
    /// Held while something is opened or closed.
    turn: Mutex<()>,
    closed: CancellationToken,
}

impl Hearing {
    pub async fn new(
        store: Store,
        flows: Flows,
        vault: Vault,
        inbox: Inbox,
        network: Network,
        plugins: Plugins,
    ) -> Result<Self> {
        let options = ListenerOptions { port: port(&store).await?, ..ListenerOptions::default() };
        let listener = Arc::new(Listener::new(options, store.clock().clone()));
        let secrets = Arc::new(FlowSecrets(vault));
        let (runs, actions) = (flows.runs().clone(), flows.actions().clone());
        let door = Arc::new(WaitDoor::new(runs.clone(), listener.clone()));
        runs.set_door(door.clone());
        let asked: Arc<dyn PluginTriggers> = Arc::new(OfPlugins(plugins.clone()));
        let surroundings = Surroundings {
            listener: listener.clone(),
            secrets,
            inbox,
            network,
            plugins: Some(asked),
        };
        let tunnel = TunnelDesk::new(listener.clone());
        let triggers = Triggers::new(flows, surroundings);
        plugins.set_sink(Arc::new(OfTriggers(triggers.clone())));
        let (turn, closed) = (Mutex::default(), CancellationToken::new());
        Ok(Self { triggers, listener, tunnel, door, runs, actions, store, turn, closed })
    }

    /// Follows the flows and the setting until it is closed.
    pub async fn follow(&self) {
        let mut changes = self.store.changes();
        loop {
            let again = match self.look().await {
                Ok(()) => Duration::MAX,
                Err(error) => {
                    tracing::warn!(%error, "the triggers could not follow the flows");
                    AGAIN
                }
            };
            tokio::select! {
                () = self.closed.cancelled() => break,
                () = tokio::time::sleep(again) => {}
                () = concerns(&mut changes) => {}
            }
        }
    }

    /// Takes no more requests, and lets those end that are under way.
    pub async fn close(&self) {
        self.closed.cancel();
        let _turn = self.turn.lock().await;
        // None may be open.
        let _ = self.tunnel.stop().await;
        self.triggers.stop().await;
        self.door.close();
        self.listener.shutdown(GRACE).await;
    }

    async fn look(&self) -> Result<()> {
        let _turn = self.turn.lock().await;
        if self.closed.is_cancelled() {
            return Ok(());
        }
        set_limits(&self.actions, &self.store).await?;
        self.listener.set_port(port(&self.store).await?).await?;
        if self.runs.await_requests().await? {
            self.door.open()?;
        }
        self.triggers.follow().await
    }
}

/// Sets how much of each action goes on, as the setting says.
///
/// # Errors
/// What reading meets.
pub(crate) async fn set_limits(actions: &Actions, store: &Store) -> Result<()> {
    match limits::read(&settings::value(store, LIMITS).await?) {
        Ok(limits) => actions.limits().set(limits),
        Err(error) => tracing::warn!(%error, "the limits of actions stay as they are"),
    }
    Ok(())
}

/// Returns when a flow or a setting changed.
async fn concerns(changes: &mut tokio::sync::broadcast::Receiver<Arc<[devrig_store::ChangeRow]>>) {
    loop {
        match changes.recv().await {
            Ok(rows) if rows.iter().any(|row| matches!(&*row.table, "flow" | "setting")) => return,
            Ok(_) => {}
            // What was missed may have been one of them.
            Err(RecvError::Lagged(_)) => return,
            Err(RecvError::Closed) => std::future::pending().await,
        }
    }
}

async fn port(store: &Store) -> Result<u16> {
    let value = settings::value(store, PORT).await?;
    let port = value.as_u64().and_then(|port| u16::try_from(port).ok());
    port.ok_or_else(|| Error::invalid(format!("{PORT} is {value}, which is no port")))
}

/// The secrets that flows name.
pub(crate) struct FlowSecrets(pub Vault);

impl Secrets for FlowSecrets {
    fn source(&self, name: &str) -> Arc<dyn SecretSource> {
        Arc::new(FlowSecret { vault: self.0.clone(), name: name.to_owned() })
    }
}

struct FlowSecret {
    vault: Vault,
    name: String,
}

#[async_trait]
impl SecretSource for FlowSecret {
    async fn secret(&self) -> Result<Sensitive<Vec<u8>>> {
        let found = self.vault.get(&Scope::Flows, &self.name).await?.ok_or_else(|| {
            let name = &self.name;
            Error::not_found(format!("the secret {name}"))
                .hint(format!("Store it: `devrig secret set {name}`."))
        })?;
        Ok(Sensitive::new(found.expose().clone().into_bytes()))
    }
}
