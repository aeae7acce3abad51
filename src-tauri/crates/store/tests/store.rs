//! Groups, the change feed, durable subscribers, retention.

mod common;

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{Rig, hold_writer, insert, numbers, options, put, run};
use devrig_core::{Actor, Change, ChangeKind, Code, Error, Origin};
use devrig_store::{Batch, Bind, Store, Subscriber, Tx, audit, from_sqlx, settings};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn the_file_is_opened_as_the_design_says() {
    let rig = Rig::new().await;
    let pragma = async |sql: &'static str| {
        sqlx::query_scalar::<_, i64>(sql).fetch_one(rig.store.reader()).await.unwrap()
    };
    assert_eq!(pragma("PRAGMA auto_vacuum").await, 2, "incremental");
    assert_eq!(pragma("PRAGMA cache_size").await, -20_000);
    assert_eq!(pragma("PRAGMA foreign_keys").await, 1);
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(rig.store.reader()).await.unwrap();
    assert_eq!(mode, "wal");
    let synchronous = rig
        .store
        .write(async |tx: &mut Tx| {
            sqlx::query_scalar::<_, i64>("PRAGMA synchronous")
                .fetch_one(tx.conn())
                .await
                .map_err(from_sqlx)
        })
        .await
        .unwrap();
    assert_eq!(synchronous, 2, "FULL: what was acknowledged survives a power cut");
    let refused = sqlx::query("INSERT INTO t (n) VALUES (1)").execute(rig.store.reader()).await;
    assert!(refused.is_err(), "readers cannot write");
    #[cfg(unix)]
    for name in ["devrig.db", "devrig.db-wal"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(rig.folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_and_panicking_units_leave_their_group_unharmed() {
    let rig = Rig::new().await;
    let release = hold_writer(&rig.store).await;
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..60_i64 {
        let store = rig.store.clone();
        callers.spawn(async move {
            let outcome = store
                .write(async move |tx: &mut Tx| {
                    insert(tx, n, "").await?;
                    match n % 10 {
                        3 => Err(Error::new(Code::NothingToDo, "not this one")),
                        7 => panic!("a defect"),
                        _ => Ok(n),
                    }
                })
                .await;
            (n, outcome)
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    release.send(()).unwrap();
    for (n, outcome) in callers.join_all().await {
        match n % 10 {
            3 => assert_eq!(outcome.unwrap_err().code, Code::NothingToDo),
            7 => assert_eq!(outcome.unwrap_err().code, Code::Internal),
            _ => assert_eq!(outcome.unwrap(), n),
        }
    }
    let expected: Vec<i64> = (0..60).filter(|n| !matches!(n % 10, 3 | 7)).collect();
    assert_eq!(numbers(&rig.store).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_with_one_failure_is_still_one_commit() {
    let rig = Rig::new().await;
    let mut feed = rig.store.changes();
    let release = hold_writer(&rig.store).await;
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..20_i64 {
        let store = rig.store.clone();
        callers.spawn(async move {
            store
                .write(async move |tx: &mut Tx| {
                    if n == 5 {
                        return Err(Error::invalid("no"));
                    }
                    tx.change(Change::new(
                        "t",
                        n.to_string(),
                        ChangeKind::Created,
                        &Origin::person(),
                    ));
                    insert(tx, n, "").await
                })
                .await
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    release.send(()).unwrap();
    let outcomes = callers.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 19);
    assert_eq!(feed.recv().await.unwrap().len(), 19, "one commit, one announcement");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_constraint_met_by_appended_rows_costs_only_its_own_caller() {
    let rig = Rig::new().await;
    let release = hold_writer(&rig.store).await;
    let mut callers = tokio::task::JoinSet::new();
    for n in [1, 2, 2, 3_i64] {
        let store = rig.store.clone();
        callers.spawn(async move {
            store.append("INSERT INTO t (n, text) ", 2, vec![n.into(), "x".into()]).await
        });
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    release.send(()).unwrap();
    let outcomes = callers.join_all().await;
    let failed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().err()).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(failed[0].code, Code::Conflict);
    assert_eq!(numbers(&rig.store).await, [1, 2, 3]);
}

#[tokio::test(flavor = "multi_thread")]
async fn appended_rows_of_every_type_read_back_in_order() {
    let rig = Rig::new().await;
    run(&rig.store, "CREATE TABLE v (i INTEGER, r REAL, s TEXT, b BLOB)").await.unwrap();
    let mut values = Vec::new();
    for n in 0..1_234_i64 {
        values.extend([
            Bind::Int(n),
            Bind::Real(0.5),
            Bind::from(Some("é").filter(|_| n % 2 == 0)),
            Bind::Blob(vec![0, 255]),
        ]);
    }
    rig.store.append("INSERT INTO v (i, r, s, b) ", 4, values).await.unwrap();
    let rows: Vec<(i64, f64, Option<String>, Vec<u8>)> =
        sqlx::query_as("SELECT i, r, s, b FROM v ORDER BY rowid")
            .fetch_all(rig.store.reader())
            .await
            .unwrap();
    assert_eq!(rows.len(), 1_234);
    assert_eq!(rows[7], (7, 0.5, None, vec![0, 255]));
    assert_eq!(rows[1_232], (1_232, 0.5, Some("é".to_owned()), vec![0, 255]));
}

#[tokio::test(flavor = "multi_thread")]
async fn hooks_run_after_the_commit_and_never_for_a_failure() {
    let rig = Rig::new().await;
    let count = Arc::new(AtomicUsize::new(0));
    for fails in [true, false] {
        let count = count.clone();
        let _ = rig
            .store
            .write(async move |tx: &mut Tx| {
                let count = count.clone();
                tx.after_commit(move || {
                    count.fetch_add(1, Ordering::SeqCst);
                });
                if fails { Err(Error::invalid("no")) } else { Ok(()) }
            })
            .await;
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
    rig.store
        .write(async |tx: &mut Tx| {
            tx.after_commit(|| panic!("a defect in a hook"));
            Ok(())
        })
        .await
        .unwrap();
    put(&rig.store, 1, "the writer lives").await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_tells_what_was_committed_and_by_whom() {
    let rig = Rig::new().await;
    let mut feed = rig.store.changes();
    let origin = Origin { actor: Actor::Rule, cause: Some("rule-1".into()), depth: 3 };
    let expected = origin.clone();
    rig.store
        .write(async move |tx: &mut Tx| {
            tx.change(Change::new("item", "a", ChangeKind::Updated, &origin));
            Ok(())
        })
        .await
        .unwrap();
    let rows = feed.recv().await.unwrap();
    assert_eq!((rows[0].table.as_str(), rows[0].id.as_str()), ("item", "a"));
    assert_eq!(rows[0].origin, expected);
    let mut subscriber = rig.store.subscriber("late").await.unwrap();
    let waited = tokio::time::timeout(Duration::from_millis(100), subscriber.next(10)).await;
    assert!(waited.is_err(), "a new subscriber begins with what comes next");
}

async fn change(store: &Store, id: &str) {
    let id = id.to_owned();
    store
        .write(async move |tx: &mut Tx| {
            tx.change(Change::new("item", id.clone(), ChangeKind::Updated, &Origin::person()));
            Ok(())
        })
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_sees_each_change_exactly_once_over_restarts_and_failures() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(options(folder.path())).await.unwrap();
    run(&store, "CREATE TABLE seen (key TEXT PRIMARY KEY, id TEXT)").await.unwrap();
    drop(store.subscriber("rules").await.unwrap());
    store.close().await;

    let mut expected = Vec::new();
    for round in 0..4 {
        let store = Store::open(options(folder.path())).await.unwrap();
        let mut subscriber = store.subscriber("rules").await.unwrap();
        for n in 0..25 {
            let id = format!("{round}-{n}");
            change(&store, &id).await;
            expected.push(id);
        }
        // A part of each round is left for the next start, and some effects fail halfway.
        let until = if round == 3 { 100 } else { 25 * round + 13 };
        let mut fails = true;
        while seen(&store).await.len() < until {
            let rows = subscriber.next(4).await.unwrap();
            let keys: Vec<_> = rows.iter().map(|row| subscriber.key(row)).collect();
            let fail = std::mem::replace(&mut fails, false);
            let _ = store
                .write(async move |tx: &mut Tx| {
                    for (row, key) in rows.iter().zip(&keys) {
                        sqlx::query("INSERT INTO seen (key, id) VALUES (?, ?)")
                            .bind(key)
                            .bind(&row.id)
                            .execute(tx.conn())
                            .await
                            .map_err(from_sqlx)?;
                    }
                    let last = rows.last().map_or(0, |row| row.seq);
                    Subscriber::advance("rules", tx, last).await?;
                    if fail { Err(Error::invalid("half way")) } else { Ok(()) }
                })
                .await;
        }
        store.close().await;
    }
    let store = Store::open(options(folder.path())).await.unwrap();
    assert_eq!(seen(&store).await, expected, "each once, in order");
}

async fn seen(store: &Store) -> Vec<String> {
    sqlx::query_scalar("SELECT id FROM seen ORDER BY rowid")
        .fetch_all(store.reader())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_subscriber_is_woken_and_misses_nothing_between_two_looks() {
    let rig = Rig::new().await;
    let mut subscriber = rig.store.subscriber("watch").await.unwrap();
    let store = rig.store.clone();
    let writing = tokio::spawn(async move {
        for n in 0..200 {
            change(&store, &n.to_string()).await;
        }
    });
    let mut seen = HashSet::new();
    while seen.len() < 200 {
        let rows = tokio::time::timeout(Duration::from_secs(10), subscriber.next(7)).await;
        let rows = rows.expect("woken by the commit").unwrap();
        let last = rows.last().unwrap().seq;
        seen.extend(rows.into_iter().map(|row| row.id));
        rig.store
            .write(async move |tx: &mut Tx| Subscriber::advance("watch", tx, last).await)
            .await
            .unwrap();
    }
    writing.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_remembers_gets_each_change_once_in_order_whether_it_keeps_up_or_not() {
    const CHANGES: usize = 6_000;
    let rig = Rig::new().await;
    let mut subscriber = rig.store.subscriber("watch").await.unwrap();
    let store = rig.store.clone();
    let writing = tokio::spawn(async move {
        let mut n = 0;
        while n < CHANGES {
            // Alone and many at once, more than is asked for, with and without a unit.
            let size = [1, 2, 40][n % 3].min(CHANGES - n);
            let mut batch = Batch::default();
            for n in n..n + size {
                let change =
                    Change::new("item", n.to_string(), ChangeKind::Updated, &Origin::person());
                batch.change(change);
            }
            n += size;
            if n.is_multiple_of(2) {
                store.write_batch(batch).await.unwrap();
            } else {
                let unit = async move |tx: &mut Tx| {
                    tx.add(batch.clone());
                    Ok(())
                };
                store.write(unit).await.unwrap();
            }
        }
    });
    let (mut seen, mut ids, mut last) = (0, Vec::new(), 0);
    while ids.len() < CHANGES {
        let rows = tokio::time::timeout(Duration::from_secs(10), subscriber.next_after(last, 7));
        let rows = rows.await.expect("woken by the commit").unwrap();
        assert!(!rows.is_empty() && rows.len() <= 7);
        last = rows.last().unwrap().seq;
        ids.extend(rows.into_iter().map(|row| row.id));
        seen += 1;
        // Long enough that the feed has gone on without it.
        if seen % 300 == 0 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    writing.await.unwrap();
    let expected: Vec<_> = (0..CHANGES).map(|n| n.to_string()).collect();
    assert_eq!(ids, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_changes_go_when_every_subscriber_has_passed_them_and_numbers_never_return() {
    let rig = Rig::new().await;
    let mut subscriber = rig.store.subscriber("slow").await.unwrap();
    for n in 0..10 {
        change(&rig.store, &n.to_string()).await;
    }
    rig.clock.advance(Duration::from_secs(3_600));
    let keep = Duration::from_secs(60);
    assert_eq!(rig.store.forget_changes(keep).await.unwrap(), 0, "a subscriber waits for them");
    let rows = subscriber.next(10).await.unwrap();
    let (third, last) = (rows[2].seq, rows[9].seq);
    let advance = async |seq| {
        rig.store
            .write(async move |tx: &mut Tx| Subscriber::advance("slow", tx, seq).await)
            .await
            .unwrap();
    };
    advance(third).await;
    assert_eq!(rig.store.forget_changes(keep).await.unwrap(), 3);
    advance(last).await;
    assert_eq!(rig.store.forget_changes(keep).await.unwrap(), 7);
    rig.store.close().await;
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    let mut subscriber = store.subscriber("slow").await.unwrap();
    change(&store, "next").await;
    assert!(subscriber.next(1).await.unwrap()[0].seq > last);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_history_gives_its_space_back() {
    let rig = Rig::new().await;
    let text = "x".repeat(2_000);
    let values = (0..8_000_i64).flat_map(|n| [n.into(), text.as_str().into()]).collect();
    rig.store.append("INSERT INTO t (n, text) ", 2, values).await.unwrap();
    rig.store.checkpoint().await.unwrap();
    let before = std::fs::metadata(rig.file()).unwrap().len();
    assert!(before > 16_000_000);
    run(&rig.store, "DELETE FROM t").await.unwrap();
    rig.store.shrink().await.unwrap();
    rig.store.checkpoint().await.unwrap();
    let after = std::fs::metadata(rig.file()).unwrap().len();
    assert!(after < before / 10, "{before} → {after}");
    assert!(rig.store.check().await.unwrap().ok);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_and_the_audit_log_read_back() {
    let rig = Rig::new().await;
    rig.store
        .write(async |tx: &mut Tx| {
            settings::set(tx, "theme", &json!({"mode": "dark"}), &Origin::person()).await
        })
        .await
        .unwrap();
    let value = settings::get(rig.store.reader(), "theme").await.unwrap();
    assert_eq!(value, Some(json!({"mode": "dark"})));
    assert_eq!(settings::get(rig.store.reader(), "none").await.unwrap(), None);
    for n in 0..5 {
        rig.store
            .audit(&audit::Entry {
                actor: Actor::Plugin,
                subject: if n == 0 { "other".into() } else { "github".into() },
                rule: "network:host-not-granted".into(),
                action: format!("GET {n}"),
                verdict: "refused".into(),
                detail: json!({"n": n}),
            })
            .await
            .unwrap();
    }
    let newest = audit::list(rig.store.reader(), Some("github"), None, 2).await.unwrap();
    assert_eq!(newest[0].entry.action, "GET 4");
    let next =
        audit::list(rig.store.reader(), Some("github"), Some(newest[1].seq), 9).await.unwrap();
    assert_eq!(
        next.iter().map(|row| row.entry.action.as_str()).collect::<Vec<_>>(),
        ["GET 2", "GET 1"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_finishes_what_waits_and_refuses_what_comes() {
    let rig = Rig::new().await;
    let mut callers = tokio::task::JoinSet::new();
    for n in 0..50 {
        let store = rig.store.clone();
        callers.spawn(async move { (n, put(&store, n, "").await) });
    }
    tokio::task::yield_now().await;
    rig.store.close().await;
    let mut stored: Vec<i64> = Vec::new();
    for (n, outcome) in callers.join_all().await {
        match outcome {
            Ok(()) => stored.push(n),
            Err(error) => assert_eq!(error.code, Code::Cancelled),
        }
    }
    assert_eq!(put(&rig.store, 99, "").await.unwrap_err().code, Code::Cancelled);
    let log = rig.folder.path().join("devrig.db-wal");
    assert!(!log.exists(), "the log was emptied into the file");
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    stored.sort_unstable();
    assert_eq!(numbers(&store).await, stored, "acknowledged and stored are the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_is_bounded_when_a_unit_is_stuck() {
    let rig = Rig::new().await;
    let store = rig.store.clone();
    tokio::spawn(async move {
        store
            .write(async |_: &mut Tx| std::future::pending::<devrig_core::Result<()>>().await)
            .await
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let start = Instant::now();
    rig.store.close().await;
    assert!(start.elapsed() < Duration::from_secs(12), "{:?}", start.elapsed());
}
