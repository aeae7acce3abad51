//! The `devrig` command on a rig's home.

use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt;

use crate::Rig;
use crate::rig::program;

/// Runs commands as a guest of the rig's engine.
pub struct CommandLine {
    home: PathBuf,
}

/// What a command printed, and how it ended.
#[derive(Debug)]
pub struct Printed {
    pub status: i32,
    pub out: String,
    pub err: String,
}

impl CommandLine {
    pub fn of(rig: &Rig) -> Self {
        Self { home: rig.home.path().to_owned() }
    }

    /// The answer of a command that is to succeed.
    pub async fn json(&self, words: &[&str]) -> Value {
        let printed = self.run(&[words, &["--json"]].concat(), "").await;
        assert_eq!(printed.status, 0, "{words:?}: {printed:?}");
        printed.json()
    }

    /// The error of a command that is to fail.
    pub async fn error(&self, words: &[&str], input: &str) -> Value {
        let printed = self.run(&[words, &["--json"]].concat(), input).await;
        assert_eq!(printed.status, 1, "{words:?}: {printed:?}");
        let told: Value = serde_json::from_str(&printed.err).expect("an error as JSON");
        told["error"].clone()
    }

    /// What people see of a command that is to succeed.
    pub async fn text(&self, words: &[&str]) -> String {
        let printed = self.run(words, "").await;
        assert_eq!(printed.status, 0, "{words:?}: {printed:?}");
        printed.out
    }

    pub async fn run(&self, words: &[&str], input: &str) -> Printed {
        let mut child = tokio::process::Command::new(program("devrig"))
            .args(words)
            .env("DEVRIG_HOME", &self.home)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("the command starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        // One that does not read its input may have ended already.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = child.wait_with_output().await.expect("the command ends");
        Printed {
            status: output.status.code().expect("it ended by itself"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }
}

impl Printed {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}
