//! A request as its handler gets it.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use devrig_core::Timestamp;
use http::header::{
    AUTHORIZATION, CONNECTION, COOKIE, HeaderName, PROXY_AUTHENTICATE, PROXY_AUTHORIZATION, TE,
    TRAILER, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Method};
use tokio_util::sync::CancellationToken;

use super::reply::Reply;

/// About one connection, so of no meaning to whoever reads them later.
const HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    PROXY_AUTHENTICATE,
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];
const SECRET: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];

/// A request that was let in.
#[derive(Clone)]
pub struct Delivery {
    /// Ours; senders have their own, if any, in a header.
    pub id: String,
    pub method: Method,
    /// As the route spells it; of a route for everything below a name, as it was asked for.
    pub path: Arc<str>,
    /// As it came, without the question mark.
    pub query: Option<String>,
    /// As they came, secrets included: store [`Delivery::storable_headers`] instead.
    pub headers: HeaderMap,
    /// The very bytes that were sent, neither decoded nor decompressed.
    pub body: Bytes,
    pub received_at: Timestamp,
    /// Who connected: the tunnel's process, for what comes through one.
    pub remote: SocketAddr,
    /// Cancelled once nobody waits for the reply: the client went away, or was told that it
    /// takes too long. The handler goes on all the same.
    pub unheard: CancellationToken,
    /// The header that proved the sender.
    pub(super) proof: Option<HeaderName>,
}

/// What is done with the requests of a route.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Runs in a task of its own, so that a client that goes away does not stop it half-way. Only
    /// the end of the listener does, after its grace. A panic is answered with status 500.
    async fn handle(&self, delivery: Delivery) -> Reply;
}

impl Delivery {
    /// The headers to keep: one value for each name, values that came apart joined by commas;
    /// without those about the connection, and with secrets and signatures masked.
    pub fn storable_headers(&self) -> BTreeMap<String, String> {
        let mut storable: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in &self.headers {
            if self.is_hop_by_hop(name) {
                continue;
            }
            if SECRET.contains(name) || self.proof.as_ref() == Some(name) {
                storable.insert(name.as_str().to_owned(), "[redacted]".to_owned());
                continue;
            }
            let text = String::from_utf8_lossy(value.as_bytes());
            let kept = storable.entry(name.as_str().to_owned()).or_default();
            if !kept.is_empty() {
                kept.push_str(", ");
            }
            kept.push_str(&text);
        }
        storable
    }

    /// The query's names and values, decoded, in their order.
    pub fn query_pairs(&self) -> Vec<(String, String)> {
        let query = self.query.as_deref().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// `Connection` names further headers that end with it.
    fn is_hop_by_hop(&self, name: &HeaderName) -> bool {
        let named =
            |list: &str| list.split(',').any(|own| own.trim().eq_ignore_ascii_case(name.as_str()));
        let mut lists = self.headers.get_all(CONNECTION).iter();
        HOP_BY_HOP.contains(name) || lists.any(|list| list.to_str().is_ok_and(named))
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("id", &self.id)
            .field("method", &self.method)
            .field("path", &self.path)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn delivery(query: Option<&str>, headers: &[(&'static str, &'static str)]) -> Delivery {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_static(value));
        }
        Delivery {
            id: devrig_core::id::fresh(),
            method: Method::POST,
            path: "/hooks/a".into(),
            query: query.map(str::to_owned),
            headers: map,
            body: Bytes::from_static(b"the body"),
            received_at: Timestamp::from_ms(0),
            remote: ([127, 0, 0, 1], 1).into(),
            unheard: CancellationToken::new(),
            proof: Some(HeaderName::from_static("x-hub-signature-256")),
        }
    }

    #[test]
    fn what_is_stored_holds_no_secret_and_nothing_of_the_connection() {
        let delivery = delivery(
            None,
            &[
                ("authorization", "Bearer hunter2"),
                ("cookie", "session=hunter2"),
                ("x-hub-signature-256", "sha256=hunter2"),
                ("connection", "keep-alive, X-Private-Hop"),
                ("x-private-hop", "1"),
                ("keep-alive", "timeout=5"),
                ("x-github-event", "push"),
                ("via", "one"),
                ("via", "two"),
            ],
        );
        let stored: Vec<_> = delivery.storable_headers().into_iter().collect();
        let expected = [
            ("authorization", "[redacted]"),
            ("cookie", "[redacted]"),
            ("via", "one, two"),
            ("x-github-event", "push"),
            ("x-hub-signature-256", "[redacted]"),
        ];
        assert_eq!(stored, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(!format!("{delivery:?}").contains("hunter2"));
    }

    #[test]
    fn the_query_is_decoded_in_its_order() {
        let pairs = delivery(Some("b=1&a=two+words&a=%C3%A9&flag"), &[]).query_pairs();
        let expected = [("b", "1"), ("a", "two words"), ("a", "é"), ("flag", "")];
        assert_eq!(pairs, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert!(delivery(None, &[]).query_pairs().is_empty());
    }
}
