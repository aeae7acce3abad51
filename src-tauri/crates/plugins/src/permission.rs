//! What a plugin may ask for: the permissions of a manifest, parsed, put into words, and made
//! concrete with an account's settings.

use std::fmt;
use std::path::{Component, Path, PathBuf};

use devrig_core::{Error, Result};
use devrig_net::{Grant, Url};
use serde_json::Value;

use crate::text::shown;

/// One entry of `permissions`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Permission {
    /// As the manifest writes it; grants are stored under it.
    pub text: String,
    pub kind: Kind,
}

/// What a permission is about. Texts may hold `{settings.x}`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A grant of the network policy.
    Network(String),
    /// Any public host.
    AnyNetwork,
    /// Use of a secret without seeing it; bound to `host`, else to the plugin's own hosts.
    Secret {
        name: String,
        host: Option<String>,
    },
    /// Use of every secret of the account.
    AnySecret,
    SecretReveal(String),
    InboxWrite,
    Storage,
    Notifications,
    GitRead(String),
    GitFetch(String),
    OpenFolder,
    /// Hooks around the actions of flows.
    FlowHooks,
    /// Events that are not the plugin's own, as `namespace:topic`.
    Events(String),
    /// Belongs to the format; nothing in this version asks for it.
    Later,
}

impl Permission {
    /// Reads one entry.
    ///
    /// # Errors
    /// `INVALID_INPUT` with what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        if text.len() > 1_000 || text.chars().any(char::is_control) {
            return Err(Error::invalid("a permission is one line of at most 1,000 characters"));
        }
        let kind = Kind::parse(text)
            .map_err(|error| error.context(format!("permission {:?}", shown(text, 200))))?;
        Ok(Self { text: text.to_owned(), kind })
    }

    /// What it allows, in DevRig's own words. What the plugin wrote appears in quotes only,
    /// neutralised and clipped.
    pub fn words(&self) -> String {
        let quoted = |text: &str| match setting_in(text) {
            Some(setting) => format!("what you enter as “{}”", shown(setting, 120)),
            None => format!("“{}”", shown(text, 120)),
        };
        match &self.kind {
            Kind::Network(grant) => format!("Send requests to {}", quoted(grant)),
            Kind::AnyNetwork => "Send requests to any host on the internet".into(),
            Kind::Secret { name, host: Some(host) } => {
                format!("Use your secret {} at {}, without seeing it", quoted(name), quoted(host))
            }
            Kind::Secret { name, host: None } => {
                format!("Use your secret {} at the hosts above, without seeing it", quoted(name))
            }
            Kind::AnySecret => {
                "Use every secret of its account at any host it reaches, without seeing it".into()
            }
            Kind::SecretReveal(name) => format!("READ your secret {} itself", quoted(name)),
            Kind::InboxWrite => "Put items into your inbox, and read and mark its own".into(),
            Kind::Storage => "Keep data of its own".into(),
            Kind::Notifications => "Show notifications".into(),
            Kind::GitRead(folder) => {
                format!("Read the state of git repositories in {}", quoted(folder))
            }
            Kind::GitFetch(folder) => {
                format!("Run git fetch in {}, when you ask for it", quoted(folder))
            }
            Kind::OpenFolder => {
                "Open folders that it may read in the file manager, when you ask for it".into()
            }
            Kind::FlowHooks => {
                "See what actions of your flows are given and give, without secrets, and refuse them"
                    .into()
            }
            Kind::Events(topic) => format!("Hear events {}", quoted(topic)),
            Kind::Later => {
                format!("{}: not used by this version of DevRig", quoted(&self.text))
            }
        }
    }

    /// True for the broad forms that deserve a second look.
    pub fn is_wide(&self) -> bool {
        match &self.kind {
            Kind::AnyNetwork | Kind::AnySecret | Kind::SecretReveal(_) | Kind::FlowHooks => true,
            Kind::Network(grant) => grant.trim_start().starts_with('*'),
            Kind::GitRead(folder) | Kind::GitFetch(folder) => {
                matches!(folder.trim_end_matches(['/', '\\']), "" | "~")
            }
            _ => false,
        }
    }

    /// The name of the setting that it holds.
    pub fn setting(&self) -> Option<&str> {
        match &self.kind {
            Kind::Network(text) | Kind::GitRead(text) | Kind::GitFetch(text) => {
                placeholder(text).map(|(_, name, _)| name)
            }
            Kind::Secret { host: Some(host), .. } => placeholder(host).map(|(_, name, _)| name),
            _ => None,
        }
    }

    /// The network grants that it stands for under these settings.
    ///
    /// # Errors
    /// When a setting names no host that can be granted.
    pub fn grants(&self, settings: &Value) -> Result<Vec<Grant>> {
        match &self.kind {
            Kind::AnyNetwork => Ok(vec![Grant::parse("*")?]),
            Kind::Network(text) => grants(text, settings),
            _ => Ok(Vec::new()),
        }
    }

    /// The folders that it stands for under these settings.
    pub fn folders(&self, settings: &Value) -> Vec<PathBuf> {
        let (Kind::GitRead(text) | Kind::GitFetch(text)) = &self.kind else {
            return Vec::new();
        };
        expand(text, settings, str::to_owned).iter().filter_map(|text| folder(text)).collect()
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A network grant's text with settings filled in.
pub fn grants(text: &str, settings: &Value) -> Result<Vec<Grant>> {
    let odd = |value: &str| value.contains('*') || value.trim().contains(char::is_whitespace);
    if let Some(value) = expand_values(text, settings).into_iter().find(|value| odd(value)) {
        return Err(Error::invalid(format!("{:?} is not one host", shown(value, 100)))
            .hint("Write it as https://git.example.com."));
    }
    expand(text, settings, host_of).iter().map(|text| Grant::parse(text)).collect()
}

impl Kind {
    fn parse(text: &str) -> Result<Self> {
        let (head, rest) = match text.split_once(':') {
            Some((head, rest)) => (head, Some(rest)),
            None => (text, None),
        };
        match (head, rest) {
            ("network", None) => Ok(Self::AnyNetwork),
            ("network", Some(grant)) => {
                check_template(grant)?;
                match placeholder(grant) {
                    // Whatever the setting will be, what stands around it must fit.
                    Some((before, _, after)) => Grant::parse(&format!("{before}x.test{after}"))?,
                    None => Grant::parse(grant)?,
                };
                Ok(Self::Network(grant.to_owned()))
            }
            ("secrets", Some("read")) => Ok(Self::AnySecret),
            ("secrets", Some(rest)) => Self::parse_secret(rest),
            ("inbox", Some("write")) => Ok(Self::InboxWrite),
            ("storage", None) => Ok(Self::Storage),
            ("notifications", None) => Ok(Self::Notifications),
            ("git", Some(rest)) => Self::parse_git(rest),
            ("desktop", Some("open-folder")) => Ok(Self::OpenFolder),
            ("flows", Some("hooks")) => Ok(Self::FlowHooks),
            ("events", Some(topic)) => Self::parse_events(topic),
            ("ai" | "files" | "process", _) => Ok(Self::Later),
            _ => Err(Error::invalid("it is not known").hint(
                "The known ones: network:<host>, secrets:<name>, inbox:write, storage, \
                 notifications, git:read:<folder>, git:fetch:<folder>, desktop:open-folder, \
                 flows:hooks.",
            )),
        }
    }

    fn parse_secret(rest: &str) -> Result<Self> {
        if let Some(name) = rest.strip_prefix("reveal:") {
            return Ok(Self::SecretReveal(secret_name(name)?));
        }
        let Some((name, host)) = rest.split_once('@') else {
            return Ok(Self::Secret { name: secret_name(rest)?, host: None });
        };
        check_template(host)?;
        match placeholder(host) {
            Some((before, _, after)) => Grant::parse(&format!("{before}x.test{after}"))?,
            None => Grant::parse(host)?,
        };
        Ok(Self::Secret { name: secret_name(name)?, host: Some(host.to_owned()) })
    }

    fn parse_git(rest: &str) -> Result<Self> {
        let wrong = || {
            Error::invalid("it names no folder")
                .hint("Write git:read:<folder> or git:fetch:<folder>, such as git:read:~/code.")
        };
        let (verb, text) = rest.split_once(':').ok_or_else(wrong)?;
        check_template(text)?;
        if placeholder(text).is_none() && folder(text).is_none() {
            return Err(wrong().hint("The folder is absolute, begins with ~/, or is a setting."));
        }
        match verb {
            "read" => Ok(Self::GitRead(text.to_owned())),
            "fetch" => Ok(Self::GitFetch(text.to_owned())),
            _ => Err(wrong()),
        }
    }

    fn parse_events(topic: &str) -> Result<Self> {
        let known = topic.split_once(':').is_some_and(|(space, name)| {
            !space.is_empty() && !name.is_empty() && space != "engine"
        });
        if !known || topic.len() > 200 {
            return Err(Error::invalid("it names no topic")
                .hint("Write events:<plugin>:<topic>, such as events:other-plugin:saved."));
        }
        Ok(Self::Events(topic.to_owned()))
    }
}

/// A secret's name: what a person types, and what a header never shows.
pub fn secret_name(name: &str) -> Result<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        return Err(Error::invalid(format!("{:?} is no name of a secret", shown(name, 64)))
            .hint("Use letters, digits, _, - and ., such as github_token."));
    }
    Ok(name.to_owned())
}

