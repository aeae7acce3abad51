//! A store over a fresh file, and a table to write into.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use devrig_core::{ManualClock, Result, SystemClock};
use devrig_store::{Store, StoreOptions, Tx, from_sqlx};

pub struct Rig {
    pub store: Store,
    pub clock: Arc<ManualClock>,
    pub folder: tempfile::TempDir,
}

impl Rig {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = ManualClock::at("2026-11-20T09:00:00Z".parse().unwrap());
        let mut options = options(folder.path());
        options.clock = clock.clone();
        let store = Store::open(options).await.unwrap();
        make_table(&store).await;
        Self { store, clock, folder }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("devrig.db")
    }
}

pub fn options(folder: &Path) -> StoreOptions {
    let (file, backups) = (folder.join("devrig.db"), folder.join("backups"));
    StoreOptions::new(file, backups, SystemClock::shared())
}

pub async fn make_table(store: &Store) {
    run(
        store,
        "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT NOT NULL DEFAULT '')",
    )
    .await
    .unwrap();
}

pub async fn run(store: &Store, sql: &'static str) -> Result<u64> {
    store
        .write(async move |tx: &mut Tx| {
            let done = sqlx::query(sql).execute(tx.conn()).await.map_err(from_sqlx)?;
            Ok(done.rows_affected())
        })
        .await
}

pub async fn insert(tx: &mut Tx, n: i64, text: &str) -> Result<()> {
    sqlx::query("INSERT INTO t (n, text) VALUES (?, ?)")
        .bind(n)
        .bind(text)
        .execute(tx.conn())
        .await
        .map_err(from_sqlx)?;
    Ok(())
}

pub async fn put(store: &Store, n: i64, text: &str) -> Result<()> {
    let text = text.to_owned();
    store.write(async move |tx: &mut Tx| insert(tx, n, &text).await).await
}

pub async fn numbers(store: &Store) -> Vec<i64> {
    sqlx::query_scalar("SELECT n FROM t ORDER BY n").fetch_all(store.reader()).await.unwrap()
}

/// Keeps the writer busy until the sender is used, so that what is written meanwhile is one group.
pub async fn hold_writer(store: &Store) -> std::sync::mpsc::Sender<()> {
    let (release, held) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = tokio::sync::oneshot::channel();
    let (held, entered) = (std::sync::Mutex::new(held), std::sync::Mutex::new(Some(entered)));
    let store = store.clone();
    tokio::spawn(async move {
        store
            .write(async move |_: &mut Tx| {
                if let Some(entered) = entered.lock().unwrap().take() {
                    let _ = entered.send(());
                }
                let _ = held.lock().unwrap().recv_timeout(Duration::from_secs(20));
                Ok(())
            })
            .await
    });
    inside.await.unwrap();
    release
}
