//! Real processes: what they start with, and that nothing of them is left.
#![cfg(target_os = "linux")]

use std::path::Path;
use std::time::{Duration, Instant};

use devrig_core::Code;
use devrig_process::{
    CHANNEL_FD, Child, ChildSpec, Exit, Identity, RunLimits, Stream, channel, kill_marked, run,
    spawn,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_util::sync::CancellationToken;

const SOON: Duration = Duration::from_secs(10);

fn shell(script: &str) -> ChildSpec {
    ChildSpec::new("/bin/sh").args(["-c", script]).env("PATH", "/usr/bin:/bin")
}

fn limits(timeout: Duration) -> RunLimits {
    RunLimits { timeout, ..RunLimits::default() }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The numbers that the script printed, one for each process of its tree.
async fn tree_of(child: &Child, size: usize) -> Vec<Identity> {
    let pids = || -> Vec<u32> {
        let text = child.stdout().text();
        let whole = text.rsplit_once('\n').map_or("", |(lines, _)| lines);
        whole.lines().filter_map(|line| line.trim().parse().ok()).collect()
    };
    until("the tree", || pids().len() >= size).await;
    let tree: Vec<_> = pids().into_iter().map(Identity::of).collect();
    assert!(tree.iter().all(|process| process.exists()), "the whole tree runs before the kill");
    tree
}

async fn gone(tree: &[Identity]) {
    // Orphans become zombies until init reaps them; a zombie runs no more.
    let running = |process: &Identity| {
        process.exists()
            && std::fs::read_to_string(format!("/proc/{}/stat", process.pid))
                .is_ok_and(|stat| !stat.contains(") Z "))
    };
    until("the end of the tree", || !tree.iter().any(running)).await;
}

const FORKS: &str = "
    trap '' TERM
    echo $$
    (echo $(exec sh -c 'echo $PPID'); trap '' TERM; sleep 600 & echo $!; wait) &
    setsid sh -c 'trap \"\" TERM; echo $$; sleep 600 & echo $!; wait' &
    wait
";

#[tokio::test]
async fn killing_takes_forks_and_sessions_that_ignore_sigterm() {
    let child = spawn(shell(FORKS)).unwrap();
    let tree = tree_of(&child, 5).await;
    let exit = child.stop(Duration::from_millis(50)).await;
    assert_eq!(exit, Exit { code: None, signal: Some(9) });
    gone(&tree).await;
}

#[tokio::test]
async fn dropping_the_handle_kills_the_tree() {
    let child = spawn(shell(FORKS)).unwrap();
    let tree = tree_of(&child, 5).await;
    drop(child);
    gone(&tree).await;
}

#[tokio::test]
async fn a_child_that_exits_leaves_no_background_process() {
    let child = spawn(shell("sleep 600 & echo $!; echo $$; sleep 0.2; exit 3")).unwrap();
    let tree = tree_of(&child, 2).await;
    assert_eq!(child.wait().await.code, Some(3));
    gone(&tree).await;
    assert_eq!(child.exited(), Some(Exit { code: Some(3), signal: None }));
    child.kill_tree();
}

#[tokio::test]
async fn a_polite_child_ends_by_sigterm_within_its_grace() {
    let child =
        spawn(shell("trap 'echo bye; exit 7' TERM; echo ready; while :; do sleep 0.01; done"))
            .unwrap();
    until("readiness", || child.stdout().text().contains("ready")).await;
    assert_eq!(child.stop(SOON).await.code, Some(7));
    assert!(child.stdout().text().contains("bye"));
}

#[tokio::test]
async fn the_environment_holds_the_named_variables_only() {
    let spec = ChildSpec::new("/usr/bin/env").env("NAMED", "yes");
    let output = run(spec, limits(SOON), &CancellationToken::new()).await.unwrap();
    assert_eq!(output.stdout, b"NAMED=yes\n");
}

#[tokio::test]
async fn the_child_has_no_file_but_those_handed_over() {
    let here = tempfile::tempdir().unwrap();
    let leaky = std::fs::File::create(here.path().join("secret")).unwrap();
    rustix::io::fcntl_setfd(&leaky, rustix::io::FdFlags::empty()).unwrap();
    let (_ours, theirs) = channel().unwrap();
    let spec = ChildSpec::new("/bin/ls").arg("/proc/self/fd").inherit(theirs, CHANNEL_FD);
    let output = run(spec, limits(SOON), &CancellationToken::new()).await.unwrap();
    // 4 is the folder that ls itself has open.
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "0\n1\n2\n3\n4\n");
}

#[tokio::test]
async fn the_child_has_its_own_session_and_the_given_folder() {
    let here = tempfile::tempdir().unwrap();
    let spec = shell("pwd; echo $$; cut -d' ' -f6 /proc/$$/stat").cwd(here.path());
    let output = run(spec, limits(SOON), &CancellationToken::new()).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(Path::new(lines[0]), here.path().canonicalize().unwrap());
    assert_eq!(lines[1], lines[2], "it leads its session");
}

#[tokio::test]
async fn both_ends_talk_over_the_channel_and_closing_ours_is_seen() {
    let (mut ours, theirs) = channel().unwrap();
    let script = "read line <&3; echo \"got $line\" >&3; cat <&3 >/dev/null; exit 5";
    let child = spawn(shell(script).inherit(theirs, CHANNEL_FD)).unwrap();
    ours.write_all(b"hello\n").await.unwrap();
    let mut answer = [0; 10];
    ours.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"got hello\n");
    drop(ours);
    let exit = tokio::time::timeout(SOON, child.wait()).await.expect("it sees the end");
    assert_eq!(exit.code, Some(5));
}

