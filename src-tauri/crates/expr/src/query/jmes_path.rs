//! JMESPath, with limits where its functions have none.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;

use devrig_core::{Code, Error, Result};
use jmespath::functions::{ArgumentType, CustomFunction, Signature};
use jmespath::{Context, ErrorReason, JmespathError, Rcvar, Runtime, SearchResult, Variable};
use serde_json::Value;

use super::shape::{Bounds, shape};
use super::{allow, error_at, measure, too_long};

/// A compiled JMESPath expression.
#[derive(Clone)]
pub struct JmesPath {
    expression: jmespath::Expression<'static>,
    copies: u64,
}

const BOUNDS: Bounds = Bounds { depth: 16, marks: 150 };

/// Bytes of a text that a function makes.
const LONGEST_TEXT: usize = 10 * 1024 * 1024;

/// How our functions say so through the library's errors.
const TOO_LONG: &str = "text too long";

impl JmesPath {
    /// # Errors
    /// `INVALID_INPUT` with the column, from 1, in the message and in the details.
    pub fn parse(text: &str) -> Result<Self> {
        too_long(text)?;
        let copies = shape(text, BOUNDS)?.copies;
        let expression = guarded(|| RUNTIME.compile(text))?.map_err(|error| place(text, &error))?;
        Ok(Self { expression, copies })
    }

    /// The result; null where the expression leads nowhere.
    ///
    /// # Errors
    /// `INVALID_INPUT` when a function is given what it cannot work with, `TOO_LARGE` when the
    /// search could take too long on so much data.
    pub fn search(&self, data: &Value) -> Result<Value> {
        allow(measure(data)?.values.saturating_mul(self.copies))?;
        let found = guarded(|| self.expression.search(data))?;
        let found = found.map_err(|error| place(self.expression.as_str(), &error))?;
        let mut left = super::MOST_VISITS;
        to_json(&found, &mut left)
    }
}

impl fmt::Debug for JmesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "JmesPath({:?})", self.expression.as_str())
    }
}

/// The library indexes and calculates without checks. The shape keeps the known cases out; should
/// there be another, it must not take the process with it.
fn guarded<T>(run: impl FnOnce() -> T) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run))
        .map_err(|_| Error::internal("the JMESPath library failed on this query"))
}

fn place(text: &str, error: &JmespathError) -> Error {
    match &error.reason {
        ErrorReason::Parse(reason) if reason == TOO_LONG => {
            Error::new(Code::TooLarge, "a text that the query makes gets too long")
                .hint("Join or write out less at once.")
        }
        ErrorReason::Parse(reason) => {
            let hint = "Write it as items[?state == 'open'].title.";
            error_at(text, error.offset, format!("not JMESPath: {reason}"), hint)
        }
        ErrorReason::Runtime(reason) => {
            error_at(text, error.offset, reason, "Look at what the function is given.")
        }
    }
}

/// The library's functions, with our own for the two that can make a text of any length.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
    let mut runtime = Runtime::new();
    runtime.register_builtin_functions();
    let texts = ArgumentType::TypedArray(Box::new(ArgumentType::String));
    let signature = Signature::new(vec![ArgumentType::String, texts], None);
    runtime.register_function("join", Box::new(CustomFunction::new(signature, Box::new(join))));
    let signature = Signature::new(vec![ArgumentType::Any], None);
    let function = CustomFunction::new(signature, Box::new(to_string));
    runtime.register_function("to_string", Box::new(function));
    runtime
});

fn join(args: &[Rcvar], context: &mut Context<'_>) -> SearchResult {
    let glue = args.first().and_then(|glue| glue.as_string()).map_or("", String::as_str);
    let texts = args.get(1).and_then(|texts| texts.as_array()).map_or(&[][..], Vec::as_slice);
    let mut joined = String::new();
    for (index, text) in texts.iter().enumerate() {
        let text = text.as_string().map_or("", String::as_str);
        if joined.len() + glue.len() + text.len() > LONGEST_TEXT {
            return Err(too_long_text(context));
        }
        joined.push_str(if index > 0 { glue } else { "" });
        joined.push_str(text);
    }
    Ok(Rcvar::new(Variable::String(joined)))
}

fn to_string(args: &[Rcvar], context: &mut Context<'_>) -> SearchResult {
    match args.first() {
        Some(text) if text.is_string() => Ok(text.clone()),
        Some(value) => {
            let mut out = Short(Vec::new());
            serde_json::to_writer(&mut out, &**value).map_err(|_| too_long_text(context))?;
            let text = String::from_utf8(out.0).map_err(|_| too_long_text(context))?;
            Ok(Rcvar::new(Variable::String(text)))
        }
        None => Ok(Rcvar::new(Variable::Null)),
    }
}

fn too_long_text(context: &Context<'_>) -> JmespathError {
    JmespathError::from_ctx(context, ErrorReason::Parse(TOO_LONG.to_owned()))
}

/// Takes no more than a text may have.
struct Short(Vec<u8>);

impl io::Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > LONGEST_TEXT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is shared within the library is copied here, so it is counted.
fn to_json(value: &Variable, left: &mut u64) -> Result<Value> {
    let cost = 1 + value.as_string().map_or(0, String::len) as u64 / 64;
    *left = left.checked_sub(cost).ok_or_else(|| {
        Error::new(Code::TooLarge, "the result of the query gets too large")
            .hint("Take less into it.")
    })?;
    Ok(match value {
        Variable::Null => Value::Null,
        Variable::Bool(flag) => Value::Bool(*flag),
        Variable::Number(number) => Value::Number(number.clone()),
        Variable::String(text) => Value::String(text.clone()),
        Variable::Array(list) => {
            Value::Array(list.iter().map(|value| to_json(value, left)).collect::<Result<_>>()?)
        }
        Variable::Object(map) => Value::Object(
            map.iter()
                .map(|(name, value)| Ok((name.clone(), to_json(value, left)?)))
                .collect::<Result<_>>()?,
        ),
        Variable::Expref(_) => {
            return Err(Error::invalid("the query gives an expression, not a value")
                .hint("An expression with & is an argument of functions such as sort_by."));
        }
    })
}
