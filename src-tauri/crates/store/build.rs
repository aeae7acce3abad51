//! A new migration has no line in the code that embeds the folder, so cargo is told to watch it.

fn main() {
    println!("cargo:rerun-if-changed=../../../migrations");
}
