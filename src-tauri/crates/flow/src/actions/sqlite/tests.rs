use std::path::PathBuf;
use std::time::Instant;

use rusqlite::Connection;

use super::*;
use crate::permissions::Permissions;

struct Lamps {
    _folder: tempfile::TempDir,
    root: PathBuf,
}

impl Lamps {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        let lamps = Self { _folder: folder, root };
        let connection = Connection::open(lamps.file()).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE lamp (id INTEGER PRIMARY KEY, name TEXT UNIQUE, watts REAL, raw BLOB);
                 INSERT INTO lamp VALUES (1, 'desk', 7.5, x'00ff'), (2, 'floor', NULL, NULL);",
            )
            .unwrap();
        lamps
    }

    fn file(&self) -> PathBuf {
        self.root.join("lamps.db")
    }

    fn query(&self, kind: &str, config: Value) -> Result<Value> {
        self.query_in(&Scene::allowing(&[format!("{kind}:{}", self.root.display())]), config)
    }

    fn query_in(&self, scene: &Scene, mut config: Value) -> Result<Value> {
        config["path"] = json!(self.file());
        let mut actions = Actions::default();
        add_all(&mut actions)?;
        actions.get("sqlite.query").unwrap().check(&config)?;
        Query::run(serde_json::from_value(config)?, scene)
    }

    fn sql(&self, sql: &str) -> Result<Value> {
        self.query("read", json!({ "sql": sql }))
    }

    fn change(&self, sql: &str) -> Result<Value> {
        self.query("write", json!({"sql": sql, "write": true}))
    }
}

#[test]
fn rows_are_objects_and_values_are_bound() {
    let lamps = Lamps::new();
    let all = lamps.sql("SELECT *, id FROM lamp ORDER BY id").unwrap();
    assert_eq!(all["columns"], json!(["id", "name", "watts", "raw", "id_2"]));
    assert_eq!(
        all["rows"][0],
        json!({"id": 1, "name": "desk", "watts": 7.5, "raw": {"base64": "AP8="}, "id_2": 1})
    );
    assert_eq!((&all["rows"][1]["watts"], &all["more"]), (&json!(null), &json!(false)));
    let by = |sql: &str, params: Value| lamps.query("read", json!({"sql": sql, "params": params}));
    let evil = "x' OR 1=1 --";
    assert_eq!(by("SELECT id FROM lamp WHERE name = ?", json!([evil])).unwrap()["rows"], json!([]));
    let named =
        by("SELECT :a + $b AS sum, @c AS c", json!({"a": 1, "b": 2.5, "c": {"base64": "AP8="}}));
    assert_eq!(named.unwrap()["rows"], json!([{"sum": 3.5, "c": {"base64": "AP8="}}]));
    let kinds = by("SELECT ?, ?, ?, ?", json!([null, true, [1], 9007199254740993_i64])).unwrap();
    let values: Vec<&Value> = kinds["rows"][0].as_object().unwrap().values().collect();
    assert_eq!(values, [&json!(null), &json!(1), &json!("[1]"), &json!(9007199254740993_i64)]);
    for (sql, params) in [
        ("SELECT ?", json!([])),
        ("SELECT :a", json!({"b": 1})),
        ("SELECT 1", json!([1])),
        ("SELECT :a", json!({"a": 1, "b": 1})),
    ] {
        assert!(by(sql, params).unwrap_err().message.starts_with("params: "), "{sql}");
    }
}

#[test]
fn only_with_write_is_anything_changed() {
    let lamps = Lamps::new();
    let add = "INSERT INTO lamp (name) VALUES ('new') RETURNING id";
    for sql in [add, "DELETE FROM lamp", "DROP TABLE lamp", "CREATE TABLE x (y)"] {
        let refused = lamps.sql(sql).unwrap_err();
        assert!(refused.hint.unwrap().contains("`write`"), "{sql}");
    }
    let unallowed = lamps.query("read", json!({"sql": add, "write": true})).unwrap_err();
    assert!(unallowed.code == Code::Refused && unallowed.hint.unwrap().contains("write:"));
    let done = lamps.change(add).unwrap();
    assert_eq!(
        (&done["rows"], &done["changes"], &done["lastRowId"]),
        (&json!([{"id": 3}]), &json!(1), &json!(3))
    );
    let twice = lamps.change("INSERT INTO lamp (name) VALUES ('new')").unwrap_err();
    assert!(twice.code == Code::Conflict && twice.message.contains("lamp.name"), "{twice}");
    assert_eq!(lamps.sql("SELECT count(*) AS n FROM lamp").unwrap()["rows"][0]["n"], 3);
    let effect = |config: Value| Query::stakes(&config, Query::ABOUT.stakes()).effect;
    assert_eq!(effect(json!({"write": true})), Effect::Write);
    assert_eq!(effect(json!({})), Effect::Read);
}

