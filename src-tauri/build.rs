//! Prepares the window's build; a headless build has nothing to prepare.

fn main() {
    #[cfg(feature = "desktop")]
    {
        let attributes = tauri_build::Attributes::new()
            .capabilities_path_pattern("./src-tauri/capabilities/**/*");
        if let Err(error) = tauri_build::try_build(attributes) {
            println!("cargo:warning={error:#}");
            std::process::exit(1);
        }
    }
}
