//! What the workers and the core use, looked at from outside while a test runs.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

const LOOK: Duration = Duration::from_millis(20);
/// What Linux counts CPU time in.
const TICKS_A_SECOND: f64 = 100.0;

/// The most that was seen.
#[derive(Debug, Clone, Copy, Default)]
pub struct Used {
    /// CPU time of one worker in its whole life.
    pub worker_cpu: Duration,
    /// Resident memory of one worker.
    pub worker_bytes: u64,
    /// Resident memory of this process, which is the core.
    pub core_bytes: u64,
}

/// Looks until it is dropped.
pub struct Watch {
    used: Arc<Mutex<Used>>,
    over: Arc<AtomicBool>,
}

impl Watch {
    pub fn start() -> Self {
        let used = Arc::<Mutex<Used>>::default();
        let over = Arc::<AtomicBool>::default();
        let (seen, ended) = (Arc::clone(&used), Arc::clone(&over));
        std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let now = look();
                let mut most = seen.lock().unwrap_or_else(PoisonError::into_inner);
                most.worker_cpu = most.worker_cpu.max(now.worker_cpu);
                most.worker_bytes = most.worker_bytes.max(now.worker_bytes);
                most.core_bytes = most.core_bytes.max(now.core_bytes);
                drop(most);
                std::thread::sleep(LOOK);
            }
        });
        Self { used, over }
    }

    pub fn used(&self) -> Used {
        *self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

fn look() -> Used {
    let mut used = Used { core_bytes: core_memory(), ..Used::default() };
    for (worker, cpu) in workers() {
        used.worker_cpu = used.worker_cpu.max(cpu);
        used.worker_bytes = used.worker_bytes.max(memory(worker, "VmHWM:"));
    }
    used
}

/// The worker processes that this process started, with their CPU time.
pub fn workers() -> HashMap<u32, Duration> {
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    numbers.filter_map(|pid| Some((pid, worker_cpu(pid)?))).collect()
}

/// The CPU time of a process, when it is a worker of ours.
fn worker_cpu(pid: u32) -> Option<Duration> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in parentheses and may hold anything.
    let (_, rest) = stat.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let field = |number: usize| fields.get(number).and_then(|text| text.parse::<u64>().ok());
    if field(1)? != u64::from(std::process::id()) {
        return None;
    }
    // Between its fork and its exec it is a copy of this process, in name and size too.
    let program = |pid: &str| std::fs::read_link(format!("/proc/{pid}/exe")).ok();
    let (own, its) = (program("self")?, program(&pid.to_string())?);
    // Peers that a test started lie elsewhere.
    let built = own.parent().and_then(std::path::Path::parent)?;
    if its == own || !its.starts_with(built) {
        return None;
    }
    let ticks = field(11)? + field(12)?;
    Some(Duration::from_secs_f64(ticks as f64 / TICKS_A_SECOND))
}

/// CPU time of this process, which is the core.
pub fn core_cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.filter_map(|text| text.parse::<f64>().ok());
    Duration::from_secs_f64(ticks.sum::<f64>() / TICKS_A_SECOND)
}

/// What a process adds to the memory in use: its own pages, and its part of the shared ones.
pub fn share_of_memory(pid: u32) -> u64 {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
    figure(&rollup, "Pss:")
}

/// Resident memory of this process in bytes.
pub fn core_memory() -> u64 {
    memory(std::process::id(), "VmRSS:")
}

/// A figure of a process's memory in bytes; 0 when it is gone.
fn memory(pid: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    figure(&status, name)
}

fn figure(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok());
    kilobytes.unwrap_or(0_u64) * 1024
}
