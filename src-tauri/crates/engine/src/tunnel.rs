//! The one tunnel through which the internet reaches the listener, while the person wants it.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use devrig_core::{Code, Error, Result};
use devrig_net::listener::Listener;
use devrig_net::tunnel::{Tunnel, TunnelKind, TunnelOptions, TunnelState};
use tokio::sync::Mutex;

/// What the program is given of our environment.
const PASSED_ON: [&str; 11] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "TMPDIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_RUNTIME_DIR",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
];
/// Quick tunnels take some seconds to get their name.
const PATIENCE: Duration = Duration::from_secs(30);

/// A handle on the tunnel. Cheap to clone.
#[derive(Clone)]
pub(crate) struct TunnelDesk {
    listener: Arc<Listener>,
    open: Arc<Mutex<Option<Arc<Tunnel>>>>,
}

impl TunnelDesk {
    pub fn new(listener: Arc<Listener>) -> Self {
        Self { listener, open: Arc::default() }
    }

    /// Starts a tunnel to the listener's port, and returns when its address is known.
    ///
    /// # Errors
    /// `CONFLICT` when one is open or nothing listens; what starting the program meets.
    pub async fn start(&self, kind: &TunnelKind) -> Result<()> {
        let mut open = self.open.lock().await;
        if open.as_ref().is_some_and(|tunnel| tunnel.public_url().is_some()) {
            return Err(Error::new(Code::Conflict, "a tunnel is open already")
                .hint("`devrig tunnel status` shows it; `devrig tunnel stop` ends it."));
        }
        let address = self.listener.address().ok_or_else(|| {
            Error::new(Code::Conflict, "no webhook listens, so a tunnel would lead nowhere")
                .hint("Enable a flow with a webhook trigger first.")
        })?;
        let tunnel = Arc::new(Tunnel::start(kind, address.port(), &options()).await?);
        let host = tunnel.public_url().and_then(|url| url.host_str().map(str::to_owned));
        self.listener.set_public_host(host.as_deref());
        *open = Some(tunnel.clone());
        drop(open);
        let desk = self.clone();
        tokio::spawn(async move { desk.after(&tunnel).await });
        Ok(())
    }

    /// Takes the name back when the tunnel has ended, unless another one has its own by then.
    async fn after(&self, tunnel: &Arc<Tunnel>) {
        let why = tunnel.ended().await;
        tracing::info!(%why, "the tunnel is closed");
        let open = self.open.lock().await;
        if open.as_ref().is_none_or(|now| Arc::ptr_eq(now, tunnel)) {
            self.listener.set_public_host(None);
        }
    }

    /// How the last tunnel stands, if there was one.
    pub async fn state(&self) -> Option<TunnelState> {
        self.open.lock().await.as_ref().map(|tunnel| tunnel.state())
    }

    /// Ends the tunnel.
    ///
    /// # Errors
    /// `NOTHING_TO_DO` when none is open.
    pub async fn stop(&self) -> Result<()> {
        match self.open.lock().await.take() {
            Some(tunnel) if tunnel.public_url().is_some() => {
                tunnel.stop().await;
                Ok(())
            }
            _ => Err(Error::new(Code::NothingToDo, "no tunnel is open")),
        }
    }
}

fn options() -> TunnelOptions {
    let value = |name: &&str| Some((OsString::from(name), std::env::var_os(name)?));
    TunnelOptions { environment: PASSED_ON.iter().filter_map(value).collect(), patience: PATIENCE }
}
