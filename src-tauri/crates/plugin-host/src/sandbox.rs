//! Gives up every authority that the process was started with, before any plugin byte is read.

use devrig_core::protocol::{MAX_FRAME, SandboxReport};

#[cfg(target_os = "linux")]
mod linux;
#[cfg(target_os = "linux")]
use linux as system;

/// Systems whose back end is not written: the report says that nothing holds, and the core
/// decides on it.
#[cfg(not(target_os = "linux"))]
mod system {
    use super::SandboxReport;

    pub fn close(_address_space: u64) -> std::io::Result<SandboxReport> {
        Ok(SandboxReport::default())
    }

    pub fn lower_address_space(_bytes: u64) -> std::io::Result<()> {
        Ok(())
    }
}

/// Address space beside the JavaScript heap: the binary, the stack, the allocator's slack, and a
/// frame on its way in beside one on its way out, each at most twice in memory.
const OVERHEAD: u64 = 64 * 1024 * 1024 + 4 * MAX_FRAME as u64;

/// Bounds the process until the core's `Start` names the plugin's own limit.
const FIRST_ADDRESS_SPACE: u64 = 1024 * 1024 * 1024;

/// Closes the sandbox. What the report says is false does not hold; what cannot be given up at
/// all is an error, and the worker must end.
pub fn close() -> std::io::Result<SandboxReport> {
    system::close(FIRST_ADDRESS_SPACE)
}

/// Sizes the address space to so many bytes of heap.
pub fn fit(heap_bytes: u64) -> std::io::Result<()> {
    system::lower_address_space(heap_bytes.saturating_add(OVERHEAD))
}
