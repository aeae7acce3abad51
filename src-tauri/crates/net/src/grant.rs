//! What a caller may reach, as the person granted it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use devrig_core::{Error, Result};
use http::Method;
use url::Host;

use crate::address::{AddressClass, classify};

/// One `network:` permission.
///
/// `HOST[:PORT][/PATH] [METHOD,METHOD…] [private]`, with or without `network:` in front:
/// - `api.github.com`, `*.example.com` (whole labels, at least one, so not the apex), `*`,
///   an IP address (IPv6 in brackets);
/// - port 443 unless another is named;
/// - this machine (`localhost:4010`, `127.0.0.1:4010`, `[::1]:4010`) with its port only, and
///   there plain http too;
/// - `/repos` allows that path and what is below it;
/// - `private` lets an exact name lead into a private network, as a company's own server does.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Grant {
    host: HostPattern,
    port: u16,
    path: Option<String>,
    /// Empty allows all.
    methods: Vec<Method>,
    private: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum HostPattern {
    Any,
    /// `example.com` for `*.example.com`.
    Below(String),
    Name(String),
    Address(IpAddr),
}

/// How a grant's host fits, apart from port, method and path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fit {
    Public,
    Private,
    /// This machine, by name.
    Loopback,
    Address(IpAddr),
}

impl Grant {
    /// Reads a permission's text; the error says what is wrong with it and what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = |what: &str, hint: &str| {
            Err(Error::invalid(format!("network grant {text:?}: {what}")).hint(hint))
        };
        let spec = text.strip_prefix("network:").unwrap_or(text).trim();
        let mut words = spec.split_ascii_whitespace();
        let target = words.next().unwrap_or_default();
        let (mut methods, mut private) = (Vec::new(), false);
        for word in words {
            if word == "private" {
                private = true;
                continue;
            }
            for name in word.split(',') {
                match Method::from_str(name) {
                    Ok(method) if name.chars().all(|c| c.is_ascii_uppercase()) => {
                        methods.push(method);
                    }
                    _ => {
                        return wrong(
                            &format!("{name:?} is no method"),
                            "Write methods in capitals, as in \"api.github.com GET,POST\".",
                        );
                    }
                }
            }
        }
        if target.contains("://") {
            return wrong("a scheme is not part of it", "Name the host alone.");
        }
        if target.contains(['@', '?', '#', '\\', '%']) {
            return wrong("it is not a host", "Name the host alone, such as api.github.com.");
        }
        let (authority, path) = match target.find('/') {
            Some(at) => (&target[..at], Some(&target[at..])),
            None => (target, None),
        };
        let path = path.map(|path| path.trim_end_matches('/')).filter(|path| !path.is_empty());
        if path.is_some_and(|path| path.split('/').any(|part| matches!(part, "." | ".."))) {
            return wrong("the path has . or .. in it", "Name the path plainly.");
        }
        let (host, port) = match split_port(authority) {
            Ok(parts) => parts,
            Err(()) => return wrong("the port is no number from 1 to 65535", "As in host:8443."),
        };
        let host = match HostPattern::parse(host) {
            Ok(host) => host,
            Err((what, hint)) => return wrong(what, hint),
        };
        if host.is_loopback() && port.is_none() {
            return wrong("this machine needs a port", "As in localhost:4010.");
        }
        if private && !matches!(host, HostPattern::Name(_)) {
            return wrong(
                "private goes with one exact name",
                "Name the server, as in \"gitlab.example.com private\".",
            );
        }
        Ok(Self {
            host,
            port: port.unwrap_or(443),
            path: path.map(str::to_owned),
            methods,
            private,
        })
    }

    pub(crate) fn fit(&self, host: &Host<&str>) -> Option<Fit> {
        match (&self.host, host) {
            (HostPattern::Address(granted), Host::Ipv4(ip)) if *granted == IpAddr::V4(*ip) => {
                Some(Fit::Address(*granted))
            }
            (HostPattern::Address(granted), Host::Ipv6(ip)) if *granted == IpAddr::V6(*ip) => {
                Some(Fit::Address(*granted))
            }
            (HostPattern::Name(granted), Host::Domain(name)) if granted == name => {
                Some(match (is_localhost(name), self.private) {
                    (true, _) => Fit::Loopback,
                    (false, true) => Fit::Private,
                    (false, false) => Fit::Public,
                })
            }
            (HostPattern::Below(apex), Host::Domain(name)) => {
                let label = name.strip_suffix(apex.as_str())?.strip_suffix('.')?;
                (!label.is_empty()).then_some(Fit::Public)
            }
            (HostPattern::Any, Host::Domain(name)) if is_localhost(name) => None,
            (HostPattern::Any, _) => Some(Fit::Public),
            _ => None,
        }
    }

    pub(crate) fn allows_port(&self, port: u16) -> bool {
        self.port == port
    }

    pub(crate) fn allows_method(&self, method: &Method) -> bool {
        self.methods.is_empty() || self.methods.contains(method)
    }

    pub(crate) fn allows_path(&self, path: &str) -> bool {
        let Some(prefix) = &self.path else {
            return true;
        };
        let below = path.strip_prefix(prefix.as_str());
        // A server may decode these into separators, and so leave the prefix.
        let lower = path.to_ascii_lowercase();
        below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            && !lower.contains("%2f")
            && !lower.contains("%5c")
            && !lower.contains("%2e")
            && !path.contains("//")
    }
}

