//! Linux: closed descriptors, rlimits, `no_new_privs`, Landlock and a seccomp allow-list.

use std::collections::BTreeMap;
use std::io;

use devrig_core::protocol::{SandboxReport, WORKER_FD};
use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule, TargetArch,
};

pub fn close(address_space: u64) -> io::Result<SandboxReport> {
    read_time_zone();
    outlive_file_size_limit();
    close_other_descriptors()?;
    // Not readable through /proc by others of the same user, and leaves no core file.
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable)?;
    rustix::thread::set_no_new_privs(true)?;
    // Before the limits: a ruleset is a descriptor, and they leave none to open.
    let landlock = deny_files_and_ports();
    let rlimits = limit_resources(address_space).is_ok();
    let seccomp = allow_only_needed_calls().is_ok();
    Ok(SandboxReport { seccomp, landlock, rlimits })
}

pub fn lower_address_space(bytes: u64) -> io::Result<()> {
    let now = getrlimit(Resource::As).maximum.unwrap_or(u64::MAX);
    let bytes = bytes.min(now);
    Ok(setrlimit(Resource::As, Rlimit { current: Some(bytes), maximum: Some(bytes) })?)
}

/// The C library reads the zone's file once; later, `Date` could not.
#[allow(unsafe_code)]
fn read_time_zone() {
    // SAFETY: no other thread exists that could read or write the C library's zone.
    unsafe {
        let (now, mut local) = (0, std::mem::zeroed());
        libc::localtime_r(&now, &mut local);
    }
}

/// Standard error may be a file of the core's: writing to it then fails, instead of killing.
#[allow(unsafe_code)]
fn outlive_file_size_limit() {
    // SAFETY: installs no handler of ours, only asks for the signal to be dropped.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

#[allow(unsafe_code)]
fn close_other_descriptors() -> io::Result<()> {
    let first = WORKER_FD as u32 + 1;
    // SAFETY: nothing in this process owns a descriptor above the worker's socket yet.
    if unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) } == 0 {
        return Ok(());
    }
    // Before Linux 5.9.
    for fd in first as i32..65_536 {
        // SAFETY: as above; closing a number that is not open only sets errno.
        unsafe { libc::close(fd) };
    }
    Ok(())
}

fn limit_resources(address_space: u64) -> io::Result<()> {
    let fixed = [
        // Exactly the descriptors that are open: 0 to 3.
        (Resource::Nofile, WORKER_FD as u64 + 1),
        (Resource::Nproc, 0),
        (Resource::Core, 0),
        (Resource::Fsize, 0),
        (Resource::Memlock, 0),
    ];
    for (resource, bound) in fixed {
        setrlimit(resource, Rlimit { current: Some(bound), maximum: Some(bound) })?;
    }
    lower_address_space(address_space)
}

/// A ruleset without rules: everything that this kernel can refuse is refused.
fn deny_files_and_ports() -> bool {
    let restrict = || {
        Ruleset::default()
            .handle_access(AccessFs::from_all(ABI::V9))?
            .handle_access(AccessNet::from_all(ABI::V9))?
            .scope(Scope::AbstractUnixSocket | Scope::Signal)?
            .create()?
            .restrict_self()
    };
    restrict().is_ok_and(|status| status.ruleset != RulesetStatus::NotEnforced)
}

fn allow_only_needed_calls() -> Result<(), Box<dyn std::error::Error>> {
    let arch = if cfg!(target_arch = "x86_64") { TargetArch::x86_64 } else { TargetArch::aarch64 };
    let filter = SeccompFilter::new(
        rules()?,
        SeccompAction::Errno(libc::EPERM as u32),
        SeccompAction::Allow,
        arch,
    )?;
    let program: BpfProgram = filter.try_into()?;
    seccompiler::apply_filter(&program)?;
    Ok(())
}

fn rules() -> Result<BTreeMap<i64, Vec<SeccompRule>>, seccompiler::BackendError> {
    let mut rules = BTreeMap::new();
    for call in [
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_madvise,
        libc::SYS_brk,
        libc::SYS_futex,
        libc::SYS_ppoll,
        libc::SYS_clock_gettime,
        libc::SYS_clock_nanosleep,
        libc::SYS_gettimeofday,
        libc::SYS_getrandom,
        libc::SYS_exit,
        libc::SYS_exit_group,
        libc::SYS_restart_syscall,
        libc::SYS_rt_sigreturn,
        libc::SYS_rt_sigprocmask,
        libc::SYS_sigaltstack,
        libc::SYS_sched_yield,
        libc::SYS_getpid,
        libc::SYS_gettid,
    ] {
        rules.insert(call, Vec::new());
    }
    #[cfg(target_arch = "x86_64")]
    rules.insert(libc::SYS_poll, Vec::new());

    let socket = WORKER_FD as u64;
    rules.insert(libc::SYS_read, vec![only(0, SeccompCmpOp::Eq, socket)?]);
    rules.insert(
        libc::SYS_write,
        vec![
            only(0, SeccompCmpOp::Eq, socket)?,
            // The message of a panic.
            only(0, SeccompCmpOp::Eq, libc::STDERR_FILENO as u64)?,
        ],
    );
    let not_executable = || only(2, SeccompCmpOp::MaskedEq(libc::PROT_EXEC as u64), 0);
    rules.insert(libc::SYS_mmap, vec![not_executable()?]);
    rules.insert(libc::SYS_mprotect, vec![not_executable()?]);
    // An abort may only reach this process itself.
    let this = std::process::id() as u64;
    rules.insert(libc::SYS_tgkill, vec![only(0, SeccompCmpOp::Eq, this)?]);
    // Limits of this process, which nobody without privilege can raise again.
    rules.insert(libc::SYS_prlimit64, vec![only(0, SeccompCmpOp::Eq, 0)?]);
    Ok(rules)
}

fn only(
    argument: u8,
    operator: SeccompCmpOp,
    value: u64,
) -> Result<SeccompRule, seccompiler::BackendError> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    SeccompRule::new(vec![condition])
}
