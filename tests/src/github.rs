//! The fake GitHub of `tests/github-fake`, as a process beside the test.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

/// Ends with its standard input, which is held here.
pub struct GithubFake {
    pub url: String,
    process: Child,
}

impl GithubFake {
    /// `seed` is what `main.mjs --seed` takes: `small`, or `inbox:COUNT`.
    pub fn start(seed: &str) -> Self {
        let main = Path::new(env!("CARGO_MANIFEST_DIR")).join("github-fake/main.mjs");
        let mut process = Command::new("node")
            .arg(main)
            .args(["--seed", seed])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("node starts");
        let mut line = String::new();
        let mut said = BufReader::new(process.stdout.take().expect("it was piped"));
        said.read_line(&mut line).expect("the fake tells its address");
        let started: Value = serde_json::from_str(&line).expect("its address is JSON");
        let url = started["url"].as_str().expect("an address").to_owned();
        Self { url, process }
    }

    /// Steers it, or asks what it knows; its README lists the controls.
    pub fn control(&self, name: &str, body: &Value) -> Value {
        let host = self.url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(host).expect("the fake listens");
        let body = body.to_string();
        let length = body.len();
        write!(
            stream,
            "POST /_control/{name} HTTP/1.0\r\nhost: {host}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
        .expect("the fake reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("the fake answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("an HTTP answer");
        assert!(head.contains(" 200 "), "{name}: {head}");
        serde_json::from_str(body).expect("JSON")
    }

    /// How many requests it has had.
    pub fn requests(&self) -> usize {
        self.control("log", &Value::Null).as_array().map_or(0, Vec::len)
    }

    /// The plugin's folder in this repository, built.
    pub fn plugin() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/github")
    }
}

impl Drop for GithubFake {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        _ = self.process.kill();
        _ = self.process.wait();
    }
}
