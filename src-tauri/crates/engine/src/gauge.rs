//! What this process takes from the machine.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Remembers the last reading, so that each tells of the time since then.
#[derive(Debug)]
pub(crate) struct Gauge {
    last: Mutex<(Instant, Duration)>,
}

impl Gauge {
    pub fn new() -> Self {
        Self { last: Mutex::new((Instant::now(), cpu_time().unwrap_or_default())) }
    }

    /// The share of one core that was used since the last reading, in percent. Nothing where the
    /// system does not say.
    pub fn cpu_percent(&self) -> Option<f64> {
        let (now, used) = (Instant::now(), cpu_time()?);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let (then, before) = std::mem::replace(&mut *last, (now, used));
        let passed = now.duration_since(then).as_secs_f64();
        (passed > 0.0).then(|| used.saturating_sub(before).as_secs_f64() / passed * 100.0)
    }
}

/// The processor time that the process has had.
#[cfg(unix)]
fn cpu_time() -> Option<Duration> {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?))
}

#[cfg(not(unix))]
fn cpu_time() -> Option<Duration> {
    None
}

/// The memory that the process holds, in bytes. Nothing where the system does not say.
pub(crate) fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn work_shows_in_the_readings() {
        let gauge = Gauge::new();
        let end = Instant::now() + Duration::from_millis(100);
        while Instant::now() < end {
            std::hint::black_box((0..1_000).sum::<u64>());
        }
        assert!(gauge.cpu_percent().unwrap() > 5.0);
        let before = memory().unwrap();
        let held = vec![1_u8; 64 << 20];
        assert!(memory().unwrap() > before + (32 << 20), "{}", held.len());
    }
}
