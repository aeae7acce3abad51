//! One run, as seen from outside of the engine's memory.

use std::borrow::Cow;
use std::cell::Cell;
use std::rc::Rc;

use devrig_core::snippet::{Budget, Failure, FailureKind};
use rquickjs::promise::PromiseState;
use rquickjs::{Ctx, Function, Object, Persistent, Promise, Result, Runtime, Value};

use super::console::Console;
use super::eval::{self, Job};
use super::failure::Thrown;
use super::meter::Meter;
use super::natives::Chance;
use crate::wire;

/// Microtasks between two looks at the budget; the engine itself looks in long ones only.
const JOBS_A_LOOK: u32 = 32;

/// What a run has outside of the engine's memory.
pub struct Outside {
    pub meter: Rc<Meter>,
    pub console: Rc<Console>,
    pub chance: Rc<Chance>,
    /// A promise was rejected that nobody waited for at that moment.
    rejected: Rc<Cell<bool>>,
}

/// Why there is no output.
pub enum Stop {
    /// The exception is pending on the context.
    Thrown,
    /// As [`Self::Thrown`], if it was the engine that refused it.
    Input,
    /// A sentence on what in the result is no JSON.
    Output(String),
    Unresolved,
}

impl From<rquickjs::Error> for Stop {
    fn from(_: rquickjs::Error) -> Self {
        Self::Thrown
    }
}

impl Outside {
    pub fn new() -> Self {
        Self {
            meter: Rc::new(Meter::new()),
            console: Rc::default(),
            chance: Rc::default(),
            rejected: Rc::default(),
        }
    }

    /// Has the engine ask and tell us what it does.
    pub fn listen(&self, runtime: &Runtime, hooks: &Persistent<Object<'static>>) {
        let meter = Rc::clone(&self.meter);
        runtime.set_interrupt_handler(Some(Box::new(move || meter.exhausted())));
        let (rejected, hooks) = (Rc::clone(&self.rejected), hooks.clone());
        runtime.set_host_promise_rejection_tracker(Some(Box::new(
            move |ctx, promise, reason, handled| {
                // That of a run which is being cut off is no rejection of its own.
                if reason.is_uncatchable_error() {
                    return;
                }
                rejected.set(true);
                let told = hooks.clone().restore(&ctx).and_then(|hooks| {
                    hooks.get::<_, Function>("rejection")?.call::<_, ()>((promise, reason, handled))
                });
                // Only a full heap can get here; the line about the rejection is lost, no more.
                if told.is_err() {
                    ctx.catch();
                }
            },
        )));
    }

    /// Forgets the run before.
    pub fn begin(&self, budget: &Budget) {
        self.chance.forget();
        self.rejected.set(false);
        self.meter.begin(budget);
    }

    /// Runs the function that was loaded, and gives its result as JSON.
    pub fn run<'js>(
        &self,
        ctx: &Ctx<'js>,
        hooks: &Object<'js>,
        input: &str,
    ) -> std::result::Result<String, Stop> {
        let promise = start(ctx, hooks, input)?;
        self.settle(ctx, &promise)?;
        if self.rejected.get() {
            self.tell_rejections(ctx, hooks, &promise)?;
        }
        let value: Value = promise.result().ok_or(Stop::Unresolved)??;
        self.finish(ctx, hooks, value)
    }

    /// Runs microtasks until the promise is settled, or none is left.
    fn settle<'js>(&self, ctx: &Ctx<'js>, promise: &Promise<'js>) -> std::result::Result<(), Stop> {
        for job in 1u32.. {
            if promise.state() != PromiseState::Pending {
                break;
            }
            match eval::run_job(ctx) {
                Job::None => break,
                Job::Failed => return Err(Stop::Thrown),
                Job::Done if job % JOBS_A_LOOK == 0 && self.meter.exhausted() => {
                    return Err(Stop::Thrown);
                }
                Job::Done => {}
            }
        }
        Ok(())
    }

    fn tell_rejections<'js>(
        &self,
        ctx: &Ctx<'js>,
        hooks: &Object<'js>,
        promise: &Promise<'js>,
    ) -> std::result::Result<(), Stop> {
        let told: Result<()> = hooks.get::<_, Function>("tellRejections")?.call((promise.clone(),));
        if self.meter.overrun().is_some() {
            return Err(Stop::Thrown);
        }
        if told.is_err() {
            ctx.catch();
        }
        Ok(())
    }

    fn finish<'js>(
        &self,
        ctx: &Ctx<'js>,
        hooks: &Object<'js>,
        value: Value<'js>,
    ) -> std::result::Result<String, Stop> {
        let finish: Function = hooks.get("finish")?;
        match finish.call::<_, Option<rquickjs::String>>((value.clone(),)) {
            Ok(Some(text)) => Ok(text.to_string()?),
            Ok(None) => Ok("null".to_owned()),
            Err(_) => Err(self.explain(ctx, hooks, value)?),
        }
    }

    /// Why a value could not be written: what in it is no JSON, or what a getter or `toJSON` of
    /// the person's own has thrown.
    fn explain<'js>(&self, ctx: &Ctx<'js>, hooks: &Object<'js>, value: Value<'js>) -> Result<Stop> {
        if self.meter.overrun().is_some() {
            return Ok(Stop::Thrown);
        }
        let thrown = ctx.catch();
        match hooks.get::<_, Function>("explain")?.call((value,)) {
            Ok(Some(sentence)) => Ok(Stop::Output(sentence)),
            Ok(None) | Err(_) => Err(ctx.throw(thrown)),
        }
    }

    /// Output that the core can read: well-formed, not too deep, not too large.
    pub fn fit(output: String, budget: &Budget) -> std::result::Result<String, Failure> {
        if output.len() > budget.output_bytes as usize {
            let sentence = format!(
                "returns {} bytes of JSON, of which {} are allowed",
                output.len(),
                budget.output_bytes
            );
            return Err(Thrown::sentence(sentence).failure(FailureKind::TooLarge, budget));
        }
        match wire::sendable(&output) {
            Ok(Cow::Borrowed(_)) => Ok(output),
            Ok(Cow::Owned(changed)) => Ok(changed),
            Err(error) => {
                let sentence = format!("returns what cannot be passed on: {error}");
                Err(Thrown::sentence(sentence).failure(FailureKind::Output, budget))
            }
        }
    }
}

/// Calls the function with the input's fields.
fn start<'js>(
    ctx: &Ctx<'js>,
    hooks: &Object<'js>,
    input: &str,
) -> std::result::Result<Promise<'js>, Stop> {
    let fields = ctx.json_parse(input).map_err(|_| Stop::Input)?;
    let fields = fields.into_object().ok_or(Stop::Input)?;
    let field = |name| fields.get::<_, Value>(name);
    let arguments =
        (field("input")?, field("trigger")?, field("nodes")?, field("variables")?, field("loop")?);
    Ok(hooks.get::<_, Function>("main")?.call(arguments)?)
}
