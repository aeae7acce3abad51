//! What our JavaScript can ask of the worker. Plugin code never gets hold of these functions, and
//! they trust nothing that they are given.

use std::rc::Rc;

use devrig_core::protocol::{HostMethod, LogLevel};
use rquickjs::{Ctx, Exception, Function, IntoJs, Object, Result, Value};
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
        match worker.host_call(call as u64, method, &params) {
            Ok(id) => id.into_js(&ctx),
            Err(error) => failure(error).into_js(&ctx),
        }
    };
    native.set("host", Function::new(ctx.clone(), host)?)?;

    let worker = own();
    let done =
        move |call: f64, output: String| worker.done(call as u64, &output).err().map(failure);
    native.set("done", Function::new(ctx.clone(), done)?)?;

    let worker = own();
    let fail = move |call: f64, text: String| worker.failed(call as u64, &text).err().map(failure);
    native.set("fail", Function::new(ctx.clone(), fail)?)?;

    let worker = own();
    let activated = move |registered: String| worker.activated(&registered).err().map(failure);
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
    native
        .set("setTimer", Function::new(ctx.clone(), move |delay: f64| worker.arm(delay) as f64)?)?;

    let worker = own();
    native
        .set("clearTimer", Function::new(ctx.clone(), move |id: f64| worker.disarm(id as u64))?)?;

    let is_promise = |value: Value<'js>| value.is_promise();
    native.set("isPromise", Function::new(ctx.clone(), is_promise)?)?;

    let worker = own();
    native.set("now", Function::new(ctx.clone(), move || worker.now())?)?;

    #[cfg(feature = "testhook")]
    ctx.globals().set("__native", Function::new(ctx.clone(), crate::probe::attempt)?)?;

    let worker = own();
    let readable = move |stack: String| worker.maps.readable(&stack);
    native.set("readableStack", Function::new(ctx.clone(), readable)?)
}

/// One of the protocol's words.
fn word<T: for<'de> Deserialize<'de>>(ctx: &Ctx<'_>, text: &str) -> Result<T> {
    let words: StrDeserializer<'_, WordError> = text.into_deserializer();
    T::deserialize(words).map_err(|error| Exception::throw_type(ctx, &error.to_string()))
}

/// What could not be sent, for our JavaScript to make an error of. Not thrown from here: setting
/// fields on an error would run a plugin's setters.
fn failure(error: devrig_core::Error) -> String {
    serde_json::to_string(&error).unwrap_or_default()
}

fn clip(text: &str) -> &str {
    let mut end = text.len().min(LOG_MESSAGE);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
