//! Ending a process with everything it started.
//!
//! A child leads its own session. Its process group is killed in one step; what left the group
//! is found by parentage while the child is frozen, and by session once it is a zombie, whose
//! number nobody else can get. A daemon that left both the session and its ancestors (setsid
//! after a double fork) is found only while the parent chain holds.

use rustix::process::{Pid, Signal, kill_process_group};

/// Sends a signal to the whole process group that `leader` leads.
pub(crate) fn signal_group(leader: u32, signal: Signal) {
    if let Some(pid) = pid_of(leader) {
        // ESRCH only says that nobody is left.
        _ = kill_process_group(pid, signal);
    }
}

fn pid_of(pid: u32) -> Option<Pid> {
    // Zero and one would mean "my own group" and "everybody".
    i32::try_from(pid).ok().filter(|&pid| pid > 1).and_then(Pid::from_raw)
}

/// Kills `root`, its group and its descendants. `root` must not have been reaped.
#[cfg(target_os = "linux")]
pub(crate) fn kill(root: u32) {
    signal_group(root, Signal::STOP);
    let mut frozen: Vec<(u32, std::os::fd::OwnedFd)> = Vec::new();
    // Frozen processes do not fork, so this ends once a look finds nobody new.
    loop {
        let known = |pid: u32| pid == root || frozen.iter().any(|(seen, _)| *seen == pid);
        let found: Vec<_> = processes()
            .filter(|stat| stat.pid != root && stat.group != root && !known(stat.pid))
            .filter(|stat| known(stat.parent) || stat.session == root)
            .collect();
        let before = frozen.len();
        frozen.extend(found.iter().filter_map(|stat| Some((stat.pid, freeze(stat)?))));
        if frozen.len() == before {
            break;
        }
    }
    signal_group(root, Signal::KILL);
    for (_, handle) in &frozen {
        _ = rustix::process::pidfd_send_signal(handle, Signal::KILL);
    }
}

/// Kills what is left in the session of `root`, which has exited but was not reaped.
#[cfg(target_os = "linux")]
pub(crate) fn sweep(root: u32) {
    signal_group(root, Signal::KILL);
    for stat in processes().filter(|stat| stat.session == root && stat.pid != root) {
        if let Some(handle) = freeze(&stat) {
            _ = rustix::process::pidfd_send_signal(handle, Signal::KILL);
        }
    }
}

/// Kills every process that was started with the variable `name` and a value that `is` meant: what
/// somebody left behind who was killed himself. Says how many there were. Only the person's own
/// processes can be looked at, and one that hides its environment is not found.
#[cfg(target_os = "linux")]
pub fn kill_marked(name: &str, is: impl Fn(&str) -> bool) -> usize {
    let marked = |stat: &Stat| {
        let environment = std::fs::read(format!("/proc/{}/environ", stat.pid)).unwrap_or_default();
        environment.split(|byte| *byte == 0).any(|entry| {
            let entry = std::str::from_utf8(entry).unwrap_or_default();
            entry.strip_prefix(name).and_then(|rest| rest.strip_prefix('=')).is_some_and(&is)
        })
    };
    let mut frozen: Vec<(u32, std::os::fd::OwnedFd)> = Vec::new();
    // As in a tree: frozen processes do not fork.
    loop {
        let new = |stat: &Stat| !frozen.iter().any(|(seen, _)| *seen == stat.pid);
        let found: Vec<_> = processes().filter(new).filter(marked).collect();
        let before = frozen.len();
        frozen.extend(found.iter().filter_map(|stat| Some((stat.pid, freeze(stat)?))));
        if frozen.len() == before {
            break;
        }
    }
    for (_, handle) in &frozen {
        _ = rustix::process::pidfd_send_signal(handle, Signal::KILL);
    }
    frozen.len()
}

/// Processes do not tell their environment here.
#[cfg(not(target_os = "linux"))]
pub fn kill_marked(_name: &str, _is: impl Fn(&str) -> bool) -> usize {
    0
}

/// Stops exactly the process that was seen, and gives a handle that stays its own.
#[cfg(target_os = "linux")]
fn freeze(stat: &Stat) -> Option<std::os::fd::OwnedFd> {
    use rustix::process::{PidfdFlags, pidfd_open, pidfd_send_signal};
    let handle = pidfd_open(pid_of(stat.pid)?, PidfdFlags::empty()).ok()?;
    // The number may have changed hands before the handle was opened.
    let same = Stat::read(stat.pid).is_some_and(|now| now.started == stat.started);
    (same && pidfd_send_signal(&handle, Signal::STOP).is_ok()).then_some(handle)
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn kill(root: u32) {
    signal_group(root, Signal::KILL);
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn sweep(root: u32) {
    signal_group(root, Signal::KILL);
}

/// What `/proc/<pid>/stat` says about kinship.
#[cfg(target_os = "linux")]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stat {
    pub pid: u32,
    pub parent: u32,
    pub group: u32,
    pub session: u32,
    pub started: u64,
}

#[cfg(target_os = "linux")]
impl Stat {
    pub(crate) fn read(pid: u32) -> Option<Self> {
        Self::parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?)
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let text = String::from_utf8_lossy(bytes);
        let pid = text.split(' ').next()?.parse().ok()?;
        // The second field is a name in brackets that may itself hold spaces and brackets.
        let fields: Vec<&str> = text.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        Some(Self {
            pid,
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }
}

#[cfg(target_os = "linux")]
fn processes() -> impl Iterator<Item = Stat> {
    std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| Stat::read(entry.ok()?.file_name().to_str()?.parse().ok()?))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_shift_the_fields() {
        let line = b"42 (a) R 1 (x) S 7 8 9 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0";
        let stat = Stat::parse(line).unwrap();
        assert_eq!((stat.pid, stat.parent, stat.group, stat.session), (42, 7, 8, 9));
        assert_eq!(stat.started, 12345);
    }

    #[test]
    fn broken_lines_are_no_process() {
        for line in ["", "42", "42 (x", "42 (x) S", "x (y) S 1 2 3"] {
            assert!(Stat::parse(line.as_bytes()).is_none(), "{line:?}");
        }
    }
}
