//! What a flow may touch: what the person allowed it, and nothing that its definition says.

mod constants;
mod needs;

pub use needs::{Need, Wanted, needs};

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use devrig_core::{Code, Context as _, Error, Result};
use devrig_net::Grant;
use url::Url;

use crate::{place, plugins};

/// One thing that a flow may touch. As text `command:git`, `network:api.github.com`,
/// `read:/home/kim/notes`, `write:/home/kim/out`, `env:HOME`, `secret:token` or `plugin:github`; a `*`
/// allows every command or host, and `*.` in front of a host everything below it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// A program, by the name or path that it is called by.
    Command(String),
    /// A host as [`Grant`] has it: with a port where that is not 443, a path and methods where only
    /// those are meant.
    Network(String),
    /// What is in a folder, or a file.
    Read(PathBuf),
    /// The same for writing, which includes reading.
    Write(PathBuf),
    Env(String),
    Secret(String),
    /// The actions of a plugin, which is called by its short name.
    Plugin(String),
}

/// All that a flow may touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Permissions {
    /// The id of the flow, for those who are told how to allow it more.
    flow: String,
    allowed: BTreeSet<Permission>,
    /// A folder that no flow touches whatever it was allowed: DevRig's own. Whoever writes there
    /// could allow himself everything.
    closed: Option<PathBuf>,
}

impl FromIterator<Permission> for Permissions {
    fn from_iter<T: IntoIterator<Item = Permission>>(list: T) -> Self {
        Self { allowed: list.into_iter().collect(), ..Self::default() }
    }
}

impl Permissions {
    /// The same for the flow with this id.
    #[must_use]
    pub fn of_flow(self, id: &str) -> Self {
        Self { flow: id.to_owned(), ..self }
    }

    /// The same without this folder, whose path has no links in it.
    #[must_use]
    pub fn without(self, folder: &Path) -> Self {
        Self { closed: Some(folder.to_owned()), ..self }
    }

    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn command(&self, program: &str) -> Result<()> {
        let is = |one: &Permission| matches!(one, Permission::Command(named) if named == "*" || named == program);
        self.need(is, || Permission::Command(program.to_owned()), "run")
    }

    /// `host` is in lower case, with `:port` where that is not the usual one of its scheme.
    ///
    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn network(&self, host: &str) -> Result<()> {
        let is =
            |one: &Permission| matches!(one, Permission::Network(pattern) if covers(pattern, host));
        self.need(is, || Permission::Network(host.to_owned()), "reach")
    }

    /// The hosts that may be reached, as the network's policy takes them.
    pub fn grants(&self) -> Vec<Grant> {
        let network = |one: &Permission| match one {
            Permission::Network(text) => Grant::parse(text).ok(),
            _ => None,
        };
        self.allowed.iter().filter_map(network).collect()
    }

    /// Whether the flow may look at a file. `path` is absolute and has no `..` and no links in it.
    ///
    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn read(&self, path: &Path) -> Result<()> {
        self.keep_out(path)?;
        let is = |one: &Permission| match one {
            Permission::Read(folder) | Permission::Write(folder) => path.starts_with(folder),
            _ => false,
        };
        self.need(is, || Permission::Read(path.to_owned()), "read")
    }

    /// Whether the flow may change a file. `path` is absolute and has no `..` and no links in it.
    ///
    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn write(&self, path: &Path) -> Result<()> {
        self.keep_out(path)?;
        let is =
            |one: &Permission| matches!(one, Permission::Write(folder) if path.starts_with(folder));
        self.need(is, || Permission::Write(path.to_owned()), "write")
    }

    /// Whether the flow may take away or move what is at a path, with all that is in it.
    ///
    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn remove(&self, path: &Path) -> Result<()> {
        match &self.closed {
            Some(own) if own.starts_with(path) => Err(of_devrig(own)),
            _ => self.write(path),
        }
    }

    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn env(&self, name: &str) -> Result<()> {
        let wanted = Permission::Env(name.to_owned());
        self.need(|one| *one == wanted, || wanted.clone(), "read the variable")
    }

    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn secret(&self, name: &str) -> Result<()> {
        let wanted = Permission::Secret(name.to_owned());
        self.need(|one| *one == wanted, || wanted.clone(), "use the secret")
    }

    /// # Errors
    /// `REFUSED`, with how to allow it.
    pub fn plugin(&self, name: &str) -> Result<()> {
        let wanted = Permission::of_plugin(name);
        self.need(|one| *one == wanted, || wanted.clone(), "use the plugin")
    }

