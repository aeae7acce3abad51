//! Whom a request must have meant to reach.
//!
//! A page on the internet can have its name resolve to 127.0.0.1 and then talk to local servers
//! as if they were its own (DNS rebinding). Its requests carry that name, and end here.

use std::sync::{PoisonError, RwLock};

use http::header::{HOST, ORIGIN};
use http::request::Parts;

use super::refusal::Refusal;

const LOCAL: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The names under which the listener answers.
#[derive(Debug, Default)]
pub(super) struct Hosts {
    public: RwLock<Option<String>>,
}

impl Hosts {
    pub(super) fn set_public(&self, host: Option<&str>) {
        *self.public.write().unwrap_or_else(PoisonError::into_inner) = host.map(str::to_owned);
    }

    pub(super) fn public(&self) -> Option<String> {
        self.public.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Both the name that was asked for and, where a web page asks, that page's own.
    pub(super) fn check(&self, head: &Parts) -> Result<(), Refusal> {
        let mut hosts = head.headers.get_all(HOST).iter();
        let named = hosts.next().and_then(|value| value.to_str().ok());
        let asked = head.uri.authority().map(http::uri::Authority::as_str);
        if hosts.next().is_some() || !named.is_some_and(|host| self.knows(host)) {
            return Err(Refusal::Host);
        }
        if asked.is_some_and(|host| !self.knows(host)) {
            return Err(Refusal::Host);
        }
        // No sender of webhooks is a page. One that is could fire every route without a secret.
        let mut origins = head.headers.get_all(ORIGIN).iter();
        let ours = origins.all(|origin| origin.to_str().is_ok_and(|text| self.knows_origin(text)));
        if ours { Ok(()) } else { Err(Refusal::Origin) }
    }

    fn knows_origin(&self, origin: &str) -> bool {
        let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
        authority.is_some_and(|authority| self.knows(authority))
    }

    fn knows(&self, authority: &str) -> bool {
        let Some(host) = without_port(authority) else {
            return false;
        };
        LOCAL.iter().any(|local| host.eq_ignore_ascii_case(local)) || self.is_public(host)
    }

    fn is_public(&self, host: &str) -> bool {
        let public = self.public.read().unwrap_or_else(PoisonError::into_inner);
        public.as_deref().is_some_and(|public| host.eq_ignore_ascii_case(public))
    }
}

fn without_port(authority: &str) -> Option<&str> {
    let end = match authority.find(']') {
        Some(bracket) => bracket + 1,
        None => authority.find(':').unwrap_or(authority.len()),
    };
    let (host, rest) = authority.split_at(end);
    let port = if rest.is_empty() { "0" } else { rest.strip_prefix(':')? };
    port.bytes().all(|byte| byte.is_ascii_digit()).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(hosts: &Hosts, uri: &str, headers: &[(&str, &str)]) -> Result<(), Refusal> {
        let mut request = http::Request::builder().uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        hosts.check(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn this_machine_answers_to_its_own_names_and_the_tunnels() {
        let hosts = Hosts::default();
        for host in
            ["localhost", "LocalHost:4747", "127.0.0.1:1", "[::1]:80", "[::1]", "localhost:"]
        {
            assert!(check(&hosts, "/a", &[("host", host)]).is_ok(), "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.nip.io",
            "127.0.0.2",
            "",
            ":80",
            "user@localhost",
            "localhost:x",
            "[::1]x",
            "[::1",
            "::1",
            "localhost localhost",
            "a.trycloudflare.com",
        ] {
            assert!(check(&hosts, "/a", &[("host", host)]).is_err(), "{host}");
        }
        hosts.set_public(Some("a.trycloudflare.com"));
        assert!(check(&hosts, "/a", &[("host", "A.trycloudflare.com")]).is_ok());
        assert!(check(&hosts, "/a", &[("host", "b.trycloudflare.com")]).is_err());
        hosts.set_public(None);
        assert!(check(&hosts, "/a", &[("host", "a.trycloudflare.com")]).is_err());
    }

    #[test]
    fn the_name_must_be_given_once_and_agree() {
        let hosts = Hosts::default();
        assert!(check(&hosts, "/a", &[]).is_err());
        assert!(check(&hosts, "/a", &[("host", "localhost"), ("host", "localhost")]).is_err());
        assert!(check(&hosts, "http://evil.example/a", &[("host", "localhost")]).is_err());
        assert!(check(&hosts, "http://localhost/a", &[("host", "evil.example")]).is_err());
        assert!(check(&hosts, "http://localhost:9/a", &[("host", "localhost:9")]).is_ok());
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let hosts = Hosts::default();
        let from = |origin| check(&hosts, "/a", &[("host", "localhost"), ("origin", origin)]);
        assert!(from("http://localhost:3000").is_ok());
        for origin in ["https://evil.example", "null", "", "http://", "file://localhost"] {
            assert!(matches!(from(origin), Err(Refusal::Origin)), "{origin}");
        }
    }
}
