//! Schedules over a real database file: when they fire, what is missed, and that nothing fires twice.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::{Clock, ManualClock, Timestamp};
use devrig_expr::Schedule;
use devrig_flow::triggers::{Standing, TriggerState, Triggers};
use devrig_store::{Tx, from_sqlx};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::common::{Diary, Rig, clock, kill, node, runtime};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

/// An engine that lives until it is stopped or killed.
struct Life {
    rig: Rig,
    triggers: Triggers,
}

impl Life {
    async fn on(folder: &Path, clock: &Arc<ManualClock>) -> Self {
        let rig = Rig::at(folder, Diary::default(), clock.clone()).await;
        let triggers = rig.triggers();
        triggers.follow().await.unwrap();
        Self { rig, triggers }
    }

    /// Lets time go on, and waits until everything is done that is due.
    async fn pass(&self, time: Duration) {
        self.rig.clock.advance(time);
        self.triggers.look();
        self.settled().await;
    }

    async fn settled(&self) {
        let start = Instant::now();
        loop {
            let now = self.rig.clock.now();
            let is_settled = |state: &TriggerState| {
                state.standing != Standing::Active || state.next.is_some_and(|next| next > now)
            };
            let states = self.triggers.states().await;
            if states.iter().filter(|state| state.kind == "cron").all(is_settled) {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(20), "{states:?}");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// The times for which a flow's trigger told something, by what became of them.
    async fn times(&self, flow: &str, verdict: &str) -> Vec<String> {
        let told = self.rig.events(flow).await;
        let told = told.into_iter().filter(|event| event.verdict == verdict);
        told.map(|event| event.key.unwrap()).collect()
    }

    async fn state(&self, flow: &str) -> TriggerState {
        self.triggers.state(flow, "time").await.unwrap().0
    }

    async fn statement(&self, sql: &'static str) {
        let unit = async move |tx: &mut Tx| {
            sqlx::query(sql).execute(tx.conn()).await.map(drop).map_err(from_sqlx)
        };
        self.rig.store.write(unit).await.unwrap();
    }

    async fn stop(self) {
        self.triggers.stop().await;
        self.rig.runs.stop().await;
        self.rig.store.close().await;
    }
}

fn at(pattern: &str, more: Value) -> Value {
    let mut trigger =
        json!({"id": "time", "type": "cron", "expression": pattern, "timezone": "UTC"});
    for (name, value) in more.as_object().unwrap() {
        trigger[name] = value.clone();
    }
    json!([trigger])
}

fn quick() -> Value {
    json!([node("a", "test.give", json!({"for": "{{trigger.payload.scheduledFor}}"}))])
}

fn on_the(hours: &[&str]) -> Vec<String> {
    hours.iter().map(|hour| format!("2026-11-20T{hour}:00.000Z")).collect()
}

#[tokio::test]
async fn a_schedule_fires_at_its_times_and_owes_nothing_of_the_time_before() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    clock.advance(HOUR / 2);
    let flow = life.rig.enabled("hourly", at("0 * * * *", json!({})), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    assert!(life.rig.events(&flow).await.is_empty());
    assert_eq!(life.state(&flow).await.next, Some("2026-11-20T10:00:00Z".parse().unwrap()));
    for _ in 0..3 {
        life.pass(HOUR / 2).await;
    }
    assert_eq!(life.times(&flow, "run").await, on_the(&["10:00", "11:00"]));
    let state = life.state(&flow).await;
    assert_eq!((state.fired, state.missed, state.last_error.is_none()), (2, 0, true));
    let run = life.rig.events(&flow).await[0].run.clone().unwrap();
    let run = life.rig.until(&run, devrig_flow::run::RunStatus::Completed).await;
    assert_eq!(run.nodes[0].output["for"], json!("2026-11-20T10:00:00.000Z"));
    assert_eq!(run.payload["missed"], json!(0));
}

#[tokio::test]
async fn what_was_missed_while_devrig_was_stopped_follows_the_policy_and_is_told() {
    for (misfire, runs, missed) in [
        ("one", &["14:00"][..], 4),
        ("all", &["10:00", "11:00", "12:00", "13:00", "14:00"], 0),
        ("skip", &[], 5),
    ] {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
        let life = Life::on(folder.path(), &clock).await;
        let triggers = at("0 * * * *", json!({"misfire": misfire}));
        let flow = life.rig.enabled("hourly", triggers, quick()).await;
        life.triggers.follow().await.unwrap();
        life.settled().await;
        life.stop().await;
        clock.advance(HOUR * 11 / 2);
        let life = Life::on(folder.path(), &clock).await;
        life.settled().await;
        assert_eq!(life.times(&flow, "run").await, on_the(runs), "{misfire}");
        let state = life.state(&flow).await;
        assert_eq!(state.missed, missed, "{misfire}");
        assert_eq!(state.last_error.is_some(), missed > 0);
        life.pass(HOUR / 2).await;
        assert_eq!(life.times(&flow, "run").await.last().unwrap(), "2026-11-20T15:00:00.000Z");
        life.stop().await;
        let life = Life::on(folder.path(), &clock).await;
        let after = life.state(&flow).await;
        assert_eq!((after.fired, after.missed), (runs.len() as u64 + 1, missed), "counts stay");
    }
}

#[tokio::test]
async fn it_stops_after_so_many_and_goes_on_when_it_may_again() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    let most = |most: u32| at("0 * * * *", json!({"maxExecutions": most, "misfire": "all"}));
    let flow = life.rig.enabled("hourly", most(3), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.pass(HOUR).await;
    life.stop().await;
    clock.advance(HOUR * 5);
    let life = Life::on(folder.path(), &clock).await;
    life.settled().await;
    let fired = ["10:00", "11:00", "12:00"];
    assert_eq!(life.times(&flow, "run").await, on_the(&fired));
    let state = life.state(&flow).await;
    assert_eq!((state.standing, state.next), (Standing::Done, None));

    life.rig.enabled("hourly", most(4), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.pass(HOUR).await;
    life.pass(HOUR).await;
    let more = ["10:00", "11:00", "12:00", "16:00"];
    assert_eq!(life.times(&flow, "run").await, on_the(&more), "another version counts on");
}

#[tokio::test]
async fn a_time_is_left_out_while_the_last_run_goes_on_and_that_is_told() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    let slow = json!([node("a", "test.slow", json!({"ms": 600_000}))]);
    let flow = life.rig.enabled("hourly", at("0 * * * *", json!({"noOverlap": true})), slow).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.pass(HOUR).await;
    life.pass(HOUR).await;
    assert_eq!(life.times(&flow, "run").await, on_the(&["10:00"]));
    assert_eq!(life.times(&flow, "skipped").await, on_the(&["11:00"]));
    let state = life.state(&flow).await;
    let run = life.rig.events(&flow).await[0].run.clone().unwrap();
    assert!(state.last_error.unwrap().0.message.contains(&run), "it names what is in the way");
    assert_eq!((state.fired, state.missed), (1, 1));
    life.rig.runs.cancel(&run).await.unwrap();
    life.rig.until(&run, devrig_flow::run::RunStatus::Cancelled).await;
    life.pass(HOUR).await;
    assert_eq!(life.times(&flow, "run").await, on_the(&["10:00", "12:00"]));
    life.stop().await;
}

#[tokio::test]
async fn a_pause_and_another_schedule_owe_nothing() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    let all = json!({"misfire": "all"});
    let flow = life.rig.enabled("hourly", at("0 * * * *", all.clone()), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.triggers.pause(&flow, "time", true).await.unwrap();
    assert_eq!(life.state(&flow).await.standing, Standing::Paused);
    life.pass(HOUR * 2).await;
    life.triggers.pause(&flow, "time", false).await.unwrap();
    life.settled().await;
    assert!(life.rig.events(&flow).await.is_empty());
    life.pass(HOUR).await;
    life.rig.enabled("hourly", at("*/20 * * * *", all.clone()), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.pass(MINUTE * 20).await;
    life.rig.flows.enable(&flow, false).await.unwrap();
    life.triggers.follow().await.unwrap();
    life.pass(HOUR).await;
    life.rig.flows.enable(&flow, true).await.unwrap();
    life.triggers.follow().await.unwrap();
    life.settled().await;
    assert_eq!(life.times(&flow, "run").await, on_the(&["12:00", "12:20"]));
}

#[tokio::test]
async fn entry_conditions_that_cannot_be_decided_do_not_stop_a_schedule() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    let ask = json!({"type": "query", "query": "is:unread"});
    let flow = json!({"id": "asks", "name": "Asks", "schemaVersion": 1, "nodes": quick(),
        "triggers": at("0 * * * *", json!({})), "entryConditions": [ask]});
    life.rig.flows.save(flow, devrig_core::Actor::Person).await.unwrap();
    life.rig.flows.publish("asks", None).await.unwrap();
    life.rig.flows.enable("asks", true).await.unwrap();
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.pass(HOUR).await;
    life.pass(HOUR).await;
    assert_eq!(life.times("asks", "failed").await, on_the(&["10:00", "11:00"]));
    let state = life.state("asks").await;
    assert_eq!((state.missed, state.standing), (2, Standing::Active));
    assert!(state.last_error.unwrap().0.message.contains("is:unread"));
}

#[tokio::test]
async fn a_clock_that_was_set_back_neither_stops_a_schedule_nor_fires_it_twice() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    let flow = life.rig.enabled("hourly", at("0 * * * *", json!({})), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    for _ in 0..3 {
        life.pass(HOUR).await;
    }
    life.stop().await;
    clock.set("2026-11-20T10:30:00Z".parse().unwrap());
    let life = Life::on(folder.path(), &clock).await;
    life.settled().await;
    for _ in 0..3 {
        life.pass(HOUR).await;
    }
    assert_eq!(life.times(&flow, "run").await, on_the(&["10:00", "11:00", "12:00", "13:00"]));
}

#[tokio::test]
async fn a_time_that_could_not_be_written_fires_once_when_it_can_be() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let life = Life::on(folder.path(), &clock).await;
    let flow = life.rig.enabled("hourly", at("0 * * * *", json!({})), quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    life.pass(HOUR).await;
    life.statement(
        "CREATE TRIGGER refuse BEFORE INSERT ON trigger_event
         BEGIN SELECT raise(ABORT, 'not now'); END",
    )
    .await;
    clock.advance(HOUR);
    life.triggers.look();
    while life.state(&flow).await.last_error.is_none() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    assert_eq!(life.times(&flow, "run").await, on_the(&["10:00"]));
    life.statement("DROP TRIGGER refuse").await;
    life.pass(Duration::from_secs(10)).await;
    life.pass(HOUR).await;
    assert_eq!(life.times(&flow, "run").await, on_the(&["10:00", "11:00", "12:00"]));
}

/// Kills it as it is, somewhere in the middle of what it owes.
#[test]
fn a_kill_while_missed_times_fire_loses_none_and_repeats_none() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), clock());
    let expected: Vec<String> = Schedule::parse("*/2 * * * *", "UTC")
        .unwrap()
        .upcoming(clock.now(), 240)
        .iter()
        .map(ToString::to_string)
        .collect();
    let first = runtime();
    first.block_on(async {
        let life = Life::on(folder.path(), &clock).await;
        let triggers = at("*/2 * * * *", json!({"misfire": "all"}));
        life.rig.enabled("often", triggers, quick()).await;
        life.triggers.follow().await.unwrap();
        life.settled().await;
    });
    kill(first, folder.path());
    clock.advance(HOUR * 8);
    for ms in [3, 9, 20, 40, 80] {
        let life = runtime();
        life.block_on(async {
            let _life = Life::on(folder.path(), &clock).await;
            tokio::time::sleep(Duration::from_millis(ms)).await;
        });
        kill(life, folder.path());
    }
    runtime().block_on(async {
        let life = Life::on(folder.path(), &clock).await;
        life.settled().await;
        assert_eq!(life.times("often", "run").await, expected);
        life.stop().await;
    });
}

