//! Backups, restores, and files and disks that are not as they should be.

mod common;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use common::{Rig, make_table, numbers, options, put, run};
use devrig_core::Code;
use devrig_store::{Store, backup};

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_complete_private_and_restores() {
    let rig = Rig::new().await;
    put(&rig.store, 1, "kept").await.unwrap();
    let copy = rig.store.backup(None).await.unwrap();
    assert!(copy.starts_with(rig.folder.path().join("backups")));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let error = rig.store.backup(Some(copy.clone())).await.unwrap_err();
    assert_eq!(error.code, Code::Conflict, "a backup never overwrites");
    put(&rig.store, 2, "after the backup").await.unwrap();
    assert!(rig.store.check().await.unwrap().ok);
    rig.store.close().await;

    let kept = backup::restore(&options(rig.folder.path()), &copy).await.unwrap().unwrap();
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    assert_eq!(numbers(&store).await, [1]);
    put(&store, 3, "it works").await.unwrap();
    store.close().await;
    // What was there before is kept and restores as well.
    backup::restore(&options(rig.folder.path()), &kept).await.unwrap();
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_under_load_is_consistent() {
    let rig = Rig::new().await;
    let store = rig.store.clone();
    let writing = tokio::spawn(async move {
        for n in 0..2_000 {
            put(&store, n, "x").await.unwrap();
        }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    let copy = rig.store.backup(None).await.unwrap();
    writing.await.unwrap();
    rig.store.close().await;
    backup::restore(&options(rig.folder.path()), &copy).await.unwrap();
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    let rows = numbers(&store).await;
    let expected: Vec<i64> = (0..rows.len() as i64).collect();
    assert_eq!(rows, expected, "a prefix of what was written, without holes");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restore_takes_a_left_over_log_out_of_the_way() {
    let rig = Rig::new().await;
    put(&rig.store, 1, "").await.unwrap();
    let copy = rig.store.backup(None).await.unwrap();
    put(&rig.store, 2, "only in the log").await.unwrap();
    // As after a kill: the file with its log, while the copy is restored elsewhere.
    let crashed = tempfile::tempdir().unwrap();
    for name in ["devrig.db", "devrig.db-wal"] {
        std::fs::copy(rig.folder.path().join(name), crashed.path().join(name)).unwrap();
    }
    let kept = backup::restore(&options(crashed.path()), &copy).await.unwrap().unwrap();
    let store = Store::open(options(crashed.path())).await.unwrap();
    assert_eq!(numbers(&store).await, [1], "the old log was not replayed over the copy");
    store.close().await;
    backup::restore(&options(crashed.path()), &kept).await.unwrap();
    let store = Store::open(options(crashed.path())).await.unwrap();
    assert_eq!(numbers(&store).await, [1, 2], "the kept file has its log");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_backup_is_refused_and_nothing_changes() {
    let rig = Rig::new().await;
    put(&rig.store, 1, "").await.unwrap();
    rig.store.close().await;
    let options = options(rig.folder.path());
    let other = rig.folder.path().join("notes.txt");
    std::fs::write(&other, "not a database, but long enough to be read as one ".repeat(100))
        .unwrap();
    let error = backup::restore(&options, &other).await.unwrap_err();
    assert_eq!(error.code, Code::DatabaseCorrupt, "{error:?}");
    let empty = rig.folder.path().join("empty.db");
    std::fs::write(&empty, "").unwrap();
    assert_eq!(backup::restore(&options, &empty).await.unwrap_err().code, Code::DatabaseCorrupt);
    let missing = rig.folder.path().join("missing.db");
    assert_eq!(backup::restore(&options, &missing).await.unwrap_err().code, Code::NotFound);
    let store = Store::open(options).await.unwrap();
    assert_eq!(numbers(&store).await, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_file_is_refused_untouched() {
    let rig = Rig::new().await;
    run(&rig.store, "INSERT INTO migration (version, name, applied_at) VALUES (9999, 'later', '')")
        .await
        .unwrap();
    let copy = rig.store.backup(None).await.unwrap();
    rig.store.close().await;
    let before = std::fs::read(rig.file()).unwrap();
    let error = Store::open(options(rig.folder.path())).await.err().unwrap();
    assert_eq!(error.code, Code::DatabaseNewer);
    assert!(error.message.contains("later") && error.hint.is_some());
    assert_eq!(std::fs::read(rig.file()).unwrap(), before);
    let error = backup::restore(&options(rig.folder.path()), &copy).await.unwrap_err();
    assert_eq!(error.code, Code::DatabaseNewer);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_file_is_copied_before_it_is_migrated() {
    let rig = Rig::new().await;
    // As a DevRig without the last migration would have left it.
    run(&rig.store, "CREATE TABLE kept_by_copy (n)").await.unwrap();
    for sql in
        ["DROP TABLE job_attempt", "DROP TABLE job", "DELETE FROM migration WHERE version = 3"]
    {
        run(&rig.store, sql).await.unwrap();
    }
    rig.store.close().await;
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    run(&store, "DELETE FROM job").await.expect("the table is back");
    let copies: Vec<_> = std::fs::read_dir(rig.folder.path().join("backups"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(copies.len(), 1);
    assert!(copies[0].contains("before-migration"), "{copies:?}");
    store.close().await;
    Store::open(options(rig.folder.path())).await.unwrap().close().await;
    let copies = std::fs::read_dir(rig.folder.path().join("backups")).unwrap().count();
    assert_eq!(copies, 1, "nothing pending, nothing copied");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_no_database_ends_in_a_clear_message() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("devrig.db");
    std::fs::write(&file, "holiday photographs ".repeat(1_000)).unwrap();
    let error = Store::open(options(folder.path())).await.err().unwrap();
    assert_eq!(error.code, Code::DatabaseCorrupt, "{error:?}");
    assert!(error.hint.unwrap().contains("devrig db restore"));
    let untouched = std::fs::read_to_string(&file).unwrap();
    assert!(untouched.starts_with("holiday photographs"));
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_pages_are_found_by_the_check() {
    let rig = Rig::new().await;
    for n in 0..200 {
        put(&rig.store, n, &"x".repeat(500)).await.unwrap();
    }
    rig.store.close().await;
    let mut bytes = std::fs::read(rig.file()).unwrap();
    let pages = bytes.len() / 4096;
    for page in pages - 12..pages - 4 {
        bytes[page * 4096..page * 4096 + 100].fill(0xA5);
    }
    std::fs::write(rig.file(), bytes).unwrap();
    let store = Store::open(options(rig.folder.path())).await.unwrap();
    match store.check().await {
        Ok(check) => assert!(!check.ok && !check.problems.is_empty()),
        Err(error) => assert_eq!(error.code, Code::DatabaseCorrupt),
    }
}

/// A small disk of its own, or nothing where mounting is not allowed.
#[cfg(target_os = "linux")]
struct Disk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl Disk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let disk = Self(folder);
        let size = format!("size={size}");
        let mounted = disk.mount(&["-t", "tmpfs", "-o", &size, "devrig-test"]);
        if !mounted {
            println!("SKIPPED: this account may not mount a tmpfs; run the test as root");
        }
        mounted.then_some(disk)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn remount(&self, how: &str) {
        assert!(self.mount(&["-o", &format!("remount,{how}")]));
    }

    fn mount(&self, arguments: &[&str]) -> bool {
        let mut mount = Command::new("mount");
        mount.args(arguments).arg(self.path());
        mount.status().is_ok_and(|status| status.success())
    }
}

#[cfg(target_os = "linux")]
impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_survived_and_nothing_acknowledged_is_lost() {
    let Some(disk) = Disk::new("8m") else { return };
    let store = Store::open(options(disk.path())).await.unwrap();
    make_table(&store).await;
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![0_u8; 2 * 1024 * 1024]).unwrap();
    let text = "x".repeat(10_000);
    let mut acknowledged = Vec::new();
    let full = loop {
        let n = acknowledged.len() as i64;
        match put(&store, n, &text).await {
            Ok(()) => acknowledged.push(n),
            Err(error) => break error,
        }
        assert!(n < 2_000, "the disk never filled");
    };
    assert_eq!(full.code, Code::DiskFull, "{full:?}");
    assert!(full.hint.is_some());
    // A checkpoint may make some room in between; what counts is that every answer is true.
    for n in 5_000..5_100 {
        match put(&store, n, &text).await {
            Ok(()) => acknowledged.push(n),
            Err(error) => assert_eq!(error.code, Code::DiskFull, "{error:?}"),
        }
    }
    assert_eq!(numbers(&store).await, acknowledged, "reading goes on");
    std::fs::remove_file(&ballast).unwrap();
    put(&store, 10_000, "space again").await.expect("the writer goes on by itself");
    acknowledged.push(10_000);
    store.close().await;
    let store = Store::open(options(disk.path())).await.unwrap();
    assert_eq!(numbers(&store).await, acknowledged);
    assert!(store.check().await.unwrap().ok);
    store.close().await;
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_full_from_the_start_says_so() {
    let Some(disk) = Disk::new("256k") else { return };
    std::fs::write(disk.path().join("ballast"), vec![0_u8; 224 * 1024]).unwrap();
    let error = Store::open(options(disk.path())).await.err().unwrap();
    assert_eq!(error.code, Code::DiskFull, "{error:?}");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_read_only_disk_says_so() {
    let Some(disk) = Disk::new("8m") else { return };
    disk.remount("ro");
    let error = Store::open(options(disk.path())).await.err().unwrap();
    assert_eq!(error.code, Code::ReadOnly, "a new file: {error:?}");
    disk.remount("rw");
    let store = Store::open(options(disk.path())).await.unwrap();
    make_table(&store).await;
    put(&store, 1, "").await.unwrap();
    store.close().await;
    disk.remount("ro");
    let error = Store::open(options(disk.path())).await.err().unwrap();
    assert_eq!(error.code, Code::ReadOnly, "an old file: {error:?}");
    assert!(error.hint.is_some());
    disk.remount("rw");
    let store = Store::open(options(disk.path())).await.unwrap();
    assert_eq!(numbers(&store).await, [1]);
    store.close().await;
}