    /// All, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Permission> {
        self.allowed.iter()
    }

    /// Folders that may be read, whatever is in them.
    pub fn readable(&self) -> Vec<PathBuf> {
        let folder = |one: &Permission| match one {
            Permission::Read(folder) | Permission::Write(folder) => Some(folder.clone()),
            _ => None,
        };
        self.allowed.iter().filter_map(folder).collect()
    }

    /// Whether the flow may do what a permission would let it.
    pub fn allow(&self, wanted: &Permission) -> bool {
        let allowed = match wanted {
            Permission::Command(program) => self.command(program),
            Permission::Network(host) => self.network(host),
            Permission::Read(path) => self.read(path),
            Permission::Write(path) => self.write(path),
            Permission::Env(name) => self.env(name),
            Permission::Secret(name) => self.secret(name),
            Permission::Plugin(name) => self.plugin(name),
        };
        allowed.is_ok()
    }

    /// How the person would allow something.
    pub fn remedy(&self, wanted: &Permission) -> String {
        let flow = if self.flow.is_empty() { "FLOW" } else { &self.flow };
        let shown = wanted.to_string();
        let plain = |c: char| c.is_ascii_alphanumeric() || ":/._-".contains(c);
        match shown.chars().all(plain) {
            true => format!("devrig flow allow {flow} {shown}"),
            false => format!("devrig flow allow {flow} '{}'", shown.replace('\'', "'\\''")),
        }
    }

    fn keep_out(&self, path: &Path) -> Result<()> {
        match &self.closed {
            Some(own) if path.starts_with(own) => Err(of_devrig(own)),
            _ => Ok(()),
        }
    }

    fn need(
        &self,
        is: impl Fn(&Permission) -> bool,
        wanted: impl Fn() -> Permission,
        verb: &str,
    ) -> Result<()> {
        if self.allowed.iter().any(is) {
            return Ok(());
        }
        let wanted = wanted();
        let (_, thing) = wanted.parts();
        Err(Error::new(Code::Refused, format!("the flow may not {verb} {thing}"))
            .hint(format!("If it should, allow it: `{}`.", self.remedy(&wanted)))
            .details(serde_json::json!({ "permission": wanted.to_string() })))
    }
}

fn of_devrig(own: &Path) -> Error {
    Error::new(Code::Refused, format!("{} is DevRig's own, which no flow touches", own.display()))
        .hint("Use another folder.")
}

impl Permission {
    /// As a person gives it: a folder may begin with `~/`, and is meant as what its links lead to
    /// at this moment, so that nobody can turn them elsewhere later.
    ///
    /// # Errors
    /// `INVALID_INPUT` that says what is wrong with it.
    pub fn given(text: &str) -> Result<Self> {
        let folder =
            |path: &str| place::absolute(path).and_then(|path| place::resolve(&path)).context(text);
        match text.split_once(':') {
            Some(("read", path)) if !path.is_empty() => folder(path).map(Self::Read),
            Some(("write", path)) if !path.is_empty() => folder(path).map(Self::Write),
            _ => text.parse(),
        }
    }

    /// To reach the host of an address.
    pub fn of_url(url: &Url) -> Option<Self> {
        let host = url.host_str()?.to_lowercase();
        Some(Self::Network(match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }))
    }

    /// To use a plugin, by its whole name or the short one.
    pub fn of_plugin(name: &str) -> Self {
        Self::Plugin(plugins::short(name).to_owned())
    }

    /// Such as `command`.
    pub fn kind(&self) -> &'static str {
        self.parts().0
    }

    fn parts(&self) -> (&'static str, String) {
        let shown = |path: &PathBuf| path.display().to_string();
        match self {
            Self::Command(name) => ("command", name.clone()),
            Self::Network(host) => ("network", host.clone()),
            Self::Read(path) => ("read", shown(path)),
            Self::Write(path) => ("write", shown(path)),
            Self::Env(name) => ("env", name.clone()),
            Self::Secret(name) => ("secret", name.clone()),
            Self::Plugin(name) => ("plugin", name.clone()),
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, thing) = self.parts();
        write!(f, "{kind}:{thing}")
    }
}

impl FromStr for Permission {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Error::invalid(format!("{text:?} is no permission: {why}")).hint(
                "Write command:NAME, network:HOST, read:FOLDER, write:FOLDER, env:NAME, \
                 secret:NAME or plugin:NAME.",
            )
        };
        let (kind, thing) = text.split_once(':').ok_or_else(|| wrong("it has no kind"))?;
        if thing.is_empty() || thing.chars().any(char::is_control) {
            return Err(wrong("nothing stands behind the colon"));
        }
        let name = thing.to_owned();
        let folder = || {
            let path = PathBuf::from(thing);
            let plain = path.is_absolute() && !path.iter().any(|part| part == "..");
            plain.then_some(path).ok_or_else(|| wrong("a folder is written from the root on"))
        };
        Ok(match kind {
            "command" => Self::Command(name),
            "network" => Self::Network(Grant::parse(thing)?.to_string()),
            "read" => Self::Read(folder()?),
            "write" => Self::Write(folder()?),
            "env" => Self::Env(name),
            "secret" => Self::Secret(name),
            "plugin" => Self::of_plugin(&name),
            _ => return Err(wrong("its kind is not known")),
        })
    }
}

