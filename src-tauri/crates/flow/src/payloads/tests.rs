use devrig_core::ManualClock;
use devrig_store::StoreOptions;
use serde_json::json;

use super::pack::PART;
use super::*;

fn noise(bytes: usize) -> Value {
    let mut random = fastrand::Rng::with_seed(7);
    json!({ "text": (0..bytes).map(|_| random.alphanumeric()).collect::<String>() })
}

async fn store(folder: &tempfile::TempDir) -> Store {
    let clock = ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap());
    let file = folder.path().join("devrig.db");
    Store::open(StoreOptions::new(file, folder.path().join("backups"), clock)).await.unwrap()
}

async fn count(store: &Store, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(store.reader()).await.unwrap()
}

#[test]
fn a_value_is_packed_in_parts_and_unpacked_as_it_was() {
    for value in [noise(3_000_000), json!({"n": [1.5, null, "ü", -0.1]}), json!("x"), json!([])] {
        let packed = pack(&value).unwrap();
        assert_eq!(packed.stored.size, value.to_string().len() as u64);
        let last = packed.parts.len() - 1;
        assert!(packed.parts[..last].iter().all(|part| part.len() == PART));
        let size = packed.stored.size as usize;
        assert_eq!(unpack(packed.parts.clone(), size).unwrap(), value);
        assert!(unpack(packed.parts.clone(), size - 1).is_err(), "longer than it was");
        assert_eq!(pack(&value).unwrap().stored, packed.stored);
        assert!(unpack(vec![packed.parts[0][..5].to_vec()], size).is_err());
    }
}

#[test]
fn what_is_large_is_seen_without_looking_at_all_of_it() {
    assert!(weight(&json!({"a": "x".repeat(LARGE)})) > LARGE);
    assert!(weight(&json!({"a": vec!["x".repeat(LARGE / 4); 5]})) > LARGE);
    assert!(weight(&json!({"a": "x".repeat(LARGE - 100)})) <= LARGE);
    assert!(weight(&json!(vec![1; 100])) <= LARGE);
    let many = Value::Array(vec![json!("text"); 1_000_000]);
    assert!(weight(&many) < 2 * LARGE);
    let names: Vec<String> = (0..2_000).map(|n| format!("{n:040}")).collect();
    assert!(weight(&names.into_iter().map(|name| (name, json!(1))).collect()) > LARGE);
}

#[tokio::test]
async fn a_value_is_stored_once_and_goes_when_nobody_points_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let value = noise(2_000_000);
    let stored = put(&store, 1, value.clone()).await.unwrap();
    assert_eq!(put(&store, -1, value.clone()).await.unwrap(), stored);
    let small = put(&store, 2, noise(80_000)).await.unwrap();
    assert_eq!(count(&store, "SELECT count(*) FROM payload WHERE whole = 1").await, 2);
    assert_eq!(read(&store, &stored).await.unwrap(), value);
    let free = async |hashes: Vec<String>| {
        let unit = async move |tx: &mut Tx| table::free(tx, &hashes, 2).await;
        store.write(unit).await.unwrap()
    };
    let forget = async |holders: &'static str| {
        let unit = async move |tx: &mut Tx| table::forget(tx.conn(), holders).await;
        store.write(unit).await.unwrap();
    };
    forget("[1]").await;
    let loose = async || {
        let mut conn = store.read().await.unwrap();
        table::loose(&mut conn, "", 10).await.unwrap()
    };
    assert!(loose().await.is_empty(), "the event still points to it");
    assert!(!free(vec![stored.hash.clone()]).await);
    assert_eq!(read(&store, &stored).await.unwrap(), value, "so it stays whatever is asked");
    forget("[-1]").await;
    assert_eq!(loose().await, std::slice::from_ref(&stored.hash));
    assert!(free(vec![stored.hash.clone()]).await, "two parts at a time");
    let error = read(&store, &stored).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    // Somebody wants it again in the middle of this.
    assert_eq!(put(&store, 3, value.clone()).await.unwrap(), stored);
    assert!(!free(vec![stored.hash.clone()]).await);
    assert_eq!(read(&store, &stored).await.unwrap(), value);
    forget("[2, 3]").await;
    while free(vec![stored.hash.clone(), small.hash.clone()]).await {}
    for sql in ["payload", "payload_part", "payload_use"] {
        let sql: &'static str = Box::leak(format!("SELECT count(*) FROM {sql}").into_boxed_str());
        assert_eq!(count(&store, sql).await, 0, "{sql}");
    }
}

#[tokio::test]
async fn only_what_is_there_whole_is_shared() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    let stored = put(&store, 1, noise(80_000)).await.unwrap();
    let share = async |hashes: Vec<String>| {
        let unit = async move |tx: &mut Tx| table::share(tx, 2, &hashes).await;
        store.write(unit).await
    };
    assert!(share(vec![stored.hash.clone(), stored.hash.clone()]).await.is_ok());
    let error = share(vec![stored.hash.clone(), "gone".to_owned()]).await.unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert_eq!(count(&store, "SELECT count(*) FROM payload_use").await, 2);
}

#[tokio::test]
async fn what_the_disk_refuses_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder).await;
    store.close().await;
    let unstored = put(&store, 1, noise(2_000_000)).await.unwrap_err();
    assert_eq!(unstored.error.code, Code::Cancelled);
    assert!(unstored.value == noise(2_000_000));
}

#[tokio::test]
async fn room_is_given_back_and_no_more_is_given_than_there_is() {
    let all = room(u64::MAX).await;
    let next = tokio::time::timeout(std::time::Duration::from_millis(50), room(1)).await;
    assert!(next.is_err(), "there is none left");
    drop(all);
    drop(room(1).await);
}

#[tokio::test]
async fn what_nobody_knows_takes_room_while_large_values_wait() {
    let all = PACKING.acquire_many(4).await.unwrap();
    assert_eq!(guess(), GUESS);
    drop(all);
    let none = async {
        while guess() != 0 {
            tokio::task::yield_now().await;
        }
    };
    // Other tests pack as well.
    tokio::time::timeout(std::time::Duration::from_secs(10), none).await.unwrap();
}
