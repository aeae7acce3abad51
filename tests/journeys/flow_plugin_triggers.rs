//! Triggers of plugins start flows: asked of real workers, and fired by them.

use std::sync::atomic::{AtomicU32, Ordering};

use devrig_engine::api::NoArgs;
use devrig_engine::api::flow::{
    FlowEnableArgs, FlowPermitArgs, FlowSaveArgs, FlowValidateArgs, FlowVersionArgs, Problem,
};
use devrig_engine::api::plugin::{AccountAddArgs, AccountInfo, ToggleArgs};
use devrig_engine::api::trigger::{
    Standing, TriggerEventArgs, TriggerEventsArgs, TriggerFireArgs, TriggerInfo, TriggerPauseArgs,
};
use devrig_net::testnet::{Reply, Site};
use devrig_tests::rig::wait;
use devrig_tests::{CommandLine, Package, Rig};
use serde_json::{Value, json};

/// A desk that counts by its own clock: each look at it brings the next ticket, and each sync and
/// each action fires an event.
const DESK: &str = "devrig.activate((sdk) => {
  sdk.triggers.register('desk.opened', { async poll(config, cursor, { flow }) {
    const reply = await fetch('https://desk.test/next?since=' + (cursor ?? ''));
    const { number } = await reply.json();
    if (number === 'broken') throw new Error('the desk has no numbers');
    const event = { id: 'ticket-' + number, payload: { number, desk: config.desk, flow: flow.name } };
    return { events: cursor === undefined ? [] : [event], cursor: number };
  } });
  sdk.dataSources.register('desk.items', { async sync(cursor, ds) {
    await ds.storeItems([{ externalId: 't1', type: 'note', title: 'The lamp is broken' }]);
    const told = await sdk.triggers.fire('desk.escalated', { number: 7 }, { id: 'escalated-7' });
    sdk.log.info('told ' + told.flows + ' flows');
    return { cursor: 'c', itemCount: 1, hasMore: false };
  } });
  sdk.actions.register('desk.escalate', async () => {
    await sdk.triggers.fire('desk.escalated', { by: 'an action' });
    return { success: true, output: null };
  });
  sdk.actions.register('desk.next', async (input) =>
    ({ success: true, output: await (await fetch('https://desk.test/next?of=' + input.of)).json() }));
  sdk.actions.register('desk.stray', async () => {
    const tried = (id) => sdk.triggers.fire(id, {}).then(() => 'fired', (error) => error.code);
    return { success: true, output: await tried('desk.unknown') };
  });
})";

fn package() -> Package {
    let mut package = Package::new("desk", &["inbox:write", "network:desk.test"], DESK);
    let config = json!({"type": "object", "required": ["desk"], "additionalProperties": false,
        "properties": {"desk": {"type": "string"}}});
    let capabilities = &mut package.manifest["capabilities"];
    let of = json!({"type": "object", "properties": {"of": {"type": "string"}}});
    capabilities["actions"] = json!([
        {"id": "desk.escalate", "name": "Escalate"},
        {"id": "desk.next", "name": "Next", "effect": "read", "inputSchema": of},
        {"id": "desk.stray", "name": "Stray", "effect": "read"},
    ]);
    capabilities["triggers"] = json!([
        {"id": "desk.opened", "name": "Opened", "pollIntervalMs": 5000, "configSchema": config,
            "samplePayload": {"number": 1}},
        {"id": "desk.escalated", "name": "Escalated"},
    ]);
    package
}

/// A flow that this trigger starts, and that does so.
fn flow(trigger: Value, action: Option<&str>) -> Value {
    let mut trigger = trigger;
    trigger["id"] = json!("t");
    let node = match action {
        Some(action) => json!({"id": "n", "type": "action", "pluginId": "desk", "action": action}),
        None => json!({"id": "n", "type": "action", "action": "data.set",
            "config": {"fields": {"told": "{{trigger.payload}}"}}}),
    };
    json!({"id": "tickets", "name": "Tickets", "triggers": [trigger], "nodes": [node],
        "variables": {"desk": "front"}})
}

fn opened() -> Value {
    json!({"type": "plugin", "pluginId": "desk", "trigger": "desk.opened",
        "config": {"desk": "{{variables.desk}}"}, "intervalMs": 5000})
}

fn escalated() -> Value {
    json!({"type": "plugin", "pluginId": "desk", "trigger": "desk.escalated"})
}

struct Desk {
    rig: Rig,
    account: AccountInfo,
}

impl Desk {
    async fn start() -> Self {
        let rig = Rig::start().await;
        let next = AtomicU32::new(1);
        let answer = move |_: &devrig_net::testnet::Seen| {
            let number = next.fetch_add(1, Ordering::Relaxed);
            Reply::ok(json!({ "number": number }).to_string())
        };
        rig.net.serve(Site::new("desk.test", "93.184.216.34"), answer).await;
        let account = rig.install(&package()).await;
        Self { rig, account }
    }

