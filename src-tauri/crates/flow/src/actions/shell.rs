//! `shell.exec`: programs of this machine.

mod environment;
mod output;

use std::collections::HashSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Category, Code, Context as _, Error, Result};
use devrig_process::{Child, ChildSpec, Exit, OutputPolicy, find_program, spawn};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use self::output::{Form, Lines};
use crate::action::{About, Action, Actions, Context, Does, Effect, Stakes};
use crate::permissions::{Permission, Wanted};
use crate::place;

const ABOUT: About = About {
    name: "shell.exec",
    title: "Run a program",
    text: "Runs `command`, a program, with the arguments in `args`, and gives what it wrote and \
           its exit code. No shell is between: `$HOME`, `*` and `;` in an argument are just text. \
           With `shell` the command is a script for `sh`, which finds `args` as `$1`, `$2` and so \
           on; hand data over there, not by templates in the script, which would be code.\n\n\
           The flow must be allowed `command:NAME` (`command:sh` for scripts). A program may do \
           whatever it can do, so allow those that can do little.\n\n\
           It begins in the folder `cwd`, which the flow must be allowed to read, else in `/`. Of \
           DevRig's variables it is given only `PATH`, `HOME`, `LANG` and a few like them; `env` \
           adds others. `DEVRIG_KEY` is the same for each attempt of this node in this run. \
           Arguments can be seen by everybody on this machine, so hand secrets over by `stdin` or \
           `env`.\n\n\
           When its time is over, or the run is cancelled, everything that it started is ended. \
           What it writes goes to the run's log as it comes. Whether it may be run twice is not \
           known: after a crash in the middle the run waits for your decision, unless it is \
           `repeatable`.",
    effect: Effect::Write,
    idempotent: false,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["command"],
        "properties": {
            "command": {"type": "string", "minLength": 1, "maxLength": 131072,
                "description": "A program by its name or whole path; with `shell` a script."},
            "args": {"type": "array", "maxItems": 10000,
                "items": {"type": ["string", "number", "boolean"]}, "default": [],
                "description": "Its arguments, one by one."},
            "shell": {"type": "boolean", "default": false,
                "description": "Whether the command is a script for `sh`."},
            "cwd": {"type": "string", "description": "The folder that it begins in."},
            "env": {"type": "object", "default": {},
                "additionalProperties": {"type": ["string", "number", "boolean"]},
                "description": "Variables by name. Those that decide what code a program loads, such as PATH and LD_PRELOAD, need the permission env:NAME."},
            "stdin": {"description": "What it reads: text as it is, anything else as JSON."},
            "output": {"enum": ["text", "lines", "json", "base64"], "default": "text",
                "description": "How `stdout` is given."},
            "maxOutputBytes": {"type": "integer", "minimum": 0, "maximum": 8388608, "default": 1048576,
                "description": "The end of each stream is kept, up to this many bytes."},
            "timeoutMs": {"type": "integer", "minimum": 1, "maximum": 86400000, "default": 600000,
                "description": "How long it may take."},
            "failOnExit": {"type": "boolean", "default": true,
                "description": "Whether another exit code than 0 fails the node."},
            "log": {"type": "boolean", "default": true,
                "description": "Whether its lines go to the run's log."},
            "repeatable": {"type": "boolean", "default": false,
                "description": "Whether running it twice is the same as once, so that it may be tried again."}}}"#,
    output: r#"{"type": "object", "required": ["exitCode", "stdout", "stderr", "truncated"],
        "properties": {
            "exitCode": {"type": ["integer", "null"]}, "signal": {"type": ["integer", "null"]},
            "stdout": {}, "stderr": {"type": "string"},
            "truncated": {"type": "boolean"}, "durationMs": {"type": "integer"}}}"#,
    example: r#"{"command": "make", "args": ["check"], "cwd": "~/code/lamp", "timeoutMs": 120000}"#,
    typical_ms: 500,
    raw: &[],
};

/// What a program that is asked to end may still do.
const GRACE: Duration = Duration::from_secs(2);
/// Parts of output that wait for the log; the program waits for them.
const WAITING: usize = 16;
/// More is no argument to any system.
const MOST_ARGUMENTS: usize = 1024 * 1024;