/// What one schedule of the property may be.
#[derive(Debug, Clone)]
struct Plan {
    pattern: &'static str,
    zone: &'static str,
    misfire: &'static str,
    most: Option<usize>,
}

/// Time goes on, while DevRig runs or while it does not.
#[derive(Debug, Clone, Copy)]
enum Step {
    Runs(u64),
    Stopped(u64),
}

impl Plan {
    fn trigger(&self, number: usize) -> Value {
        let mut trigger = json!({"id": format!("t{number}"), "type": "cron", "misfire": self.misfire,
            "expression": self.pattern, "timezone": self.zone});
        if let Some(most) = self.most {
            trigger["maxExecutions"] = json!(most);
        }
        trigger
    }

    /// The times that fire, in words as plain as the page about flows has them.
    fn expected(&self, start: Timestamp, looks: &[Timestamp]) -> Vec<Timestamp> {
        let schedule = Schedule::parse(self.pattern, self.zone).unwrap();
        let mut fired = Vec::new();
        let mut after = start;
        for now in looks {
            let next = |last: &Timestamp| schedule.next_after(*last).filter(|next| next <= now);
            let due: Vec<_> = std::iter::successors(next(&after), next).collect();
            let Some(last) = due.last().copied() else { continue };
            match self.misfire {
                "all" => fired.extend(due),
                "one" => fired.push(last),
                _ if now.since(last) <= MINUTE => fired.push(last),
                _ => {}
            }
            after = last;
        }
        fired.truncate(self.most.unwrap_or(usize::MAX));
        fired
    }
}

