//! F: data, as far as there is something to misuse: F6 to F8 come with the AI layer.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use devrig_engine::api::inbox::{InboxListArgs, ItemArgs};
use devrig_tests::{Arena, Row};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn f_a_plugin_keeps_to_its_own_data_and_within_its_bounds() {
    let arena = Arena::open().await;
    let log = arena.rig.home.database().with_extension("db-wal");
    let largest = Arc::<AtomicU64>::default();
    let look = tokio::spawn({
        let largest = Arc::clone(&largest);
        async move {
            loop {
                let size = std::fs::metadata(&log).map_or(0, |meta| meta.len());
                largest.fetch_max(size, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    });
    arena.run(rows()).await;
    look.abort();
    let largest = largest.load(Ordering::Relaxed) >> 20;
    println!("the write-ahead log's most: {largest} MB");
    arena.check(largest < 64, format!("the write-ahead log grew to {largest} MB"));
    arena.check(largest > 0, "the write-ahead log was looked at");
    titles_are_harmless(&arena).await;
    arena.close().await;
}

/// What the person is shown of the items of F3.
async fn titles_are_harmless(arena: &Arena) {
    let args = InboxListArgs { query: "is:any type:odd".into(), ..Default::default() };
    let page = arena.rig.api.inbox_list(args).await.expect("a page");
    arena.check(page.items.len() == 1, "f3: the odd item was stored");
    for item in page.items {
        let item = arena.rig.api.inbox_get(ItemArgs { id: item.id }).await.expect("an item");
        let shown = [Some(item.summary.title.as_str()), item.summary.actor.as_deref()];
        for text in shown.into_iter().flatten() {
            let odd = ['\u{202e}', '\u{2066}', '\u{200b}', '\u{feff}', '\n', '\u{1b}', '\0'];
            arena.check(!text.contains(odd), format!("f3: shown as it came: {text:?}"));
        }
        arena.check(item.summary.title.contains("exe"), "f3: its words are still there");
    }
    arena.check(arena.rig.opened.all().is_empty(), "f3: nothing is opened without a click");
}

fn rows() -> Vec<Row> {
    vec![
        Row::new("f1-others", OTHERS)
            .finds("all", json!([]))
            .finds("searched", json!([]))
            .finds("archive", json!(null))
            .finds("fields", "!INVALID_INPUT"),
        Row::new("f2-many", MANY).may(&["storage"]).all_refused(&[
            "TOO_LARGE",
            "INVALID_INPUT",
            "RangeError",
            "InternalError",
            "null",
        ]),
        Row::new(
            "f2-full",
            "const body = 'x'.repeat(14_000);
             for (let page = 0; page < 5; page++) {
               await ds.storeItems(Array.from({ length: 1000 }, (_, i) => ({ externalId: `${i}`, type: 'bulk', title: `${page}`, body: body + page })));
             }
             found.stored = (await ds.queryItems({ types: ['bulk'], limit: 500 })).length;",
        )
        .finds("stored", 500),
        Row::new("f3-links", LINKS).finds("refused", 9).finds("stored", 1),
        Row::new(
            "f4-quota",
            "const block = 'x'.repeat(200_000);
             let kept = 0;
             await attempt('fill', async () => { for (let i = 0; i < 5000; i++) { await sdk.storage.set('k' + i, block); kept++; } });
             found.kept = kept < 30;
             await attempt('one', () => sdk.storage.set('one', 'x'.repeat(300_000)));
             await attempt('key', () => sdk.storage.set('k'.repeat(300), 1));",
        )
        .may(&["storage"])
        .finds("fill", "!QUOTA_EXCEEDED")
        .finds("kept", true)
        .finds("one", "!TOO_LARGE")
        .finds("key", "!INVALID_INPUT")
        .audited("limit:quota_exceeded", "refused"),
        Row::new("f5-events", EVENTS)
            .finds("heard", 0)
            .finds("engine", "!REFUSED")
            .finds("other", "!REFUSED")
            .finds("near", "!REFUSED")
            .finds("pattern", "!INVALID_INPUT")
            .finds("large", "!TOO_LARGE")
            .audited("events:foreign-namespace", "refused"),
    ]
}

const OTHERS: &str = "
    const titles = (items) => items.map((item) => item.title);
    found.all = titles(await ds.queryItems({ limit: 500 }));
    found.searched = [];
    for (const search of ['of bystander', \"' OR 1=1 --\", '\\\" OR \\\"\\\"', 'title:of', 'of*', 'NEAR(of bystander)', \"x'; DROP TABLE item; --\", '*', '-nothing', 'is:any', 'from:bystander']) {
      found.searched.push(...titles(await ds.queryItems({ search })));
    }
    await attempt('archive', () => ds.archive(['kept', 'state', '1', \"' OR 1=1 --\", '%', '*']));
    await attempt('read', () => ds.markRead(['kept', 'state', '*']));
    await attempt('fields', () => ds.queryItems({ accountId: 'other' }));
    await attempt('offset', () => ds.queryItems({ offset: 1e9 }));";

const MANY: &str = "
    const item = (more) => ({ externalId: 'a', type: 'note', title: 'a', ...more });
    await attempt('million', () => ds.storeItems(Array.from({ length: 1e6 }, (_, i) => ({ externalId: `${i}`, type: 'note', title: 'x' }))));
    await attempt('over', () => ds.storeItems(Array.from({ length: 1001 }, (_, i) => ({ externalId: `${i}`, type: 'note', title: 'x' }))));
    await attempt('body', () => ds.storeItems([item({ body: 'x'.repeat(100e6) })]));
    await attempt('large', () => ds.storeItems([item({ body: 'x'.repeat(2e6) })]));
    const nest = (levels) => { let a = {}; for (let i = 0; i < levels; i++) a = { a }; return a; };
    await attempt('deep', () => ds.storeItems([item({ metadata: nest(10000) })]));
    await attempt('deeper', () => ds.storeItems([item({ metadata: nest(50) })]));
    await attempt('wide', () => ds.storeItems([item({ metadata: { a: 'x'.repeat(100_000) } })]));
    await attempt('huge', () => ds.storeItems([item({ metadata: { a: 'x'.repeat(10e6) } })]));
    await attempt('labels', () => ds.storeItems([item({ labels: Array.from({ length: 5000 }, () => 'x') })]));
    await attempt('title', () => ds.storeItems([item({ title: 'x'.repeat(1e6) })]));";

const LINKS: &str = "
    const item = (sourceUrl) => ({ externalId: sourceUrl, type: 'link', title: 'link', sourceUrl });
    found.refused = 0; const stored = [];
    for (const url of ['javascript:alert(1)', 'JavaScript:alert(1)', ' javascript:alert(1)', 'java\\nscript:alert(1)', 'file:///etc/passwd', 'smb://host/share', 'vscode://x', 'data:text/html,x', 'ms-msdt:/id']) {
      try { await ds.storeItems([item(url)]); stored.push(url); } catch (error) { if (error.code === 'INVALID_INPUT') found.refused++; }
    }
    found.allowed = stored;
    const odd = 'doc\\u202eslx\\u2066.exe\\u200b\\ufeff\\u001b[31m\\nsecond';
    found.stored = (await ds.storeItems([{ externalId: 'odd', type: 'odd', title: odd, actor: odd, body: odd, sourceUrl: 'https://example.com/' }])).created;";

const EVENTS: &str = "
    let heard = 0;
    for (const topic of ['engine:started', 'engine:*', '*', 'devrig-plugin-neighbour:saved', 'neighbour:saved']) {
      try { sdk.events.on(topic, () => { heard++; }); } catch {}
    }
    await attempt('engine', () => sdk.events.emit('engine:stop', 1));
    await attempt('other', () => sdk.events.emit('devrig-plugin-neighbour:saved', 1));
    await attempt('near', () => sdk.events.emit(sdk.pluginId + '2:saved', 1));
    await attempt('pattern', () => sdk.events.emit('*', 1));
    await attempt('large', () => sdk.events.emit('saved', 'x'.repeat(100_000)));
    await sdk.events.emit('saved', 1);
    await new Promise((done) => setTimeout(done, 800));
    found.heard = heard;";