fn covers(pattern: &str, host: &str) -> bool {
    match pattern.strip_prefix("*.") {
        Some(domain) => host.strip_suffix(domain).is_some_and(|rest| rest.ends_with('.')),
        None => pattern == "*" || pattern == host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(list: &[&str]) -> Permissions {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn only_what_was_allowed_may_be_touched() {
        let allowed = allowed(&[
            "command:git",
            "network:*.Example.org",
            "network:localhost:8080",
            "read:/home/kim/notes",
            "write:/home/kim/out",
            "env:HOME",
            "secret:token",
            "plugin:devrig-plugin-github",
        ]);
        assert!(allowed.command("git").is_ok() && allowed.command("/usr/bin/git").is_err());
        assert!(allowed.network("api.example.org").is_ok());
        assert!(
            allowed.network("example.org").is_err() && allowed.network("badexample.org").is_err()
        );
        assert!(allowed.network("localhost:8080").is_ok() && allowed.network("localhost").is_err());
        assert!(allowed.read(Path::new("/home/kim/notes/a/b.md")).is_ok());
        assert!(allowed.read(Path::new("/home/kim/notes2/a")).is_err());
        assert!(allowed.write(Path::new("/home/kim/notes/a")).is_err());
        assert!(allowed.read(Path::new("/home/kim/out/a")).is_ok(), "who writes may read");
        assert!(allowed.env("HOME").is_ok() && allowed.env("PATH").is_err());
        assert!(allowed.plugin("github").is_ok() && allowed.plugin("devrig-plugin-github").is_ok());
        assert!(allowed.plugin("@acme/devrig-plugin-github").is_err(), "that is another plugin");
        let error = allowed.secret("other").unwrap_err();
        assert_eq!(error.code, Code::Refused);
        assert!(error.hint.unwrap().contains("devrig flow allow FLOW secret:other"));
        let of_flow = allowed.of_flow("digest");
        let hint = of_flow.env("A B").unwrap_err().hint.unwrap();
        assert!(hint.contains("`devrig flow allow digest 'env:A B'`"), "{hint}");
    }

    #[test]
    fn what_is_devrigs_own_stays_closed_whatever_was_allowed() {
        let allowed = allowed(&["write:/home/kim"]).without(Path::new("/home/kim/.devrig"));
        for inside in ["/home/kim/.devrig", "/home/kim/.devrig/data/devrig.db"] {
            assert!(allowed.read(Path::new(inside)).is_err(), "{inside}");
            assert!(allowed.write(Path::new(inside)).is_err(), "{inside}");
        }
        assert!(allowed.write(Path::new("/home/kim/.devrig2")).is_ok());
        assert!(allowed.write(Path::new("/home/kim")).is_ok());
        assert!(allowed.remove(Path::new("/home/kim")).is_err(), "it would go along");
        assert!(allowed.remove(Path::new("/home/kim/notes")).is_ok());
    }

    #[test]
    fn a_folder_is_meant_as_what_its_links_lead_to_now() {
        let folder = tempfile::tempdir().unwrap();
        let real = folder.path().canonicalize().unwrap().join("real");
        std::fs::create_dir(&real).unwrap();
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let given = Permission::given(&format!("write:{}/new/x", link.display())).unwrap();
        assert_eq!(given, Permission::Write(real.join("new/x")));
        assert_eq!(Permission::given("command:git").unwrap(), Permission::Command("git".into()));
        let home = std::env::home_dir().unwrap();
        let Permission::Read(notes) = Permission::given("read:~/notes").unwrap() else { panic!() };
        assert!(notes.ends_with("notes") && notes.parent() == home.canonicalize().ok().as_deref());
        assert!(Permission::given("read:notes").unwrap_err().message.contains("read:notes"));
    }

    #[test]
    fn a_permission_reads_as_it_is_written() {
        for text in [
            "command:*",
            "network:a.b:81",
            "network:a.b/c GET private",
            "read:/",
            "write:/x y",
            "env:A",
            "secret:b:c",
            "plugin:github",
            "plugin:@acme/devrig-plugin-github",
        ] {
            assert_eq!(text.parse::<Permission>().unwrap().to_string(), text);
        }
        for text in ["git", "command:", "files:/x", "read:notes", "write:/a/../b", "env:a\n"] {
            assert!(text.parse::<Permission>().is_err(), "{text:?}");
        }
        for text in ["network:localhost", "network:https://a.b", "network:169.254.169.254"] {
            assert!(text.parse::<Permission>().is_err(), "{text:?}");
        }
    }
}