#[test]
fn no_statement_reaches_beyond_the_file() {
    let lamps = Lamps::new();
    let other = lamps.root.join("other.db");
    for sql in [
        &*format!("ATTACH '{}' AS other", other.display()),
        &format!("VACUUM INTO '{}'", other.display()),
        "VACUUM",
        "SELECT load_extension('/tmp/x.so')",
        "PRAGMA writable_schema = 1",
        "PRAGMA journal_mode = MEMORY",
        "PRAGMA temp_store_directory = '/tmp'",
        "PRAGMA query_only = 0",
        "BEGIN",
    ] {
        assert!(lamps.change(sql).is_err(), "{sql}");
        assert!(lamps.sql(sql).is_err(), "{sql}");
    }
    assert!(!other.exists());
    let shape = lamps.sql("PRAGMA table_info(lamp)").unwrap();
    assert_eq!(shape["rows"][1]["name"], "name");
    let two = lamps.change("DELETE FROM lamp; DELETE FROM lamp").unwrap_err();
    assert!(two.message.contains("more than one"), "{two}");
    assert_eq!(lamps.sql("SELECT 1 AS x; -- the end\n").unwrap()["rows"], json!([{"x": 1}]));
    assert!(lamps.sql(" -- nothing").unwrap_err().message.contains("no statement"));
}

#[test]
fn rows_bytes_and_time_are_bounded() {
    let lamps = Lamps::new();
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT";
    let some =
        lamps.query("read", json!({"sql": format!("{endless} i FROM n"), "maxRows": 5})).unwrap();
    assert_eq!((some["rows"].as_array().unwrap().len(), &some["more"]), (5, &json!(true)));
    let large = format!("{endless} hex(randomblob(500000)) FROM n");
    assert_eq!(lamps.sql(&large).unwrap_err().code, Code::TooLarge);
    assert_eq!(lamps.sql("SELECT zeroblob(100000000)").unwrap_err().code, Code::TooLarge);
    let begun = Instant::now();
    let config = json!({"sql": format!("{endless} count(*) FROM n"), "timeoutMs": 100});
    let late = lamps.query("read", config).unwrap_err();
    assert!(late.code == Code::Timeout && begun.elapsed() < Duration::from_secs(5), "{late}");
    let scene = Scene::allowing(&[format!("read:{}", lamps.root.display())]);
    scene.stop().cancel();
    let config = json!({"sql": format!("{endless} count(*) FROM n")});
    assert_eq!(lamps.query_in(&scene, config).unwrap_err().code, Code::Cancelled);
}

#[test]
fn what_is_wrong_is_told() {
    let lamps = Lamps::new();
    let slip = lamps.sql("SELECT *\n  FORM lamp").unwrap_err();
    assert!(slip.message.starts_with("sql: line 2, column 3: near \"FORM\""), "{slip}");
    let table = lamps.sql("SELECT * FROM lamps").unwrap_err();
    assert!(table.message.contains("no such table: lamps"), "{table}");
    let other = Connection::open(lamps.file()).unwrap();
    other.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let config = json!({"sql": "SELECT 1 FROM lamp", "timeoutMs": 50});
    assert_eq!(lamps.query("read", config).unwrap_err().code, Code::DatabaseBusy);
    drop(other);
    std::fs::write(lamps.file(), "no database".repeat(100)).unwrap();
    assert!(lamps.sql("SELECT * FROM lamp").unwrap_err().message.contains("no SQLite database"));
    std::fs::remove_file(lamps.file()).unwrap();
    let missing = lamps.change("SELECT 1").unwrap_err();
    assert!(missing.code == Code::NotFound && !lamps.file().exists(), "no file is made: {missing}");
}

#[test]
fn links_and_devrigs_own_database_are_refused() {
    let lamps = Lamps::new();
    let allowed: Permissions = [format!("read:{}", lamps.root.display())]
        .iter()
        .map(|text| text.parse().unwrap())
        .collect();
    let own = Scene::with(allowed.without(&lamps.root));
    let refused = lamps.query_in(&own, json!({"sql": "SELECT 1"})).unwrap_err();
    assert!(refused.code == Code::Refused && refused.message.contains("DevRig's own"), "{refused}");
    let elsewhere = Lamps::new();
    std::fs::remove_file(lamps.file()).unwrap();
    std::os::unix::fs::symlink(elsewhere.file(), lamps.file()).unwrap();
    assert_eq!(lamps.sql("SELECT * FROM lamp").unwrap_err().code, Code::Refused);
}
