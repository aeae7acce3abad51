//! What a large value took goes back to the system as soon as it is let go.

use std::sync::Once;

/// Asks that of the allocator, from the first large value on: a process that has none is as it was.
pub fn give_back() {
    static ASKED: Once = Once::new();
    ASKED.call_once(ask);
}

/// glibc keeps what was freed for the thread that asks for it next. Of threads there are many, and
/// each would keep as much as the largest value that it ever had.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code, reason = "the standard library does not reach the allocator")]
fn ask() {
    /// Of a block that goes back at once. What smaller runs need is far below it.
    const ALONE: libc::c_int = 640 * 1024;
    /// What a heap keeps at its end, so that work on what is small asks the system for nothing.
    const SPARE: libc::c_int = 2 * 1024 * 1024;
    // SAFETY: both only set a number, under the allocator's own lock.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, ALONE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, SPARE);
    }
}

/// The allocators of other systems do so by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn ask() {}
