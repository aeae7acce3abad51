//! The command line.

fn main() -> std::process::ExitCode {
    devrig_cli::main()
}
