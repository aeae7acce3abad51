//! Flows, runs and expressions from the command line, as scripts and people have them.

use devrig_tests::rig::wait;
use devrig_tests::{CommandLine, Rig};
use serde_json::{Value, json};

/// A loop with a rest in each round, then an answer that nobody waits for.
const FLOW: &str = r#"{
  "id": "rounds", "name": "Rounds", "tags": ["trial"],
  "nodes": [
    {"id": "each", "type": "action", "action": "flow.loop", "config": {"items": [1, 2, 3]},
     "body": {"nodes": [{"id": "rest", "type": "action", "action": "flow.delay", "config": {"ms": 20}}]}},
    {"id": "answer", "type": "action", "action": "http.respond", "config": {"body": {"ok": true}}}
  ],
  "edges": [{"source": "each", "target": "answer"}]
}"#;

const SLEEPER: &str = r#"{"id": "sleeper", "name": "Sleeper", "nodes": [
  {"id": "sleep", "type": "action", "action": "flow.delay", "config": {"ms": 3600000}}
]}"#;

/// A rig with a file of the flow, and the command line on it.
async fn desk() -> (Rig, CommandLine, String) {
    let rig = Rig::start().await;
    let file = rig.folder.path().join("rounds.flow.json");
    std::fs::write(&file, FLOW).expect("a file");
    let commands = CommandLine::of(&rig);
    (rig, commands, file.display().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_goes_through_its_versions() {
    let (rig, devrig, file) = desk().await;
    let made = devrig.json(&["flow", "create", &file]).await;
    assert_eq!((&made["flow"]["id"], &made["flow"]["latest"]), (&json!("rounds"), &json!(1)));
    let again = devrig.error(&["flow", "create", &file], "").await;
    assert_eq!(again["code"], "CONFLICT");
    assert!(again["hint"].as_str().expect("a hint").contains("flow import"), "{again}");

    let other = FLOW.replace("[1, 2, 3]", "[1, 2]").replace("\"ms\": 20", "\"ms\": 30");
    std::fs::write(&file, other).expect("a file");
    let saved = devrig.json(&["flow", "import", &file]).await;
    assert_eq!(saved[0]["saved"]["flow"]["latest"], 2);
    let same = devrig.json(&["flow", "import", &file]).await;
    assert_eq!(same[0]["saved"]["flow"]["latest"], 2, "what is the same makes no version");

    let changes = devrig.json(&["flow", "diff", "Rounds", "1", "2"]).await;
    let fields: Vec<&Value> = changes["nodes"]["changed"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|part| &part["fields"][0]["field"])
        .collect();
    assert_eq!(fields, ["config.items", "config.ms"]);
    let people = devrig.text(&["flow", "diff", "rounds", "1", "2"]).await;
    assert!(people.contains("~ node rest config.ms: 20 → 30"), "{people}");

    assert_eq!(devrig.json(&["flow", "restore", "rounds", "1"]).await["latest"], 3);
    let versions = devrig.json(&["flow", "versions", "rounds"]).await;
    assert_eq!(versions[0]["summary"], "version 1 again");
    assert_eq!(devrig.json(&["flow", "publish", "rounds", "--version", "2"]).await["live"], 2);
    assert_eq!(devrig.json(&["flow", "enable", "rounds"]).await["enabled"], true);
    assert_eq!(devrig.json(&["flow", "disable", "rounds"]).await["enabled"], false);
    let shown = devrig.json(&["flow", "show", "rounds", "--version", "1"]).await;
    assert_eq!(shown["definition"]["nodes"][0]["config"]["items"], json!([1, 2, 3]));
    let people = devrig.text(&["flow", "show", "rounds"]).await;
    assert!(people.contains("3 of 3"), "{people}");
    assert!(people.contains("  rest"), "nodes of a body stand under theirs: {people}");
    assert_eq!(devrig.json(&["flow", "list"]).await[0]["tags"], json!(["trial"]));
    assert_eq!(devrig.json(&["flow", "delete", "rounds"]).await, json!({"ok": true}));
    assert_eq!(devrig.error(&["flow", "show", "rounds"], "").await["code"], "NOT_FOUND");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_told_with_node_and_field() {
    let (rig, devrig, file) = desk().await;
    let wrong =
        FLOW.replace("\"flow.delay\"", "\"flow.dely\"").replace("\"answer\"}]", "\"nobody\"}]");
    let printed = devrig.run(&["flow", "validate", "-", "--json"], &wrong).await;
    assert_eq!(printed.status, 1, "{printed:?}");
    let problems = printed.json();
    let errors: Vec<&Value> = problems
        .as_array()
        .expect("a list")
        .iter()
        .filter(|each| each["severity"] == "error")
        .collect();
    assert_eq!(errors.len(), 2, "{problems}");
    let unknown = errors.iter().find(|each| each["code"] == "unknown-action").expect("it is told");
    assert_eq!(
        (&unknown["node"], &unknown["field"]),
        (&json!("rest"), &json!("$.nodes[0].body.nodes[0].action"))
    );

    let printed = devrig.run(&["flow", "create", "-"], &wrong).await;
    assert_eq!(printed.status, 1);
    for part in ["node `rest`", "$.nodes[0].body.nodes[0].action", "$.edges[0].target"] {
        assert!(printed.err.contains(part), "{part} is missing:\n{}", printed.err);
    }
    let warned = devrig.json(&["flow", "validate", &file]).await;
    assert_eq!(warned[0]["code"], "no-trigger", "a warning is told, and nothing fails: {warned}");
    let missing = devrig.error(&["flow", "validate", "no/such.flow.json"], "").await;
    assert_eq!(missing["code"], "NOT_FOUND");

    // One wrong file keeps no other from being saved.
    let bad = rig.folder.path().join("bad.flow.json");
    std::fs::write(&bad, "{").expect("a file");
    let printed =
        devrig.run(&["flow", "import", &bad.display().to_string(), &file, "--json"], "").await;
    assert_eq!(printed.status, 1);
    let outcome = printed.json();
    assert_eq!(outcome[0]["error"]["code"], "INVALID_INPUT");
    assert_eq!(outcome[1]["saved"]["flow"]["latest"], 1);
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_started_waited_for_listed_and_cancelled() {
    let (rig, devrig, file) = desk().await;
    devrig.json(&["flow", "create", &file]).await;
    let done = devrig.json(&["flow", "run", "rounds", "--input", r#"{"n": 1}"#, "--wait"]).await;
    assert_eq!((&done["status"], &done["payload"]), (&json!("completed"), &json!({"n": 1})));
    assert_eq!(done["nodes"].as_array().expect("nodes").len(), 5);
    let id = done["id"].as_str().expect("an id");
    let people = devrig.text(&["run", "show", id]).await;
    assert!(people.contains("each#2/rest"), "{people}");
    let log = devrig.json(&["run", "logs", id]).await;
    assert_eq!(log[0]["level"], "info");
    let followed = devrig.text(&["run", "logs", id, "--follow"]).await;
    assert!(followed.contains("no request waits"), "{followed}");

    let from = rig.folder.path().join("sleeper.flow.json");
    std::fs::write(&from, SLEEPER).expect("a file");
    devrig.json(&["flow", "import", &from.display().to_string()]).await;
    let printed = devrig.run(&["flow", "run", "Sleeper", "--wait", "1", "--json"], "").await;
    assert_eq!(printed.status, 1, "it has not completed");
    let sleeping = printed.json()["id"].as_str().expect("an id").to_owned();
    wait("the run to wait", async || {
        let runs = devrig.json(&["run", "list", "--flow", "sleeper", "--status", "waiting"]).await;
        (runs.as_array().expect("a list").len() == 1).then_some(())
    })
    .await;
    devrig.json(&["run", "cancel", &sleeping]).await;
    assert_eq!(devrig.json(&["run", "show", &sleeping]).await["status"], "cancelled");
    let error = devrig.error(&["run", "cancel", &sleeping], "").await;
    assert_eq!(error["code"], "NOTHING_TO_DO");

    let runs = devrig.json(&["run", "list", "--limit", "1"]).await;
    assert_eq!(runs[0]["id"], json!(sleeping), "the newest first");
    let next = devrig.json(&["run", "list", "--cursor", &sleeping]).await;
    assert_eq!(next[0]["id"], json!(id));
    let error = devrig.error(&["run", "list", "--status", "done"], "").await;
    assert!(error["message"].as_str().expect("words").contains("completed"), "{error}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_fails_fails_its_command() {
    let (rig, devrig, _) = desk().await;
    let fails = r#"{"id": "fails", "name": "Fails", "nodes": [
      {"id": "stop", "type": "action", "action": "flow.fail", "config": {"message": "no build"}}]}"#;
    let printed = devrig.run(&["flow", "create", "-"], fails).await;
    assert_eq!(printed.status, 0, "{printed:?}");
    let printed = devrig.run(&["flow", "run", "fails", "--wait", "--json"], "").await;
    assert_eq!(printed.status, 1);
    let run = printed.json();
    assert_eq!((&run["status"], &run["error"]["code"]), (&json!("failed"), &json!("FLOW_FAILED")));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_goes_into_files_and_comes_back() {
    let (rig, devrig, file) = desk().await;
    let placed =
        FLOW.replace("\"http.respond\",", "\"http.respond\", \"position\": {\"x\": 5, \"y\": 6},");
    std::fs::write(&file, placed).expect("a file");
    devrig.json(&["flow", "create", &file]).await;
    let text = devrig.text(&["flow", "export", "rounds"]).await;
    assert!(text.starts_with("{\n  \"schemaVersion\": 1,"), "{text}");
    let folder = rig.folder.path().join("flows");
    let to = folder.display().to_string();
    let written = devrig.json(&["flow", "export", "rounds", "--to", &to]).await;
    let files: Vec<String> = ["rounds.flow.json", "rounds.layout.json"]
        .map(|name| folder.join(name).display().to_string())
        .to_vec();
    assert_eq!(written, json!({ "files": files }));
    assert_eq!(std::fs::read_to_string(&files[0]).expect("a file"), text);
    devrig.json(&["flow", "export", "rounds", "--to", &to]).await;

    devrig.json(&["flow", "delete", "rounds"]).await;
    devrig.json(&["flow", "create", &files[0]]).await;
    let back = devrig.json(&["flow", "show", "rounds"]).await;
    assert_eq!(back["definition"]["nodes"][1]["position"], json!({"x": 5, "y": 6}));

    let other = FLOW.replace("\"rounds\"", "\"others\"");
    devrig.run(&["flow", "create", "-"], &other).await;
    let error = devrig.error(&["flow", "export", "others", "--to", &to], "").await;
    assert_eq!(error["code"], "CONFLICT", "a file of another flow is not overwritten");
    let error = devrig.error(&["flow", "show", "Rounds"], "").await;
    assert!(
        error["hint"].as_str().expect("a hint").contains("others"),
        "two have the name: {error}"
    );
    rig.end().await;
}

/// `told` reads what `made` gives.
const PAIR: &str = r#"{
  "id": "pair", "name": "Pair",
  "nodes": [
    {"id": "made", "type": "action", "action": "data.set", "config": {"fields": {"n": "{{trigger.payload.n}}"}}},
    {"id": "told", "type": "action", "action": "data.set", "config": {"fields": {"got": "{{nodes.made.output.n}}"}}}
  ],
  "edges": [{"source": "made", "target": "told"}]
}"#;

#[tokio::test(flavor = "multi_thread")]
async fn one_node_is_run_alone() {
    let (rig, devrig, _) = desk().await;
    devrig.run(&["flow", "create", "-"], PAIR).await;
    let run = devrig.json(&["flow", "run", "pair", "--input", r#"{"n": 4}"#, "--wait"]).await;
    let of = run["id"].as_str().expect("an id");
    let asked = ["flow", "run-node", "pair", "told"];
    let alone = devrig.json(&[&asked[..], &["--from-run", of, "--wait"]].concat()).await;
    assert_eq!((&alone["kind"], &alone["status"]), (&json!("node"), &json!("completed")));
    assert_eq!(alone["nodes"][1]["output"], json!({"got": 4}));
    let error = devrig.error(&asked, "").await;
    assert!(error["hint"].as_str().expect("a hint").contains("--from-run"), "{error}");
    let input = ["--input", r#"{"n": 5}"#, "--wait"];
    let made = devrig.json(&[&["flow", "run-node", "Pair", "made"], &input[..]].concat()).await;
    assert_eq!(made["nodes"][0]["output"], json!({"n": 5}));
    let listed = devrig.json(&["run", "list", "--kind", "node"]).await;
    assert_eq!(listed.as_array().map(Vec::len), Some(2), "{listed}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn actions_and_expressions_are_there_to_be_tried() {
    let (rig, devrig, _) = desk().await;
    let all = devrig.json(&["flow", "actions"]).await;
    assert!(all.as_array().expect("a list").len() >= 7);
    let one = devrig.json(&["flow", "actions", "flow.delay"]).await;
    assert_eq!(one["input"]["required"], json!(["ms"]));
    let error = devrig.error(&["flow", "actions", "flow.dely"], "").await;
    assert_eq!(error["hint"], "Did you mean flow.delay?");

    let holds = r#"{"type": "compare", "operator": "gt", "left": {"type": "context", "path": "n"}, "right": {"type": "literal", "value": 3}}"#;
    let words = ["expr", "eval", "--lang", "condition", holds, "--input", "-", "--json"];
    let printed = devrig.run(&words, r#"{"n": 4}"#).await;
    assert_eq!(printed.json()["value"], true, "{printed:?}");
    let printed = devrig.run(&words[..7], r#"{"n": 2}"#).await;
    assert!(printed.out.starts_with("false\n"), "{printed:?}");
    let template = ["expr", "eval", "--lang", "template"];
    let single = [&template[..], &["{{list}}", "--input", "-", "--json"]].concat();
    let printed = devrig.run(&single, r#"{"list": [1, "a"]}"#).await;
    assert_eq!(printed.json()["value"], json!([1, "a"]), "a single expression keeps its type");
    let text = [&template[..], &["{{n}} of {{m}}", "--input", "-"]].concat();
    assert_eq!(devrig.run(&text, r#"{"n": 1, "m": 2}"#).await.out, "1 of 2\n");
    let error = devrig.error(&[&template[..], &["{{#if a}}"]].concat(), "").await;
    assert_eq!(error["code"], "INVALID_INPUT");
    let error = devrig.error(&["expr", "eval", "--lang", "condition", "{"], "").await;
    assert_eq!(error["code"], "INVALID_INPUT");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn flows_are_listed_by_folder_and_tag_and_written_into_files() {
    let (rig, devrig, file) = desk().await;
    devrig.json(&["flow", "create", &file]).await;
    let filed =
        FLOW.replace("\"tags\": [\"trial\"]", "\"folder\": \"work/ci\", \"tags\": [\"a\", \"b\"]");
    devrig.run(&["flow", "create", "-"], &filed.replace("rounds", "filed")).await;
    let listed = async |args: &[&str]| {
        let flows = devrig.json(&[&["flow", "list"], args].concat()).await;
        let ids = flows.as_array().expect("a list").iter().map(|flow| flow["id"].clone());
        ids.collect::<Vec<_>>()
    };
    assert_eq!(listed(&[]).await, ["rounds", "filed"]);
    assert_eq!(listed(&["--folder", "work"]).await, ["filed"]);
    assert_eq!(listed(&["--folder", "wor"]).await, [""; 0]);
    assert_eq!(listed(&["--tag", "b", "--tag", "a"]).await, ["filed"]);
    assert_eq!(listed(&["--tag", "b", "--tag", "trial"]).await, [""; 0]);

    let out = rig.folder.path().join("out.flow.json");
    let written = devrig.json(&["flow", "export", "rounds", &out.display().to_string()]).await;
    assert_eq!(written["files"], json!([out.display().to_string()]));
    let other = devrig.error(&["flow", "export", "filed", &out.display().to_string()], "").await;
    assert_eq!(other["code"], "CONFLICT", "the file of another flow is not written over");
    devrig.json(&["flow", "delete", "rounds"]).await;
    let again = devrig.json(&["flow", "import", &out.display().to_string()]).await;
    assert_eq!(again[0]["saved"]["flow"]["tags"], json!(["trial"]));
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_flows_and_workflows_of_n8n_is_imported() {
    let (rig, devrig, _) = desk().await;
    let folder = rig.folder.path().join("flows");
    std::fs::create_dir_all(folder.join("sub")).expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).expect("a file");
    write("sub/rounds.flow.json", FLOW);
    write("package.json", "{\"nodes\": 5}");
    let node = |name: &str, kind: &str, parameters: Value| {
        json!({"name": name, "type": format!("n8n-nodes-base.{kind}"), "typeVersion": 3.4,
               "parameters": parameters, "position": [0, 0]})
    };
    let leads = |name: &str| json!({"main": [[{"node": name, "type": "main", "index": 0}]]});
    let set =
        json!({"assignments": {"assignments": [{"name": "day", "value": "={{ $json.day }}"}]}});
    let good = json!({
        "name": "Rounds",
        "nodes": [node("T", "manualTrigger", json!({})), node("Set", "set", set)],
        "connections": {"T": leads("Set")},
    });
    write("good.json", &good.to_string());
    let odd = json!({
        "name": "Odd",
        "nodes": [node("T", "manualTrigger", json!({})), node("Tell", "slack", json!({}))],
        "connections": {"T": leads("Tell")},
    });
    write("odd.json", &odd.to_string());

    let printed =
        devrig.run(&["flow", "import", &folder.display().to_string(), "--json"], "").await;
    assert_eq!(printed.status, 1, "one of them is not whole");
    let all = printed.json();
    let of = |name: &str| {
        let all = all.as_array().expect("a list").iter();
        all.clone().find(|each| each["file"].as_str().expect("a file").ends_with(name)).expect(name)
    };
    assert_eq!(all.as_array().map(Vec::len), Some(3), "other JSON is left alone: {all}");
    assert_eq!(of("rounds.flow.json")["saved"]["flow"]["id"], "rounds");
    let good = of("good.json");
    assert_eq!(good["saved"]["flow"]["name"], "Rounds");
    assert_ne!(good["saved"]["flow"]["id"], "rounds", "it takes no other flow's place");
    assert_eq!(good["report"]["mapped"][1]["into"], "data.set");
    let odd = of("odd.json");
    assert!(odd["error"]["hint"].as_str().expect("a hint").contains("--into"), "{odd}");
    assert!(odd["report"]["notMapped"][0]["reason"].as_str().expect("a reason").contains("slack"));

    let id = good["saved"]["flow"]["id"].as_str().expect("an id");
    let run = devrig.json(&["flow", "run", id, "--input", r#"{"day": "mon"}"#, "--wait"]).await;
    assert_eq!(run["status"], "completed");
    assert_eq!(run["nodes"][0]["output"], json!({"day": "mon"}));

    let out = rig.folder.path().join("out").display().to_string();
    let file = folder.join("odd.json").display().to_string();
    let written = devrig.json(&["flow", "import", &file, "--into", &out]).await;
    let flow = written[0]["written"][0].as_str().expect("a file");
    assert!(std::fs::read_to_string(flow).expect("it is written").contains("n8n-nodes-base.slack"));
    let people = devrig.text(&["flow", "import", &file, "--into", &out]).await;
    assert!(people.contains("by hand: node \"Tell\""), "{people}");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_folder_is_told_of() {
    let (rig, devrig, _) = desk().await;
    let none = devrig.text(&["flow", "files"]).await;
    assert!(none.contains("flows.folder"), "{none}");
    let refused = devrig.error(&["settings", "set", "flows.folder", "\"flows\""], "").await;
    assert!(refused["hint"].as_str().expect("a hint").contains("from the root on"), "{refused}");
    let folder = rig.folder.path().join("watched");
    let set = json!(folder.display().to_string()).to_string();
    devrig.json(&["settings", "set", "flows.folder", &set]).await;
    let missing = devrig.text(&["flow", "list"]).await;
    assert!(missing.contains("watched: "), "a folder that is not there is told: {missing}");

    std::fs::create_dir(&folder).expect("a folder");
    std::fs::write(folder.join("rounds.flow.json"), FLOW).expect("a file");
    std::fs::write(folder.join("bad.flow.json"), "{\n  oops").expect("a file");
    wait("the folder to be read", async || {
        let files = devrig.json(&["flow", "files"]).await;
        files["files"].as_array().filter(|files| files.len() == 2).map(|_| ())
    })
    .await;
    let list = devrig.text(&["flow", "list"]).await;
    assert!(list.contains("rounds") && list.contains("bad.flow.json:2:3"), "{list}");
    let shown = devrig.text(&["flow", "show", "rounds"]).await;
    assert!(shown.contains("rounds.flow.json (same)"), "{shown}");
    rig.end().await;
}

const PRINTER: &str = r#"{"id": "printer", "name": "Printer", "nodes": [
  {"id": "say", "type": "action", "action": "shell.exec", "config": {"command": "printf", "args": ["hello"]}},
  {"id": "look", "type": "action", "action": "file.list", "config": {"path": "{{trigger.payload.folder}}"}}
], "edges": [{"source": "say", "target": "look"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_touches_what_the_person_allows() {
    let (rig, devrig, _) = desk().await;
    let file = rig.folder.path().join("printer.flow.json");
    std::fs::write(&file, PRINTER).expect("a file");
    let made = devrig.json(&["flow", "create", &file.display().to_string()]).await;
    let warnings = made["warnings"].as_array().expect("a list");
    let warned = warnings.iter().find(|one| one["code"] == "not-allowed").expect("a warning");
    assert_eq!(
        (&warned["node"], &warned["field"]),
        (&json!("say"), &json!("$.nodes[0].config.command"))
    );
    let published = devrig.text(&["flow", "publish", "Printer"]).await;
    assert!(published.contains("devrig flow allow printer 'command:printf'"), "{published}");
    let refused = devrig.run(&["flow", "run", "printer", "--wait", "--json"], "").await;
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (1, &json!("REFUSED")));

    let place = tempfile::tempdir().expect("a folder");
    let folder = place.path().join("seen");
    std::fs::create_dir(&folder).expect("a folder");
    std::os::unix::fs::symlink(&folder, place.path().join("link")).expect("a link");
    let by_link = format!("read:{}/link", place.path().display());
    let now = devrig.json(&["flow", "allow", "Printer", "command:printf", &by_link]).await;
    let real = format!("read:{}", folder.canonicalize().expect("it is there").display());
    assert_eq!(
        now["allowed"],
        json!(["command:printf", real]),
        "a link is meant as what it leads to"
    );
    assert_eq!(
        (&now["needs"][0]["allowed"], &now["needs"][1]["permission"]),
        (&json!(true), &json!(null))
    );
    let people = devrig.text(&["flow", "permissions", "printer"]).await;
    assert!(people.contains("depends on data"), "{people}");
    let input = json!({ "folder": folder }).to_string();
    let run = devrig.json(&["flow", "run", "printer", "--input", &input, "--wait"]).await;
    assert_eq!(run["nodes"][0]["output"]["stdout"], "hello", "{run}");

    let now = devrig.json(&["flow", "forbid", "printer", "command:printf"]).await;
    assert_eq!(now["allowed"], json!([real]));
    let gone = devrig.error(&["flow", "forbid", "printer", "command:printf"], "").await;
    assert_eq!(gone["code"], "NOT_FOUND");
    let wrong = devrig.error(&["flow", "allow", "printer", "files:/x"], "").await;
    assert_eq!(wrong["code"], "INVALID_INPUT");
    rig.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn runs_are_searched_counted_and_cleaned_away() {
    let (rig, devrig, file) = desk().await;
    devrig.json(&["flow", "create", &file]).await;
    let failing = rig.folder.path().join("failing.flow.json");
    let flow = r#"{"id": "failing", "name": "Failing", "nodes": [{"id": "no", "type": "action",
        "action": "flow.fail", "config": {"message": "no lamp at host17"}}]}"#;
    std::fs::write(&failing, flow).expect("a file");
    devrig.json(&["flow", "create", &failing.display().to_string()]).await;
    let done = devrig.json(&["flow", "run", "rounds", "--wait"]).await;
    let failed = devrig.json(&["flow", "run", "failing"]).await;
    let failed = failed["id"].as_str().expect("an id");
    let shown = devrig.json(&["run", "show", failed, "--watch"]).await;
    assert_eq!(shown["status"], "failed");

    let found = devrig.json(&["run", "list", "--search", "lamp host1", "--since", "1h"]).await;
    assert_eq!((found.as_array().map(Vec::len), &found[0]["id"]), (Some(1), &json!(failed)));
    let by_id = devrig.json(&["run", "list", "--search", &failed[..8], "--kind", "manual"]).await;
    assert_eq!(by_id[0]["triggerType"], "manual");
    let none = devrig.json(&["run", "list", "--trigger", "cron"]).await;
    assert_eq!(none, json!([]));
    let wrong = devrig.error(&["run", "list", "--since", "yesterday"], "").await;
    assert!(wrong["hint"].as_str().expect("a hint").contains("2d"), "{wrong}");

    let metrics = devrig.json(&["metrics"]).await;
    let hour = &metrics["runs"]["lastHour"];
    assert_eq!((&hour["completed"], &hour["failed"]), (&json!(1), &json!(1)), "{metrics}");
    assert!(hour["averageMs"].as_f64().expect("a time") > 0.0);
    assert!(metrics["system"]["database"].as_f64().expect("a length") > 0.0);
    let people = devrig.text(&["metrics"]).await;
    assert!(people.contains("1 completed, 1 failed") && !people.contains("ACTION"), "{people}");

    let cleaned = devrig.json(&["db", "clean", "--days", "0"]).await;
    assert_eq!((&cleaned["runs"], &cleaned["events"]), (&json!(1), &json!(1)), "{cleaned}");
    let gone = devrig.error(&["run", "show", done["id"].as_str().expect("an id")], "").await;
    assert_eq!(gone["code"], "NOT_FOUND");
    assert_eq!(devrig.json(&["run", "list"]).await[0]["id"], failed, "failures are kept longer");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_action_has_the_limits_that_the_person_sets() {
    let (rig, devrig, _) = desk().await;
    let set = async |limits: Value| {
        devrig.error(&["settings", "set", "flows.limits", &limits.to_string()], "").await
    };
    for (limits, part) in [
        (json!({"data.set": {"atOnce": 1}}), "data.set only computes"),
        (json!({"inbox.find": {"atOnce": 1}}), "inbox.find is no action"),
        (json!({"inbox.search": {"atOnce": 0}}), "inbox.search: 0 is no limit"),
    ] {
        let refused = set(limits).await;
        assert!(refused["message"].as_str().expect("a text").contains(part), "{refused}");
        assert!(refused["hint"].is_string(), "{refused}");
    }
    let limits = json!({"inbox.search": {"perMinute": 1}});
    devrig.json(&["settings", "set", "flows.limits", &limits.to_string()]).await;
    assert_eq!(devrig.json(&["settings", "get", "flows.limits"]).await, limits);

    let file = rig.folder.path().join("search.flow.json");
    let flow = r#"{"id": "search", "name": "Search", "nodes": [{"id": "find", "type": "action",
        "action": "inbox.search", "config": {"query": "is:unread"}}]}"#;
    std::fs::write(&file, flow).expect("a file");
    devrig.json(&["flow", "create", &file.display().to_string()]).await;
    devrig.json(&["flow", "run", "search", "--wait"]).await;
    // The setting is followed, not asked for by each call.
    let parked = wait("a run that waits for its turn", async || {
        devrig.json(&["flow", "run", "search"]).await;
        let waiting = devrig.json(&["run", "list", "--status", "waiting"]).await;
        waiting[0]["id"].as_str().map(str::to_owned)
    })
    .await;
    let told = devrig.json(&["run", "logs", &parked]).await;
    assert!(told.to_string().contains("no call of inbox.search begins before"), "{told}");

    let metrics = devrig.json(&["metrics"]).await;
    let of_action = &metrics["actions"][0];
    assert_eq!(metrics["actions"].as_array().map(Vec::len), Some(1), "{metrics}");
    assert_eq!(of_action["action"], "inbox.search");
    assert!(of_action["done"].as_u64() >= Some(1) && of_action["failed"] == 0, "{metrics}");
    assert!(of_action["p95Ms"].as_f64() > Some(0.0), "{metrics}");
    assert_eq!(metrics["code"]["workers"], 0, "nothing ran code: {metrics}");
    let people = devrig.text(&["metrics"]).await;
    assert!(people.contains("ACTION") && people.contains("inbox.search  "), "{people}");
    rig.end().await;
}
