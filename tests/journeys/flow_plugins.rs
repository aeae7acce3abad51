//! Actions of plugins as nodes of flows, done by real workers.

use std::time::Duration;

use devrig_core::Code;
use devrig_engine::api::flow::{FlowPermitArgs, FlowRunArgs, FlowValidateArgs, Problem};
use devrig_engine::api::inbox::ImportArgs;
use devrig_engine::api::plugin::{AccountAddArgs, AccountInfo, ToggleArgs};
use devrig_engine::api::run::{Decision, RunDecideArgs, RunDetail, RunGetArgs, RunStatus};
use devrig_inbox::ItemInput;
use devrig_net::testnet::{Reply, Site};
use devrig_tests::rig::wait;
use devrig_tests::{CommandLine, Package, Rig};
use serde_json::{Value, json};

/// Opens tickets at `desk.test`, and knows ways to fail.
const DESK: &str = "devrig.activate((sdk) => {
  const send = async (path, body) => {
    const reply = await fetch('https://desk.test' + path, { method: 'POST', body: JSON.stringify(body) });
    return await reply.json();
  };
  sdk.dataSources.register('desk.items', { async sync(cursor, ds) {
    await ds.storeItems([{ externalId: 't1', type: 'note', title: 'The lamp is broken' }]);
    return { cursor: 'c', itemCount: 1, hasMore: false };
  } });
  sdk.actions.register('desk.look', async (input, { inboxItem }) =>
    ({ success: true, output: { number: inboxItem?.title ?? 'nothing' } }));
  sdk.actions.register('desk.open', async (input, { idempotencyKey }) =>
    ({ success: true, output: await send('/tickets', { title: input.title, key: idempotencyKey }) }));
  sdk.actions.register('desk.lose', async () => ({ success: true, output: await send('/lost', {}) }));
  sdk.actions.register('desk.refuse', async () =>
    ({ success: false, error: { code: 'UNAUTHORIZED', message: 'the desk knows nobody of that name' } }));
  sdk.actions.register('desk.own', async () =>
    ({ success: false, error: { code: 'NO_SUCH_DESK', message: 'there is no such desk' } }));
})";

fn package() -> Package {
    let mut package = Package::new("desk", &["inbox:write", "network:desk.test"], DESK);
    let title = json!({"type": "object", "required": ["title"], "additionalProperties": false,
        "properties": {"title": {"type": "string", "maxLength": 20}}});
    let action = |id: &str| json!({"id": id, "name": id, "description": "For the test."});
    let mut open = action("desk.open");
    open["inputSchema"] = title;
    let others = ["desk.look", "desk.lose", "desk.refuse", "desk.own"].map(action);
    package.manifest["capabilities"]["actions"] =
        [open].into_iter().chain(others).collect::<Vec<Value>>().into();
    package
}

/// A flow whose first node has the desk do something, and whose second one sees the output.
fn flow(action: &str, config: Value) -> Value {
    json!({
        "id": "tickets", "name": "Tickets",
        "nodes": [
            {"id": "ticket", "type": "action", "pluginId": "desk", "action": action, "config": config},
            {"id": "after", "type": "action", "action": "data.set",
             "config": {"fields": {"number": "{{nodes.ticket.output.number}}"}}},
        ],
        "edges": [{"source": "ticket", "target": "after"}],
    })
}

fn titled() -> Value {
    flow("desk.open", json!({"title": "For {{trigger.payload.who}}"}))
}

struct Desk {
    rig: Rig,
    account: AccountInfo,
}

