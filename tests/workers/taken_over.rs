//! A worker that was taken over: it claims a closed sandbox and then says on its connection what
//! the plugin's module tells it to. Standard input and output are that connection.
//!
//! The module is a list in JSON, one step after the other:
//! - `{"bytes": [1, 2]}` goes out as it is, `{"frame": …}` as a message of the protocol;
//! - `{"call": true}` waits until the core runs a handler, `{"answer": …}` answers it;
//! - `{"host": {"method": …, "params": …}}` asks the broker, by default within that handler, and
//!   keeps the outcome; `{"keep": true}` stores what was kept as an item, as other rows do;
//! - `{"flood": n}` sends so many tiny messages; `{"rest": true}` is silent for good.

use std::io::{Read, Write};

use devrig_core::frame;
use devrig_core::protocol::{Start, ToWorker, VERSION};
use serde_json::{Value, json};

struct Worker {
    start: Start,
    call: u64,
    asked: u64,
    kept: Vec<Value>,
}

fn main() {
    let sandbox = json!({ "seccomp": true, "landlock": true, "rlimits": true });
    say(&json!({ "type": "ready", "protocol": VERSION, "sandbox": sandbox }));
    let Some(ToWorker::Start(start)) = hear() else { return };
    say(&json!({ "type": "active", "registered": {} }));
    let steps: Vec<Value> =
        serde_json::from_str(&start.modules[&start.main]).expect("the module is a list of steps");
    let mut worker = Worker { start, call: 0, asked: 0, kept: Vec::new() };
    for step in steps {
        worker.take(&step);
    }
    // Until the core ends it.
    while hear().is_some() {}
}

impl Worker {
    fn take(&mut self, step: &Value) {
        let (what, with) = step.as_object().and_then(|step| step.iter().next()).expect("a step");
        match what.as_str() {
            "bytes" => {
                let bytes: Vec<u8> = serde_json::from_value(with.clone()).expect("bytes");
                write(&bytes);
            }
            "frame" => say(with),
            "call" => self.wait_for_call(),
            "answer" => {
                say(&json!({ "type": "done", "id": self.call, "outcome": { "ok": with } }));
            }
            "host" => {
                let outcome = self.ask(with);
                self.kept.push(outcome);
            }
            "keep" => {
                let kept = json!({ "found": { "kept": self.kept } }).to_string();
                let item = json!({ "externalId": "found", "type": "note", "title": "found", "body": kept });
                self.ask(&json!({ "method": "inbox.storeItems", "params": { "items": [item] } }));
            }
            "flood" => {
                let tiny = frame::encode(&json!({ "type": "log" })).expect("a frame");
                let many = tiny.repeat(10_000);
                for _ in 0..with.as_u64().expect("a number") / 10_000 {
                    write(&many);
                }
            }
            "rest" => loop {
                std::thread::park();
            },
            other => panic!("{other} is no step of {}", self.start.plugin_id),
        }
    }

    fn wait_for_call(&mut self) {
        loop {
            match hear() {
                Some(ToWorker::Call { id, .. }) => {
                    self.call = id;
                    return;
                }
                Some(_) => {}
                None => std::process::exit(0),
            }
        }
    }

    /// The outcome of a call to the broker, as it came.
    fn ask(&mut self, with: &Value) -> Value {
        self.asked += 1;
        let call = with["call"].as_u64().unwrap_or(self.call);
        say(&json!({
            "type": "host", "id": self.asked, "call": call,
            "method": with["method"], "params": with["params"],
        }));
        loop {
            match hear() {
                Some(ToWorker::Reply { id, outcome }) if id == self.asked => {
                    return serde_json::to_value(outcome).expect("JSON");
                }
                Some(_) => {}
                None => std::process::exit(0),
            }
        }
    }
}

fn say(message: &Value) {
    write(&frame::encode(message).expect("a frame"));
}

fn write(bytes: &[u8]) {
    let mut out = std::io::stdout().lock();
    // The core may have ended the connection: that is what is being tried.
    if out.write_all(bytes).and_then(|()| out.flush()).is_err() {
        std::process::exit(0);
    }
}

fn hear() -> Option<ToWorker> {
    let mut input = std::io::stdin().lock();
    let mut header = [0; frame::HEADER];
    input.read_exact(&mut header).ok()?;
    let mut payload = vec![0; frame::payload_len(header).ok()?];
    input.read_exact(&mut payload).ok()?;
    serde_json::from_slice(&payload).ok()
}
