//! Flows as files of a folder that is watched.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_core::{Actor, Result};
use devrig_flow::definition::{Definition, Problem, ProblemCode, to_files};
use devrig_flow::flows::FlowInfo;
use devrig_flow::folder::{FileState, FlowFile, Folder, Judge, Settings, files};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::common::{Rig, node};

/// Finds fault with nodes that are called `bad`.
struct Strict(Settings);

#[async_trait]
impl Judge for Strict {
    async fn check(&self, definition: &Definition) -> Result<Vec<Problem>> {
        let bad = definition.graph.nodes.iter().position(|node| node.id.as_str() == "bad");
        let problem = bad.map(|at| {
            let field = format!("$.nodes[{at}].id");
            Problem::error(ProblemCode::WrongValue, field, "a bad node", "Call it good.")
        });
        Ok(problem.into_iter().collect())
    }

    async fn settings(&self) -> Result<Settings> {
        Ok(self.0.clone())
    }
}

/// A rig beside a folder of flows, which is followed while this is kept.
struct Desk {
    rig: Rig,
    flows: PathBuf,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Desk {
    async fn new() -> Self {
        let (rig, folder) = Rig::new().await;
        let flows = folder.path().join("flows");
        std::fs::create_dir(&flows).unwrap();
        let mut desk = Self { rig, flows, stop: CancellationToken::new(), _folder: folder };
        desk.follow();
        desk
    }

    fn follow(&mut self) {
        let settings = Settings { folder: Some(self.flows.clone()), publish: true };
        let (store, flows) = (self.rig.store.clone(), self.rig.flows.clone());
        let folder = Folder::new(store, flows, Arc::new(Strict(settings)));
        self.stop = CancellationToken::new();
        let stop = self.stop.clone();
        tokio::spawn(async move { folder.follow(stop).await });
    }

    fn file(&self, name: &str) -> PathBuf {
        self.flows.join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<str>) {
        std::fs::write(self.file(name), text.as_ref()).unwrap();
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).unwrap()
    }

    async fn state(&self, name: &str) -> Option<FlowFile> {
        let path = self.file(name).display().to_string();
        files(&self.rig.store).await.unwrap().into_iter().find(|file| file.path == path)
    }

    async fn until_state(&self, name: &str, state: FileState) -> FlowFile {
        until(async || self.state(name).await.filter(|file| file.state == state)).await
    }

    async fn flow(&self, id: &str) -> Option<FlowInfo> {
        self.rig.flows.get(id, None).await.ok().map(|(flow, _)| flow)
    }

    async fn until_version(&self, id: &str, version: i64) -> FlowInfo {
        until(async || self.flow(id).await.filter(|flow| flow.latest == version)).await
    }

    /// A change made here, as the canvas makes it.
    async fn change(&self, id: &str, give: i64) -> FlowInfo {
        let (_, definition) = self.rig.flows.get(id, None).await.unwrap();
        let mut value = definition.to_value();
        value["nodes"][0]["config"] = json!({ "give": give });
        self.rig.flows.save(value, Actor::Person).await.unwrap()
    }
}

async fn until<T>(look: impl AsyncFn() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "it does not come");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

/// Long enough for whatever would happen to have happened.
async fn rest() {
    tokio::time::sleep(Duration::from_millis(250)).await;
}

fn flow(id: &str, give: i64) -> Value {
    let nodes = json!([node("a", "test.give", json!({ "give": give }))]);
    json!({ "schemaVersion": 1, "id": id, "name": id, "nodes": nodes })
}