impl Desk {
    async fn start() -> Self {
        let rig = Rig::start().await;
        let answer = |seen: &devrig_net::testnet::Seen| match seen.path.as_str() {
            "/tickets" => Reply::ok(r#"{"number": 7}"#),
            _ => Reply::ok("{}").after(Duration::from_secs(20)),
        };
        rig.net.serve(Site::new("desk.test", "93.184.216.34"), answer).await;
        let account = rig.install(&package()).await;
        Self { rig, account }
    }

    async fn save(&self, definition: Value) -> Vec<Problem> {
        let args =
            devrig_engine::api::flow::FlowSaveArgs { definition, layout: None, must_be_new: false };
        self.rig.api.flow_save(args).await.expect("it is saved").warnings
    }

    async fn allow(&self) {
        let allow = vec!["plugin:desk".to_owned()];
        let args = FlowPermitArgs { id: "tickets".to_owned(), allow, forbid: Vec::new() };
        self.rig.api.flow_permit(args).await.expect("it is allowed");
    }

    async fn run(&self, wait_ms: Option<u32>) -> RunDetail {
        self.run_with(json!({"who": "kim"}), wait_ms).await
    }

    async fn run_with(&self, input: Value, wait_ms: Option<u32>) -> RunDetail {
        let id = "tickets".to_owned();
        let args = FlowRunArgs { id, version: None, input, wait_ms };
        self.rig.api.flow_run(args).await.expect("it is started")
    }

    /// What became of a flow with this action, which it may use.
    async fn ran(&self, definition: Value) -> RunDetail {
        self.save(definition).await;
        self.allow().await;
        self.run(Some(60_000)).await
    }

    async fn problems(&self, definition: Value) -> Vec<Problem> {
        let args = FlowValidateArgs { definition: Some(definition), id: None };
        self.rig.api.flow_validate(args).await.expect("it is checked")
    }
}

fn found<'a>(problems: &'a [Problem], field: &str) -> &'a Problem {
    let found = problems.iter().find(|problem| problem.field == field);
    found.unwrap_or_else(|| panic!("nothing is told of {field}: {problems:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugins_action_gives_its_output_to_the_next_node() {
    let desk = Desk::start().await;
    let run = desk.ran(titled()).await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    assert_eq!(run.nodes[1].output, json!({"number": 7}));
    let seen = desk.rig.net.seen_by("desk.test");
    let sent: Value = serde_json::from_slice(&seen[0].body).expect("JSON");
    assert_eq!(sent, json!({"title": "For kim", "key": format!("{}/ticket", run.run.id)}));

    let long =
        flow("desk.open", json!({"title": "For {{trigger.payload.who}}, who waits for long"}));
    let run = desk.ran(long).await;
    let error = run.run.error.expect("the title is too long");
    assert_eq!((run.run.status, error.code), (RunStatus::Failed, Code::InvalidInput));
    assert!(error.message.contains("title"), "{error}");
    assert_eq!(desk.rig.net.seen_by("desk.test").len(), 1, "the plugin was not asked");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_is_done_to_the_item_that_is_named_or_told_of() {
    let desk = Desk::start().await;
    desk.rig.sync(&desk.account).await;
    let item = desk.rig.first("is:any from:desk").await;
    let lost = ItemInput {
        external_id: "n".into(),
        kind: "note".into(),
        title: "Other".into(),
        ..ItemInput::default()
    };
    desk.rig.api.inbox_import(ImportArgs { items: vec![lost] }).await.expect("an import");
    let other = desk.rig.first("is:any from:import").await;
    let seen = async |config: Value, input: Value| {
        desk.save(flow("desk.look", config)).await;
        desk.allow().await;
        let run = desk.run_with(input, Some(60_000)).await;
        match run.run.error {
            Some(error) => error.code.as_str().to_owned(),
            None => run.nodes[1].output["number"].as_str().expect("a title").to_owned(),
        }
    };
    let named = json!({"itemId": "{{trigger.payload.which}}"});
    assert_eq!(seen(named.clone(), json!({"which": item})).await, "The lamp is broken");
    assert_eq!(seen(named, json!({"which": other})).await, "REFUSED");
    assert_eq!(seen(json!({}), json!({"itemId": item})).await, "The lamp is broken");
    assert_eq!(seen(json!({}), json!({"itemId": other})).await, "nothing");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_permission_a_plugin_is_not_used() {
    let desk = Desk::start().await;
    let warnings = desk.save(titled()).await;
    let warned = found(&warnings, "$.nodes[0].pluginId");
    assert!(warned.hint.contains("devrig flow allow tickets plugin:desk"), "{warned:?}");
    let error = desk.run(Some(60_000)).await.run.error.expect("it is refused");
    assert_eq!(error.code, Code::Refused);
    let hint = error.hint.expect("a remedy");
    assert!(hint.contains("devrig flow allow tickets plugin:desk"), "{hint}");
    assert!(desk.rig.net.seen_by("desk.test").is_empty());

    let devrig = CommandLine::of(&desk.rig);
    let shown = devrig.json(&["flow", "allow", "tickets", "plugin:devrig-plugin-desk"]).await;
    assert_eq!(shown["allowed"], json!(["plugin:desk"]));
    assert_eq!(shown["needs"][0]["allowed"], json!(true));
    assert_eq!(desk.run(Some(60_000)).await.run.status, RunStatus::Completed);
    // Another version of the flow may no more than before, and a new flow nothing.
    let mut copy = titled();
    copy["id"] = json!("copy");
    let warnings = desk.save(copy).await;
    assert!(found(&warnings, "$.nodes[0].pluginId").hint.contains("flow allow copy"));
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_says_of_its_failure_fails_the_run() {
    let desk = Desk::start().await;
    let run = desk.ran(flow("desk.refuse", json!({}))).await;
    let error = run.run.error.expect("it failed");
    assert_eq!((run.run.status, error.code), (RunStatus::Failed, Code::Unauthorized));
    assert!(error.message.contains("knows nobody"), "{error}");
    let error = desk.ran(flow("desk.own", json!({}))).await.run.error.expect("it failed");
    assert_eq!(error.code, Code::PluginFailed);
    assert_eq!(error.details.expect("the plugin's own code")["code"], "NO_SUCH_DESK");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_ends_in_the_middle_of_a_write_leaves_it_in_doubt() {
    let desk = Desk::start().await;
    desk.save(flow("desk.lose", json!({}))).await;
    desk.allow().await;
    let id = desk.run(None).await.run.id;
    wait("the request to be sent", async || {
        (!desk.rig.net.seen_by("desk.test").is_empty()).then_some(())
    })
    .await;
    let toggle = |enabled| ToggleArgs { name: desk.account.plugin.clone(), enabled };
    desk.rig.api.plugin_toggle(toggle(false)).await.expect("its worker is ended");
    let get = || RunGetArgs { id: id.clone(), wait_ms: None };
    let run = wait("the run to stop", async || {
        let run = desk.rig.api.run_get(get()).await.expect("the run");
        (run.run.status == RunStatus::NeedsDecision).then_some(run)
    })
    .await;
    assert_eq!(run.run.error.expect("why").code, Code::InDoubt);
    let decide = RunDecideArgs { id: id.clone(), decision: Decision::Skip };
    desk.rig.api.run_decide(decide).await.expect("it is decided");
    wait("the run to go on", async || {
        let run = desk.rig.api.run_get(get()).await.expect("the run");
        (run.run.status == RunStatus::Completed).then_some(())
    })
    .await;
    assert_eq!(desk.rig.net.seen_by("desk.test").len(), 1, "it was sent once");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_plugins_node_is_told_before_it_runs() {
    let desk = Desk::start().await;
    let problems = desk.problems(flow("desk.dance", json!({}))).await;
    let unknown = found(&problems, "$.nodes[0].action");
    assert!(
        unknown.is_error() && unknown.message.contains("no action `desk.dance`"),
        "{unknown:?}"
    );
    let problems = desk.problems(flow("desk.open", json!({"titel": "x"}))).await;
    assert!(found(&problems, "$.nodes[0].config").is_error(), "{problems:?}");

    let mut gone = titled();
    gone["nodes"][0]["pluginId"] = json!("nowhere");
    let problems = desk.problems(gone).await;
    let missing = problems.iter().find(|it| it.message.contains("is not installed"));
    assert!(!missing.expect("it is told").is_error(), "{problems:?}");

    let (plugin, name) = (desk.account.plugin.clone(), "Second".to_owned());
    let args = AccountAddArgs { plugin: plugin.clone(), name };
    let second = desk.rig.api.account_add(args).await.expect("an account").id;
    let problems = desk.problems(titled()).await;
    let several = found(&problems, "$.nodes[0].accountId");
    assert!(several.is_error() && several.hint.contains(second.as_str()), "{several:?}");
    let mut named = titled();
    named["nodes"][0]["accountId"] = json!(desk.account.id);
    assert_eq!(desk.ran(named.clone()).await.run.status, RunStatus::Completed);

    let toggle = ToggleArgs { name: plugin, enabled: false };
    desk.rig.api.plugin_toggle(toggle).await.expect("it is off");
    let problems = desk.problems(named).await;
    let off = found(&problems, "$.nodes[0].pluginId");
    assert!(!off.is_error() && off.hint.contains("devrig plugin enable"), "{off:?}");
    let error = desk.run(Some(60_000)).await.run.error.expect("it is off");
    assert_eq!(error.code, Code::Refused);
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_quarantined_degrades_the_flows_that_use_it() {
    let desk = Desk::start().await;
    let mut hooked = titled();
    hooked["triggers"] = json!([{"id": "hook", "type": "webhook", "path": "tickets"}]);
    desk.save(hooked).await;
    desk.allow().await;
    let devrig = CommandLine::of(&desk.rig);
    for command in ["publish", "enable"] {
        devrig.json(&["flow", command, "tickets"]).await;
    }
    let degraded = async || devrig.json(&["flow", "list"]).await[0]["degraded"].clone();
    assert_eq!(degraded().await, json!([]));

    // What is installed is not what it was, which no worker may run.
    let plugin = desk.account.plugin.clone();
    let toggle = |enabled| ToggleArgs { name: plugin.clone(), enabled };
    desk.rig.api.plugin_toggle(toggle(false)).await.expect("its worker is ended");
    assert_eq!(degraded().await[0]["why"]["code"], "REFUSED", "a disabled one degrades it, too");
    let versions = desk.rig.home.plugins().join(&plugin);
    let installed = versions.read_dir().expect("a folder").next().expect("a version");
    let file = installed.expect("a version").path().join("index.js");
    assert!(file.is_file(), "{}", file.display());
    std::fs::write(&file, format!("{DESK}\n")).expect("the file is there");
    desk.rig.api.plugin_toggle(toggle(true)).await.expect("it is on");
    assert_eq!(desk.run(Some(60_000)).await.run.status, RunStatus::Failed);
    let told = wait("the quarantine", async || {
        let told = degraded().await[0].clone();
        (told["why"]["code"] == "PLUGIN_QUARANTINED").then_some(told)
    })
    .await;
    assert_eq!((&told["plugin"], &told["nodes"]), (&json!("desk"), &json!(["ticket"])));
    let listed = devrig.text(&["flow", "list"]).await;
    assert!(listed.contains("degraded") && listed.contains("devrig plugin enable"), "{listed}");
    let shown = devrig.text(&["flow", "show", "tickets"]).await;
    assert!(shown.contains("needed for ticket"), "{shown}");
    let trigger = devrig.json(&["trigger", "show", "tickets", "hook"]).await;
    assert_eq!(trigger["degraded"][0]["why"]["code"], "PLUGIN_QUARANTINED");
    let triggers = devrig.text(&["trigger", "list"]).await;
    assert!(triggers.contains("its flow is degraded"), "{triggers}");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_of_plugins_are_listed_with_what_they_take() {
    let desk = Desk::start().await;
    let devrig = CommandLine::of(&desk.rig);
    let open = devrig.json(&["flow", "actions", "desk.open"]).await;
    assert_eq!((&open["plugin"], &open["effect"]), (&json!("desk"), &json!("write")));
    assert_eq!(open["input"]["required"], json!(["title"]));
    let people = devrig.text(&["flow", "actions"]).await;
    assert!(people.lines().any(|it| it.contains("desk.open") && it.contains(" desk ")), "{people}");
    desk.rig.end().await;
}
