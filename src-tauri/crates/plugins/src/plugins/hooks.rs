//! Hooks as flows ask and tell them: the answers come soon, and nothing is waited for afterwards.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use devrig_core::protocol::{Handler, HookCall, HookOutcome, HookReport, HookVerdict};
use devrig_core::{Code, Error, Result};
use futures::future::join_all;

use super::Plugins;
use crate::core::Core;
use crate::hooks::{Hook, Line, Patience, Told, whole_name};
use crate::seat::Seat;
use crate::text::shown;
use crate::worker::{Purpose, Worker};

/// For all answers together, from workers that run.
const WITHIN: Duration = Duration::from_millis(500);
/// For a worker that has to start first. It goes on starting when that is over.
const START: Duration = Duration::from_secs(1);

/// What hooks say before an action.
#[derive(Debug, Clone, Default)]
pub struct HookAnswers {
    /// The plugin that does not want it done, and why: the first one by name.
    pub refused: Option<(String, String)>,
    /// Those that said nothing of use.
    pub silent: Vec<HookSilence>,
}

/// A plugin whose hook gave no answer.
#[derive(Debug, Clone)]
pub struct HookSilence {
    pub plugin: String,
    pub why: Error,
    /// For how long its hooks are not asked, where that begins now.
    pub rests: Option<Duration>,
}

impl Plugins {
    /// Whether any hook may be asked or told. Costs next to nothing.
    pub fn has_hooks(&self) -> bool {
        self.inner.core.hooks.any()
    }

    /// Whether hooks are asked before an action, and whether they are told after it. Without a plugin
    /// it is one of DevRig's own.
    pub fn hooks_around(&self, plugin: Option<&str>, action: &str) -> (bool, bool) {
        let hooks = self.inner.core.hooks.around(&whole_name(plugin, action));
        (hooks.iter().any(|hook| hook.before), hooks.iter().any(|hook| hook.after))
    }

    /// Asks all hooks before an action, at once. One that gives no answer in time does not count, and
    /// an account that gave none three times in a row is left alone for a minute.
    pub async fn before_action(&self, call: &HookCall) -> HookAnswers {
        let core = &self.inner.core;
        let now = core.clock.now();
        let mut hooks = core.hooks.around(&whole_name(call.plugin.as_deref(), &call.action));
        hooks.retain(|hook| hook.before && !patience(&hook.seat).rests(now));
        let accounts: Vec<&[Arc<Hook>]> =
            hooks.chunk_by(|one, other| one.seat.id == other.seat.id).collect();
        let asked = accounts.iter().map(|hooks| ask_account(core, hooks, call));
        let mut answers = HookAnswers::default();
        for said in join_all(asked).await {
            answers.refused = answers.refused.or(said.refused);
            answers.silent.extend(said.silent);
        }
        answers
    }

    /// Tells all hooks after an action how it went, without waiting for them. `depth` are the
    /// automatic steps since a person or a source acted.
    pub fn after_action(&self, call: HookCall, outcome: HookOutcome, depth: u8) {
        let core = &self.inner.core;
        let hooks = core.hooks.around(&whole_name(call.plugin.as_deref(), &call.action));
        let report = Arc::new(HookReport { call, outcome });
        for hook in hooks.iter().filter(|hook| hook.after) {
            let told = Told { hook: hook.id.clone(), report: Arc::clone(&report), depth };
            Line::put(core, &hook.seat, told);
        }
    }
}

/// Asks the hooks of one account.
async fn ask_account(core: &Arc<Core>, hooks: &[Arc<Hook>], call: &HookCall) -> HookAnswers {
    let mut answers = HookAnswers::default();
    let Some(seat) = hooks.first().map(|hook| &hook.seat) else { return answers };
    let plugin = seat.plugin.name();
    let asked = join_all(hooks.iter().map(|hook| ask(core, hook, call))).await;
    let mut rests = rest(core, seat, &asked);
    for (hook, said) in hooks.iter().zip(asked) {
        match said {
            Ok(HookVerdict { refuse: None }) => {}
            Ok(HookVerdict { refuse: Some(reason) }) => {
                let reason = reason_of(&reason);
                let message = format!("{} refused {}: {reason}", hook.id, call.action);
                core.note(plugin, &seat.id, "info", message);
                answers.refused.get_or_insert((plugin.to_owned(), reason));
            }
            Err(why) => {
                let message = format!("{} let {} pass: {}", hook.id, call.action, why.message);
                core.note(plugin, &seat.id, "warn", message);
                let (plugin, rests) = (plugin.to_owned(), rests.take());
                answers.silent.push(HookSilence { plugin, why, rests });
            }
        }
    }
    answers
}

/// Whether the account is left alone from now on, after what its hooks said.
fn rest(core: &Core, seat: &Seat, said: &[Result<HookVerdict>]) -> Option<Duration> {
    // One that says at once that it cannot answer takes nobody's time.
    let missed = |error: &Error| error.code == Code::Timeout;
    if !said.iter().any(|said| said.as_ref().is_err_and(missed)) {
        if said.iter().any(Result::is_ok) {
            patience(seat).answered();
        }
        return None;
    }
    let rests = patience(seat).missed(core.clock.now())?;
    let seconds = rests.as_secs();
    let message = format!("Its hooks gave no answer again and again: not asked for {seconds} s.");
    core.note(seat.plugin.name(), &seat.id, "warn", message);
    Some(rests)
}

async fn ask(core: &Core, hook: &Hook, call: &HookCall) -> Result<HookVerdict> {
    let worker = worker(core, &hook.seat).await?;
    let handler = Handler::Before { hook: hook.id.clone() };
    let input = serde_json::to_value(call)?;
    let answer = worker.ask(handler, input, Purpose::Before, WITHIN).await?;
    let said: Option<HookVerdict> = serde_json::from_str(answer.get()).map_err(|_| {
        let message = format!("it answered {}", shown(answer.get(), 100));
        Error::new(Code::PluginFailed, message).hint("It answers nothing, or { refuse: \"why\" }.")
    })?;
    Ok(said.unwrap_or_default())
}

/// The account's worker. The start of one is not given up by whoever does not wait for its end.
async fn worker(core: &Core, seat: &Arc<Seat>) -> Result<Arc<Worker>> {
    let seat = Arc::clone(seat);
    let started = core.tasks.spawn(async move { seat.worker().await });
    match tokio::time::timeout(START, started).await {
        Ok(Ok(worker)) => worker,
        Ok(Err(error)) => Err(Error::internal(format!("starting a plugin: {error}"))),
        Err(_) => {
            let message = format!("its worker did not start within {} s", START.as_secs());
            Err(Error::new(Code::Timeout, message))
        }
    }
}

fn reason_of(reason: &str) -> String {
    let reason = shown(reason, 500);
    if reason.trim().is_empty() { "it gives no reason".to_owned() } else { reason }
}

fn patience(seat: &Seat) -> MutexGuard<'_, Patience> {
    let patience: &Mutex<Patience> = &seat.patience;
    patience.lock().unwrap_or_else(PoisonError::into_inner)
}