pub(super) fn add_all(actions: &mut Actions) -> Result<()> {
    actions.add(ABOUT, Does::Work(Arc::new(Exec)))
}

/// Ends the programs of runs that a DevRig started which was killed itself. What they do is done
/// again, or asked about, as if they had ended with it.
pub(crate) async fn end_left_behind(runs: HashSet<String>) {
    #[cfg(unix)]
    if !runs.is_empty() {
        let of_these =
            move |key: &str| key.split_once('/').is_some_and(|(run, _)| runs.contains(run));
        let ended = tokio::task::spawn_blocking(move || {
            devrig_process::kill_marked(environment::KEY, of_these)
        });
        if let Ok(count @ 1..) = ended.await {
            tracing::warn!(count, "ended programs of runs that the last DevRig left behind");
        }
    }
}

struct Exec;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    command: String,
    #[serde(default)]
    args: Vec<Value>,
    #[serde(default)]
    shell: bool,
    cwd: Option<String>,
    #[serde(default)]
    env: Map<String, Value>,
    stdin: Option<Value>,
    #[serde(default)]
    output: Form,
    #[serde(default = "usual_output")]
    max_output_bytes: usize,
    #[serde(default = "usual_timeout")]
    timeout_ms: u64,
    #[serde(default = "yes")]
    fail_on_exit: bool,
    #[serde(default = "yes")]
    log: bool,
    #[serde(default)]
    repeatable: bool,
}

fn usual_output() -> usize {
    1024 * 1024
}

fn usual_timeout() -> u64 {
    600_000
}

fn yes() -> bool {
    true
}

#[async_trait]
impl Action for Exec {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let config: Config = serde_json::from_value(input)?;
        let begun = std::time::Instant::now();
        let (spec, heard) = spec(&config, context)?;
        let child = spawn(spec).map_err(started(&config))?;
        let exit = watch(&child, heard, &config, context).await?;
        let truncated = child.stdout().dropped() + child.stderr().dropped() > 0;
        if config.fail_on_exit && !exit.success() {
            return Err(failed(&config, exit, &child));
        }
        let took = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        Ok(json!({
            "exitCode": exit.code,
            "signal": exit.signal,
            "stdout": config.output.read(child.stdout()).context("stdout")?,
            "stderr": output::text(child.stderr()),
            "truncated": truncated,
            "durationMs": took,
        }))
    }

    fn needs(&self, config: &Map<String, Value>) -> Vec<Wanted> {
        let program = match config.get("shell") {
            Some(Value::Bool(true)) => Some(Wanted::always("shell", shell_itself())),
            _ => Wanted::command(config, "command"),
        };
        program.into_iter().chain(Wanted::read(config, "cwd")).collect()
    }

    fn stakes(&self, input: &Value, usual: Stakes) -> Stakes {
        Stakes { idempotent: input["repeatable"] == true, ..usual }
    }
}

fn shell_itself() -> Permission {
    Permission::Command("sh".to_owned())
}

/// What is started, and where its output can be heard.
fn spec(config: &Config, context: &Context<'_>) -> Result<(ChildSpec, Heard)> {
    let (heard, hears) = mpsc::channel(WAITING);
    let policy = OutputPolicy::Ring(config.max_output_bytes);
    let mut spec = ChildSpec::new(program(config, context)?).args(arguments(config)?);
    spec.env = environment::variables(&config.env, context)?;
    spec.cwd = config.cwd.as_deref().map(|folder| folder_of(folder, context)).transpose()?;
    (spec.stdout, spec.stderr) = (policy, policy);
    spec.heard = config.log.then_some(heard);
    if let Some(stdin) = &config.stdin {
        spec = spec.stdin(text(stdin).into_bytes());
    }
    Ok((spec, hears))
}

type Heard = mpsc::Receiver<(devrig_process::Stream, Vec<u8>)>;

fn program(config: &Config, context: &Context<'_>) -> Result<PathBuf> {
    let name = if config.shell { "sh" } else { &config.command };
    context.permissions.command(name)?;
    if name.starts_with('/') || name.starts_with("~/") {
        return place::absolute(name);
    }
    if name.contains('/') {
        return Err(Error::invalid(format!(
            "command: {name:?} is neither a name nor a whole path"
        ))
        .hint("Write the path from the root on, or from your home folder with ~/."));
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| environment::USUAL_PATH.into());
    find_program(name, &path).ok_or_else(|| {
        Error::not_found(format!("the program {name:?}"))
            .hint("Install it, or write its whole path: it is looked for where DevRig's PATH says.")
    })
}

