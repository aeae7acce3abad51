//! The sandbox worker with a global that tries system calls itself.

fn main() -> std::process::ExitCode {
    devrig_plugin_host::main()
}
