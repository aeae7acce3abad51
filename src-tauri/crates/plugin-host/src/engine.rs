//! QuickJS with our own JavaScript in it.

use std::rc::{Rc, Weak};

use devrig_core::protocol::{API_VERSION, MAX_IN_FLIGHT, Start};
use rquickjs::{
    CatchResultExt, CaughtError, Context, Ctx, Function, Module, Object, Persistent, Result,
    Runtime, Value,
};
use serde_json::json;

use crate::modules::{self, Package};
use crate::parts::Parts;
use crate::stack::SourceMaps;
use crate::worker::Worker;
use crate::{codec, natives};

/// Stack for code that is not ours. The main thread has 8 MiB, and native recursion needs the rest.
pub const STACK: usize = 1024 * 1024;

/// Heap until the core names the plugin's own limit.
const FIRST_HEAP: usize = 64 * 1024 * 1024;

/// The SDK and what it stands on.
const WORKER: Parts = Parts(include_bytes!(concat!(env!("OUT_DIR"), "/worker.bin")));

pub struct Engine {
    runtime: Runtime,
    context: Context,
    hooks: Persistent<Object<'static>>,
    worker: Weak<Worker>,
}

impl Engine {
    /// An engine with every web basic and the SDK's machinery, and no plugin yet.
    pub fn new(worker: &Rc<Worker>) -> Result<Self> {
        let runtime = Runtime::new()?;
        runtime.set_memory_limit(FIRST_HEAP);
        runtime.set_max_stack_size(STACK);
        let context = Context::full(&runtime)?;
        let hooks = context.with(|ctx| {
            let native = Object::new(ctx.clone())?;
            codec::install(&ctx, &native)?;
            natives::install(&ctx, &native, worker)?;
            let hooks = WORKER.call(&ctx, &native, MAX_IN_FLIGHT)?;
            Ok::<_, rquickjs::Error>(Persistent::save(&ctx, hooks.get::<Object>()?))
        })?;
        let (tracker, noting) = (hooks.clone(), Rc::clone(worker));
        runtime.set_host_promise_rejection_tracker(Some(Box::new(
            move |ctx, promise, reason, handled| {
                // A module that is cut off while it loads rejects its promise.
                if reason.is_uncatchable_error() {
                    noting.note_cut(stack_of(&reason));
                    return;
                }
                let told = tracker.clone().restore(&ctx).and_then(|hooks| {
                    hooks.get::<_, Function>("rejection")?.call::<_, ()>((promise, reason, handled))
                });
                // Only a full heap can get here; the rejection itself is lost then, no more.
                if told.is_err() {
                    ctx.catch();
                }
            },
        )));
        let handler = Rc::clone(worker);
        runtime.set_interrupt_handler(Some(Box::new(move || handler.interrupted())));
        Ok(Self { runtime, context, hooks, worker: Rc::downgrade(worker) })
    }

    /// Gives the engine its plugin and begins to load the entry module; what comes of it is told
    /// by `activated` or `fail` with id 0.
    pub fn start(&self, start: Start, maps: &Rc<SourceMaps>) -> std::result::Result<(), String> {
        self.runtime
            .set_memory_limit(usize::try_from(start.limits.heap_bytes).unwrap_or(usize::MAX));
        let package = Package::new(start.modules, Rc::clone(maps));
        self.runtime.set_loader(package.resolver(), package);
        let info = json!({
            "pluginId": start.plugin_id,
            "pluginVersion": start.plugin_version,
            "accountId": start.account_id,
            "apiVersion": API_VERSION,
            "settings": start.settings,
            "declared": start.declared,
        });
        self.run(|ctx, hooks| {
            let info = ctx.json_parse(info.to_string())?;
            let sdk: Object = hooks.get::<_, Function>("start")?.call((info,))?;
            modules::provide_sdk(ctx, sdk);
            let loading = Module::import(ctx, start.main)?;
            hooks.get::<_, Function>("activate")?.call::<_, ()>((loading,))
        })
    }

    /// Calls one of the functions that `sdk.js` returns. An error is a text for the log.
    pub fn call(
        &self,
        hook: &str,
        call: impl for<'js> FnOnce(&Ctx<'js>, Function<'js>) -> Result<()>,
    ) -> std::result::Result<(), String> {
        self.run(|ctx, hooks| call(ctx, hooks.get(hook)?))
    }

    /// Runs pending jobs until none is left or `stop` says so. Errors go to `report`.
    pub fn drain(&self, stop: impl Fn() -> bool, report: impl Fn(&str)) {
        for job in 1u32.. {
            match self.runtime.execute_pending_job() {
                Ok(false) => return,
                Ok(true) => {}
                Err(failed) => {
                    // The job's own exception is on its context.
                    let message = failed.0.with(|ctx| self.describe(&ctx, ctx.catch()));
                    if stop() {
                        return;
                    }
                    report(&message);
                }
            }
            // The engine asks by itself while code runs; this is for jobs that are too short.
            if job % 32 == 0 && stop() {
                return;
            }
        }
    }

    pub fn collect_garbage(&self) {
        self.runtime.run_gc();
    }

    fn run(
        &self,
        body: impl for<'js> FnOnce(&Ctx<'js>, &Object<'js>) -> Result<()>,
    ) -> std::result::Result<(), String> {
        self.context.with(|ctx| {
            let hooks = self.hooks.clone().restore(&ctx).map_err(|error| error.to_string())?;
            match body(&ctx, &hooks).catch(&ctx) {
                Ok(()) => Ok(()),
                Err(CaughtError::Exception(exception)) => {
                    Err(self.describe(&ctx, exception.into_object().into_value()))
                }
                Err(CaughtError::Value(value)) => Err(self.describe(&ctx, value)),
                Err(CaughtError::Error(error)) => Err(error.to_string()),
            }
        })
    }

    /// The text of anything thrown.
    fn describe<'js>(&self, ctx: &Ctx<'js>, thrown: Value<'js>) -> String {
        if thrown.is_null() {
            return "out of memory".to_owned();
        }
        // No plugin code may run while it is being unwound.
        if thrown.is_uncatchable_error() {
            if let Some(worker) = self.worker.upgrade() {
                worker.note_cut(stack_of(&thrown));
            }
            return "interrupted".to_owned();
        }
        let described =
            self.hooks.clone().restore(ctx).and_then(|hooks| {
                hooks.get::<_, Function>("describe")?.call::<_, String>((thrown,))
            });
        described.unwrap_or_else(|_| {
            ctx.catch();
            "an error that cannot be read".to_owned()
        })
    }
}

/// The trace of the error with which the engine cuts plugin code off.
pub fn stack_of(error: &Value<'_>) -> String {
    error.as_object().and_then(|error| error.get("stack").ok()).unwrap_or_default()
}
