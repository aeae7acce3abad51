//! What our JavaScript can ask of the worker. Plugin code never gets hold of these functions, and
//! they trust nothing that they are given.

use std::rc::Rc;

use devrig_core::protocol::{HostMethod, LogLevel};
use rquickjs::{Ctx, Exception, Function, Object, Result};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};

use crate::worker::Worker;

/// Longest line of a log, and longest JSON beside it.
const LOG_MESSAGE: usize = 16 * 1024;
const LOG_META: usize = 64 * 1024;

pub fn install<'js>(ctx: &Ctx<'js>, native: &Object<'js>, worker: &Rc<Worker>) -> Result<()> {
    let own = || Rc::clone(worker);

    let worker = own();
    let host = move |ctx: Ctx<'js>, call: f64, method: String, params: String| {
        let method: HostMethod = word(&ctx, &method)?;
        worker.host_call(call as u64, method, &params).map(|id| id as f64).map_err(|error| throw(&ctx, error))
    };
    native.set("host", Function::new(ctx.clone(), host)?)?;

    let worker = own();
    let done = move |ctx: Ctx<'js>, call: f64, output: String| {
        worker.done(call as u64, &output).map_err(|error| throw(&ctx, error))
    };
    native.set("done", Function::new(ctx.clone(), done)?)?;

    let worker = own();
    let fail = move |ctx: Ctx<'js>, call: f64, failure: String| {
        worker.failed(call as u64, &failure).map_err(|error| throw(&ctx, error))
    };
    native.set("fail", Function::new(ctx.clone(), fail)?)?;

    let worker = own();
    let activated = move |ctx: Ctx<'js>, registered: String| {
        worker.activated(&registered).map_err(|error| throw(&ctx, error))
    };
    native.set("activated", Function::new(ctx.clone(), activated)?)?;

    let worker = own();
    native.set("stopped", Function::new(ctx.clone(), move || worker.stopped())?)?;

    let worker = own();
    let log = move |ctx: Ctx<'js>, level: String, message: String, meta: String| {
        let level: LogLevel = word(&ctx, &level)?;
        let meta = if meta.len() > LOG_META { "\"(too large)\"" } else { &meta };
        worker.log(level, clip(&message), meta);
        Ok::<_, rquickjs::Error>(())
    };
    native.set("log", Function::new(ctx.clone(), log)?)?;

    let worker = own();
    native.set("setTimer", Function::new(ctx.clone(), move |delay: f64| worker.arm(delay) as f64)?)?;

    let worker = own();
    native.set("clearTimer", Function::new(ctx.clone(), move |id: f64| worker.disarm(id as u64))?)?;

    let worker = own();
    native.set("now", Function::new(ctx.clone(), move || worker.now())?)?;

    let worker = own();
    let readable = move |stack: String| worker.maps.readable(&stack);
    native.set("readableStack", Function::new(ctx.clone(), readable)?)
}

/// One of the protocol's words.
fn word<T: for<'de> Deserialize<'de>>(ctx: &Ctx<'_>, text: &str) -> Result<T> {
    let words: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(words).map_err(|error| Exception::throw_type(ctx, &error.to_string()))
}

fn throw(ctx: &Ctx<'_>, error: devrig_core::Error) -> rquickjs::Error {
    Exception::throw_range(ctx, &error.message)
}

fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(LOG_MESSAGE)]
}
