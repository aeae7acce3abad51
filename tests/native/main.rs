//! C6 of the hostile suite: native code in a worker that was taken over. It needs the worker with a
//! door for native code, which only the feature `testhook` brings, so it is a target of its own.
#![cfg(target_os = "linux")]

use std::path::Path;

use devrig_tests::{Arena, Impostor, Row};

#[tokio::test(flavor = "multi_thread")]
async fn c6_native_code_in_a_worker_has_no_authority() {
    let open = Path::new(env!("CARGO_BIN_EXE_open-door-worker"));
    let impostor = Impostor::new(open, "");
    let arena = Arena::of(impostor.rig().await).await;
    impostor.now();
    let attempts = [
        "open",
        "open:/etc/passwd",
        "openat2",
        "connect",
        "socket",
        "socket:unix",
        "socketpair",
        "exec",
        "execveat",
        "fork",
        "vfork",
        "clone",
        "clone3",
        "mmap:exec",
        "mprotect:exec",
        "memfd",
        "ptrace:parent",
        "process_vm_readv:parent",
        "kill:parent",
        "pidfd_open:parent",
        "open:parent-environ",
        "io_uring",
        "bpf",
        "userfaultfd",
        "perf",
        "unshare",
        "mount",
        "keyctl",
        "prctl:dumpable",
        "ioctl:tiocsti",
        "dup",
        "fcntl",
        "sendmsg",
        "write:4",
    ];
    let body = format!(
        "for (const what of {}) found[what] = __native(what, {});",
        serde_json::to_string(&attempts[..]).expect("JSON"),
        std::process::id()
    );
    let mut row = Row::new("c6-native", &format!("{body} found.getpid = __native('getpid', 0);"));
    for attempt in attempts {
        row = row.finds(attempt, "EPERM");
    }
    arena.run(vec![row.finds("getpid", "OK")]).await;
    arena.close().await;
}
