//! How fast the one writer takes rows, beside bare SQLite with the same pragmas in the same run.
//!
//! Prints a table, or JSON with `--json`. The file lies in the folder that `--folder` names, else
//! in the system's temporary folder; a memory disk would flatter both.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use devrig_core::SystemClock;
use devrig_store::{Bind, Store, StoreOptions, Tx, from_sqlx};

/// A row as logs and activity have it.
const TABLE: &str = "CREATE TABLE row (seq INTEGER PRIMARY KEY, at TEXT NOT NULL,
    kind TEXT NOT NULL, subject TEXT NOT NULL, text TEXT NOT NULL) STRICT";
const INTO: &str = "INSERT INTO row (at, kind, subject, text) ";
const ROW: [&str; 4] = [
    "2026-11-20T09:30:00.000Z",
    "plugin.log",
    "cm3x8h2k90000abcd1234efgh",
    "synced 12 items of github.notifications in 340 ms, 2 pages, cursor moved",
];
const RUN: Duration = Duration::from_secs(3);

struct Figure {
    name: &'static str,
    per_second: f64,
    unit: &'static str,
    p50_us: Option<u64>,
    p99_us: Option<u64>,
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|argument| argument == "--json");
    let place = arguments.iter().position(|argument| argument == "--folder");
    let place = place.and_then(|at| arguments.get(at + 1)).map(PathBuf::from);
    let folder = tempfile::tempdir_in(place.unwrap_or_else(std::env::temp_dir)).unwrap();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut figures = vec![
        bare_groups(folder.path(), "bare SQLite, groups of 100 rows", 100),
        bare_groups(folder.path(), "bare SQLite, groups of 1,000 rows", 1_000),
        bare_groups(folder.path(), "bare SQLite, one row a commit", 1),
    ];
    figures.extend(runtime.block_on(ours(folder.path())));

    if json {
        let rows: Vec<_> = figures
            .iter()
            .map(|f| {
                serde_json::json!({
                    "name": f.name, "perSecond": f.per_second.round(), "unit": f.unit,
                    "p50Us": f.p50_us, "p99Us": f.p99_us,
                })
            })
            .collect();
        println!("{}", serde_json::json!({ "store": rows }));
        return;
    }
    println!("{:<44} {:>12} {:<8} {:>9} {:>9}", "store", "per second", "", "p50 µs", "p99 µs");
    for f in &figures {
        let cell = |value: Option<u64>| value.map_or_else(String::new, |value| value.to_string());
        let (p50, p99) = (cell(f.p50_us), cell(f.p99_us));
        println!("{:<44} {:>12.0} {:<8} {p50:>9} {p99:>9}", f.name, f.per_second, f.unit);
    }
}

async fn ours(folder: &Path) -> Vec<Figure> {
    let options =
        StoreOptions::new(folder.join("ours.db"), folder.join("backups"), SystemClock::shared());
    let store = Store::open(options).await.unwrap();
    store
        .write(async |tx: &mut Tx| {
            sqlx::query(TABLE).execute(tx.conn()).await.map_err(from_sqlx).map(drop)
        })
        .await
        .unwrap();
    let mut figures = Vec::new();
    for (name, callers, rows) in [
        ("groups of 100 rows, 16 callers", 16, 100),
        ("groups of 1,000 rows, 4 callers", 4, 1_000),
        ("one appended row, 64 callers", 64, 1),
    ] {
        let append = async |store: &Store| {
            let values = (0..rows).flat_map(|_| ROW.map(Bind::from)).collect();
            store.append(INTO, 4, values).await.unwrap();
        };
        figures.push(drive(&store, name, "rows", callers, rows, append).await);
    }
    for (name, callers) in [("one-row units, 64 callers", 64), ("one-row units, 1 caller", 1)] {
        let unit = async |store: &Store| {
            store
                .write(async |tx: &mut Tx| {
                    sqlx::query("INSERT INTO row (at, kind, subject, text) VALUES (?, ?, ?, ?)")
                        .bind(ROW[0])
                        .bind(ROW[1])
                        .bind(ROW[2])
                        .bind(ROW[3])
                        .execute(tx.conn())
                        .await
                        .map_err(from_sqlx)?;
                    Ok(())
                })
                .await
                .unwrap();
        };
        figures.push(drive(&store, name, "units", callers, 1, unit).await);
    }
    store.close().await;
    figures
}

