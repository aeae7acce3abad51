//! What a running process has used.

use std::time::Duration;

/// Memory of one process, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    pub resident: u64,
    /// What it alone has written to; absent where the system does not tell, as for a process that
    /// forbids inspection.
    pub private_dirty: Option<u64>,
}

/// User and system time of all threads, exact to the nanosecond on Linux.
#[cfg(target_os = "linux")]
pub(crate) fn cpu_time(pid: u32) -> Option<Duration> {
    use nix::time::{clock_getcpuclockid, clock_gettime};
    let clock = clock_getcpuclockid(nix::unistd::Pid::from_raw(i32::try_from(pid).ok()?)).ok()?;
    Some(clock_gettime(clock).ok()?.into())
}

#[cfg(target_os = "linux")]
pub(crate) fn memory(pid: u32) -> Option<Memory> {
    let statm = std::fs::read_to_string(format!("/proc/{pid}/statm")).ok()?;
    let pages: u64 = statm.split_ascii_whitespace().nth(1)?.parse().ok()?;
    let page = rustix::param::page_size() as u64;
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok();
    let private_dirty = rollup.as_deref().and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:"))?;
        let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(kilobytes * 1024)
    });
    Some(Memory { resident: pages * page, private_dirty })
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu_time(_pid: u32) -> Option<Duration> {
    None
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn memory(_pid: u32) -> Option<Memory> {
    None
}
