//! Lends flows what plugins can do.

use async_trait::async_trait;
use devrig_core::id::{AccountId, ItemId};
use devrig_core::protocol::FlowRef;
use devrig_core::{Error, Result};
use devrig_flow::action::Effect;
use devrig_flow::plugins::{
    PluginAccount, PluginAction, PluginActions, PluginAnswer, PluginConditions, PluginDeed,
    PluginQuestion, PluginState,
};
use devrig_plugins::{Plugins, Question, Wanted};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

/// The plugins of this engine, as flows see them.
pub(crate) struct OfPlugins(pub Plugins);

#[async_trait]
impl PluginActions for OfPlugins {
    fn plugin(&self, name: &str) -> Option<PluginState> {
        let about = self.0.about(name)?;
        let account = |(id, name): (AccountId, String)| PluginAccount { id: id.0, name };
        let accounts = about.accounts.into_iter().map(account).collect();
        Some(PluginState { stopped: about.stopped, accounts, conditions: about.conditions })
    }

    fn about(&self, plugin: &str, action: &str) -> Option<PluginAction> {
        let about = self.0.about_action(plugin, action)?;
        Some(PluginAction {
            effect: effect(about.writes),
            idempotent: about.idempotent,
            input: about.input,
            output: about.output,
        })
    }

    async fn perform(&self, deed: PluginDeed, token: &CancellationToken) -> Result<Value> {
        // A node that runs out of time is waited for no more. Its handler has to be told all the
        // same, so it is called from a task, which outlives this by what the telling takes.
        let token = token.child_token();
        let _told = token.clone().drop_guard();
        let (plugins, wanted) = (self.0.clone(), wanted(deed));
        let done = tokio::spawn(async move { plugins.perform(wanted, &token).await });
        done.await
            .unwrap_or_else(|error| Err(Error::internal(format!("calling a plugin: {error}"))))
    }
}

#[async_trait]
impl PluginConditions for OfPlugins {
    async fn ask(&self, question: PluginQuestion) -> Result<PluginAnswer> {
        let PluginQuestion { plugin, account, condition, args, flow: (id, name) } = question;
        let (account, flow) = (account.map(AccountId), FlowRef { id, name });
        let said = self.0.ask(Question { plugin, condition, account, args, flow }).await?;
        Ok(PluginAnswer { holds: said.holds, wrong: said.wrong })
    }
}

pub(crate) fn effect(writes: bool) -> Effect {
    if writes { Effect::Write } else { Effect::Read }
}

fn wanted(deed: PluginDeed) -> Wanted {
    let PluginDeed { call, input, item, told_of, key } = deed;
    Wanted {
        plugin: call.plugin,
        action: call.action,
        account: call.account.map(AccountId),
        item: item.map(ItemId),
        told_of: told_of.map(ItemId),
        input,
        key,
    }
}