#[tokio::test]
async fn endless_output_is_capped_and_does_not_stop_the_child() {
    let spec = shell("head -c 50000000 /dev/zero | tr '\\0' x; printf '\\033[2Jend'; exit 0");
    let caps = RunLimits { timeout: SOON, output: 1000 };
    let output = run(spec, caps, &CancellationToken::new()).await.unwrap();
    assert!(output.exit.success());
    assert!(output.truncated);
    assert_eq!(output.stdout.len(), 1000);
    assert!(devrig_process::escape_text(&output.stdout).ends_with("xx\\x1b[2Jend"));
}

#[tokio::test]
async fn what_carries_a_mark_is_found_wherever_it_went() {
    let mark = format!("mark-{}", std::process::id());
    let child = spawn(shell(FORKS).env("TEST_MARK", &mark)).unwrap();
    let other = spawn(shell("echo $$; sleep 600").env("TEST_MARK", "other")).unwrap();
    let (tree, others) = (tree_of(&child, 5).await, tree_of(&other, 1).await);
    assert!(kill_marked("TEST_MARK", |value| value == mark) >= 5);
    gone(&tree).await;
    assert!(others[0].exists(), "another mark is somebody else's");
    assert_eq!(kill_marked("TEST_MARK", |value| value == mark), 0);
}

#[tokio::test]
async fn output_is_heard_as_it_comes_until_they_hang_up() {
    let (heard, mut hears) = tokio::sync::mpsc::channel(1);
    let script = "echo one; echo two >&2; read go; head -c 1000000 /dev/zero";
    let spec = ChildSpec { heard: Some(heard), ..shell(script).stdin("go\n") };
    let child = spawn(spec).unwrap();
    let mut parts = Vec::new();
    while parts.len() < 2 {
        parts.push(hears.recv().await.unwrap());
    }
    parts.sort_by_key(|(_, bytes)| bytes.clone());
    assert_eq!(parts[0], (Stream::Stdout, b"one\n".to_vec()));
    assert_eq!(parts[1], (Stream::Stderr, b"two\n".to_vec()));
    drop(hears);
    let exit = tokio::time::timeout(SOON, child.wait()).await.expect("nobody holds it up");
    assert!(exit.success() && child.stdout().total() == 1_000_004, "{exit}");
}

#[tokio::test]
async fn a_timeout_kills_the_whole_tree_and_says_so() {
    let here = tempfile::tempdir().unwrap();
    let note = here.path().join("pid");
    let spec = shell(&format!("trap '' TERM; sleep 600 & echo $! > {}; wait", note.display()));
    let start = Instant::now();
    let cancel = CancellationToken::new();
    let error = run(spec, limits(Duration::from_millis(300)), &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Timeout);
    assert!(start.elapsed() < SOON);
    let pid: u32 = std::fs::read_to_string(note).unwrap().trim().parse().unwrap();
    gone(&[Identity::of(pid)]).await;
}