fn arguments(config: &Config) -> Result<Vec<OsString>> {
    let given = config.args.iter().map(text);
    let all: Vec<String> = match config.shell {
        true => ["-c".to_owned(), config.command.clone(), "sh".to_owned()]
            .into_iter()
            .chain(given)
            .collect(),
        false => given.collect(),
    };
    if let Some(at) = all.iter().position(|each| each.contains('\0')) {
        return Err(Error::invalid(format!("args: the argument {at} has a null character in it")));
    }
    if all.iter().map(String::len).sum::<usize>() > MOST_ARGUMENTS {
        return Err(Error::new(Code::TooLarge, "args: they have more than 1 MB together")
            .hint("Hand large data over by `stdin`."));
    }
    Ok(all.into_iter().map(OsString::from).collect())
}

fn folder_of(folder: &str, context: &Context<'_>) -> Result<PathBuf> {
    let folder = place::resolve(&place::absolute(folder).context("cwd")?)?;
    context.permissions.read(&folder)?;
    Ok(folder)
}

/// Texts as they are, anything else as JSON.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Waits for the end, telling the log what is heard meanwhile. When the caller goes away the child
/// is dropped, and so ended with everything that it started.
async fn watch(
    child: &Child,
    mut heard: Heard,
    config: &Config,
    context: &Context<'_>,
) -> Result<Exit> {
    let mut lines = Lines::to(context.log);
    let over = tokio::time::sleep(Duration::from_millis(config.timeout_ms));
    tokio::pin!(over);
    let exit = loop {
        tokio::select! {
            Some((stream, bytes)) = heard.recv() => lines.take(stream, &bytes),
            exit = child.wait() => break Some(exit),
            () = &mut over => break None,
        }
    };
    while let Ok((stream, bytes)) = heard.try_recv() {
        lines.take(stream, &bytes);
    }
    lines.end();
    match exit {
        Some(exit) => Ok(exit),
        None => {
            drop(heard);
            child.stop(GRACE).await;
            Err(too_long(config, child))
        }
    }
}

fn started(config: &Config) -> impl Fn(Error) -> Error {
    let shown: String = config.command.chars().take(100).collect();
    move |error| match error.code {
        // A folder or a file that cannot be started will not be another one soon.
        Code::Io => Error::invalid(format!("{shown:?} cannot be started: {}", error.message)),
        _ => error,
    }
}

fn failed(config: &Config, exit: Exit, child: &Child) -> Error {
    let error =
        Error::new(Code::CommandFailed, format!("{}: {exit}{}", named(config), last(child)))
            .hint("Look at the run's log; with `failOnExit: false` the exit code is an output.")
            .details(told(exit, child));
    may_repeat(config, error)
}

fn too_long(config: &Config, child: &Child) -> Error {
    let (name, ms) = (named(config), config.timeout_ms);
    let message = format!("{name} was not done after {ms} ms, and was ended{}", last(child));
    let error = Error::new(Code::Timeout, message)
        .hint("Raise timeoutMs, or make it do less.")
        .details(told(Exit { code: None, signal: None }, child));
    may_repeat(config, error)
}

/// A program that began may have done some of what it does, so it is not run again by itself.
fn may_repeat(config: &Config, error: Error) -> Error {
    match config.repeatable {
        true => Error { category: Category::Transient, retryable: true, ..error },
        false => Error { category: Category::Permanent, retryable: false, ..error },
    }
}

fn named(config: &Config) -> String {
    match config.shell {
        true => "the script".to_owned(),
        false => config.command.clone(),
    }
}

/// The last line that it said of itself.
fn last(child: &Child) -> String {
    let said = child.stderr().text();
    let line = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default();
    match line.trim() {
        "" => String::new(),
        line => format!(": {}", line.chars().take(300).collect::<String>()),
    }
}

fn told(exit: Exit, child: &Child) -> Value {
    json!({
        "exitCode": exit.code,
        "signal": exit.signal,
        "stdout": output::tail(child.stdout()),
        "stderr": output::tail(child.stderr()),
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests;