    /// Saves a flow, and lets it wait for its trigger.
    async fn enabled(&self, definition: Value, allowed: bool) {
        let (api, id) = (&self.rig.api, "tickets".to_owned());
        let args = FlowSaveArgs { definition, layout: None, must_be_new: false };
        api.flow_save(args).await.expect("it is saved");
        if allowed {
            let allow = vec!["plugin:desk".to_owned()];
            let args = FlowPermitArgs { id: id.clone(), allow, forbid: Vec::new() };
            api.flow_permit(args).await.expect("it is allowed");
        }
        let args = FlowVersionArgs { id: id.clone(), version: None };
        api.flow_publish(args).await.expect("it is live");
        api.flow_enable(FlowEnableArgs { id, enabled: true }).await.expect("it is enabled");
        wait("the trigger to be armed", async || self.trigger().await).await;
    }

    async fn trigger(&self) -> Option<TriggerInfo> {
        let all = self.rig.api.trigger_list(NoArgs {}).await.expect("the triggers");
        all.into_iter().find(|one| one.flow == "tickets" && one.state != Standing::Off)
    }

    /// What became of what the trigger told, and what that was, oldest first.
    async fn told(&self) -> Vec<(String, Value)> {
        let flow = || "tickets".to_owned();
        let args = TriggerEventsArgs { flow: flow(), trigger: None, after: None, limit: None };
        let events = self.rig.api.trigger_events(args).await.expect("the events");
        let mut told = Vec::new();
        for event in events.into_iter().rev() {
            let args = TriggerEventArgs { flow: flow(), number: event.number };
            let payload = self.rig.api.trigger_event(args).await.expect("it").payload;
            told.push((event.verdict, payload));
        }
        told
    }

