//! The command line.

/// Values of runs are made in one thread and let go in another, where it is the faster one.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    devrig_cli::main()
}
