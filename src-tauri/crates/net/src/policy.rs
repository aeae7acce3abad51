//! Whether a request may leave. Pure decisions; [`crate::Egress`] asks them at every hop.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use devrig_core::{Code, Error};
use http::Method;
use url::{Host, Url};

use crate::address::{AddressClass, classify, is_global};
use crate::grant::{Fit, Grant, is_localhost, is_metadata_name};

/// The rule that a request broke. Its name stands in the error's details and in the audit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    Url,
    Scheme,
    UserInfo,
    Host,
    Port,
    Method,
    Path,
    PlainHttp,
    Address,
    Metadata,
    Header,
    Redirect,
}

impl Rule {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Url => "url",
            Self::Scheme => "scheme",
            Self::UserInfo => "user_info",
            Self::Host => "host",
            Self::Port => "port",
            Self::Method => "method",
            Self::Path => "path",
            Self::PlainHttp => "plain_http",
            Self::Address => "address",
            Self::Metadata => "metadata",
            Self::Header => "header",
            Self::Redirect => "redirect",
        }
    }
}

/// A request that may not leave: the rule, a sentence, and the remedy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    pub rule: Rule,
    pub message: String,
    pub hint: String,
    /// The grant that would let it pass, where one would.
    pub grant: Option<String>,
}

impl Refusal {
    pub(crate) fn new(rule: Rule, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { rule, message: message.into(), hint: hint.into(), grant: None }
    }

    /// Of what a grant would let pass.
    fn ungranted(rule: Rule, message: impl Into<String>, grant: String) -> Self {
        let hint = format!("Grant {grant} if this is meant.");
        Self { grant: Some(grant), ..Self::new(rule, message, hint) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Refusal {}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        let mut details = serde_json::json!({ "rule": refusal.rule.as_str() });
        if let Some(grant) = refusal.grant {
            details["grant"] = grant.into();
        }
        Error::new(Code::Refused, refusal.message).hint(refusal.hint).details(details)
    }
}

/// What [`check_url`] found: where the request may go, and to which addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// As WHATWG writes it: lower case, punycode, brackets around IPv6.
    pub host: String,
    pub port: u16,
    pub https: bool,
    literal: Option<IpAddr>,
    loopback: bool,
    private: bool,
    exact: bool,
}

