//! The sandbox worker.

fn main() -> std::process::ExitCode {
    devrig_plugin_host::main()
}
