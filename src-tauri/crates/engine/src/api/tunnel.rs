//! The way in for webhooks: what listens on this machine, and the tunnel to it.

use devrig_core::{Error, Result};
use devrig_net::tunnel::{EXPOSES, TunnelKind, TunnelState};
use serde::{Deserialize, Serialize};

use super::NoArgs;
use crate::Engine;

/// What the internet reaches, or would.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct TunnelStatus {
    /// Where webhooks listen on this machine, while there are any.
    pub address: Option<String>,
    /// The address on the internet, while a tunnel is open.
    pub public_url: Option<String>,
    /// Why the last tunnel ended.
    pub ended: Option<Error>,
    pub webhooks: Vec<WebhookInfo>,
    /// What an open tunnel means, in words for a person.
    pub exposes: String,
}

/// A path that listens.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "camelCase")]
pub struct WebhookInfo {
    pub path: String,
    /// Whose it is.
    pub owner: String,
    /// Whether a request has to prove where it comes from.
    pub protected: bool,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize, specta::Type)]
#[serde(deny_unknown_fields)]
pub struct TunnelStartArgs {
    /// Program and arguments, `{port}` standing for the port; cloudflared when absent.
    #[serde(default)]
    pub command: Option<Vec<String>>,
}

pub(super) async fn status(engine: &Engine, _: NoArgs) -> Result<TunnelStatus> {
    let hearing = engine.hearing();
    let listener = hearing.listener.status();
    let (public_url, ended) = match hearing.tunnel.state().await {
        Some(TunnelState::Open(url)) => (Some(url.to_string()), None),
        Some(TunnelState::Ended(error)) => (None, Some(error)),
        None => (None, None),
    };
    let webhooks = listener.routes.into_iter().map(|route| WebhookInfo {
        path: route.path,
        owner: route.owner,
        protected: route.protected,
    });
    Ok(TunnelStatus {
        address: listener.address.map(|address| format!("http://{address}")),
        public_url,
        ended,
        webhooks: webhooks.collect(),
        exposes: EXPOSES.to_owned(),
    })
}

pub(super) async fn start(engine: &Engine, args: TunnelStartArgs) -> Result<TunnelStatus> {
    let kind = args.command.map_or(TunnelKind::Cloudflared, TunnelKind::Command);
    engine.hearing().tunnel.start(&kind).await?;
    status(engine, NoArgs {}).await
}

pub(super) async fn stop(engine: &Engine, _: NoArgs) -> Result<()> {
    engine.hearing().tunnel.stop().await
}
