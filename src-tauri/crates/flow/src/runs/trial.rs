//! Tests of flows: what a trigger tells, what stands in for the world, and what should come of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use devrig_core::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Runs;
use super::rehearse::{Rehearsed, ran};
use crate::program::Program;
use crate::run::{End, Output, RunStatus, StandIn, Told, leaf};

/// Tests of one flow at most, as a file beside it has them.
const MOST: usize = 1_000;

/// What stands in a file of tests.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixtures {
    tests: Vec<Fixture>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixture {
    name: String,
    /// `trigger.payload`.
    #[serde(default)]
    trigger: Value,
    /// Outputs that stand in for nodes, by id, or by path for one round of a loop.
    #[serde(default)]
    pins: BTreeMap<String, Value>,
    /// What plugins say, by the names of their conditions.
    #[serde(default)]
    conditions: BTreeMap<String, bool>,
    #[serde(default)]
    expect: Expected,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    status: Option<RunStatus>,
    #[serde(default, deserialize_with = "given")]
    output: Option<Value>,
    /// By id or path; `null` for a node that must not run.
    #[serde(default)]
    nodes: BTreeMap<String, Option<ExpectedNode>>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedNode {
    #[serde(default, deserialize_with = "given")]
    output: Option<Value>,
    port: Option<String>,
    /// A part of what its error says.
    error: Option<String>,
}

/// `null` is a value, too.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(from).map(Some)
}

/// How a test went.
#[derive(Debug, Clone, Serialize, Deserialize, specta::Type)]
pub struct FlowTest {
    pub name: String,
    pub passed: bool,
    /// What is not as it should be, one sentence each.
    pub problems: Vec<String>,
}

impl Runs {
    /// Tries a flow out with the tests of a file. Nodes that touch the world need a pin; nothing is
    /// reached and nothing is written.
    ///
    /// # Errors
    /// `INVALID_INPUT` for what is no file of tests.
    pub async fn test(&self, program: &Program, fixtures: Value) -> Result<Vec<FlowTest>> {
        let Fixtures { tests } = serde_json::from_value(fixtures).map_err(|error| {
            Error::invalid(format!("the tests cannot be read: {error}"))
                .hint("Write {\"tests\": [{\"name\": …, \"trigger\": …, \"expect\": …}]}.")
        })?;
        if tests.len() > MOST {
            return Err(Error::invalid(format!("{} tests are too many", tests.len()))
                .hint(format!("Keep at most {MOST} in a file.")));
        }
        let mut told = Vec::new();
        for test in tests {
            told.push(self.try_out(program, test).await);
        }
        Ok(told)
    }

    async fn try_out(&self, program: &Program, test: Fixture) -> FlowTest {
        let Fixture { name, trigger, pins, conditions, expect } = test;
        let strangers = pins
            .keys()
            .chain(expect.nodes.keys())
            .filter(|path| program.definition.node(leaf(path)).is_none());
        let mut problems: Vec<String> =
            strangers.map(|path| format!("the flow has no node {path}")).collect();
        let first = program.definition.triggers.first();
        let kind = first.map_or("manual", |trigger| trigger.trigger_type().as_str());
        let id = first.map_or("manual", |trigger| trigger.id.as_str());
        let trigger = Told::new(id, kind, Timestamp::default(), Output::Here(trigger));
        let stand_in = StandIn::of_all(ends(pins), conditions);
        let went = self.rehearse(program, trigger, &stand_in).await;
        problems.extend(judge(&expect, &went));
        FlowTest { name, passed: problems.is_empty(), problems }
    }
}

fn ends(pins: BTreeMap<String, Value>) -> HashMap<String, Arc<End>> {
    let end = |(node, output): (String, Value)| {
        (node.clone(), Arc::new(End { node, output, ..End::default() }))
    };
    pins.into_iter().map(end).collect()
}

fn judge(expect: &Expected, went: &Rehearsed) -> Vec<String> {
    let mut problems: Vec<String> = went
        .unknown
        .iter()
        .map(|node| format!("{node} touches the world, so it needs a pin"))
        .collect();
    problems.extend(went.unasked.iter().map(|condition| {
        format!("{condition} is not asked here, so its answer has to stand in `conditions`")
    }));
    if !problems.is_empty() {
        return problems;
    }
    let wanted = expect.status.unwrap_or(RunStatus::Completed);
    if wanted != went.status {
        let why = went.error.as_ref().map(|error| format!(": {error}")).unwrap_or_default();
        let (is, should) = (went.status.as_str(), wanted.as_str());
        problems.push(format!("the run is {is}, not {should}{why}"));
    }
    if let Some(output) = &expect.output {
        // Nothing is stored in a walk that leaves nothing behind.
        if let Output::Here(is) = &went.output {
            problems.extend(differences("the output", is, output));
        }
    }
    for (path, node) in &expect.nodes {
        let found = went.ends.iter().find(|end| end.node == *path || leaf(&end.node) == path);
        let found = found.filter(|end| ran(end));
        problems.extend(judge_node(path, node.as_ref(), found));
    }
    problems
}

fn judge_node(path: &str, wanted: Option<&ExpectedNode>, found: Option<&Arc<End>>) -> Vec<String> {
    let (wanted, end) = match (wanted, found) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec![format!("{path} ran, and should not")],
        (Some(_), None) => return vec![format!("{path} did not run")],
        (Some(wanted), Some(end)) => (wanted, end),
    };
    let mut problems = Vec::new();
    if let Some(output) = &wanted.output {
        problems.extend(differences(path, &end.output, output));
    }
    let port = end.port.as_deref().unwrap_or(crate::definition::port::OUT);
    if wanted.port.as_deref().is_some_and(|wanted| wanted != port) {
        let wanted = wanted.port.as_deref().unwrap_or_default();
        problems.push(format!("{path} went on at {port}, not at {wanted}"));
    }
    let said = end.error.as_ref().map(|error| error.message.as_str()).unwrap_or_default();
    if let Some(part) = wanted.error.as_deref().filter(|part| !said.contains(part)) {
        problems.push(format!("{path} failed with {said:?}, not with {part:?}"));
    }
    problems
}

/// The places in which two values differ.
fn differences(at: &str, is: &Value, should: &Value) -> Vec<String> {
    match (is, should) {
        _ if is == should => Vec::new(),
        (Value::Object(is), Value::Object(should)) => {
            let names: std::collections::BTreeSet<&String> =
                is.keys().chain(should.keys()).collect();
            let null = Value::Null;
            names
                .into_iter()
                .flat_map(|name| {
                    let of = |fields: &serde_json::Map<String, Value>| {
                        fields.get(name).cloned().unwrap_or_else(|| null.clone())
                    };
                    differences(&format!("{at}.{name}"), &of(is), &of(should))
                })
                .collect()
        }
        (Value::Array(is), Value::Array(should)) if is.len() == should.len() => {
            let pairs = is.iter().zip(should).enumerate();
            pairs
                .flat_map(|(n, (is, should))| differences(&format!("{at}[{n}]"), is, should))
                .collect()
        }
        _ => vec![format!("{at} is {is}, not {should}")],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn differences_are_told_by_their_places() {
        let is = json!({"a": [1, {"b": 2}], "c": true, "d": 1});
        let should = json!({"a": [1, {"b": 3}], "c": true, "e": 1});
        assert_eq!(
            differences("x", &is, &should),
            ["x.a[1].b is 2, not 3", "x.d is 1, not null", "x.e is null, not 1"]
        );
        assert!(differences("x", &is, &is).is_empty());
    }
}