    async fn events(&self, count: usize) -> Vec<(String, Value)> {
        wait("the events", async || Some(self.told().await).filter(|told| told.len() >= count))
            .await
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

fn ran(payload: Value) -> (String, Value) {
    ("run".to_owned(), payload)
}

#[tokio::test(flavor = "multi_thread")]
async fn news_start_runs_and_go_on_where_they_were_after_a_restart() {
    let mut desk = Desk::start().await;
    desk.enabled(flow(opened(), None), true).await;
    let ticket = |number: u32| ran(json!({"number": number, "desk": "front", "flow": "Tickets"}));
    // The first look only says where it is; each further one brings the next ticket.
    let told = desk.events(1).await;
    assert_eq!(told[0], ticket(2));
    let state = desk.trigger().await.expect("it is armed");
    assert_eq!((state.state, state.kind.as_str()), (Standing::Active, "plugin"), "{state:?}");
    assert!(state.fired >= 1.0 && state.error.is_none(), "{state:?}");

    desk.rig.restart().await;
    let before = desk.told().await.len();
    desk.events(before + 1).await;
    let seen = desk.rig.net.seen_by("desk.test");
    let seen: Vec<String> = seen.into_iter().map(|seen| seen.path).collect();
    let first = seen.iter().filter(|path| path.ends_with('=')).count();
    assert_eq!(first, 1, "the cursor outlives the restart: {seen:?}");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_fired_in_a_sync_starts_runs_once() {
    let desk = Desk::start().await;
    desk.enabled(flow(escalated(), None), true).await;
    desk.rig.sync(&desk.account).await;
    assert_eq!(desk.events(1).await[0], ran(json!({"number": 7})));
    desk.rig.sync(&desk.account).await;
    let told = desk.events(2).await;
    assert_eq!(told[1].0, "repeated", "the same id starts nothing: {told:?}");

    let pause =
        |paused| TriggerPauseArgs { flow: "tickets".to_owned(), trigger: "t".to_owned(), paused };
    desk.rig.api.trigger_pause(pause(true)).await.expect("it is paused");
    desk.rig.sync(&desk.account).await;
    assert_eq!(desk.told().await.len(), 2, "nobody waits for it");
    desk.rig.api.trigger_pause(pause(false)).await.expect("it goes on");
    let fire = TriggerFireArgs {
        flow: "tickets".to_owned(),
        trigger: "t".to_owned(),
        payload: Some(json!({"number": 9})),
        event: None,
    };
    desk.rig.api.trigger_fire(fire).await.expect("it fires by hand").run.expect("a run");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flow_sets_off_itself_comes_to_an_end() {
    let desk = Desk::start().await;
    // Each run fires the event that starts the next one.
    desk.enabled(flow(escalated(), Some("desk.escalate")), true).await;
    desk.rig.sync(&desk.account).await;
    let told = desk.events(8).await;
    let fired = |told: &[(String, Value)]| told.iter().filter(|one| one.0 == "run").count();
    assert_eq!(fired(&told), 8, "{told:?}");
    wait("the last one to be refused", async || {
        let refused = desk.rig.audit("devrig-plugin-desk").await;
        refused.iter().any(|line| line.contains("triggers:depth")).then_some(())
    })
    .await;
    assert_eq!(fired(&desk.told().await), 8);
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_that_may_not_fire_says_why() {
    let desk = Desk::start().await;
    desk.enabled(flow(escalated(), None), false).await;
    desk.rig.sync(&desk.account).await;
    let state = desk.trigger().await.expect("it is armed");
    let error = state.error.expect("the flow may not use the plugin");
    assert!(error.hint.expect("a remedy").contains("devrig flow allow tickets plugin:desk"));
    assert!(desk.told().await.is_empty());

    let toggle = ToggleArgs { name: desk.account.plugin.clone(), enabled: false };
    desk.rig.api.plugin_toggle(toggle).await.expect("it is off");
    let state = desk.trigger().await.expect("it is armed");
    let error = state.error.expect("the plugin is off");
    assert!(error.hint.expect("a remedy").contains("devrig plugin enable"));
    let devrig = CommandLine::of(&desk.rig);
    let shown = devrig.text(&["trigger", "list"]).await;
    assert!(shown.contains("failed") && shown.contains("is disabled"), "{shown}");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_function_of_a_plugin_is_polled_as_an_address_is() {
    let desk = Desk::start().await;
    let source = |function: &str| {
        json!({"type": "polling", "intervalMs": 5000, "fireOnFirst": true, "source": {
            "type": "plugin", "pluginId": "desk", "functionName": function,
            "args": [{"of": "{{variables.desk}}"}]}})
    };
    desk.enabled(flow(source("desk.next"), None), true).await;
    let told = desk.events(2).await;
    assert_eq!(told[0], ran(json!({"data": {"number": 1}})));
    assert_eq!(told[1].1, json!({"data": {"number": 2}, "previous": {"number": 1}}));
    assert_eq!(desk.rig.net.seen_by("desk.test")[0].path, "/next?of=front");
    let problems = desk.problems(flow(source("desk.escalate"), None)).await;
    let writes = found(&problems, "$.triggers[0].source.functionName");
    assert!(writes.is_error() && writes.message.contains("changes something"), "{problems:?}");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_plugins_trigger_is_told_when_it_is_saved() {
    let desk = Desk::start().await;
    let with = |field: &str, value: Value| {
        let mut trigger = opened();
        trigger[field] = value;
        flow(trigger, None)
    };
    for (field, value, at) in [
        ("trigger", json!("desk.dreamt"), "trigger"),
        ("config", json!({}), "config"),
        ("config", json!({"desk": 7}), "config.desk"),
    ] {
        let problems = desk.problems(with(field, value)).await;
        assert!(found(&problems, &format!("$.triggers[0].{at}")).is_error(), "{problems:?}");
    }
    let problems = desk.problems(with("accountId", json!("nobody"))).await;
    assert!(!found(&problems, "$.triggers[0].accountId").is_error(), "{problems:?}");
    let mut fired = escalated();
    fired["intervalMs"] = json!(5000);
    let problems = desk.problems(flow(fired, None)).await;
    assert!(found(&problems, "$.triggers[0].intervalMs").is_error(), "{problems:?}");
    let problems = desk.problems(with("pluginId", json!("nowhere"))).await;
    let missing = problems.iter().find(|it| it.message.contains("is not installed"));
    assert!(!missing.expect("it is told").is_error(), "{problems:?}");

    let (plugin, name) = (desk.account.plugin.clone(), "Second".to_owned());
    let args = AccountAddArgs { plugin, name };
    let second = desk.rig.api.account_add(args).await.expect("an account").id;
    let problems = desk.problems(flow(opened(), None)).await;
    let several = found(&problems, "$.triggers[0].accountId");
    assert!(several.is_error() && several.hint.contains(second.as_str()), "{several:?}");
    desk.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_declared_triggers_are_fired() {
    let desk = Desk::start().await;
    let row = desk.rig.api.trigger_list(NoArgs {}).await.expect("the triggers");
    assert!(row.is_empty());
    let mut stray = flow(json!({"type": "manual"}), Some("desk.stray"));
    stray["triggers"][0]["id"] = json!("t");
    desk.enabled(stray, true).await;
    let fire = TriggerFireArgs {
        flow: "tickets".to_owned(),
        trigger: "t".to_owned(),
        payload: None,
        event: None,
    };
    desk.rig.api.trigger_fire(fire).await.expect("it fires").run.expect("a run");
    wait("the refusal", async || {
        let refused = desk.rig.audit("devrig-plugin-desk").await;
        refused.iter().any(|line| line.contains("triggers:undeclared")).then_some(())
    })
    .await;
    desk.rig.end().await;
}
