//! The owner as a process of its own, which a test can kill.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use devrig_engine::Home;
use devrig_engine::socket::Guest;

use crate::rig::{program, wait};

/// A worker sees that its owner is gone by its closed connection.
const ORPHANS: Duration = Duration::from_secs(5);

/// `devrig start` on a home folder.
pub struct Owner(Child);

impl Owner {
    /// Does not wait until it answers.
    pub fn spawn(home: &Home) -> Self {
        let child = Command::new(program("devrig"))
            .arg("start")
            .env_clear()
            .env("DEVRIG_HOME", home.path())
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the command line starts");
        Self(child)
    }

    /// Starts it and connects to it.
    pub async fn start(home: &Home) -> (Self, Guest) {
        let owner = Self::spawn(home);
        let socket = home.socket();
        let guest = wait("the owner to answer", async || Guest::connect(&socket).await.ok()).await;
        (owner, guest)
    }

    /// `kill -9`; its workers end by themselves.
    pub async fn kill(mut self) {
        let workers = children(self.0.id());
        self.0.kill().expect("the owner is killed");
        self.0.wait().expect("the owner is gone");
        let begun = Instant::now();
        while workers.iter().any(|pid| is_worker(*pid)) {
            assert!(begun.elapsed() < ORPHANS, "a worker outlived its owner: {workers:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// Process ids of the children of a process.
fn children(parent: u32) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

fn parent_of(pid: u32) -> Option<u32> {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// True while the process runs the worker's program: not gone, no zombie, no other by that number.
fn is_worker(pid: u32) -> bool {
    let exe: Option<PathBuf> = std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    exe.is_some_and(|exe| exe.ends_with("devrig-plugin-host"))
}
