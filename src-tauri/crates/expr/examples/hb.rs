use devrig_expr::*;
use std::io::{BufRead, Write};
fn main() {
    let out = std::io::stdout();
    let mut out = out.lock();
    for line in std::io::stdin().lock().lines() {
        let v: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let o = Options { escape: Escape::Html, ..Default::default() };
        let r = Template::compile(v["template"].as_str().unwrap(), o)
            .and_then(|t| t.text(&Data::from(&v["data"])));
        let j = match r {
            Ok(t) => serde_json::json!({"ok": t}),
            Err(e) => serde_json::json!({"err": e.message}),
        };
        writeln!(out, "{j}").unwrap();
    }
}
