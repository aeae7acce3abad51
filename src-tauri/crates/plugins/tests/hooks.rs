//! Hooks around actions: asked soon or not at all, told without anybody waiting.

mod common;

use std::time::{Duration, Instant};

use common::{Rig, until};
use devrig_core::Code;
use devrig_core::protocol::{FlowRef, HookCall, HookError, HookOutcome};
use devrig_plugins::HookAnswers;
use devrig_plugins::info::AccountInfo;
use serde_json::{Value, json};

/// Its one hook does what the input's `do` says, and writes down what it is told.
const GUARD: &str = "
devrig.activate((sdk) => {
  sdk.hooks.register('guard.all', {
    async before(call, context) {
      const what = call.input.do;
      if (what === 'refuse') return { refuse: `no ${call.action} for ${call.flow.name}` };
      if (what === 'mute') return { refuse: '' };
      if (what === 'empty') return {};
      if (what === 'odd') return { refused: 'because' };
      if (what === 'yes') return true;
      if (what === 'throws') throw new Error('the guard is asleep');
      if (what === 'fires') await sdk.triggers.fire('guard.seen');
      if (what === 'circles') for (;;);
      if (what === 'native') Array.prototype.reverse.call({ length: 2 ** 53 - 1 });
      if (what === 'waits') await new Promise(() => {});
    },
    async after(call, outcome, context) {
      if (call.input.do === 'throws') throw new Error('the book is full');
      if (call.input.do === 'slow') await new Promise((go) => setTimeout(go, 300));
      sdk.log.info(`saw ${call.action} ${call.attempt}`, { call, outcome });
    },
  });
  sdk.hooks.register('guard.lazy', { after() {} });
});";

fn manifest(name: &str, hooks: &Value) -> Value {
    json!({
        "name": name, "version": "1.0.0", "displayName": name, "engine": ">=0.1.0",
        "main": "index.js", "permissions": ["flows:hooks"],
        "capabilities": {
            "hooks": hooks, "triggers": [{ "id": "guard.seen", "name": "Seen" }],
        },
    })
}

fn guard() -> Value {
    let both = ["http.*", "plugin:desk"];
    manifest(
        "guard",
        &json!([
            { "id": "guard.all", "name": "All", "actions": both, "before": true, "after": true },
            { "id": "guard.lazy", "name": "Lazy", "actions": ["git.commit"], "before": true },
        ]),
    )
}

fn call(action: &str, what: &str) -> HookCall {
    HookCall {
        flow: FlowRef { id: "f".to_owned(), name: "Flow".to_owned() },
        run: "r".to_owned(),
        node: "send".to_owned(),
        attempt: 2,
        plugin: None,
        action: action.to_owned(),
        effect: "write".to_owned(),
        input: json!({ "do": what }),
        left_out: Vec::new(),
    }
}

fn fine() -> HookOutcome {
    let output = Some(json!({ "status": 200 }));
    HookOutcome { ok: true, error: None, duration_ms: 12.5, output, output_left_out: false }
}

async fn guarded() -> (Rig, AccountInfo) {
    let rig = Rig::new().await;
    let account = rig.install(guard(), GUARD).await;
    let account = rig.plugins.grant(&account.id, None).await.unwrap();
    (rig, account)
}

async fn asked(rig: &Rig, what: &str) -> HookAnswers {
    rig.plugins.before_action(&call("http.request", what)).await
}