impl Allowed {
    /// The addresses that need no resolver: of a literal, and of `localhost`, which is never
    /// asked of a name server.
    pub fn known_addresses(&self) -> Option<Vec<IpAddr>> {
        if self.loopback {
            return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        self.literal.map(|ip| vec![ip])
    }

    /// True where a secret may be sent: encrypted, or not leaving this machine.
    pub fn is_confidential(&self) -> bool {
        self.https
            || self.loopback
            || self.literal.is_some_and(|ip| classify(ip) == AddressClass::Loopback)
    }
}

/// Reads a URL as WHATWG does, and refuses spellings that different readers take differently.
pub fn parse_url(text: &str) -> Result<Url, Refusal> {
    check_spelling(text)?;
    Url::parse(text).map_err(not_a_url)
}

/// As [`parse_url`], relative to the page that redirects.
pub fn join_url(base: &Url, text: &str) -> Result<Url, Refusal> {
    check_spelling(text)?;
    base.join(text).map_err(not_a_url)
}

fn not_a_url(error: url::ParseError) -> Refusal {
    Refusal::new(
        Rule::Url,
        format!("the URL cannot be read: {error}"),
        "Write it as https://host/path.",
    )
}

fn check_spelling(text: &str) -> Result<(), Refusal> {
    if text.contains('\\') || text.chars().any(|c| c.is_control() || c == ' ') {
        return Err(Refusal::new(
            Rule::Url,
            "the URL has a backslash, a space or a control character in it",
            "Percent-encode it.",
        ));
    }
    Ok(())
}

/// Whether these grants let this request leave, before any name is resolved.
pub fn check_url(url: &Url, method: &Method, grants: &[Grant]) -> Result<Allowed, Refusal> {
    let https = match url.scheme() {
        "https" => true,
        "http" => false,
        other => {
            let message = format!("{other}: is not fetched");
            return Err(Refusal::new(Rule::Scheme, message, "Use https."));
        }
    };
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::new(
            Rule::UserInfo,
            "the URL has a user name or password in it",
            "Send credentials in a header.",
        ));
    }
    let (Some(host), Some(port)) = (url.host(), url.port_or_known_default()) else {
        return Err(Refusal::new(
            Rule::Url,
            "the URL has no host",
            "Write it as https://host/path.",
        ));
    };
    let name = host.to_string();
    let literal = match host {
        Host::Domain(_) => None,
        Host::Ipv4(ip) => Some(IpAddr::V4(ip)),
        Host::Ipv6(ip) => Some(IpAddr::V6(ip)),
    };
    let metadata = matches!(host, Host::Domain(name) if is_metadata_name(name))
        || literal.is_some_and(|ip| classify(ip) == AddressClass::Metadata);
    if metadata {
        return Err(metadata_refusal(&name));
    }
    if name.ends_with('.') {
        let bare = name.trim_end_matches('.');
        let message = format!("{name} ends with a dot");
        return Err(Refusal::new(Rule::Host, message, format!("Write it as {bare}.")));
    }
    let local = matches!(host, Host::Domain(name) if is_localhost(name))
        || literal.is_some_and(|ip| classify(ip) == AddressClass::Loopback);
    if !https && !local {
        return Err(Refusal::new(
            Rule::PlainHttp,
            format!("plain http to {name} is not sent"),
            "Use https; plain http goes to a granted port of this machine only.",
        ));
    }

    let fits = || grants.iter().filter_map(|grant| Some((grant, grant.fit(&host)?)));
    let wanted = wanted(&name, port, &host);
    if fits().next().is_none() {
        return Err(Refusal::ungranted(Rule::Host, format!("{name} is not granted"), wanted));
    }
    let fits = || fits().filter(|(grant, _)| grant.allows_port(port));
    if fits().next().is_none() {
        let message = format!("port {port} of {name} is not granted");
        return Err(Refusal::ungranted(Rule::Port, message, wanted));
    }
    let fits = || fits().filter(|(grant, _)| grant.allows_path(url.path()));
    if fits().next().is_none() {
        let message = format!("this path of {name} is not granted");
        return Err(Refusal::ungranted(Rule::Path, message, wanted));
    }
    let fits = || fits().filter(|(grant, _)| grant.allows_method(method));
    if fits().next().is_none() {
        let message = format!("{method} to {name} is not granted");
        return Err(Refusal::ungranted(Rule::Method, message, wanted));
    }

    let allowed = Allowed {
        port,
        https,
        literal,
        loopback: fits().any(|(_, fit)| fit == Fit::Loopback),
        private: fits().any(|(_, fit)| fit == Fit::Private),
        exact: fits().any(|(_, fit)| matches!(fit, Fit::Address(_))),
        host: name,
    };
    if let Some(ip) = literal {
        check_address(ip, port, &allowed)?;
    }
    Ok(allowed)
}

/// Whether a resolved address may be connected to, for a request that [`check_url`] let pass.
pub fn check_address(ip: IpAddr, port: u16, allowed: &Allowed) -> Result<(), Refusal> {
    let class = classify(ip);
    let host = &allowed.host;
    let ok = match class {
        AddressClass::Metadata => return Err(metadata_refusal(host)),
        // `localhost` is this machine and nothing else.
        _ if allowed.loopback => class == AddressClass::Loopback,
        AddressClass::Global => true,
        AddressClass::Private if allowed.private => true,
        _ => allowed.exact && allowed.literal == Some(ip),
    };
    if ok && port == allowed.port {
        return Ok(());
    }
    let what = class.describe();
    if allowed.literal.is_some() {
        let shown = if ip.is_ipv6() { format!("[{ip}]") } else { ip.to_string() };
        let message = format!("{host} is {what}, which is not granted");
        return Err(Refusal::ungranted(Rule::Address, message, format!("network:{shown}:{port}")));
    }
    let message = format!("{host} leads to {what}");
    if class == AddressClass::Private {
        let grant = format!("network:{host}:{port} private");
        let hint = format!("If it is your own server, grant {grant:?}.");
        return Err(Refusal { grant: Some(grant), ..Refusal::new(Rule::Address, message, hint) });
    }
    Err(Refusal::new(Rule::Address, message, "Name a host that is on the internet."))
}

