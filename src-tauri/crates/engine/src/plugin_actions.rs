//! Lends flows what plugins can do.

use std::sync::Arc;

use async_trait::async_trait;
use devrig_core::id::{AccountId, ItemId};
use devrig_core::protocol::{self, FlowRef};
use devrig_core::{Error, Result};
use devrig_flow::action::Effect;
use devrig_flow::hooks::{
    Around, HookAnswers, HookCall, HookOutcome, HookedAction, PluginHooks, Refusal, Silence,
};
use devrig_flow::plugins::{
    PluginAccount, PluginAction, PluginActions, PluginAnswer, PluginConditions, PluginDeed,
    PluginEvent, PluginPoll, PluginQuestion, PluginState, PluginTriggers, Polled, TriggerAbout,
};
use devrig_flow::triggers::Triggers;
use devrig_plugins::{HookSilence, Plugins, Poll, Question, TriggerFired, TriggerSink, Wanted};
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
        let triggers = self.0.about_triggers(name).into_iter().map(trigger).collect();
        let (stopped, conditions) = (about.stopped, about.conditions);
        Some(PluginState { stopped, accounts, conditions, triggers })
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

#[async_trait]
impl PluginTriggers for OfPlugins {
    async fn poll(&self, poll: PluginPoll, token: &CancellationToken) -> Result<Polled> {
        // As with actions: a handler that nobody waits for is told so.
        let token = token.child_token();
        let _told = token.clone().drop_guard();
        let PluginPoll { plugin, account, trigger, config, cursor, flow: (id, name) } = poll;
        let (account, flow) = (account.map(AccountId), FlowRef { id, name });
        let poll = Poll { plugin, trigger, account, config, cursor, flow };
        let plugins = self.0.clone();
        let asked = tokio::spawn(async move { plugins.poll(poll, &token).await });
        let polled = asked
            .await
            .unwrap_or_else(|error| Err(Error::internal(format!("asking a plugin: {error}"))))?;
        let devrig_plugins::Polled { events, cursor, has_more } = polled;
        Ok(Polled { events, cursor, has_more })
    }
}

#[async_trait]
impl PluginHooks for OfPlugins {
    fn any(&self) -> bool {
        self.0.has_hooks()
    }

    fn around(&self, action: &HookedAction) -> Around {
        let (before, after) = self.0.hooks_around(action.plugin.as_deref(), &action.name);
        Around { before, after }
    }

    async fn before(&self, call: &Arc<HookCall>) -> HookAnswers {
        let said = self.0.before_action(&seen(call)).await;
        let refused = said.refused.map(|(plugin, reason)| Refusal { plugin, reason });
        let silence =
            |HookSilence { plugin, why, rests }: HookSilence| Silence { plugin, why, rests };
        HookAnswers { refused, silent: said.silent.into_iter().map(silence).collect() }
    }

    fn after(&self, call: Arc<HookCall>, outcome: HookOutcome) {
        self.0.after_action(seen(&call), went(outcome), call.depth);
    }
}

/// The triggers of this engine, as plugins fire them.
pub(crate) struct OfTriggers(pub Triggers);

#[async_trait]
impl TriggerSink for OfTriggers {
    async fn fire(&self, event: TriggerFired) -> Result<u32> {
        let TriggerFired { plugin, account, is_only_account, trigger, payload, id, depth } = event;
        let account = account.0;
        let event = PluginEvent { plugin, account, is_only_account, trigger, payload, id, depth };
        self.0.take(&event).await
    }
}

fn trigger(about: devrig_plugins::TriggerAbout) -> TriggerAbout {
    let devrig_plugins::TriggerAbout { id, config, payload, sample, poll_ms, .. } = about;
    TriggerAbout { name: id, config, payload, sample, poll_ms }
}

pub(crate) fn effect(writes: bool) -> Effect {
    if writes { Effect::Write } else { Effect::Read }
}

/// An attempt, as the hooks of plugins see it.
fn seen(call: &HookCall) -> protocol::HookCall {
    let (id, name) = call.flow.clone();
    let effect = if call.effect == Effect::Write { "write" } else { "read" };
    protocol::HookCall {
        flow: FlowRef { id, name },
        run: call.run.clone(),
        node: call.node.clone(),
        attempt: call.attempt,
        plugin: call.action.plugin.clone(),
        action: call.action.name.clone(),
        effect: effect.to_owned(),
        input: call.input.clone(),
        left_out: call.left_out.clone(),
    }
}

fn went(outcome: HookOutcome) -> protocol::HookOutcome {
    let HookOutcome { error, took, output, output_left_out } = outcome;
    let error = error.map(|error| {
        let (code, message) = (error.code.as_str().to_owned(), error.message);
        protocol::HookError { code, message }
    });
    let duration_ms = took.as_secs_f64() * 1_000.0;
    protocol::HookOutcome { ok: error.is_none(), error, duration_ms, output, output_left_out }
}

fn wanted(deed: PluginDeed) -> Wanted {
    let PluginDeed { call, input, item, told_of, key, depth } = deed;
    Wanted {
        plugin: call.plugin,
        action: call.action,
        account: call.account.map(AccountId),
        item: item.map(ItemId),
        told_of: told_of.map(ItemId),
        input,
        key,
        depth,
    }
}
