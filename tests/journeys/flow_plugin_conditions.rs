//! Conditions of plugins decide in flows, asked of real workers.

use std::time::{Duration, Instant};

use devrig_core::Code;
use devrig_engine::api::flow::{
    FlowPermitArgs, FlowRunArgs, FlowSaveArgs, FlowTestArgs, FlowValidateArgs, Problem,
};
use devrig_engine::api::plugin::AccountAddArgs;
use devrig_engine::api::run::{RunDetail, RunStatus};
use devrig_engine::api::trigger::TriggerFireArgs;
use devrig_tests::{CommandLine, Package, Rig};
use serde_json::{Value, json};

/// Knows who is at the desk, and ways to give no answer.
const DESK: &str = "devrig.activate((sdk) => {
  sdk.conditions.register('desk.knows', ([who]) => {
    if (who === 'nobody') throw new Error('the desk is empty');
    if (who === 'everybody') for (;;);
    if (who === 'somebody') return 1;
    return who === 'kim';
  });
})";

fn package() -> Package {
    let mut package = Package::new("desk", &["inbox:write"], DESK);
    package.manifest["capabilities"] =
        json!({"conditions": [{"id": "desk.knows", "name": "Knows them"}]});
    package
}

fn knows(path: &str) -> Value {
    json!({"type": "custom", "pluginId": "desk", "functionName": "desk.knows",
        "args": [{"type": "context", "path": path}]})
}

/// Says `in` where the desk knows who is told of, by a node or by the ways.
fn flow(condition: Value) -> Value {
    let says = |id: &str| {
        json!({"id": id, "type": "action", "action": "data.set",
            "config": {"fields": {"said": id}}})
    };
    json!({
        "id": "door", "name": "Door",
        "nodes": [
            {"id": "choice", "type": "condition", "config": {"condition": condition}},
            says("in"), says("out"), says("told"),
        ],
        "edges": [
            {"source": "choice", "target": "in", "port": "true"},
            {"source": "choice", "target": "out", "port": "false"},
            {"source": "in", "target": "told", "condition": knows("trigger.payload.who")},
        ],
    })
}

fn door() -> Value {
    flow(knows("trigger.payload.who"))
}

struct Desk(Rig);

impl Desk {
    async fn start() -> Self {
        let rig = Rig::start().await;
        rig.install(&package()).await;
        Self(rig)
    }

    async fn save(&self, definition: Value) -> Vec<Problem> {
        let args = FlowSaveArgs { definition, layout: None, must_be_new: false };
        self.0.api.flow_save(args).await.expect("it is saved").warnings
    }

    async fn allowed(&self, definition: Value) {
        self.save(definition).await;
        let allow = vec!["plugin:desk".to_owned()];
        let args = FlowPermitArgs { id: "door".to_owned(), allow, forbid: Vec::new() };
        self.0.api.flow_permit(args).await.expect("it is allowed");
    }

    async fn run(&self, who: &str) -> RunDetail {
        let (id, input) = ("door".to_owned(), json!({"who": who}));
        let args = FlowRunArgs { id, version: None, input, wait_ms: Some(60_000) };
        self.0.api.flow_run(args).await.expect("it is started")
    }

    async fn problems(&self, definition: Value) -> Vec<Problem> {
        let args = FlowValidateArgs { definition: Some(definition), id: None };
        self.0.api.flow_validate(args).await.expect("it is checked")
    }
}

fn completed(run: &RunDetail) -> Vec<&str> {
    let done = |status: &str| status == "completed";
    let nodes = run.nodes.iter().filter(|node| node.status.is_some_and(|it| done(it.as_str())));
    nodes.map(|node| node.path.as_str()).collect()
}