#[tokio::test]
async fn cancelling_ends_the_command() {
    let cancel = CancellationToken::new();
    let (result, ()) = tokio::join!(run(shell("sleep 600"), limits(SOON * 10), &cancel), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
    });
    assert_eq!(result.unwrap_err().code, Code::Cancelled);
}

#[tokio::test]
async fn input_is_read_to_its_end_or_ignored() {
    let cancel = CancellationToken::new();
    let output = run(shell("cat").stdin("some input"), limits(SOON), &cancel).await.unwrap();
    assert_eq!(output.stdout, b"some input");
    let unread = shell("exit 0").stdin(vec![b'x'; 4_000_000]);
    assert!(run(unread, limits(SOON), &cancel).await.unwrap().exit.success());
    let none = run(shell("cat; echo end"), limits(SOON), &cancel).await.unwrap();
    assert_eq!(none.stdout, b"end\n");
}

#[tokio::test]
async fn a_failing_command_is_quoted_on_one_line() {
    let spec = shell("echo first >&2; printf 'fatal: \\033[31mno\\n' >&2; exit 128");
    let output = run(spec, limits(SOON), &CancellationToken::new()).await.unwrap();
    let error = output.checked("fetching origin").unwrap_err();
    assert_eq!(error.message, "fetching origin: exit code 128: fatal: \\x1b[31mno");
}

#[tokio::test]
async fn a_program_that_is_missing_is_named() {
    let error = spawn(ChildSpec::new("/no/such/program")).unwrap_err();
    assert_eq!(error.code, Code::NotFound);
    assert!(error.message.contains("/no/such/program"), "{error}");
}

#[tokio::test]
async fn time_and_memory_are_measured_while_it_runs() {
    let child = spawn(shell("while :; do :; done")).unwrap();
    until("some processor time", || {
        child.cpu_time().is_some_and(|time| time > Duration::from_millis(100))
    })
    .await;
    let memory = child.memory().unwrap();
    assert!(memory.resident > 100_000, "{memory:?}");
    assert!(memory.private_dirty.is_some_and(|dirty| dirty > 0 && dirty <= memory.resident));
    child.kill_tree();
    child.wait().await;
    assert_eq!((child.cpu_time(), child.memory()), (None, None));
}

#[tokio::test]
async fn no_zombie_is_left_behind() {
    let child = spawn(shell("exit 0")).unwrap();
    let identity = child.identity();
    child.wait().await;
    assert!(!identity.exists());
    for _ in 0..20 {
        drop(spawn(shell("sleep 600")).unwrap());
    }
    let me = std::process::id().to_string();
    until("reaping", || {
        !std::fs::read_dir("/proc").unwrap().flatten().any(|entry| {
            std::fs::read_to_string(entry.path().join("stat")).is_ok_and(|stat| {
                let after = stat.rsplit_once(") ").map_or("", |(_, after)| after);
                after.starts_with("Z ") && after.split(' ').nth(1) == Some(&me)
            })
        })
    })
    .await;
}

/// `cargo test -p devrig-process --release -- --ignored --nocapture figures`
#[tokio::test]
#[ignore = "prints figures"]
async fn figures() {
    let (mut starts, mut kills) = (Vec::new(), Vec::new());
    for _ in 0..200 {
        let begin = Instant::now();
        let (_ours, theirs) = channel().unwrap();
        let child = spawn(ChildSpec::new("/bin/cat").inherit(theirs, CHANNEL_FD)).unwrap();
        starts.push(begin.elapsed());
        let begin = Instant::now();
        child.kill_tree();
        child.wait().await;
        kills.push(begin.elapsed());
    }
    for (name, mut times) in [("spawn", starts), ("kill and wait", kills)] {
        times.sort();
        println!("{name}: p50 {:?}, p99 {:?}", times[100], times[197]);
    }
}