/// Waits until the plugin's log has a line with all these parts.
async fn logged(rig: &Rig, plugin: &str, parts: &[&str]) -> Option<Value> {
    let mut found = None;
    until(&format!("the log to have {parts:?}"), async || {
        let lines = rig.plugins.logs(plugin, None, None, 500).await.unwrap();
        let has = |text: &str| parts.iter().all(|part| text.contains(part));
        found = lines.into_iter().find(|line| has(&line.message));
        found.is_some()
    })
    .await;
    found.and_then(|line| line.meta)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_lets_pass_or_refuses_and_all_else_lets_pass() {
    let (rig, _) = guarded().await;
    for what in ["nothing", "empty"] {
        let said = asked(&rig, what).await;
        assert!(said.refused.is_none() && said.silent.is_empty(), "{what}: {said:?}");
    }
    for (what, reason) in [("refuse", "no http.request for Flow"), ("mute", "it gives no reason")] {
        let refused = asked(&rig, what).await.refused;
        assert_eq!(refused, Some(("guard".to_owned(), reason.to_owned())));
    }
    logged(&rig, "guard", &["guard.all refused http.request: no http.request for Flow"]).await;
    for (what, why) in [
        ("odd", "it answered {\"refused\":\"because\"}"),
        ("yes", "it answered true"),
        ("throws", "the guard is asleep"),
        ("fires", "only answers, and fires nothing"),
    ] {
        let said = asked(&rig, what).await;
        let [silence] = &said.silent[..] else { panic!("{what}: {said:?}") };
        assert!(said.refused.is_none() && silence.why.message.contains(why), "{said:?}");
        assert_eq!((&*silence.plugin, silence.rests), ("guard", None), "it did answer");
    }
    let said = rig.plugins.before_action(&call("git.commit", "")).await;
    assert!(said.silent[0].why.message.contains("no before function"), "{said:?}");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_declared_and_granted_is_seen() {
    let rig = Rig::new().await;
    let account = rig.install(guard(), GUARD).await;
    assert!(!rig.plugins.has_hooks(), "nothing is granted yet");
    let words = rig.info("guard").await.permissions[0].words.clone();
    assert!(words.contains("All (http.*, plugin:desk)"), "{words}");
    rig.plugins.grant(&account.id, None).await.unwrap();
    assert!(rig.plugins.has_hooks());
    let around = |plugin: Option<&str>, action: &str| rig.plugins.hooks_around(plugin, action);
    assert_eq!(around(None, "http.request"), (true, true));
    assert_eq!(around(None, "git.commit"), (true, false));
    assert_eq!(around(Some("devrig-plugin-desk"), "desk.open"), (true, true));
    assert_eq!(around(None, "shell.exec"), (false, false));
    rig.plugins.disable("guard").await.unwrap();
    assert_eq!(around(None, "http.request"), (false, false));
    rig.plugins.enable("guard").await.unwrap();
    assert_eq!(around(None, "http.request"), (true, true));
    rig.plugins.revoke(&account.id, "flows:hooks").await.unwrap();
    assert!(!rig.plugins.has_hooks());
    assert!(asked(&rig, "refuse").await.refused.is_none(), "it is not asked");
    rig.plugins.grant(&account.id, None).await.unwrap();
    rig.plugins.uninstall("guard", false).await.unwrap();
    assert!(!rig.plugins.has_hooks());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_of_all_accounts_are_asked_at_once_and_the_first_refusal_counts() {
    let (rig, _) = guarded().await;
    let all = json!([{ "id": "guard.all", "name": "All", "actions": ["*"], "before": true }]);
    let source = GUARD.replace("sdk.hooks.register('guard.lazy', { after() {} });", "");
    for (name, source) in [
        ("aaa", source.replace("`no ${call.action} for ${call.flow.name}`", "'the first'")),
        ("zzz", source.replace("'refuse'", "'waits'")),
    ] {
        let account = rig.install(manifest(name, &all), &source).await;
        rig.plugins.grant(&account.id, None).await.unwrap();
    }
    asked(&rig, "nothing").await;
    let begun = Instant::now();
    let said = asked(&rig, "refuse").await;
    assert_eq!(said.refused, Some(("aaa".to_owned(), "the first".to_owned())));
    let said = asked(&rig, "waits").await;
    let silent: Vec<&str> = said.silent.iter().map(|one| &*one.plugin).collect();
    assert_eq!(silent, ["aaa", "guard"]);
    assert_eq!(said.refused.map(|(plugin, _)| plugin).as_deref(), Some("zzz"));
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_gives_no_answer_is_left_alone_for_a_while() {
    let (rig, _) = guarded().await;
    asked(&rig, "nothing").await;
    let mut rests = Vec::new();
    for _ in 0..3 {
        let begun = Instant::now();
        let said = asked(&rig, "waits").await;
        assert_eq!(said.silent[0].why.code, Code::Timeout, "{said:?}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
        rests.push(said.silent[0].rests.map(|rest| rest.as_secs()));
    }
    assert_eq!(rests, [None, None, Some(60)]);
    let begun = Instant::now();
    let said = asked(&rig, "refuse").await;
    assert!(said.refused.is_none() && said.silent.is_empty(), "it rests: {said:?}");
    assert!(begun.elapsed() < Duration::from_millis(400), "{:?}", begun.elapsed());
    logged(&rig, "guard", &["gave no answer again and again", "60 s"]).await;
    rig.plugins.enable("guard").await.unwrap();
    assert!(asked(&rig, "refuse").await.refused.is_some(), "the person wants another try");
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runaway_is_ended_and_slows_nobody_for_long() {
    let (rig, _) = guarded().await;
    asked(&rig, "nothing").await;
    for what in ["circles", "native"] {
        let said = asked(&rig, what).await;
        assert_eq!(said.silent[0].why.code, Code::Timeout, "{said:?}");
        rig.plugins.after_action(call("http.request", what), fine(), 0);
        let stopped = rig.audited("guard", "budget:hook").await;
        assert_eq!(stopped.entry.verdict, "stopped");
        until("another worker to answer", async || {
            rig.plugins.enable("guard").await.unwrap();
            asked(&rig, "refuse").await.refused.is_some()
        })
        .await;
    }
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_is_told_whole() {
    let (rig, _) = guarded().await;
    rig.plugins.after_action(call("http.request", "x"), fine(), 0);
    let told = logged(&rig, "guard", &["saw http.request 2"]).await.unwrap();
    assert_eq!(told["call"]["flow"], json!({ "id": "f", "name": "Flow" }));
    assert_eq!(told["call"]["node"], "send");
    assert_eq!(told["call"]["leftOut"], json!([]));
    let outcome = json!({
        "ok": true, "durationMs": 12.5, "output": { "status": 200 }, "outputLeftOut": false,
    });
    assert_eq!(told["outcome"], outcome);
    let error = HookError { code: "NETWORK".to_owned(), message: "down".to_owned() };
    let failed = HookOutcome { ok: false, error: Some(error), output: None, ..fine() };
    let of_desk = HookCall { plugin: Some("desk".to_owned()), ..call("desk.open", "x") };
    rig.plugins.after_action(of_desk, failed, 0);
    let told = logged(&rig, "guard", &["saw desk.open"]).await.unwrap();
    assert_eq!(told["outcome"]["error"], json!({ "code": "NETWORK", "message": "down" }));
    assert_eq!(told["call"]["plugin"], "desk");
    rig.plugins.after_action(call("http.request", "throws"), fine(), 0);
    logged(&rig, "guard", &["guard.all failed after http.request: the book is full"]).await;
    rig.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_line_leaves_reports_out_and_says_so_once() {
    let (rig, _) = guarded().await;
    asked(&rig, "nothing").await;
    let begun = Instant::now();
    for _ in 0..500 {
        rig.plugins.after_action(call("http.request", "slow"), fine(), 0);
    }
    assert!(begun.elapsed() < Duration::from_secs(1), "nobody waits: {:?}", begun.elapsed());
    logged(&rig, "guard", &["More than 256 reports", "left out"]).await;
    logged(&rig, "guard", &["reports for its hooks were left out"]).await;
    let lines = rig.plugins.logs("guard", None, None, 1_000).await.unwrap();
    let count = |part: &str| lines.iter().filter(|line| line.message.contains(part)).count();
    assert_eq!(count("More than 256 reports"), 1);
    assert!(count("saw http.request") >= 200, "{}", count("saw http.request"));
    rig.close().await;
}
