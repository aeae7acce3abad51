//! The allocator's free pages, for the system to use elsewhere.

/// Gives back the memory that is free and still mapped. The C library keeps it otherwise: a worker
/// that once held a large answer stays as large for its life.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn give_back() {
    // SAFETY: takes a number and touches the allocator's own state only; one thread allocates.
    unsafe { libc::malloc_trim(0) };
}

/// Other allocators do it by themselves.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn give_back() {}
