//! The two things that rquickjs does not offer as they are needed here: compiling with a number
//! of one's own for the first line, and a microtask whose error is not thrown away.

use std::ffi::CStr;
use std::mem::MaybeUninit;

use rquickjs::{Ctx, Error, Result, Value, qjs};

const NAME: &CStr = c"code.js";

/// Compiles a script whose third line counts as line 1; the engine takes a first line of 0 for one
/// that was not given.
#[allow(unsafe_code)]
pub fn compile<'js>(ctx: &Ctx<'js>, script: &str, evaluate: bool) -> Result<Value<'js>> {
    // The engine reads one byte beyond the end.
    let text = [script.as_bytes(), b"\0"].concat();
    let flags = if evaluate { 0 } else { qjs::JS_EVAL_FLAG_COMPILE_ONLY };
    let mut options = qjs::JSEvalOptions {
        version: qjs::JS_EVAL_OPTIONS_VERSION as _,
        eval_flags: (qjs::JS_EVAL_TYPE_GLOBAL | flags) as _,
        filename: NAME.as_ptr(),
        line_num: -1,
    };
    // SAFETY: the text ends in a zero byte that its length leaves out, and text, name and options
    // outlive the call. The value that comes back is ours, and of this context.
    let value = unsafe {
        let context = ctx.as_raw().as_ptr();
        let value =
            qjs::JS_Eval2(context, text.as_ptr().cast(), script.len() as _, &raw mut options);
        Value::from_raw(ctx.clone(), value)
    };
    if value.is_exception() { Err(Error::Exception) } else { Ok(value) }
}

/// What became of the first microtask that waits.
#[derive(Debug, PartialEq, Eq)]
pub enum Job {
    None,
    Done,
    /// Its exception is pending on the context.
    Failed,
}

/// Runs one microtask.
#[allow(unsafe_code)]
pub fn run_job(ctx: &Ctx<'_>) -> Job {
    let mut context = MaybeUninit::uninit();
    // SAFETY: the context is alive for as long as `ctx` is, and with it its runtime.
    let result = unsafe {
        let runtime = qjs::JS_GetRuntime(ctx.as_raw().as_ptr());
        qjs::JS_ExecutePendingJob(runtime, context.as_mut_ptr())
    };
    match result {
        0 => Job::None,
        1.. => Job::Done,
        _ => Job::Failed,
    }
}