fn found<'a>(problems: &'a [Problem], field: &str) -> &'a Problem {
    let found = problems.iter().find(|problem| problem.field == field);
    found.unwrap_or_else(|| panic!("nothing is told of {field}: {problems:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_says_decides_nodes_and_ways() {
    let desk = Desk::start().await;
    desk.allowed(door()).await;
    let run = desk.run("kim").await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    assert_eq!(completed(&run), ["choice", "in", "told"]);
    assert_eq!(completed(&desk.run("lee").await), ["choice", "out"]);
    let not = flow(json!({"type": "not", "condition": knows("trigger.payload.who")}));
    desk.allowed(not).await;
    assert_eq!(completed(&desk.run("lee").await), ["choice", "in"], "the way asks for itself");

    let mut entry = door();
    entry["entryConditions"] = json!([knows("trigger.payload.who")]);
    entry["triggers"] = json!([{"id": "bell", "type": "manual"}]);
    desk.allowed(entry).await;
    let rings = async |who: &str| {
        let (flow, trigger) = ("door".to_owned(), "bell".to_owned());
        let payload = Some(json!({"who": who}));
        let args = TriggerFireArgs { flow, trigger, payload, event: None };
        desk.0.api.trigger_fire(args).await.expect("it rings").run.is_some()
    };
    assert_eq!((rings("kim").await, rings("lee").await), (true, false));
    desk.0.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_answer_counts_as_false_and_is_told() {
    let desk = Desk::start().await;
    desk.allowed(door()).await;
    desk.run("kim").await;
    for (who, why) in
        [("nobody", "the desk is empty"), ("somebody", "it answered 1"), ("everybody", "500 ms")]
    {
        let begun = Instant::now();
        let run = desk.run(who).await;
        let took = begun.elapsed();
        assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
        assert_eq!(completed(&run), ["choice", "out"]);
        let told = run
            .log
            .iter()
            .any(|line| line.message.contains("counts as false") && line.message.contains(why));
        assert!(told, "{who}: {:?}", run.log);
        assert!(took < Duration::from_secs(10), "{who}: {took:?}");
    }
    desk.0.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permission_no_plugin_is_asked() {
    let desk = Desk::start().await;
    let warnings = desk.save(door()).await;
    let remedy = "devrig flow allow door plugin:desk";
    for place in ["$.nodes[0].config.condition.pluginId", "$.edges[2].condition.pluginId"] {
        assert!(found(&warnings, place).hint.contains(remedy), "{warnings:?}");
    }
    let error = desk.run("kim").await.run.error.expect("it is refused");
    assert_eq!(error.code, Code::Refused);
    assert!(error.hint.expect("a remedy").contains(remedy));
    desk.0.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_is_told_before_it_is() {
    let desk = Desk::start().await;
    let with = |field: &str, value: &str| {
        let mut condition = knows("trigger.payload.who");
        condition[field] = json!(value);
        flow(condition)
    };
    let problems = desk.problems(with("functionName", "desk.dreams")).await;
    let unknown = found(&problems, "$.nodes[0].config.condition.functionName");
    assert!(unknown.is_error() && unknown.hint.contains("desk.knows"), "{unknown:?}");
    let problems = desk.problems(with("accountId", "nobody")).await;
    assert!(found(&problems, "$.nodes[0].config.condition.accountId").is_error());
    let problems = desk.problems(with("pluginId", "nowhere")).await;
    let missing = problems.iter().find(|it| it.message.contains("is not installed"));
    assert!(!missing.expect("it is told").is_error(), "{problems:?}");

    let (plugin, name) = ("devrig-plugin-desk".to_owned(), "Second".to_owned());
    let args = AccountAddArgs { plugin, name };
    let second = desk.0.api.account_add(args).await.expect("an account").id;
    let problems = desk.problems(door()).await;
    let several = found(&problems, "$.nodes[0].config.condition.accountId");
    assert!(several.is_error() && several.hint.contains(second.as_str()), "{several:?}");
    desk.0.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_of_a_flow_gives_the_answers_itself() {
    let desk = Desk::start().await;
    desk.allowed(door()).await;
    let test = |conditions: Value| {
        json!({"tests": [{"name": "t", "trigger": {"who": "lee"}, "conditions": conditions,
            "expect": {"nodes": {"told": {"output": {"said": "told"}}}}}]})
    };
    let tried = async |conditions: Value| {
        let (id, tests) = ("door".to_owned(), test(conditions));
        let args = FlowTestArgs { id: Some(id), definition: None, tests };
        desk.0.api.flow_test(args).await.expect("it is tried out").remove(0)
    };
    let answered = tried(json!({"desk.knows": true})).await;
    assert!(answered.passed, "{answered:?}");
    let open = tried(json!({})).await;
    assert!(open.problems[0].contains("desk.knows of desk is not asked here"), "{open:?}");
    let devrig = CommandLine::of(&desk.0);
    let shown = devrig.json(&["flow", "allow", "door", "plugin:desk"]).await;
    assert_eq!(shown["needs"].as_array().map(Vec::len), Some(2), "the node and the way: {shown}");
    desk.0.end().await;
}