/// Lets `callers` tasks do `work` for a while; each call counts for `weight`.
async fn drive<W>(
    store: &Store,
    name: &'static str,
    unit: &'static str,
    callers: usize,
    weight: u64,
    work: W,
) -> Figure
where
    W: AsyncFn(&Store),
{
    let (stop, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let start = Instant::now();
    // One task drives all callers, as the engine's tasks share its threads.
    let caller = async || {
        let mut times = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let before = Instant::now();
            work(store).await;
            times.push(before.elapsed().as_micros() as u64);
            count.fetch_add(weight, Ordering::Relaxed);
            if start.elapsed() >= RUN {
                stop.store(true, Ordering::Relaxed);
            }
        }
        times
    };
    let all = futures::future::join_all((0..callers).map(|_| caller())).await;
    let seconds = start.elapsed().as_secs_f64();
    let mut times = all.concat();
    times.sort_unstable();
    let at = |share: f64| times.get(((times.len() - 1) as f64 * share) as usize).copied();
    Figure {
        name,
        per_second: count.load(Ordering::Relaxed) as f64 / seconds,
        unit,
        p50_us: at(0.5),
        p99_us: at(0.99),
    }
}

fn bare_groups(folder: &Path, name: &'static str, rows: u64) -> Figure {
    let bare = bare::Connection::open(&folder.join(format!("bare-{rows}.db")));
    for sql in [
        "PRAGMA auto_vacuum = INCREMENTAL",
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA cache_size = -20000",
        "PRAGMA mmap_size = 268435456",
        TABLE,
    ] {
        bare.execute(sql);
    }
    let insert = bare.prepare("INSERT INTO row (at, kind, subject, text) VALUES (?, ?, ?, ?)");
    let (start, mut count) = (Instant::now(), 0_u64);
    while start.elapsed() < RUN {
        bare.execute("BEGIN IMMEDIATE");
        for _ in 0..rows {
            insert.run(&ROW);
        }
        bare.execute("COMMIT");
        count += rows;
    }
    let per_second = count as f64 / start.elapsed().as_secs_f64();
    Figure { name, per_second, unit: "rows", p50_us: None, p99_us: None }
}

/// As little of SQLite's C interface as the comparison needs.
#[allow(unsafe_code)]
mod bare {
    use std::ffi::CString;
    use std::path::Path;
    use std::ptr;

    use libsqlite3_sys::*;

    pub struct Connection(*mut sqlite3);

    pub struct Statement<'a>(*mut sqlite3_stmt, &'a Connection);

    impl Connection {
        pub fn open(file: &Path) -> Self {
            let name = CString::new(file.to_str().unwrap()).unwrap();
            let mut handle = ptr::null_mut();
            // SAFETY: the name ends in NUL, and the handle is written before it is read.
            let code = unsafe { sqlite3_open(name.as_ptr(), &raw mut handle) };
            assert_eq!(code, SQLITE_OK);
            Self(handle)
        }

        pub fn execute(&self, sql: &str) {
            let sql = CString::new(sql).unwrap();
            // SAFETY: the handle is open and the text ends in NUL.
            let code = unsafe {
                sqlite3_exec(self.0, sql.as_ptr(), None, ptr::null_mut(), ptr::null_mut())
            };
            assert_eq!(code, SQLITE_OK, "{sql:?}");
        }

        pub fn prepare(&self, sql: &str) -> Statement<'_> {
            let sql = CString::new(sql).unwrap();
            let mut statement = ptr::null_mut();
            // SAFETY: as above; -1 reads up to the NUL.
            let code = unsafe {
                sqlite3_prepare_v2(self.0, sql.as_ptr(), -1, &raw mut statement, ptr::null_mut())
            };
            assert_eq!(code, SQLITE_OK);
            Statement(statement, self)
        }
    }

    impl Statement<'_> {
        pub fn run(&self, values: &[&'static str]) {
            for (at, value) in (1..).zip(values) {
                // SAFETY: the text lives as long as the program, so SQLite need not copy it.
                let code = unsafe {
                    sqlite3_bind_text(
                        self.0,
                        at,
                        value.as_ptr().cast(),
                        i32::try_from(value.len()).unwrap(),
                        SQLITE_STATIC(),
                    )
                };
                assert_eq!(code, SQLITE_OK);
            }
            // SAFETY: the statement is alive.
            let code = unsafe { sqlite3_step(self.0) };
            assert_eq!(code, SQLITE_DONE);
            // SAFETY: as above.
            unsafe { sqlite3_reset(self.0) };
        }
    }

    impl Drop for Statement<'_> {
        fn drop(&mut self) {
            let _ = self.1;
            // SAFETY: finalised once, before its connection closes.
            unsafe { sqlite3_finalize(self.0) };
        }
    }

    impl Drop for Connection {
        fn drop(&mut self) {
            // SAFETY: closed once; no statement outlives the connection.
            unsafe { sqlite3_close(self.0) };
        }
    }
}
