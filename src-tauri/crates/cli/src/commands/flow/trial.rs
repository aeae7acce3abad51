//! Flows that are tried out: with past triggers, and with tests.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use devrig_core::{Context as _, Error, Result};
use devrig_engine::Api;
use devrig_engine::api::flow::{Backtest, BacktestRun, FlowBacktestArgs, FlowTest, FlowTestArgs};

use super::{find, is_file};
use crate::args::OneVersion;
use crate::input;
use crate::output::{Output, table};

/// Exit status 1 when a run would go another way.
pub async fn backtest(
    of: OneVersion,
    file: Option<PathBuf>,
    last: u32,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let id = find(&of.flow, api).await?.id;
    let definition = file.map(|file| input::text(&file).map(Into::into)).transpose()?;
    let args = FlowBacktestArgs { id, version: of.version, definition, last: Some(last) };
    let found = api.flow_backtest(args).await?;
    output.show(&found, people)?;
    Ok(code(found.others.is_empty()))
}

fn people(found: &Backtest) -> String {
    let Backtest { runs, same, others, took_ms } = found;
    let head = format!("{same} of {runs} runs would go as they went ({took_ms} ms).");
    if others.is_empty() {
        return head;
    }
    let rows = others.iter().map(|run| {
        let after = run.after.map_or("unknown", |after| after.as_str());
        let status = format!("{} → {after}", run.before.as_str());
        [run.run.clone(), status, difference(run)]
    });
    format!("{head}\n\n{}", table(["RUN", "STATUS", "WHAT DIFFERS"], rows))
}

fn difference(run: &BacktestRun) -> String {
    let mut parts = Vec::new();
    for (what, nodes) in
        [("unknown", &run.unknown), ("also runs", &run.newly), ("does not run", &run.gone)]
    {
        if !nodes.is_empty() {
            parts.push(format!("{what}: {}", nodes.join(", ")));
        }
    }
    if run.output_before.is_some() {
        parts.push("other output".to_owned());
    }
    parts.join("; ")
}

/// Exit status 1 when a test did not pass.
pub async fn test(
    what: &str,
    tests: Option<PathBuf>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let (id, definition, beside) = match is_file(what) {
        true => (None, Some(input::text(Path::new(what))?.into()), beside(what)),
        false => (Some(find(what, api).await?.id), None, None),
    };
    let file = tests.or(beside).ok_or_else(|| {
        Error::invalid("where the tests are is not known").hint("Name their file with --tests.")
    })?;
    let tests = serde_json::from_str(&input::text(&file)?)
        .context(format!("reading {}", file.display()))?;
    let told = api.flow_test(FlowTestArgs { id, definition, tests }).await?;
    output.show(&told, |told| lines(told))?;
    Ok(code(told.iter().all(|test| test.passed)))
}

fn beside(flow: &str) -> Option<PathBuf> {
    let name = flow.strip_suffix(".flow.json").or_else(|| flow.strip_suffix(".json"))?;
    Some(PathBuf::from(format!("{name}.test.json")))
}

fn lines(told: &[FlowTest]) -> String {
    let passed = told.iter().filter(|test| test.passed).count();
    let mut lines: Vec<String> = told.iter().flat_map(line).collect();
    lines.push(format!("{passed} of {} passed.", told.len()));
    lines.join("\n")
}

fn line(test: &FlowTest) -> Vec<String> {
    let verdict = if test.passed { "passed" } else { "FAILED" };
    let mut lines = vec![format!("{verdict}  {}", test.name)];
    lines.extend(test.problems.iter().map(|problem| format!("        {problem}")));
    lines
}

fn code(good: bool) -> ExitCode {
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
