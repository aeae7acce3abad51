//! The sandbox worker; everything it does is in the library.

fn main() -> std::process::ExitCode {
    devrig_plugin_host::main()
}
