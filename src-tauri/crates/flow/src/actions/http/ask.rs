//! What every request has: where it goes, who asks, and how long that may take.

use std::time::Duration;

use base64::Engine as _;
use devrig_core::{Error, Result};
use devrig_net::{Method, Redirect, Request, Url, parse_url};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Of an answer, where the config says no other.
const USUAL_BYTES: usize = 5 * 1024 * 1024;
const USUAL_MS: u64 = 30_000;
/// What servers take as an idempotency key.
const LONGEST_KEY: usize = 200;

/// The fields that requests of every kind share.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ask {
    pub url: String,
    #[serde(default)]
    pub query: Map<String, Value>,
    #[serde(default)]
    headers: Map<String, Value>,
    auth: Option<Auth>,
    #[serde(default = "usual_ms")]
    timeout_ms: u64,
    #[serde(default = "usual_bytes")]
    pub max_bytes: usize,
    #[serde(default = "yes")]
    pub follow_redirects: bool,
    #[serde(default)]
    pub idempotency_key: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "type")]
enum Auth {
    Basic { username: String, password: String },
    Bearer { token: String },
}

fn usual_ms() -> u64 {
    USUAL_MS
}

fn usual_bytes() -> usize {
    USUAL_BYTES
}

fn yes() -> bool {
    true
}

impl Ask {
    /// The request without a body. `key` is that of the node in its run.
    pub fn request(&self, method: Method, key: &str) -> Result<Request> {
        let mut headers = self.headers()?;
        if let Some(auth) = &self.auth {
            add_once(&mut headers, "authorization", auth.header())?;
        }
        if self.idempotency_key {
            add_once(&mut headers, "idempotency-key", as_header(key))?;
        }
        Ok(Request {
            headers,
            timeout: Duration::from_millis(self.timeout_ms),
            max_body: self.max_bytes,
            redirect: if self.follow_redirects { Redirect::Follow } else { Redirect::Manual },
            ..Request::new(method, self.address()?)
        })
    }

    fn address(&self) -> Result<String> {
        let mut url = parse_url(&self.url)?;
        for (name, value) in &self.query {
            add_to_query(&mut url, name, value)?;
        }
        Ok(url.into())
    }

    fn headers(&self) -> Result<Vec<(String, String)>> {
        let plain = |(name, value): (&String, &Value)| match scalar(value) {
            Some(text) => Ok((name.clone(), text)),
            None => Err(Error::invalid(format!("headers.{name} is no text"))
                .hint("Give each header a text or a number.")),
        };
        self.headers.iter().filter(|(_, value)| !value.is_null()).map(plain).collect()
    }
}

impl Auth {
    fn header(&self) -> String {
        match self {
            Self::Bearer { token } => format!("Bearer {token}"),
            Self::Basic { username, password } => {
                let both = format!("{username}:{password}");
                format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(both))
            }
        }
    }
}

/// The host that a config asks, with its port where that is not the usual one.
pub(super) fn host(config: &Value) -> Option<String> {
    let url = Url::parse(config["url"].as_str()?).ok()?;
    let host = url.host_str()?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The value of a header, when it was given.
pub(super) fn header<'a>(headers: &'a [(String, String)], wanted: &str) -> Option<&'a str> {
    let mut all = headers.iter();
    all.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| value.as_str())
}

fn add_once(headers: &mut Vec<(String, String)>, name: &str, value: String) -> Result<()> {
    if header(headers, name).is_some() {
        return Err(Error::invalid(format!("the header {name} is there twice"))
            .hint("Leave it out of headers, or leave the field out that makes it."));
    }
    headers.push((name.to_owned(), value));
    Ok(())
}

fn add_to_query(url: &mut Url, name: &str, value: &Value) -> Result<()> {
    let values = match value {
        Value::Null => return Ok(()),
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    for value in values {
        let text = scalar(value).ok_or_else(|| {
            Error::invalid(format!("query.{name} is no text, number or list of them"))
                .hint("Write the fields of an object one by one.")
        })?;
        url.query_pairs_mut().append_pair(name, &text);
    }
    Ok(())
}

/// What can stand in a query, a form or a header.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A key as it is, where a header can hold it.
fn as_header(key: &str) -> String {
    if key.len() <= LONGEST_KEY && key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return key.to_owned();
    }
    Sha256::digest(key.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
