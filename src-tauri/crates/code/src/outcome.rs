//! How a run ended, as the caller is told.

use std::time::Duration;

use devrig_core::snippet::{Budget, ConsoleLine, Failure, FailureKind};
use devrig_core::{Code, Error};
use serde_json::json;
use serde_json::value::RawValue;

/// Longest message of a thrown error that is passed on, in bytes.
const MESSAGE: usize = 2_000;

/// A run that ended well.
#[derive(Debug)]
pub struct CodeResult {
    pub output: Box<RawValue>,
    pub console: Vec<ConsoleLine>,
    /// CPU time that it used in its worker.
    pub cpu: Duration,
}

/// A run that has no output.
#[derive(Debug)]
pub struct CodeFailure {
    /// Where the snippet itself is at fault, `details` has `kind`, `name`, `line`, `column` and
    /// `stack`.
    pub error: Box<Error>,
    pub console: Vec<ConsoleLine>,
    pub cpu: Duration,
}

impl From<Error> for CodeFailure {
    fn from(error: Error) -> Self {
        Self { error: Box::new(error), console: Vec::new(), cpu: Duration::ZERO }
    }
}

impl From<CodeFailure> for Error {
    fn from(failure: CodeFailure) -> Self {
        *failure.error
    }
}

impl std::fmt::Display for CodeFailure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for CodeFailure {}

/// What a worker told of a snippet, as an error of ours. Its texts are the snippet's.
pub fn error_of(failure: Failure) -> Error {
    let clipped = &failure.message[..failure.message.floor_char_boundary(MESSAGE)];
    let message = devrig_process::escape_text(clipped.as_bytes());
    let (line, column) = (failure.line, failure.column);
    let place = line.map(|line| format!(" in line {line}")).unwrap_or_default();
    let name = devrig_process::escape_line(failure.name.as_bytes());
    let (code, message, hint) = match failure.kind {
        FailureKind::Syntax => (
            Code::CodeFailed,
            format!("the code does not parse{place}: {message}"),
            "Correct it there; it is the body of an async function.",
        ),
        FailureKind::Thrown => (
            Code::CodeFailed,
            format!("the code failed{place}: {name}: {message}"),
            "Correct it there, or run the node on this input to see what it gets.",
        ),
        FailureKind::Output => (
            Code::CodeFailed,
            format!("what the code returns is no JSON: {message}"),
            "Return plain data: objects, arrays, texts, numbers, true, false and null.",
        ),
        FailureKind::Unresolved => (
            Code::CodeFailed,
            format!("the code {message}"),
            "Nothing comes from outside while it runs: await only what the code itself resolves.",
        ),
        FailureKind::Cpu | FailureKind::Wall => (
            Code::Timeout,
            format!("the code {message}{place}"),
            "Do less in one run, or raise the time that the node may take.",
        ),
        FailureKind::Memory => (
            Code::QuotaExceeded,
            format!("the code {message}{place}"),
            "Take less into the node, or raise the memory that it may use.",
        ),
        FailureKind::TooLarge => {
            (Code::TooLarge, format!("the code {message}"), "Return only what later nodes need.")
        }
        FailureKind::Input => (
            Code::InvalidInput,
            format!("the code cannot be given its input: {message}"),
            "Its input has to be a JSON object.",
        ),
    };
    Error::new(code, message).hint(hint).details(json!({
        "kind": failure.kind, "name": name, "line": line, "column": column, "stack": failure.stack,
    }))
}

/// A run that had to be ended with its worker.
/// The run went over its CPU budget, and would not stop.
pub fn used_up(budget: &Budget) -> Error {
    overrun(&format!("used up its {} ms of CPU", budget.cpu_ms))
}

/// The same by the clock.
pub fn still_busy(budget: &Budget) -> Error {
    overrun(&format!("was still busy after {} ms", budget.wall_ms))
}

fn overrun(how: &str) -> Error {
    Error::new(Code::Timeout, format!("the code {how}, in one step that cannot be interrupted"))
        .hint("Look for a call on a huge array or text, and do less in one run.")
}

/// The worker ended under the run, and so did the next one.
pub fn crashed(how: &str) -> Error {
    Error::new(Code::PluginStopped, format!("the process that ran the code ended twice: {how}"))
        .hint("Try again; if it happens every time, the code breaks the engine: simplify it.")
}

/// The caller, or the shutdown, does not want it any more.
pub fn cancelled() -> Error {
    Error::new(Code::Cancelled, "the run of the code was cancelled")
}

/// So many wait that another one would not be served soon.
pub fn too_many(waiting: usize) -> Error {
    Error::new(Code::QuotaExceeded, format!("{waiting} runs of code wait already"))
        .hint("Let fewer runs of the flow go at a time.")
}

#[cfg(test)]
mod tests {
    use devrig_core::Category;

    use super::*;

    fn failure(kind: FailureKind) -> Failure {
        let (name, message) = ("TypeError".to_owned(), "no\u{202e}pe".to_owned());
        Failure { kind, name, message, line: Some(3), column: Some(7), stack: None }
    }

    #[test]
    fn each_kind_has_its_category_a_sentence_and_a_remedy() {
        use FailureKind as Kind;
        for (kind, category) in [
            (Kind::Syntax, Category::Permanent),
            (Kind::Thrown, Category::Permanent),
            (Kind::Output, Category::Permanent),
            (Kind::Unresolved, Category::Permanent),
            (Kind::Input, Category::Permanent),
            (Kind::Cpu, Category::Timeout),
            (Kind::Wall, Category::Timeout),
            (Kind::Memory, Category::Resource),
            (Kind::TooLarge, Category::Resource),
        ] {
            let error = error_of(failure(kind));
            assert_eq!(error.category, category, "{kind:?}");
            assert!(error.hint.is_some() && error.message.contains("the code"), "{kind:?}");
            assert_eq!(error.details.as_ref().unwrap()["line"], 3);
            assert!(!error.message.contains('\u{202e}'), "nothing that deceives: {error}");
        }
        let thrown = error_of(failure(Kind::Thrown));
        assert!(thrown.message.contains("in line 3: TypeError: no"), "{thrown}");
        assert!(!thrown.retryable, "the same code fails again");
        assert_eq!(used_up(&Budget::default()).category, Category::Timeout);
        assert_eq!(crashed("x").category, Category::Plugin);
    }
}
