//! The command line.

/// Values of runs are made in one thread and let go in another, which it does better than glibc.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> std::process::ExitCode {
    devrig_cli::main()
}
