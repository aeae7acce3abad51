//! Compiles our own JavaScript to the engine's bytecode: parsing it at every start would cost
//! 5 ms and 2 MB in each worker.

use std::path::Path;

use rquickjs::module::WriteOptions;
use rquickjs::{CatchResultExt, Context, Module, Runtime};

/// Each list in this order: a part uses what the ones before have put on the shared object.
const WORKER: &[&str] =
    &["base", "timers", "events", "encoding", "url", "clone", "console", "crypto", "fetch", "sdk"];

/// What a snippet gets once it uses any of it.
const WEB: &[&str] = &["base", "timers", "events", "encoding", "url", "clone", "console", "crypto"];

/// What every snippet gets.
const SNIPPET: &[&str] = &["snippet"];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    println!("cargo::rerun-if-changed=src/js");
    println!("cargo::rerun-if-changed=build.rs");
    let out = std::env::var("OUT_DIR")?;
    for (name, parts) in [("worker", WORKER), ("web", WEB), ("snippet", SNIPPET)] {
        let bytecode = compile(name, parts)?;
        std::fs::write(Path::new(&out).join(format!("{name}.bin")), bytecode)?;
    }
    Ok(())
}

fn compile(name: &str, parts: &[&str]) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
    let mut source = String::from("export default [\n");
    for part in parts {
        let text = std::fs::read_to_string(format!("src/js/{part}.js"))?;
        source.push_str(text.trim_end().trim_end_matches(';'));
        source.push_str(",\n");
    }
    source.push_str("];\n");
    let context = Context::full(&Runtime::new()?)?;
    let bytecode = context.with(|ctx| {
        let options = WriteOptions { strip_source: true, ..WriteOptions::default() };
        Module::declare(ctx.clone(), format!("devrig:{name}"), source)
            .and_then(|module| module.write(options))
            .catch(&ctx)
            .map_err(|error| error.to_string())
    })?;
    Ok(bytecode)
}