fn text(id: &str, give: i64) -> String {
    serde_json::to_string_pretty(&flow(id, give)).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_a_flow_that_is_off_until_somebody_turns_it_on() {
    let desk = Desk::new().await;
    desk.write("one.flow.json", text("one", 1));
    let flow = desk.until_version("one", 1).await;
    assert_eq!((flow.enabled, flow.live), (false, None));
    desk.until_state("one.flow.json", FileState::Same).await;
    assert_eq!(desk.read("one.flow.json"), text("one", 1), "the person's own form is left alone");

    desk.write("one.flow.json", text("one", 2));
    assert_eq!(desk.until_version("one", 2).await.live, None, "what is not live stays so");
    desk.rig.flows.publish("one", None).await.unwrap();
    desk.write("one.flow.json", text("one", 3));
    let live = async || desk.flow("one").await.filter(|flow| flow.live == Some(3));
    assert!(!until(live).await.enabled, "only a person enables");
    desk.rig.flows.publish("one", Some(1)).await.unwrap();
    desk.write("one.flow.json", text("one", 4));
    assert_eq!(desk.until_version("one", 4).await.live, Some(1), "an older one was chosen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_file_is_the_newest_version_within_a_tenth_of_a_second() {
    let desk = Desk::new().await;
    desk.write("one.flow.json", text("one", 1));
    desk.until_version("one", 1).await;
    let mut fastest = Duration::MAX;
    for version in 2..12 {
        rest().await;
        let begun = Instant::now();
        desk.write("one.flow.json", text("one", version));
        desk.until_version("one", version).await;
        fastest = fastest.min(begun.elapsed());
    }
    // The machine may have other work, but not each time.
    assert!(fastest < Duration::from_millis(100), "{fastest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_file_leaves_the_last_good_version_and_says_where_it_is_wrong() {
    let desk = Desk::new().await;
    desk.write("one.flow.json", text("one", 1));
    desk.until_version("one", 1).await;
    desk.write("one.flow.json", "{\n  \"id\": \"one\",\n  \"name\" \"one\"\n}");
    // While it is written it may be seen empty, which is wrong as well, and elsewhere.
    let whole = |file: &FlowFile| file.told.first().is_some_and(|told| told.line != Some(1));
    let file = until(async || desk.state("one.flow.json").await.filter(whole)).await;
    assert_eq!(file.state, FileState::Broken);
    assert_eq!((file.told[0].line, file.told[0].column), (Some(3), Some(10)));
    assert_eq!(desk.flow("one").await.unwrap().latest, 1);

    let bad = text("one", 1).replace("\"id\": \"a\"", "\"id\": \"bad\"");
    let line = bad.lines().position(|line| line.contains("\"bad\"")).unwrap() + 1;
    desk.write("one.flow.json", bad);
    let known =
        |file: &FlowFile| file.told.first().is_some_and(|told| told.message.contains("a bad node"));
    let file = until(async || desk.state("one.flow.json").await.filter(known)).await;
    assert_eq!((file.state, file.told[0].line), (FileState::Broken, Some(line as u32)));
    assert_eq!(file.told[0].hint, "Call it good.");

    // What is changed here meanwhile does not write over the person's text.
    desk.change("one", 7).await;
    rest().await;
    assert!(desk.read("one.flow.json").contains("\"bad\""));
    desk.write("one.flow.json", text("one", 3));
    desk.until_state("one.flow.json", FileState::Conflict).await;

    // A file that never was a flow is told, too, and keeps no other from being read.
    desk.write("none.flow.json", "[]");
    desk.write("bytes.flow.json", "");
    std::fs::write(desk.file("bytes.flow.json"), [0xff, 0xfe]).unwrap();
    desk.write("two.flow.json", text("two", 1));
    desk.until_version("two", 1).await;
    desk.until_state("none.flow.json", FileState::Broken).await;
    desk.until_state("bytes.flow.json", FileState::Broken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_changed_here_is_written_back_once() {
    let desk = Desk::new().await;
    desk.write("one.flow.json", text("one", 1));
    desk.until_version("one", 1).await;
    desk.change("one", 2).await;
    let (_, definition) = desk.rig.flows.get("one", None).await.unwrap();
    let expected = to_files(&definition).text;
    until(async || (desk.read("one.flow.json") == expected).then_some(())).await;
    rest().await;
    assert_eq!(desk.flow("one").await.unwrap().latest, 2, "its own writing is no change");

    // Where the nodes stand is a file of its own.
    let mut value = definition.to_value();
    value["nodes"][0]["position"] = json!({ "x": 1, "y": 2 });
    desk.rig.flows.save(value, Actor::Person).await.unwrap();
    until(async || desk.file("one.layout.json").is_file().then_some(())).await;
    desk.until_state("one.flow.json", FileState::Same).await;
    assert_eq!(desk.read("one.flow.json"), expected);
    let moved = desk.read("one.layout.json").replace('1', "5");
    desk.write("one.layout.json", moved);
    desk.until_version("one", 4).await;
    let (_, definition) = desk.rig.flows.get("one", None).await.unwrap();
    assert_eq!(definition.graph.nodes[0].position.unwrap().x, 5.0);
    assert!(no_leftovers(&desk.flows));
}

fn no_leftovers(folder: &Path) -> bool {
    let names = std::fs::read_dir(folder).unwrap();
    names.flatten().all(|entry| !entry.file_name().to_string_lossy().ends_with(".tmp"))
}

#[tokio::test(flavor = "multi_thread")]
async fn when_both_were_changed_it_is_told_and_nothing_is_lost() {
    let mut desk = Desk::new().await;
    desk.write("one.flow.json", text("one", 1));
    desk.until_version("one", 1).await;
    desk.rig.flows.publish("one", None).await.unwrap();
    desk.until_state("one.flow.json", FileState::Same).await;
    // While DevRig does not run, or between two looks.
    desk.stop.cancel();
    rest().await;
    desk.change("one", 20).await;
    desk.write("one.flow.json", text("one", 30));
    desk.follow();
    let file = desk.until_state("one.flow.json", FileState::Conflict).await;
    assert!(file.told[0].message.contains("version 2 was made here, version 3 is the file"));
    let flow = desk.flow("one").await.unwrap();
    assert_eq!((flow.latest, flow.live), (3, Some(1)), "what runs is decided by the person");
    let (_, mine) = desk.rig.flows.get("one", Some(2)).await.unwrap();
    assert_eq!(mine.to_value()["nodes"][0]["config"]["give"], 20);

    desk.rig.flows.restore("one", 2).await.unwrap();
    desk.until_state("one.flow.json", FileState::Same).await;
    assert!(desk.read("one.flow.json").contains("20"));

    // Both made the same change.
    desk.stop.cancel();
    rest().await;
    desk.change("one", 40).await;
    desk.write("one.flow.json", text("one", 40));
    desk.follow();
    rest().await;
    let file = desk.state("one.flow.json").await.unwrap();
    assert_eq!((file.state, desk.flow("one").await.unwrap().latest), (FileState::Same, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_file_is_told_and_its_flow_goes_on() {
    let desk = Desk::new().await;
    desk.write("one.flow.json", text("one", 1));
    desk.until_version("one", 1).await;
    desk.rig.flows.publish("one", None).await.unwrap();
    desk.rig.flows.enable("one", true).await.unwrap();
    desk.until_state("one.flow.json", FileState::Same).await;
    std::fs::remove_file(desk.file("one.flow.json")).unwrap();
    let file = desk.until_state("one.flow.json", FileState::Gone).await;
    assert!(file.told[0].hint.contains("devrig flow disable one"));
    let flow = desk.flow("one").await.unwrap();
    assert!(flow.enabled && flow.live == Some(1));
    desk.change("one", 9).await;
    rest().await;
    assert!(!desk.file("one.flow.json").exists(), "nobody brings back what was deleted");

    // Under a new name it is the same file.
    desk.write("two.flow.json", text("two", 1));
    desk.until_version("two", 1).await;
    std::fs::create_dir(desk.file("work")).unwrap();
    std::fs::rename(desk.file("two.flow.json"), desk.file("work/moved.flow.json")).unwrap();
    desk.until_state("work/moved.flow.json", FileState::Same).await;
    until(async || desk.state("two.flow.json").await.is_none().then_some(())).await;
    desk.write("work/moved.flow.json", text("two", 2));
    desk.until_version("two", 2).await;

    // A second file of the same flow is no flow.
    desk.write("copy.flow.json", text("two", 5));
    let copy = desk.until_state("copy.flow.json", FileState::Broken).await;
    assert!(copy.told[0].message.contains("moved.flow.json"), "{copy:?}");

    // A flow that was deleted here comes back only when its file is saved again.
    desk.rig.flows.delete("two").await.unwrap();
    desk.until_state("work/moved.flow.json", FileState::Forgotten).await;
    assert!(desk.file("work/moved.flow.json").exists());
    std::fs::remove_file(desk.file("copy.flow.json")).unwrap();
    desk.write("work/moved.flow.json", text("two", 3));
    assert!(!desk.until_version("two", 1).await.enabled);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_file_of_a_flow_takes_the_place_of_the_first() {
    let desk = Desk::new().await;
    desk.write("first.flow.json", text("one", 1));
    desk.until_state("first.flow.json", FileState::Same).await;
    desk.write("second.flow.json", text("one", 2));
    desk.until_state("second.flow.json", FileState::Broken).await;
    std::fs::remove_file(desk.file("first.flow.json")).unwrap();
    desk.until_state("second.flow.json", FileState::Same).await;
    assert_eq!(desk.flow("one").await.unwrap().latest, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_never_widens_what_its_flow_may_touch() {
    let desk = Desk::new().await;
    let asks = text("one", 1).replace("\"give\": 1", "\"give\": \"{{secrets.hook}}\"");
    desk.write("one.flow.json", &asks);
    desk.until_version("one", 1).await;
    let refused = |run: devrig_flow::runs::Started| desk.rig.ended(run);
    let (rest, _) = refused(desk.rig.flows.run("one", None, json!({})).await.unwrap()).await;
    assert_eq!(rest.error.unwrap().code, devrig_core::Code::Refused);

    // Fields that would allow something are no fields of a flow.
    let mut wider = flow("one", 2);
    wider["permissions"] = json!(["secret:hook"]);
    desk.write("one.flow.json", wider.to_string());
    desk.until_state("one.flow.json", FileState::Broken).await;

    // What was allowed stays as it is, whatever the file says next.
    desk.rig.flows.permit("one", vec!["env:HOME".parse().unwrap()], vec![]).await.unwrap();
    desk.write("one.flow.json", asks.replace("hook}}", "hook}}!"));
    desk.until_version("one", 2).await;
    let allowed = desk.rig.flows.permissions("one").await.unwrap();
    assert_eq!(allowed.iter().map(ToString::to_string).collect::<Vec<_>>(), ["env:HOME"]);
    let (rest, _) = refused(desk.rig.flows.run("one", None, json!({})).await.unwrap()).await;
    assert_eq!(rest.error.unwrap().code, devrig_core::Code::Refused);

    // A new file that names a live flow of ours does not take its place by itself.
    let made = desk.rig.flows.save(flow("mine", 1), Actor::Person).await.unwrap();
    desk.rig.flows.publish(&made.id, None).await.unwrap();
    desk.write("mine.flow.json", text("mine", 2));
    assert_eq!(desk.until_version("mine", 2).await.live, Some(1));
}
