//! The person's own git configuration and environment, which unlike a repository's is trusted.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use gix::config::file::{Metadata, includes, init};
use gix::config::{File, Source};

/// Variables that git, ssh and credential helpers need to act for the person. No `GIT_*`: those
/// of our own process describe some other repository.
const PASSED_ON: &[&str] = &[
    "HOME",
    "PATH",
    "USER",
    "LOGNAME",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
    "XDG_DATA_HOME",
    "SSH_AUTH_SOCK",
    "SSH_AGENT_PID",
    "GNUPGHOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "TMPDIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "all_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "APPDATA",
    "LOCALAPPDATA",
    "USERPROFILE",
    "SYSTEMROOT",
    "PROGRAMDATA",
    "TEMP",
];

/// Whose machine it is.
#[derive(Debug, Clone, Default)]
pub struct User {
    home: Option<PathBuf>,
    config_home: Option<PathBuf>,
    /// What a git started for the person gets.
    pub(crate) environment: Vec<(OsString, OsString)>,
    system_config: bool,
}

/// What of the person's git configuration matters for reading.
#[derive(Debug, Default)]
pub(crate) struct UserConfig {
    pub excludes_file: Option<PathBuf>,
    pub auto_crlf: Option<String>,
    safe_directories: Vec<String>,
}

impl User {
    /// The one who runs this process.
    pub fn from_environment() -> Self {
        let environment: Vec<(OsString, OsString)> = PASSED_ON
            .iter()
            .filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)))
            .collect();
        let folder = |name: &str| {
            std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute())
        };
        let home = folder("HOME").or_else(|| folder("USERPROFILE"));
        let config_home = folder("XDG_CONFIG_HOME");
        Self { home, config_home, environment, system_config: true }
    }

    /// Somebody whose home is this folder, and who finds programs in `path`. For tests: neither
    /// this process's environment nor the machine's configuration counts.
    pub fn at_home(home: &Path, path: impl Into<OsString>) -> Self {
        Self {
            home: Some(home.to_owned()),
            config_home: None,
            environment: vec![
                ("HOME".into(), home.into()),
                ("PATH".into(), path.into()),
                ("GIT_CONFIG_NOSYSTEM".into(), "1".into()),
            ],
            system_config: false,
        }
    }

    pub(crate) fn variable(&self, name: &str) -> Option<&OsString> {
        self.environment.iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    fn git_config_folder(&self) -> Option<PathBuf> {
        let base = self
            .config_home
            .clone()
            .or_else(|| self.home.as_ref().map(|home| home.join(".config")))?;
        Some(base.join("git"))
    }

    /// A configuration that cannot be read counts as absent: git itself will tell the person.
    pub(crate) fn config(&self) -> UserConfig {
        let sources = [
            (self.system_config.then(|| PathBuf::from("/etc/gitconfig")), Source::System),
            (self.git_config_folder().map(|folder| folder.join("config")), Source::Git),
            (self.home.as_ref().map(|home| home.join(".gitconfig")), Source::User),
        ];
        let metas = sources.into_iter().filter_map(|(path, source)| {
            let path = path.filter(|path| path.is_file())?;
            Some(Metadata::from(source).at(path).with(gix::sec::Trust::Full))
        });
        let options = init::Options {
            includes: includes::Options::follow_without_conditional(self.home.as_deref()),
            ..Default::default()
        };
        let file = File::from_paths_metadata(metas, options).ok().flatten().unwrap_or_default();
        let text = |key: &str| file.string(key).map(|value| value.to_string());
        UserConfig {
            excludes_file: text("core.excludesFile")
                .map(|path| self.expand(&path))
                .or_else(|| self.git_config_folder().map(|folder| folder.join("ignore")))
                .filter(|path| path.is_file()),
            auto_crlf: text("core.autocrlf"),
            safe_directories: file
                .strings("safe.directory")
                .unwrap_or_default()
                .iter()
                .map(|value| self.expand(&value.to_string()).to_string_lossy().into_owned())
                .collect(),
        }
    }

    fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/"), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }
}

impl UserConfig {
    /// As git reads `safe.directory`: a path, `path/*`, or `*`; an empty value forgets the ones
    /// before it.
    pub(crate) fn trusts(&self, folder: &Path) -> bool {
        self.safe_directories.iter().fold(false, |trusted, entry| {
            if entry.is_empty() {
                return false;
            }
            trusted
                || entry == "*"
                || Path::new(entry) == folder
                || entry.strip_suffix("/*").is_some_and(|above| folder.starts_with(above))
        })
    }
}
