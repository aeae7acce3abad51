//! The way in from the internet.

use std::process::ExitCode;

use devrig_core::Result;
use devrig_engine::api::tunnel::{TunnelStartArgs, TunnelStatus};
use devrig_engine::{Api, NoArgs};

use crate::args::Tunnel;
use crate::output::Output;

pub async fn run(command: Tunnel, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Tunnel::Status => output.show(&api.tunnel_status(NoArgs {}).await?, people),
        Tunnel::Start { command } => {
            let command = (!command.is_empty()).then_some(command);
            output.show(&api.tunnel_start(TunnelStartArgs { command }).await?, people)
        }
        Tunnel::Stop => {
            api.tunnel_stop(NoArgs {}).await?;
            output.done("The tunnel is closed.")
        }
    }
}

fn people(status: &TunnelStatus) -> String {
    let root = status.public_url.as_ref().or(status.address.as_ref());
    let mut lines = vec![match (&status.public_url, &status.ended) {
        (Some(url), _) => format!("open: {url}"),
        (None, Some(ended)) => format!("closed: {}", ended.message),
        (None, None) => "closed".to_owned(),
    }];
    for hook in &status.webhooks {
        let root = root.map_or("", |root| root.trim_end_matches('/'));
        let who = if hook.protected { "signed" } else { "anybody may call it" };
        lines.push(format!("{root}{}  {} ({who})", hook.path, hook.owner));
    }
    if status.public_url.is_some() {
        lines.push(status.exposes.clone());
    }
    lines.join("\n")
}
