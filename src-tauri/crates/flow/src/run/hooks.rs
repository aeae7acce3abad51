//! Plugins around one attempt of an action: asked whether it may be, told how it went.

use std::sync::Arc;
use std::time::Instant;

use devrig_core::{Code, Error, Result};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Walker;
use crate::action::{Action, Effect, Level, Log as _};
use crate::hooks::{Around, HookCall, HookOutcome, HookedAction, PluginHooks, shown};
use crate::payloads::{LARGE, weight};
use crate::plugins::short;
use crate::program::Step;
use crate::secrets::Masks;

/// What is about to be attempted.
pub(super) struct Attempt<'a> {
    pub step: &'a Step,
    pub action: &'a dyn Action,
    pub effect: Effect,
    pub path: &'a str,
    pub number: u32,
    pub input: &'a Value,
}

/// An attempt that hooks let pass, and of which some want to know how it goes.
pub(super) struct Hooked<'a> {
    hooks: Arc<dyn PluginHooks>,
    call: Arc<HookCall>,
    masks: &'a Masks,
    token: &'a CancellationToken,
}

/// An attempt that goes on. Whoever stops waiting for it drops this, which is told as well.
#[must_use]
pub(super) struct Going<'a> {
    hooked: Hooked<'a>,
    begun: Instant,
    told: bool,
}

impl Walker<'_> {
    /// Asks the hooks around an attempt, where it reaches out and has any.
    ///
    /// # Errors
    /// `REFUSED` where a plugin does not want it done; `CANCELLED` with the run.
    pub(super) async fn ask_hooks(&self, attempt: Attempt<'_>) -> Result<Option<Hooked<'_>>> {
        let Some(hooks) = self.others.hooks().filter(|hooks| hooks.any()) else { return Ok(None) };
        if attempt.effect == Effect::Pure || self.stand_in.is_some() {
            return Ok(None);
        }
        let action = name(&attempt);
        let around = hooks.around(&action);
        if around.is_nothing() {
            return Ok(None);
        }
        // Apart, so that an action without hooks has no room for all that in its future.
        Box::pin(self.ask(hooks.clone(), around, attempt, action)).await
    }

    async fn ask(
        &self,
        hooks: Arc<dyn PluginHooks>,
        around: Around,
        attempt: Attempt<'_>,
        action: HookedAction,
    ) -> Result<Option<Hooked<'_>>> {
        let call = Arc::new(self.call(attempt, action));
        if around.before {
            tokio::select! {
                passed = self.pass_hooks(&*hooks, &call) => passed?,
                () = self.token.cancelled() => {
                    return Err(Error::new(Code::Cancelled, "the run was cancelled"));
                }
            }
        }
        let masks = self.journal.masks();
        Ok(around.after.then(|| Hooked { hooks, call, masks, token: &self.token }))
    }

    async fn pass_hooks(&self, hooks: &dyn PluginHooks, call: &Arc<HookCall>) -> Result<()> {
        let answers = hooks.before(call).await;
        for silence in answers.silent {
            self.journal.say(Level::Warn, &silence.told(&call.action));
        }
        match answers.refused {
            Some(refusal) => Err(refusal.into_error(&call.action)),
            None => Ok(()),
        }
    }

    fn call(&self, attempt: Attempt<'_>, action: HookedAction) -> HookCall {
        let masks = self.journal.masks();
        let (input, left_out) = shown(attempt.input);
        let run = self.journal.run();
        let definition = &self.program.definition;
        HookCall {
            flow: (definition.id.to_string(), definition.name.clone()),
            run: run.id,
            node: attempt.path.to_owned(),
            attempt: attempt.number,
            action,
            effect: attempt.effect,
            input: masks.value(input),
            left_out: left_out.into_iter().map(|name| masks.text(name)).collect(),
            depth: run.depth,
        }
    }
}

fn name(attempt: &Attempt<'_>) -> HookedAction {
    match attempt.action.of_plugin() {
        Some(call) => {
            HookedAction { plugin: Some(short(&call.plugin).to_owned()), name: call.action.clone() }
        }
        None => HookedAction { plugin: None, name: attempt.step.action.about.name.to_owned() },
    }
}

impl<'a> Hooked<'a> {
    /// The action begins.
    pub fn begin(self) -> Going<'a> {
        Going { hooked: self, begun: Instant::now(), told: false }
    }
}

impl Going<'_> {
    /// The action ended.
    pub fn ended(mut self, outcome: &Result<Value>) {
        let masks = self.hooked.masks;
        let large = outcome.as_ref().is_ok_and(|output| weight(output) > LARGE);
        let output = outcome.as_ref().ok().filter(|_| !large);
        let output = output.map(|output| masks.value(output.clone()));
        let error = outcome.as_ref().err().map(|error| masks.error(error.clone()));
        self.tell(error, output, large);
    }

    fn tell(&mut self, error: Option<Error>, output: Option<Value>, output_left_out: bool) {
        self.told = true;
        let outcome = HookOutcome { error, took: self.begun.elapsed(), output, output_left_out };
        self.hooked.hooks.after(self.hooked.call.clone(), outcome);
    }
}

impl Drop for Going<'_> {
    fn drop(&mut self) {
        if self.told {
            return;
        }
        let error = if std::thread::panicking() {
            Error::internal("the action met a defect")
        } else if self.hooked.token.is_cancelled() {
            Error::new(Code::Cancelled, "the run was cancelled or left")
        } else {
            Error::new(Code::Timeout, "the node's time was over")
        };
        self.tell(Some(error), None, false);
    }
}