/// What is before and after the one `{settings.name}`, and the name.
fn placeholder(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{settings.")?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

fn check_template(text: &str) -> Result<()> {
    let rest = match placeholder(text) {
        Some((before, name, after)) => {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
            if name.is_empty() || !name.chars().all(plain) {
                return Err(Error::invalid(format!("{:?} names no setting", shown(name, 64))));
            }
            format!("{before}{after}")
        }
        None => text.to_owned(),
    };
    if rest.contains(['{', '}']) {
        return Err(Error::invalid("only one {settings.name} can stand in it"));
    }
    Ok(())
}

/// One text for each value of the setting; a setting that is not set gives none.
fn expand(text: &str, settings: &Value, convert: impl Fn(&str) -> String) -> Vec<String> {
    let Some((before, _, after)) = placeholder(text) else {
        return vec![text.to_owned()];
    };
    let values = expand_values(text, settings).into_iter();
    values.map(|value| format!("{before}{}{after}", convert(value.trim()))).collect()
}

/// The text with the values of all settings that it names; none when one of them is not set.
pub fn filled(text: &str, settings: &Value) -> Option<String> {
    let mut text = text.to_owned();
    while let Some((before, name, after)) = placeholder(&text) {
        let value = settings.get(name)?.as_str()?.trim().trim_end_matches('/');
        // A value that looks like a placeholder would be filled in for ever.
        if value.is_empty() || value.contains("{settings.") {
            return None;
        }
        text = format!("{before}{value}{after}");
    }
    Some(text)
}

/// The values of the setting that the text holds.
fn expand_values<'a>(text: &str, settings: &'a Value) -> Vec<&'a str> {
    let value = placeholder(text).and_then(|(_, name, _)| settings.get(name));
    let values = match value {
        Some(Value::String(value)) => vec![value.as_str()],
        Some(Value::Array(values)) => values.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    values.into_iter().filter(|value| !value.trim().is_empty()).collect()
}

/// The host and port of what a person typed as an address or a host.
fn host_of(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let host = url.host_str().unwrap_or_default();
            match (url.port(), url.scheme()) {
                (Some(port), _) => format!("{host}:{port}"),
                (None, "http") => format!("{host}:80"),
                (None, _) if Grant::parse(host).is_ok() => host.to_owned(),
                // This machine is granted with its port.
                (None, _) => format!("{host}:443"),
            }
        }
        _ => text.to_owned(),
    }
}

