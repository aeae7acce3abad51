//! Secrets in flows: where they come from, and that they are written nowhere.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use base64::Engine as _;
use devrig_core::Error;
use devrig_net::listener::SecretSource;
use serde_json::Value;

/// Where the secrets of flows are, by name.
pub trait Secrets: Send + Sync {
    /// Gives the secret each time it is asked.
    fn source(&self, name: &str) -> Arc<dyn SecretSource>;
}

const BASE64: base64::engine::GeneralPurpose = base64::engine::general_purpose::STANDARD;

/// What stands where a secret stood.
const MASK: &str = "•••";
/// Shorter texts are part of too many others to be hidden.
const SHORTEST: usize = 4;

/// Texts that a run must not write down.
#[derive(Default)]
pub struct Masks {
    any: AtomicBool,
    texts: RwLock<Vec<String>>,
}

impl Masks {
    /// Hides a text from now on, as it is and as it usually travels: in base64, by itself and among
    /// others, in an address, in JSON.
    pub fn add(&self, secret: &str) {
        if secret.len() < SHORTEST {
            return;
        }
        let quoted = Value::from(secret).to_string();
        let mut forms = vec![
            secret.to_owned(),
            BASE64.encode(secret),
            url::form_urlencoded::byte_serialize(secret.as_bytes()).collect(),
            quoted[1..quoted.len() - 1].to_owned(),
        ];
        forms.extend(in_address(secret));
        forms.extend((0..3).map(|before| in_base64(secret, before)));
        forms.retain(|form| form.len() >= SHORTEST);
        let mut texts = self.texts.write().unwrap_or_else(PoisonError::into_inner);
        for form in forms {
            if !texts.contains(&form) {
                texts.push(form);
            }
        }
        // A secret may hold another one.
        texts.sort_by_key(|text| std::cmp::Reverse(text.len()));
        self.any.store(true, Ordering::Release);
    }

    /// Whether there are any.
    pub fn has_any(&self) -> bool {
        self.any.load(Ordering::Acquire)
    }

    /// The text without secrets.
    pub fn text(&self, text: String) -> String {
        if !self.has_any() {
            return text;
        }
        let secrets = self.texts.read().unwrap_or_else(PoisonError::into_inner);
        let hide = |text: String, secret: &String| match text.contains(secret) {
            true => text.replace(secret, MASK),
            false => text,
        };
        secrets.iter().fold(text, hide)
    }

    /// The value without secrets, names of fields included.
    pub fn value(&self, value: Value) -> Value {
        if !self.has_any() {
            return value;
        }
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(list) => list.into_iter().map(|value| self.value(value)).collect(),
            Value::Object(fields) => {
                let hidden = |(name, value)| (self.text(name), self.value(value));
                Value::Object(fields.into_iter().map(hidden).collect())
            }
            other => other,
        }
    }

    /// The error without secrets.
    pub fn error(&self, mut error: Error) -> Error {
        if !self.has_any() {
            return error;
        }
        error.message = self.text(error.message);
        error.hint = error.hint.map(|hint| self.text(hint));
        error.details = error.details.map(|details| Box::new(self.value(*details)));
        error
    }
}

/// As a path and as a query have it, which escape less than a form does.
fn in_address(secret: &str) -> Vec<String> {
    let Ok(mut url) = url::Url::parse("https://host/") else { return Vec::new() };
    url.set_query(Some(secret));
    url.set_path(secret);
    let path = url.path().trim_start_matches('/');
    [Some(path), url.query()].into_iter().flatten().map(str::to_owned).collect()
}

/// What base64 makes of it behind so many other bytes, as far as those have no part in it. So a
/// password is hidden in a header that has the user's name before it.
fn in_base64(secret: &str, before: usize) -> String {
    let mut bytes = vec![0; before];
    bytes.extend(secret.as_bytes());
    let text = BASE64.encode(&bytes);
    text[(before * 8).div_ceil(6)..bytes.len() * 8 / 6].to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_secret_is_hidden_in_each_of_its_forms() {
        let masks = Masks::default();
        let value = json!({"a": ["x s3cr&t\" y"], "s3cr&t\"": 1});
        assert_eq!(masks.value(value.clone()), value, "nothing is hidden yet");
        masks.add("s3cr&t\"");
        masks.add("abc");
        assert_eq!(masks.value(value), json!({"a": ["x ••• y"], "•••": 1}));
        for text in ["czNjciZ0Ig==", "https://a/?b=s3cr%26t%22", r#"{"c":"s3cr&t\""}"#] {
            assert!(masks.text(text.to_owned()).contains(MASK), "{text}");
        }
        assert_eq!(masks.text("abc".to_owned()), "abc", "too short to be hidden");
        let inside = ["ku:", "kim:", "a", ""].map(|user| BASE64.encode(format!("{user}s3cr&t\"!")));
        for text in inside {
            assert!(masks.text(text.clone()).contains(MASK), "{text}");
        }
        let mut url = url::Url::parse("https://a/s3cr&t\"/?k=s3cr&t\"").unwrap();
        url.set_fragment(None);
        assert_eq!(masks.text(url.to_string()), "https://a/•••/?k=•••");
        let error = Error::invalid("s3cr&t\" is wrong").hint("not s3cr&t\"");
        let error = masks.error(error);
        assert_eq!((&*error.message, error.hint.as_deref()), ("••• is wrong", Some("not •••")));
    }
}