impl FromStr for Grant {
    type Err = Error;
    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

/// The canonical text, which parses to the same grant.
impl fmt::Display for Grant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            HostPattern::Any => f.write_str("*")?,
            HostPattern::Below(apex) => write!(f, "*.{apex}")?,
            HostPattern::Name(name) => f.write_str(name)?,
            HostPattern::Address(IpAddr::V4(ip)) => write!(f, "{ip}")?,
            HostPattern::Address(IpAddr::V6(ip)) => write!(f, "[{ip}]")?,
        }
        if self.port != 443 || self.host.is_loopback() {
            write!(f, ":{}", self.port)?;
        }
        f.write_str(self.path.as_deref().unwrap_or_default())?;
        if !self.methods.is_empty() {
            let names: Vec<_> = self.methods.iter().map(Method::as_str).collect();
            write!(f, " {}", names.join(","))?;
        }
        if self.private {
            f.write_str(" private")?;
        }
        Ok(())
    }
}

type Wrong = (&'static str, &'static str);

impl HostPattern {
    fn parse(text: &str) -> std::result::Result<Self, Wrong> {
        const EXAMPLE: &str = "Name a host, such as api.github.com or *.example.com.";
        if text == "*" {
            return Ok(Self::Any);
        }
        if text.ends_with('.') {
            return Err(("the host ends with a dot", "Leave the dot away."));
        }
        let (below, name) = match text.strip_prefix("*.") {
            Some(apex) => (true, apex),
            None => (false, text),
        };
        if name.contains('*') {
            return Err(("* stands for whole labels in front only", EXAMPLE));
        }
        match Host::parse(name).map_err(|_| ("it is not a host", EXAMPLE))? {
            Host::Domain(name) if below && !name.contains('.') => {
                Err(("a wildcard for a whole top-level domain is too wide", EXAMPLE))
            }
            Host::Domain(name) if is_metadata_name(&name) => Err(METADATA),
            Host::Domain(name) if below => Ok(Self::Below(name)),
            Host::Domain(name) => Ok(Self::Name(name)),
            _ if below => Err(("a wildcard does not go with an address", EXAMPLE)),
            Host::Ipv4(ip) if ip.to_string() != name => {
                Err(("it is an address in disguise", "Write it as four plain numbers."))
            }
            Host::Ipv4(ip) => Self::address(ip.into()),
            Host::Ipv6(ip) => Self::address(ip.into()),
        }
    }

    fn address(ip: IpAddr) -> std::result::Result<Self, Wrong> {
        match classify(ip) {
            AddressClass::Global | AddressClass::Loopback | AddressClass::Private => {
                Ok(Self::Address(ip))
            }
            AddressClass::Metadata => Err(METADATA),
            AddressClass::LinkLocal | AddressClass::Reserved => {
                Err(("this address cannot be granted", "Use the server's ordinary address."))
            }
        }
    }

    fn is_loopback(&self) -> bool {
        match self {
            Self::Name(name) => is_localhost(name),
            Self::Address(ip) => classify(*ip) == AddressClass::Loopback,
            Self::Any | Self::Below(_) => false,
        }
    }
}

const METADATA: Wrong =
    ("metadata services give out a machine's credentials and cannot be granted", "Leave it out.");

/// `localhost` and the names below it, which never leave this machine (RFC 6761).
pub(crate) fn is_localhost(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost")
}

