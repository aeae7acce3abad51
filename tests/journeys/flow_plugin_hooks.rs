//! Hooks of plugins around actions of flows, asked of real workers and told to them.

use std::time::{Duration, Instant};

use devrig_core::Code;
use devrig_engine::api::flow::{FlowPermitArgs, FlowRunArgs, FlowSaveArgs};
use devrig_engine::api::plugin::{AccountInfo, PluginLogsArgs, RevokeArgs};
use devrig_engine::api::run::{RunDetail, RunStatus};
use devrig_net::testnet::Reply;
use devrig_tests::rig::wait;
use devrig_tests::{CommandLine, Package, Rig};
use serde_json::{Value, json};

/// Lets no request pass that says so in its address, and writes down what became of the others.
const GUARD: &str = "devrig.activate((sdk) => {
  sdk.hooks.register('guard.requests', {
    before({ input, flow }) {
      if (input.url.endsWith('/secret')) return { refuse: `${flow.name} may not ask for secrets` };
      if (input.url.endsWith('/circles')) for (;;);
      if (input.url.endsWith('/trips')) throw new Error('the guard trips');
    },
    after(call, outcome) {
      sdk.log.info(`told of ${call.input.url}`, { call, outcome });
    },
  });
})";

fn package() -> Package {
    let mut package = Package::new("guard", &["flows:hooks"], GUARD);
    let hook = json!({"id": "guard.requests", "name": "Keeps secrets", "actions": ["http.*"],
        "before": true, "after": true});
    package.manifest["capabilities"] = json!({ "hooks": [hook] });
    package
}

struct Gate {
    rig: Rig,
    account: AccountInfo,
    port: u16,
}

