//! A plugin with hooks, as the tests want it.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use async_trait::async_trait;
use devrig_flow::hooks::{
    Around, HookAnswers, HookCall, HookOutcome, HookedAction, PluginHooks, Refusal, Silence,
};

/// The hooks of a plugin `guard`, as a test wants them. There are none before it says so.
#[derive(Clone, Default)]
pub struct Guard(Arc<State>);

#[derive(Default)]
struct State {
    any: AtomicBool,
    looks: AtomicU32,
    says: Mutex<Says>,
    asked: Mutex<Vec<HookCall>>,
    told: Mutex<Vec<(HookCall, HookOutcome)>>,
}

#[derive(Default)]
struct Says {
    /// Reasons by the names of actions.
    refuses: BTreeMap<String, String>,
    silent: Option<Silence>,
    hangs: bool,
}

impl Guard {
    /// Sees each action from now on.
    pub fn watch(&self) {
        self.0.any.store(true, Ordering::Relaxed);
    }

    pub fn refuse(&self, action: &str, reason: &str) {
        self.watch();
        self.says().refuses.insert(action.to_owned(), reason.to_owned());
    }

    pub fn keep_silent(&self, silence: Silence) {
        self.says().silent = Some(silence);
    }

    /// Answers nothing from now on.
    pub fn hang(&self) {
        self.says().hangs = true;
    }

    /// How often it was looked whether an action has hooks.
    pub fn looks(&self) -> u32 {
        self.0.looks.load(Ordering::Relaxed)
    }

    fn says(&self) -> MutexGuard<'_, Says> {
        self.0.says.lock().unwrap()
    }

    pub fn asked(&self) -> Vec<HookCall> {
        self.0.asked.lock().unwrap().clone()
    }

    pub fn told(&self) -> Vec<(HookCall, HookOutcome)> {
        self.0.told.lock().unwrap().clone()
    }
}

#[async_trait]
impl PluginHooks for Guard {
    fn any(&self) -> bool {
        self.0.any.load(Ordering::Relaxed)
    }

    fn around(&self, action: &HookedAction) -> Around {
        self.0.looks.fetch_add(1, Ordering::Relaxed);
        let watched = action.name != "test.flaky" || action.plugin.is_some();
        Around { before: watched, after: true }
    }

    async fn before(&self, call: &Arc<HookCall>) -> HookAnswers {
        self.0.asked.lock().unwrap().push(HookCall::clone(call));
        if self.says().hangs {
            std::future::pending::<()>().await;
        }
        let says = self.says();
        let reason = says.refuses.get(&call.action.name).cloned();
        let refused = reason.map(|reason| Refusal { plugin: "guard".to_owned(), reason });
        HookAnswers { refused, silent: says.silent.clone().into_iter().collect() }
    }

    fn after(&self, call: Arc<HookCall>, outcome: HookOutcome) {
        self.0.told.lock().unwrap().push((HookCall::clone(&call), outcome));
    }
}