/// The addresses that may be connected to; a refusal when none may.
pub(crate) fn allowed_addresses(ips: &[IpAddr], allowed: &Allowed) -> Result<Vec<IpAddr>, Refusal> {
    let mut refusal = None;
    let kept = ips
        .iter()
        .copied()
        .filter(|&ip| match check_address(ip, allowed.port, allowed) {
            Ok(()) => true,
            Err(why) => {
                refusal = Some(why);
                false
            }
        })
        .collect::<Vec<_>>();
    match refusal {
        Some(refusal) if kept.is_empty() => Err(refusal),
        _ => Ok(kept),
    }
}

fn metadata_refusal(host: &str) -> Refusal {
    Refusal::new(
        Rule::Metadata,
        format!("{host} is a cloud's metadata service, which is never reached"),
        "Remove the request: no grant allows it.",
    )
}

/// The narrowest grant by host and port.
fn wanted(name: &str, port: u16, host: &Host<&str>) -> String {
    let local = match host {
        Host::Domain(name) => is_localhost(name),
        Host::Ipv4(ip) => !is_global((*ip).into()),
        Host::Ipv6(ip) => !is_global((*ip).into()),
    };
    let port = if port == 443 && !local { String::new() } else { format!(":{port}") };
    format!("network:{name}{port}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grants(texts: &[&str]) -> Vec<Grant> {
        texts.iter().map(|text| Grant::parse(text).unwrap()).collect()
    }

    fn check(url: &str, granted: &[&str]) -> Result<Allowed, Refusal> {
        check_url(&parse_url(url)?, &Method::GET, &grants(granted))
    }

    #[test]
    fn look_alikes_of_a_granted_host_are_refused() {
        let granted = ["github.com", "*.github.com"];
        for url in [
            "https://evilgithub.com/",
            "https://EVILGITHUB.COM/",
            "https://github.com.evil.test/",
            "https://github.com@evil.test/",
            "https://github.com:x@evil.test/",
            "https://github.com\\@evil.test/",
            "https://github.com\\.evil.test/",
            "https:\\\\github.com/",
            "https://github.com./",
            "https://api.github.com./",
            "https://github.com../",
            "https://gith\u{fc}b.com/",
            "https://g\u{456}thub.com/",
            "https://xn--gthub-n4a.com/",
            "https://github.com%2eevil.test/",
            "https://github.com%00.evil.test/",
            "https://git\thub.com/",
            " https://github.com/",
            "https://github.com:444/",
            "http://github.com/",
            "https://.github.com/",
            "ftp://github.com/",
            "file://github.com/etc/passwd",
            "ws://github.com/",
            "data:text/plain,x",
            "github.com",
            "https:///",
        ] {
            assert!(check(url, &granted).is_err(), "{url:?}");
        }
        for url in [
            "https://github.com/",
            "https://GitHub.com/a?b#c",
            "https://github.com:443/",
            "https://api.github.com/@evil.test",
            "https://a.b.github.com/",
            "https://\u{ff47}ithub.com/",
        ] {
            let allowed = check(url, &granted).expect(url);
            assert!(allowed.host.ends_with("github.com"), "{url}");
        }
    }

    #[test]
    fn addresses_in_every_form_need_their_own_grant() {
        for url in [
            "https://127.0.0.1/",
            "http://127.0.0.1:4010/",
            "https://127.1/",
            "https://0x7f000001/",
            "https://0x7f.1/",
            "https://2130706433/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://\u{2460}27.0.0.1/",
            "https://10.0.0.1/",
            "https://172.16.0.1/",
            "https://192.168.0.1/",
            "https://169.254.1.1/",
            "https://100.64.0.1/",
            "https://224.0.0.1/",
            "https://0.0.0.0/",
            "https://0/",
            "https://255.255.255.255/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[fd00::1]/",
            "https://[fe80::1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[2002:7f00:1::]/",
            "https://localhost/",
            "https://localhost:4010/",
            "https://x.localhost/",
        ] {
            let refusal = check(url, &["*", "*:4010", "127.0.0.1:9999"]).expect_err(url);
            assert!(refusal.rule != Rule::Url || url.contains('\u{2460}'), "{url}: {refusal}");
        }
        for (url, grant) in [
            ("http://127.0.0.1:4010/", "127.0.0.1:4010"),
            ("http://127.1:4010/", "127.0.0.1:4010"),
            ("http://localhost:4010/", "localhost:4010"),
            ("http://[::1]:4010/", "[::1]:4010"),
            ("https://10.0.0.1/", "10.0.0.1"),
            ("https://1.1.1.1/", "*"),
        ] {
            check(url, &[grant]).unwrap_or_else(|refusal| panic!("{url}: {refusal}"));
        }
        assert_eq!(check("http://10.0.0.1/", &["10.0.0.1:80"]).unwrap_err().rule, Rule::PlainHttp);
    }

    #[test]
    fn metadata_is_never_reached() {
        for url in [
            "https://169.254.169.254/",
            "http://169.254.169.254/latest/meta-data",
            "https://2852039166/",
            "https://[fd00:ec2::254]/",
            "https://[::ffff:169.254.169.254]/",
            "https://metadata.google.internal/",
            "https://METADATA.google.internal./",
            "https://x.metadata.google.internal/",
            "https://168.63.129.16/",
        ] {
            assert_eq!(check(url, &["*"]).expect_err(url).rule, Rule::Metadata, "{url}");
        }
        let allowed = check("https://evil.test/", &["*", "evil.test private"]).unwrap();
        for ip in ["169.254.169.254", "100.100.100.200", "fd00:ec2::254", "::ffff:a9fe:a9fe"] {
            let refusal = check_address(ip.parse().unwrap(), 443, &allowed).unwrap_err();
            assert_eq!(refusal.rule, Rule::Metadata, "{ip}");
        }
    }

    #[test]
    fn a_name_leads_into_a_private_network_only_when_that_is_granted() {
        let ten: IpAddr = "10.0.0.5".parse().unwrap();
        let plain = check("https://gitlab.example.com/", &["gitlab.example.com"]).unwrap();
        let refusal = check_address(ten, 443, &plain).unwrap_err();
        assert!(refusal.hint.contains("gitlab.example.com:443 private"), "{}", refusal.hint);
        Grant::parse("gitlab.example.com:443 private").expect("the remedy can be followed");
        let private =
            check("https://gitlab.example.com/", &["gitlab.example.com private"]).unwrap();
        assert!(check_address(ten, 443, &private).is_ok());
        assert!(check_address("127.0.0.1".parse().unwrap(), 443, &private).is_err());
        assert!(check_address("fe80::1".parse().unwrap(), 443, &private).is_err());
    }

    #[test]
    fn one_allowed_address_is_enough_and_the_others_are_dropped() {
        let allowed = check("https://a.test/", &["a.test"]).unwrap();
        let ips: Vec<IpAddr> =
            ["127.0.0.1", "8.8.8.8", "::1"].iter().map(|ip| ip.parse().unwrap()).collect();
        assert_eq!(allowed_addresses(&ips, &allowed).unwrap(), vec![ips[1]]);
        assert_eq!(allowed_addresses(&ips[..1], &allowed).unwrap_err().rule, Rule::Address);
    }

    #[test]
    fn methods_and_paths_are_those_of_one_grant() {
        let granted = grants(&["a.test GET", "a.test/hooks POST"]);
        let ask =
            |url: &str, method: Method| check_url(&parse_url(url).unwrap(), &method, &granted);
        assert!(ask("https://a.test/x", Method::GET).is_ok());
        assert!(ask("https://a.test/hooks/1", Method::POST).is_ok());
        assert_eq!(ask("https://a.test/x", Method::POST).unwrap_err().rule, Rule::Method);
        assert_eq!(ask("https://a.test/hooks", Method::PUT).unwrap_err().rule, Rule::Method);
        let only = grants(&["a.test/hooks"]);
        let refusal =
            check_url(&parse_url("https://a.test/x").unwrap(), &Method::GET, &only).unwrap_err();
        assert_eq!(refusal.rule, Rule::Path);
    }

    #[test]
    fn a_refusal_names_the_rule_and_the_remedy() {
        let error = Error::from(check("https://api.test:8443/", &["a.test"]).unwrap_err());
        assert_eq!(error.code, Code::Refused);
        let details = error.details.unwrap();
        assert_eq!(
            (&details["rule"], &details["grant"]),
            (&"host".into(), &"network:api.test:8443".into())
        );
        assert!(error.hint.unwrap().contains("network:api.test:8443"));
    }
}
