//! C6: what native code inside the worker could still do, if the engine were taken over.
#![cfg(target_os = "linux")]

mod support;

use devrig_plugin_host::exit;
use serde_json::json;
use support::runner::Runner;
use support::{Rig, action};

const REFUSED: &[&str] = &[
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
    "inotify",
    "tgkill:parent",
    "prlimit:parent",
    "x32:open",
];

#[test]
fn native_code_in_the_worker_has_no_authority() {
    let mut rig = Rig::active(action("return __native(input[0], input[1])"));
    for attempt in REFUSED {
        let got = rig.run(json!([attempt, std::process::id()])).unwrap();
        assert_eq!(got, "EPERM", "{attempt}");
    }
    assert_eq!(rig.run(json!(["write:4", 0])).unwrap(), "EPERM", "only its own socket");
    assert_eq!(rig.run(json!(["getpid", 0])).unwrap(), "OK", "the probe itself works");
    rig.socket.shutdown(std::net::Shutdown::Both).unwrap();
    assert_eq!(rig.exit_code(), i32::from(exit::STOPPED));
}

#[test]
fn nor_has_it_where_snippets_run() {
    let mut runner = Runner::new();
    let source = "return __native(input[0], input[1])";
    let mut attempt =
        |what: &str| runner.run_with(source, &json!({"input": [what, std::process::id()]}));
    for refused in REFUSED {
        assert_eq!(attempt(refused), "EPERM", "{refused}");
    }
    assert_eq!(attempt("getpid"), "OK", "the probe itself works");
}
