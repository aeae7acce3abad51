//! Compiles our own JavaScript to the engine's bytecode: parsing it at every start would cost
//! 5 ms and 2 MB in each worker.

use std::path::Path;

use rquickjs::module::WriteOptions;
use rquickjs::{CatchResultExt, Context, Module, Runtime};

/// In this order: each uses what the ones before have put on the shared object.
const PARTS: &[&str] =
    &["base", "timers", "events", "encoding", "url", "clone", "console", "crypto", "fetch", "sdk"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/js");
    println!("cargo::rerun-if-changed=build.rs");
    let mut source = String::from("export default [\n");
    for part in PARTS {
        let text = std::fs::read_to_string(format!("src/js/{part}.js"))?;
        source.push_str(text.trim_end().trim_end_matches(';'));
        source.push_str(",\n");
    }
    source.push_str("];\n");
    let context = Context::full(&Runtime::new()?)?;
    let bytecode = context.with(|ctx| {
        let options = WriteOptions { strip_source: true, ..WriteOptions::default() };
        Module::declare(ctx.clone(), "devrig:worker", source)
            .and_then(|module| module.write(options))
            .catch(&ctx)
            .map_err(|error| error.to_string())
    })?;
    let out = std::env::var("OUT_DIR")?;
    std::fs::write(Path::new(&out).join("worker.bin"), bytecode)?;
    Ok(())
}
