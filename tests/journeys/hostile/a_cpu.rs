//! A: CPU and scheduling.

use std::time::Duration;

use devrig_engine::NoArgs;
use devrig_engine::api::inbox::ActionArgs;
use devrig_engine::api::plugin::PluginState;
use devrig_tests::rig::wait;
use devrig_tests::{Arena, Row};

/// The budget of one call, the 250 ms after it, and what a busy machine adds to both.
const MOST_CPU: Duration = Duration::from_millis(5_000 + 250 + 500);

#[tokio::test(flavor = "multi_thread")]
async fn a_runaways_are_stopped_and_cost_nobody_else() {
    let arena = Arena::open().await;
    arena.run(runaways()).await;
    let figures = arena.close().await;
    let most = figures.used.worker_cpu;
    assert!(most > Duration::from_secs(4), "the budgets were really used: {most:?}");
    assert!(most < MOST_CPU, "a worker used {most:?} of CPU");
}

fn runaways() -> Vec<Row> {
    vec![
        Row::with_code("a1-loop", "devrig.activate(() => { for (;;); })").stopped(),
        Row::new(
            "a2-catch",
            "for (;;) { try { for (;;); } catch { for (;;); } finally { for (;;); } }",
        )
        .stopped(),
        Row::new("a3-reverse", "Array.prototype.reverse.call({ length: 2 ** 53 - 1 });").stopped(),
        Row::new(
            "a3-copy",
            "Array.prototype.copyWithin.call({ length: 2 ** 53 - 1 }, 0, 2 ** 52);",
        )
        .stopped(),
        Row::new("a3-join", "Array.prototype.join.call({ length: 2 ** 53 - 1 }, '');").stopped(),
        Row::new(
            "a3-concat",
            "Array.prototype.concat.call([], { length: 2 ** 53 - 1, [Symbol.isConcatSpreadable]: true });",
        )
        .stopped(),
        Row::new("a4-sort", "const list = []; list.length = 2 ** 32 - 1; list.sort();").stopped(),
        Row::new(
            "a5-needle",
            "'a'.repeat(3e6).indexOf('a'.repeat(1.5e6) + 'b');",
        )
        .stopped(),
        Row::new("a6-fill", "const bytes = new Uint8Array(60e6); for (;;) bytes.fill(1);").stopped(),
        Row::new("a7-regex", "/^(a+)+$/.test('a'.repeat(40) + 'b');").stopped(),
        Row::new("a7-replace", "('a'.repeat(40) + 'b').replace(/^(a|a?)+$/, '');").stopped(),
        Row::new(
            "a8-promises",
            "const again = () => { Promise.resolve().then(again); }; again(); await new Promise(() => {});",
        )
        .stopped(),
        Row::new("a8-await", "for (;;) await null;").stopped(),
        Row::new(
            "a9-rearm",
            "const again = () => { for (let i = 0; i < 1e5; i++); setTimeout(again); }; again(); await new Promise(() => {});",
        )
        .stopped(),
        Row::new(
            "a9-timers",
            "let armed = 0; let fired = 0;
             await attempt('over', () => { for (let i = 0; i < 1e5; i++) { setTimeout(() => { fired++; }, 0); armed++; } });
             while (fired < armed) await ds.queryItems({});
             found.armed = armed; found.fired = fired;",
        )
        .finds("over", "!QUOTA_EXCEEDED")
        .finds("armed", 10_000)
        .finds("fired", 10_000),
        Row::with_code(
            "a10-pages",
            "devrig.activate((sdk) => {
               sdk.dataSources.register('a10-pages.items', { async sync() { return { cursor: 'same', itemCount: 0, hasMore: true }; } });
               sdk.actions.register('a10-pages.act', async () => ({ success: true }));
             })",
        )
        .fails(&["PLUGIN_FAILED"])
        .audited("sync:no-progress", "stopped"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a12_a_crash_loop_backs_off_and_is_quarantined() {
    let arena = Arena::open().await;
    let code = "devrig.activate(() => { throw new Error('never') })";
    let account = arena.admit(&Row::with_code("a12-throws", code)).await;
    wait("the quarantine", async || {
        let plugins = arena.rig.api.plugin_list(NoArgs {}).await.expect("the plugins");
        let plugin = plugins.into_iter().find(|one| one.name == account.plugin);
        plugin.filter(|plugin| plugin.state == PluginState::Quarantined)
    })
    .await;
    let told = wait("the notice of the quarantine", async || {
        let told = arena.rig.notices.all();
        (!told.is_empty()).then_some(told)
    })
    .await;
    let status = arena.rig.status(&account.id).await;
    arena.check(status.next_sync_at.is_none(), format!("it is tried again: {status:?}"));
    // The audit row is written beside the state, and is there by the time of the notice.
    let mut records = arena.audit(&account.plugin).await;
    records.retain(|record| record.rule == "activation" && record.action == "worker");
    records.reverse();
    let verdicts: Vec<_> = records.iter().map(|record| record.verdict.as_str()).collect();
    let expected = ["stopped", "stopped", "stopped", "stopped", "quarantined"];
    arena.check(verdicts == expected, format!("{verdicts:?}"));
    for (pair, seconds) in records.windows(2).zip([1, 2, 4, 8]) {
        let pause = pair[1].at.since(pair[0].at);
        let least = Duration::from_millis(seconds * 1_000 - 50);
        arena.check(pause >= least, format!("started again after {pause:?}, not {seconds} s"));
    }
    arena.check(told.len() == 1 && told[0].title.contains("a12"), format!("notices: {told:?}"));
    arena.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a11_a_promise_that_never_settles_is_a_timeout_and_the_worker_lives() {
    let arena = Arena::open().await;
    let code = "let calls = 0; devrig.activate((sdk) => {
        sdk.dataSources.register('a11-hangs.items', { async sync(cursor, ds) {
          await ds.storeItems([{ externalId: 'found', type: 'note', title: 'found', body: JSON.stringify({ found: { calls } }) }]);
          return { cursor: 'c', itemCount: 1, hasMore: false };
        } });
        sdk.actions.register('a11-hangs.act', async () => { calls++; await new Promise(() => {}); });
      })";
    let mut row = Row::with_code("a11-hangs", code);
    row.package.manifest["capabilities"]["actions"][0]["effect"] = "read".into();
    let account = arena.admit(&row).await;
    let begun = std::time::Instant::now();
    let args = ActionArgs {
        item_id: None,
        account: Some(account.id.clone()),
        action: "a11-hangs.act".into(),
        input: serde_json::Value::Null,
    };
    arena.rig.api.inbox_action(args).await.expect("the action is taken");
    let error = wait("the end of the attempt", async || {
        let rows = arena.rig.api.outbox_list(NoArgs {}).await.expect("the outbox");
        rows.into_iter().find_map(|row| row.error)
    })
    .await;
    let took = begun.elapsed();
    arena.check(error.contains("no result after 30000 ms"), error);
    arena.check(
        (30..33).contains(&took.as_secs()),
        format!("the wall budget is 30 s, and it took {took:?}"),
    );
    let status = arena.rig.sync(&account).await;
    arena.check(status.error.is_none(), format!("{status:?}"));
    let found = arena.found(&account).await;
    arena.check(found.at("calls") == 1, format!("the same worker goes on: {found:?}"));
    arena.close().await;
}