fn plans() -> impl Strategy<Value = Vec<Plan>> {
    let pattern = prop::sample::select(vec![
        "* * * * *",
        "*/7 * * * *",
        "30 2 * * *",
        "*/30 1-3 * * *",
        "15 */20 * * * *",
        "0 9 * * MON-FRI",
        "0 0 L * *",
    ]);
    let zone = prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe"]);
    let misfire = prop::sample::select(vec!["one", "all", "skip"]);
    let plan = (pattern, zone, misfire, prop::option::of(1_usize..20))
        .prop_map(|(pattern, zone, misfire, most)| Plan { pattern, zone, misfire, most });
    prop::collection::vec(plan, 4..8)
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (1_u64..200).prop_map(Step::Runs),
        1 => (200_u64..20_000).prop_map(Step::Runs),
        2 => (1_u64..30_000).prop_map(Step::Stopped),
    ];
    prop::collection::vec(step, 3..9)
}

/// The moments at which DevRig looks, from its start on.
async fn live(folder: &Path, start: Timestamp, plans: &[Plan], steps: &[Step]) -> Vec<Vec<String>> {
    let clock = ManualClock::at(start);
    let mut life = Life::on(folder, &clock).await;
    let triggers = plans.iter().enumerate().map(|(number, plan)| plan.trigger(number)).collect();
    let flow = life.rig.enabled("all", triggers, quick()).await;
    life.triggers.follow().await.unwrap();
    life.settled().await;
    for step in steps {
        match *step {
            Step::Runs(seconds) => life.pass(Duration::from_secs(seconds)).await,
            Step::Stopped(seconds) => {
                life.stop().await;
                clock.advance(Duration::from_secs(seconds));
                life = Life::on(folder, &clock).await;
                life.settled().await;
            }
        }
    }
    let mut fired = vec![Vec::new(); plans.len()];
    let wanted = devrig_flow::events::Wanted { limit: 500, ..Default::default() };
    let mut page = wanted.clone();
    loop {
        let told = devrig_flow::events::list(&life.rig.store, &flow, &page).await.unwrap();
        let Some(last) = told.last() else { break };
        page.after = Some(last.number);
        for event in told.iter().filter(|event| event.verdict == "run") {
            let number: usize = event.trigger[1..].parse().unwrap();
            fired[number].insert(0, event.key.clone().unwrap());
        }
    }
    life.stop().await;
    fired
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn just_those_times_fire_that_the_policy_says_and_none_twice(
        plans in plans(),
        steps in steps(),
        // The days around both changes of the clock in Berlin, and any other.
        start in prop::sample::select(vec![
            1_774_735_200_000_i64, 1_792_875_600_000, 1_795_165_200_000,
        ]),
    ) {
        let start = Timestamp::from_ms(start);
        let mut now = start;
        let looks: Vec<Timestamp> = steps
            .iter()
            .map(|step| {
                let (Step::Runs(seconds) | Step::Stopped(seconds)) = *step;
                now = now + Duration::from_secs(seconds);
                now
            })
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let fired = runtime().block_on(live(folder.path(), start, &plans, &steps));
        for (plan, fired) in plans.iter().zip(fired) {
            let expected: Vec<String> =
                plan.expected(start, &looks).iter().map(ToString::to_string).collect();
            prop_assert_eq!(fired, expected, "{:?}", plan);
        }
    }
}
