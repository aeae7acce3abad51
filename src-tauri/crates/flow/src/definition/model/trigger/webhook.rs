//! A trigger that fires when a request comes.

mod auth;

pub use auth::{HmacAuth, HmacScheme, WebhookAuth};

use crate::definition::wire::{At, Object, Writer, words};

/// Requests to DevRig's own listener.
#[derive(Debug, Clone, PartialEq)]
pub struct Webhook {
    /// Below `/hooks/`; absent: made from the ids of flow and trigger.
    pub path: Option<String>,
    /// At least one, each once.
    pub methods: Vec<Method>,
    pub auth: WebhookAuth,
    pub respond: Respond,
    pub body_limit_bytes: u64,
    /// Absent: the listener's own limit.
    pub rate_per_minute: Option<u32>,
    /// Whether the tunnel, when there is one, leads to it.
    pub tunnel: bool,
}

words! {
    /// A method of HTTP that a webhook takes.
    Method {
        Post = "POST",
        Get = "GET",
        Put = "PUT",
        Patch = "PATCH",
        Delete = "DELETE",
    }

    /// When the one who sent the request is answered.
    Respond {
        /// As soon as the event is stored.
        Immediately = "immediately",
        /// When the run has answered or ended.
        WhenDone = "whenDone",
    }
}

impl Default for Webhook {
    fn default() -> Self {
        Self {
            path: None,
            methods: vec![Method::Post],
            auth: WebhookAuth::None,
            respond: Respond::Immediately,
            body_limit_bytes: 1_048_576,
            rate_per_minute: None,
            tunnel: false,
        }
    }
}

impl Webhook {
    pub(crate) fn read(object: &Object<'_>) -> Self {
        let usual = Self::default();
        Self {
            path: object.optional("path", read_path),
            methods: object.or("method", usual.methods, read_methods),
            auth: object.or("auth", usual.auth, |at| at.object(WebhookAuth::read)),
            respond: object.or("respond", usual.respond, |at| at.word()),
            body_limit_bytes: object
                .or("bodyLimitBytes", usual.body_limit_bytes, |at| at.integer(1..=67_108_864)),
            rate_per_minute: object.optional("ratePerMinute", |at| at.integer(1..=1_000_000)),
            tunnel: object.or("tunnel", usual.tunnel, |at| at.flag()),
        }
    }

    pub(crate) fn write(&self, into: &mut Writer) {
        let usual = Self::default();
        into.some("path", &self.path);
        match self.methods.as_slice() {
            [Method::Post] => {}
            [one] => into.put("method", one),
            several => into.put("method", several),
        }
        self.auth.write(into);
        into.unless("respond", &self.respond, &usual.respond);
        into.unless("bodyLimitBytes", &self.body_limit_bytes, &usual.body_limit_bytes);
        into.some("ratePerMinute", &self.rate_per_minute);
        into.unless("tunnel", &self.tunnel, &usual.tunnel);
    }
}

fn read_path(at: At<'_>) -> String {
    let path = at.line(200);
    if path.is_empty() || is_path(&path) {
        return path;
    }
    at.wrong_value(
        "is no path of plain names",
        "Write names of letters, digits, -, _, . and ~ with / between them, such as ci/done.",
    )
}

/// Plain names, so that a path means the same to every program on the way.
pub(crate) fn is_path(path: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '~');
    let good =
        |name: &str| !name.is_empty() && name.chars().all(plain) && !matches!(name, "." | "..");
    path.len() <= 200 && path.split('/').all(good)
}

fn read_methods(at: At<'_>) -> Vec<Method> {
    if at.value.is_string() {
        return vec![at.word()];
    }
    if !at.value.is_array() {
        return at.wrong_type("a method such as POST, or a list of them");
    }
    at.words(1)
}
