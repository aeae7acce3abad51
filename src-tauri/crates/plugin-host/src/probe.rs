//! For tests of the sandbox: tries system calls on a plugin's word, as native code in a worker
//! that was taken over would. Built only with the feature `testhook`.

use libc::{c_long, syscall};

/// The name of the error of one attempt, `OK` when it worked. `parent` is the core's process id.
#[allow(unsafe_code)]
pub fn attempt(what: String, parent: i32) -> String {
    let parent = c_long::from(parent);
    let environ = std::ffi::CString::new(format!("/proc/{parent}/environ")).unwrap_or_default();
    let (passwd, shell, nothing) =
        (c"/etc/passwd".as_ptr(), c"/bin/sh".as_ptr(), std::ptr::null::<u8>());
    let (rx, stdio) = (libc::PROT_READ | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
    let mut page = [0u64; 64];
    let page = page.as_mut_ptr();
    // SAFETY: none is needed for calls that are refused; those that would work only harm a test.
    let result = unsafe {
        match what.as_str() {
            "open" => syscall(libc::SYS_openat, libc::AT_FDCWD, c"/".as_ptr(), libc::O_RDONLY, 0),
            "open:/etc/passwd" => {
                syscall(libc::SYS_openat, libc::AT_FDCWD, passwd, libc::O_RDONLY, 0)
            }
            "open:parent-environ" => {
                syscall(libc::SYS_openat, libc::AT_FDCWD, environ.as_ptr(), libc::O_RDONLY, 0)
            }
            "openat2" => syscall(libc::SYS_openat2, libc::AT_FDCWD, passwd, page, 24),
            "connect" => syscall(libc::SYS_connect, 3, page, 16),
            "socket" => syscall(libc::SYS_socket, libc::AF_INET, libc::SOCK_STREAM, 0),
            "socket:unix" => syscall(libc::SYS_socket, libc::AF_UNIX, libc::SOCK_STREAM, 0),
            "socketpair" => {
                syscall(libc::SYS_socketpair, libc::AF_UNIX, libc::SOCK_STREAM, 0, page)
            }
            "exec" => syscall(libc::SYS_execve, shell, nothing, nothing),
            "execveat" => syscall(libc::SYS_execveat, libc::AT_FDCWD, shell, nothing, nothing, 0),
            #[cfg(target_arch = "x86_64")]
            "fork" => syscall(libc::SYS_fork),
            #[cfg(target_arch = "x86_64")]
            "vfork" => syscall(libc::SYS_vfork),
            #[cfg(not(target_arch = "x86_64"))]
            "fork" | "vfork" => syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0),
            "clone" => syscall(libc::SYS_clone, libc::SIGCHLD, 0, 0, 0, 0),
            "clone3" => syscall(libc::SYS_clone3, page, 64),
            "mmap:exec" => syscall(libc::SYS_mmap, 0, 4096, rx, stdio, -1, 0),
            "mprotect:exec" => syscall(libc::SYS_mprotect, (page as usize) & !4095, 4096, rx),
            "memfd" => syscall(libc::SYS_memfd_create, c"x".as_ptr(), 0),
            "ptrace:parent" => syscall(libc::SYS_ptrace, libc::PTRACE_SEIZE, parent, 0, 0),
            "process_vm_readv:parent" => {
                syscall(libc::SYS_process_vm_readv, parent, page, 1, page, 1, 0)
            }
            "kill:parent" => syscall(libc::SYS_kill, parent, 0),
            "tgkill:parent" => syscall(libc::SYS_tgkill, parent, parent, 0),
            "prlimit:parent" => syscall(libc::SYS_prlimit64, parent, 7, 0, page),
            "pidfd_open:parent" => syscall(libc::SYS_pidfd_open, parent, 0),
            "io_uring" => syscall(libc::SYS_io_uring_setup, 1, page),
            "bpf" => syscall(libc::SYS_bpf, 0, page, 64),
            "userfaultfd" => syscall(libc::SYS_userfaultfd, 0),
            "perf" => syscall(libc::SYS_perf_event_open, page, 0, -1, -1, 0),
            "unshare" => syscall(libc::SYS_unshare, libc::CLONE_NEWUSER),
            "mount" => syscall(libc::SYS_mount, passwd, passwd, passwd, 0, 0),
            "keyctl" => syscall(libc::SYS_keyctl, 0, 0, 0, 0, 0),
            "prctl:dumpable" => syscall(libc::SYS_prctl, libc::PR_SET_DUMPABLE, 1, 0, 0, 0),
            "ioctl:tiocsti" => syscall(libc::SYS_ioctl, 0, 0x5412, page),
            "dup" => syscall(libc::SYS_dup, 3),
            "fcntl" => syscall(libc::SYS_fcntl, 3, libc::F_SETOWN, parent),
            "sendmsg" => syscall(libc::SYS_sendmsg, 3, page, 0),
            "inotify" => syscall(libc::SYS_inotify_init1, 0),
            "write:4" => syscall(libc::SYS_write, 4, page, 1),
            // The other calling convention of the same machine: numbers with bit 30.
            "x32:open" => syscall(0x4000_0002, passwd, libc::O_RDONLY, 0),
            "getpid" => syscall(libc::SYS_getpid),
            _ => return "unknown attempt".to_owned(),
        }
    };
    if result >= 0 {
        return "OK".to_owned();
    }
    match std::io::Error::last_os_error().raw_os_error() {
        Some(libc::EPERM) => "EPERM".to_owned(),
        Some(code) => format!("errno {code}"),
        None => "no errno".to_owned(),
    }
}