/// The names under which clouds serve metadata.
pub(crate) fn is_metadata_name(name: &str) -> bool {
    const NAMES: [&str; 7] = [
        "metadata",
        "metadata.google.internal",
        "metadata.goog",
        "metadata.azure.internal",
        "instance-data",
        "instance-data.ec2.internal",
        "metadata.tencentyun.com",
    ];
    let name = name.strip_suffix('.').unwrap_or(name);
    NAMES.iter().any(|known| {
        name.strip_suffix(known).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

fn split_port(authority: &str) -> std::result::Result<(&str, Option<u16>), ()> {
    let after_brackets = authority.rfind(']').map_or(0, |at| at + 1);
    match authority[after_brackets..].rfind(':') {
        None => Ok((authority, None)),
        Some(at) => {
            let (host, port) = authority.split_at(after_brackets + at);
            match port[1..].parse() {
                Ok(port @ 1..) if port.to_string() == authority[host.len() + 1..] => {
                    Ok((host, Some(port)))
                }
                _ => Err(()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_canonical_text_reads_back() {
        for (text, canonical) in [
            ("api.github.com", "api.github.com"),
            ("network:API.GitHub.com", "api.github.com"),
            ("api.github.com:443", "api.github.com"),
            ("bücher.example", "xn--bcher-kva.example"),
            ("*.example.com:8443 GET,POST", "*.example.com:8443 GET,POST"),
            ("*", "*"),
            ("127.0.0.1:4010", "127.0.0.1:4010"),
            ("[::1]:443", "[::1]:443"),
            ("localhost:4010", "localhost:4010"),
            ("10.1.2.3", "10.1.2.3"),
            ("api.github.com/repos/ GET", "api.github.com/repos GET"),
            ("gitlab.example.com private", "gitlab.example.com private"),
        ] {
            let grant = Grant::parse(text).unwrap();
            assert_eq!(grant.to_string(), canonical);
            assert_eq!(Grant::parse(canonical).unwrap(), grant);
        }
    }

    #[test]
    fn what_is_wrong_is_said_with_a_remedy() {
        for (text, says) in [
            ("", "not a host"),
            ("https://api.github.com", "scheme"),
            ("user@host.com", "not a host"),
            ("host.com.", "dot"),
            ("*.com", "too wide"),
            ("api.*.com", "whole labels"),
            ("*example.com", "whole labels"),
            ("host.com:0", "port"),
            ("host.com:99999", "port"),
            ("host.com:+80", "port"),
            ("localhost", "port"),
            ("127.0.0.1", "port"),
            ("127.1:4010", "disguise"),
            ("0x7f000001:80", "disguise"),
            ("2130706433:80", "disguise"),
            ("*.127.0.0.1:80", "not go with an address"),
            ("169.254.169.254", "metadata"),
            ("[fd00:ec2::254]", "metadata"),
            ("metadata.google.internal", "metadata"),
            ("0.0.0.0:80", "cannot be granted"),
            ("224.0.0.1:80", "cannot be granted"),
            ("host.com get", "no method"),
            ("host.com/a/../b", "path"),
            ("* private", "exact name"),
            ("a b.com", "no method"),
        ] {
            let error = Grant::parse(text).expect_err(text);
            assert!(error.message.contains(says), "{text:?}: {error}");
            assert!(error.hint.is_some(), "{text:?}");
        }
    }

    #[test]
    fn a_path_is_whole_segments() {
        let grant = Grant::parse("api.github.com/repos/a").unwrap();
        for path in ["/repos/a", "/repos/a/", "/repos/a/issues"] {
            assert!(grant.allows_path(path), "{path}");
        }
        for path in
            ["/repos/ab", "/repos", "/", "/repos/a/..%2fb", "/repos/a//b", "/repos/a/%2e%2e"]
        {
            assert!(!grant.allows_path(path), "{path}");
        }
    }

    proptest! {
        #[test]
        fn a_wildcard_takes_whole_labels_only(prefix in "[a-z0-9-]{0,8}(\\.[a-z0-9]{1,4}){0,2}") {
            let grant = Grant::parse("*.example.com").unwrap();
            let below = format!("{prefix}.example.com");
            let fits = |host: &str| grant.fit(&Host::Domain(host)).is_some();
            prop_assert_eq!(fits(&below), !prefix.is_empty());
            let beside = format!("{prefix}example.com");
            prop_assert!(!fits(&beside));
            let longer = format!("{prefix}.example.com.evil.test");
            prop_assert!(!fits(&longer));
            prop_assert!(!fits("example.com"));
        }

        #[test]
        fn an_exact_grant_fits_one_host_only(a in "[a-z]{1,6}\\.[a-z]{2,4}", b in "[a-z]{1,6}\\.[a-z]{2,4}") {
            let grant = Grant::parse(&a).unwrap();
            prop_assert_eq!(grant.fit(&Host::Domain(b.as_str())).is_some(), a == b);
        }

        #[test]
        fn parsing_never_panics_and_is_stable(text in "\\PC{0,40}") {
            if let Ok(grant) = Grant::parse(&text) {
                prop_assert_eq!(Grant::parse(&grant.to_string()).unwrap(), grant);
            }
        }
    }
}
