//! What goes back to the client.

use bytes::Bytes;
use devrig_core::Error;
use http::header::{
    ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, TRAILER,
    TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Response, StatusCode};
use http_body_util::Full;

/// A handler's answer.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Reply {
    /// No headers, no body.
    pub fn new(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }

    pub fn json(status: StatusCode, value: &serde_json::Value) -> Self {
        Self::new(status)
            .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .body(value.to_string())
    }

    /// `{"error": {"code", "message", "hint"}}`, as every refusal of the listener's own reads.
    pub fn error(status: StatusCode, error: &Error) -> Self {
        let mut inner = serde_json::json!({ "code": error.code, "message": error.message });
        if let Some(hint) = &error.hint {
            inner["hint"] = hint.as_str().into();
        }
        Self::json(status, &serde_json::json!({ "error": inner }))
    }

    /// Replaces what the header held.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    #[must_use]
    pub(super) fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, HeaderValue::from(seconds.max(1)))
    }

    #[must_use]
    pub(super) fn allow(self, methods: HeaderValue) -> Self {
        self.header(ALLOW, methods)
    }

    #[must_use]
    pub(super) fn closing(self) -> Self {
        self.header(CONNECTION, HeaderValue::from_static("close"))
    }

    /// Framing is the listener's, whatever a handler wrote into its headers.
    pub(super) fn unframed(mut self) -> Self {
        if self.status.is_informational() {
            let what = format!("the handler answered with status {}", self.status.as_u16());
            let error = Error::internal(what).hint("Answer with a status from 200 to 599.");
            return Self::error(StatusCode::INTERNAL_SERVER_ERROR, &error);
        }
        for name in [CONNECTION, CONTENT_LENGTH, TRAILER, TRANSFER_ENCODING, UPGRADE] {
            self.headers.remove(name);
        }
        if matches!(self.status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            self.body = Bytes::new();
        }
        self
    }

    pub(super) fn into_response(self) -> Response<Full<Bytes>> {
        let mut response = Response::new(Full::new(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use devrig_core::Code;

    use super::*;

    #[test]
    fn an_error_reads_as_code_message_and_hint() {
        let error = Error::new(Code::RateLimited, "too fast").hint("Slow down.");
        let reply = Reply::error(StatusCode::TOO_MANY_REQUESTS, &error);
        let expected =
            r#"{"error":{"code":"RATE_LIMITED","message":"too fast","hint":"Slow down."}}"#;
        assert_eq!(reply.body, expected);
        assert_eq!(reply.headers[CONTENT_TYPE], "application/json");
    }

    #[test]
    fn a_handler_cannot_touch_the_framing() {
        let reply = Reply::new(StatusCode::NO_CONTENT)
            .header(CONTENT_LENGTH, HeaderValue::from_static("99"))
            .header(TRANSFER_ENCODING, HeaderValue::from_static("chunked"))
            .header(CONTENT_TYPE, HeaderValue::from_static("text/plain"))
            .body("surplus")
            .unframed();
        assert_eq!(reply.headers.len(), 1);
        assert!(reply.body.is_empty());
        let switching = Reply::new(StatusCode::SWITCHING_PROTOCOLS).unframed();
        assert_eq!(switching.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
}