impl Gate {
    async fn start() -> Self {
        let rig = Rig::start().await;
        let port = rig.net.loopback(|_| Reply::ok(r#"{"open": true}"#)).await;
        let account = rig.install(&package()).await;
        let gate = Self { rig, account, port };
        gate.save().await;
        gate
    }

    /// A flow that asks for the path that it is told, at most twice.
    async fn save(&self) {
        let url = format!("http://127.0.0.1:{}/{{{{trigger.payload.path}}}}", self.port);
        let policy = json!({"maxAttempts": 2, "baseDelayMs": 1, "maxDelayMs": 1});
        let definition = json!({
            "id": "ask", "name": "Ask",
            "nodes": [{"id": "ask", "type": "action", "action": "http.request",
                "config": {"url": url, "headers": {"x-key": "{{trigger.payload.key}}"}},
                "retryPolicy": policy}],
        });
        let args = FlowSaveArgs { definition, layout: None, must_be_new: false };
        self.rig.api.flow_save(args).await.expect("it is saved");
        let allow = vec![format!("network:127.0.0.1:{}", self.port)];
        let args = FlowPermitArgs { id: "ask".to_owned(), allow, forbid: Vec::new() };
        self.rig.api.flow_permit(args).await.expect("it is allowed");
    }

    async fn ask(&self, path: &str) -> RunDetail {
        let input = json!({ "path": path, "key": "k" });
        let args =
            FlowRunArgs { id: "ask".to_owned(), version: None, input, wait_ms: Some(60_000) };
        self.rig.api.flow_run(args).await.expect("it is started")
    }

    /// The requests for a path that were sent.
    fn sent(&self, path: &str) -> usize {
        let path = format!("/{path}");
        self.rig.net.seen().iter().filter(|seen| seen.path == path).count()
    }

    /// What the plugin wrote down, with this in it.
    async fn told(&self, part: &str) -> Value {
        let (api, plugin) = (&self.rig.api, self.account.plugin.clone());
        wait(&format!("the plugin's log to have {part:?}"), async || {
            let (plugin, account) = (plugin.clone(), None);
            let args = PluginLogsArgs { plugin, account, before: None, limit: Some(500) };
            let lines = api.plugin_logs(args).await.expect("the log");
            let found = lines.into_iter().find(|line| line.message.contains(part));
            found.map(|line| line.meta.unwrap_or_default())
        })
        .await
    }
}

fn warned(run: &RunDetail, parts: &[&str]) -> bool {
    run.log.iter().any(|line| parts.iter().all(|part| line.message.contains(part)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_plugin_refuses_is_never_sent() {
    let gate = Gate::start().await;
    let run = gate.ask("open").await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    assert_eq!(gate.sent("open"), 1);
    let told = gate.told("told of http://127.0.0.1").await;
    assert_eq!(told["call"]["run"], json!(run.run.id));
    assert_eq!(told["call"]["flow"], json!({"id": "ask", "name": "Ask"}));
    assert_eq!(
        (&told["call"]["action"], &told["call"]["node"]),
        (&json!("http.request"), &json!("ask"))
    );
    assert_eq!(told["outcome"]["ok"], true);
    assert_eq!(told["outcome"]["output"]["body"], r#"{"open": true}"#);
    assert!(told["outcome"]["durationMs"].as_f64().is_some_and(|ms| ms > 0.0), "{told}");

    let run = gate.ask("secret").await;
    let error = run.run.error.expect("it is refused");
    assert_eq!((run.run.status, error.code), (RunStatus::Failed, Code::Refused));
    let why = "the plugin devrig-plugin-guard refuses http.request: Ask may not ask for secrets";
    assert!(error.message.contains(why), "{error}");
    assert_eq!((gate.sent("secret"), run.nodes[0].attempts), (0, 1), "nothing was sent");
    gate.told("guard.requests refused http.request").await;

    let hint = error.hint.expect("a remedy");
    let remedy = "devrig plugin revoke devrig-plugin-guard flows:hooks";
    assert!(hint.contains(remedy), "{hint}");
    let devrig = CommandLine::of(&gate.rig);
    let words = devrig.text(&["plugin", "show", "guard"]).await;
    assert!(words.contains("Keeps secrets (http.*)"), "{words}");
    devrig.text(&remedy.split(' ').skip(1).collect::<Vec<_>>()).await;
    let run = gate.ask("secret").await;
    assert_eq!(run.run.status, RunStatus::Completed, "nobody asks it any more: {run:?}");
    assert_eq!(gate.sent("secret"), 1);
    gate.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_permission_a_hook_sees_nothing() {
    let gate = Gate::start().await;
    let (id, permission) = (gate.account.id.clone(), "flows:hooks".to_owned());
    gate.rig.api.account_revoke(RevokeArgs { id, permission }).await.expect("it is taken back");
    let run = gate.ask("secret").await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    gate.rig.grant_all(&gate.account).await;
    gate.ask("open").await;
    gate.told("/open").await;
    let args = PluginLogsArgs {
        plugin: gate.account.plugin.clone(),
        account: None,
        before: None,
        limit: Some(500),
    };
    let lines = gate.rig.api.plugin_logs(args).await.expect("the log");
    assert!(!lines.iter().any(|line| line.message.contains("/secret")), "{lines:?}");
    gate.rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_fails_or_runs_away_stops_no_flow() {
    let gate = Gate::start().await;
    gate.ask("open").await;
    let run = gate.ask("trips").await;
    assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
    let guard = "devrig-plugin-guard";
    assert!(warned(&run, &[guard, "http.request goes on", "the guard trips"]), "{:?}", run.log);

    let mut rests = false;
    for _ in 0..6 {
        let begun = Instant::now();
        let run = gate.ask("circles").await;
        assert_eq!(run.run.status, RunStatus::Completed, "{run:?}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
        assert!(warned(&run, &[guard, "http.request goes on"]), "{:?}", run.log);
        rests = warned(&run, &["not asked for 60 s"]);
        if rests {
            break;
        }
    }
    assert!(rests, "it is left alone at last");
    let run = gate.ask("secret").await;
    assert_eq!((run.run.status, gate.sent("secret")), (RunStatus::Completed, 1));
    assert!(run.log.is_empty(), "it is not asked, and that was told: {:?}", run.log);
    wait("the worker to be ended", async || {
        let rows = gate.rig.audit("guard").await;
        rows.iter().any(|row| row.contains("budget:hook")).then_some(())
    })
    .await;
    gate.rig.end().await;
}