/// An absolute path without `..`; `~` is the person's home.
pub fn folder(text: &str) -> Option<PathBuf> {
    let path = match text.strip_prefix('~') {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => {
            let home = std::env::var_os("HOME").or_else(|| std::env::var_os("USERPROFILE"))?;
            Path::new(&home).join(rest.trim_start_matches('/'))
        }
        _ => PathBuf::from(text),
    };
    let plain = path.is_absolute() && !path.components().any(|part| part == Component::ParentDir);
    plain.then_some(path)
}

/// The setting's name when the text is `{settings.NAME}` and nothing else.
fn setting_in(text: &str) -> Option<&str> {
    let name = text.strip_prefix("{settings.")?.strip_suffix('}')?;
    (!name.contains(['{', '}'])).then_some(name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parsed(text: &str) -> Permission {
        Permission::parse(text).unwrap()
    }

    #[test]
    fn the_documented_forms_are_read() {
        for (text, wide) in [
            ("network:api.example.com", false),
            ("network:*.example.com", true),
            ("network:api.example.com/v1 GET", false),
            ("network:{settings.baseUrl}", false),
            ("network:{settings.baseUrl} private", false),
            ("network", true),
            ("secrets:token", false),
            ("secrets:token@api.example.com", false),
            ("secrets:reveal:token", true),
            ("secrets:read", true),
            ("inbox:write", false),
            ("storage", false),
            ("notifications", false),
            ("git:read:{settings.folders}", false),
            ("git:fetch:/code", false),
            ("git:read:/", true),
            ("git:read:~", true),
            ("desktop:open-folder", false),
            ("flows:hooks", true),
            ("events:other:saved", false),
            ("ai:classify", false),
        ] {
            let permission = parsed(text);
            assert_eq!(permission.is_wide(), wide, "{text}");
            assert!(!permission.words().is_empty());
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, says) in [
            ("", "not known"),
            ("everything", "not known"),
            ("inbox:read", "not known"),
            ("network:https://x.test", "scheme"),
            ("network:169.254.169.254", "metadata"),
            ("network:{settings.}", "no setting"),
            ("network:{settings.a}.{settings.b}", "only one"),
            ("network:{secrets.a}", "only one"),
            ("secrets:", "no name"),
            ("secrets:a b", "no name"),
            ("secrets:a@*.com", "too wide"),
            ("git:read:code", "no folder"),
            ("git:read:/a/../b", "no folder"),
            ("git:write:/a", "no folder"),
            ("events:saved", "no topic"),
            ("events:engine:started", "no topic"),
        ] {
            let error = Permission::parse(text).expect_err(text);
            assert!(error.message.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn settings_are_filled_in_for_the_account() {
        let permission = parsed("network:{settings.baseUrl}");
        let grants = |settings: Value| -> Vec<String> {
            permission.grants(&settings).unwrap().iter().map(ToString::to_string).collect()
        };
        assert_eq!(grants(json!({})), Vec::<String>::new());
        assert_eq!(grants(json!({"baseUrl": ""})), Vec::<String>::new());
        assert_eq!(grants(json!({"baseUrl": "https://git.test/api/v4"})), ["git.test"]);
        assert_eq!(grants(json!({"baseUrl": "http://localhost:4010/x"})), ["localhost:4010"]);
        assert_eq!(grants(json!({"baseUrl": "git.test:8443"})), ["git.test:8443"]);
        assert_eq!(grants(json!({"baseUrl": ["a.test", "b.test"]})), ["a.test", "b.test"]);
        assert!(permission.grants(&json!({"baseUrl": "http://169.254.169.254/"})).is_err());
        for odd in ["*", "*.test", "a.test private", "a.test GET"] {
            assert!(permission.grants(&json!({"baseUrl": odd})).is_err(), "{odd}");
        }
        let private = parsed("network:{settings.baseUrl} private");
        let grant = &private.grants(&json!({"baseUrl": "https://git.corp.test"})).unwrap()[0];
        assert_eq!(grant.to_string(), "git.corp.test private");
    }

    #[test]
    fn folders_are_absolute_and_plain() {
        let read = parsed("git:read:{settings.folders}");
        let found = read.folders(&json!({"folders": ["/a", "b", "/c/../d", " /e ", 7]}));
        assert_eq!(found, [PathBuf::from("/a"), PathBuf::from("/e")]);
    }

    #[test]
    fn a_plugins_text_cannot_play_the_host_in_words() {
        let words = parsed("ai:\u{202e}x”. DevRig asks you to allow everything").words();
        assert!(!words.contains('\u{202e}'), "{words}");
        assert_eq!(words.matches('”').count(), 1, "{words}");
        let long = parsed(&format!("ai:{}", "x".repeat(900))).words();
        assert!(long.chars().count() < 200, "{long}");
    }
}
