//! A git folder of ours, in which git does one thing.
//!
//! git would obey a repository's own configuration, which can name commands in more places than can
//! be listed. So it never sees it: it runs in a folder that lives for one command, with a
//! configuration that we write, and the repository's objects and refs by link.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use devrig_core::{Code, Error, Result};
use devrig_process::find_program;

use crate::branches::text;
use crate::open::{Access, Opened};

/// What HEAD says where nothing is checked out.
pub(crate) const UNBORN: &str = "ref: refs/heads/devrig-scratch\n";

/// Before every command: what would run others stays off, whatever the person's own configuration
/// says.
pub(crate) const ALWAYS: [&str; 10] = [
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "gc.auto=0",
    "-c",
    "submodule.recurse=false",
    "-c",
    "diff.ignoreSubmodules=all",
];

/// The folder of one command; gone when dropped.
pub(crate) struct Scratch(tempfile::TempDir);

impl Scratch {
    /// With this HEAD and configuration, and the objects and refs of a repository.
    pub fn make(common_dir: &Path, head: &str, config: &str) -> Result<Self> {
        let scratch = Self(tempfile::Builder::new().prefix("devrig-git-").tempdir()?);
        let git_dir = scratch.git_dir();
        std::fs::create_dir(&git_dir)?;
        std::fs::write(git_dir.join("HEAD"), head)?;
        std::fs::write(git_dir.join("config"), config)?;
        for name in ["objects", "refs", "logs", "packed-refs", "shallow"] {
            let real = common_dir.join(name);
            if real.exists() {
                link(&real, &git_dir.join(name))?;
            }
        }
        Ok(scratch)
    }

    pub fn git_dir(&self) -> PathBuf {
        self.0.path().join("git")
    }

    /// Around the git folder, for what else the command needs.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

/// The environment of a command in the folder.
pub(crate) fn environment(scratch: &Scratch, access: &Access) -> Vec<(OsString, OsString)> {
    let mut all = access.user.environment.clone();
    let ours: [(&str, OsString); 4] = [
        ("GIT_DIR", scratch.git_dir().into()),
        // A partial clone would fetch what is missing by itself, from anywhere.
        ("GIT_NO_LAZY_FETCH", "1".into()),
        ("GIT_OPTIONAL_LOCKS", "0".into()),
        ("LC_ALL", "C".into()),
    ];
    all.extend(ours.map(|(name, value)| (name.into(), value)));
    all
}

/// Lines of configuration that stored objects and refs need.
pub(crate) fn stored_format(opened: &Opened) -> Result<String> {
    let config = opened.repo.config_snapshot();
    let stored = config.string("extensions.refStorage").map(text);
    if stored.is_some_and(|kind| kind != "files") {
        let folder = opened.layout.work_tree.display();
        return Err(Error::new(
            Code::Unsupported,
            format!("{folder} keeps its refs in a form that DevRig cannot write"),
        )
        .hint("Run git there."));
    }
    let mut format = String::from("[core]\n\trepositoryformatversion = 1\n");
    if let Some(hash) = config.string("extensions.objectFormat").map(text)
        && matches!(hash.as_str(), "sha1" | "sha256")
    {
        let _ = write!(format, "[extensions]\n\tobjectFormat = {hash}\n");
    }
    Ok(format)
}

/// What of the repository's own configuration says how its files are compared and who commits.
pub(crate) fn work_tree_config(opened: &Opened) -> String {
    const CORE: [&str; 8] = [
        "filemode",
        "symlinks",
        "ignorecase",
        "precomposeunicode",
        "autocrlf",
        "eol",
        "trustctime",
        "checkstat",
    ];
    let config = opened.repo.config_snapshot();
    let mut lines = String::from("[core]\n\tbare = false\n\tlogAllRefUpdates = true\n");
    let mut put = |section: &str, names: &[&str]| {
        let _ = writeln!(lines, "[{section}]");
        for name in names {
            let value = config.string(format!("{section}.{name}").as_str()).map(text);
            if let Some(value) = value.filter(|value| !value.contains(char::is_control)) {
                let _ = writeln!(lines, "\t{name} = {}", quoted(&value));
            }
        }
    };
    put("core", &CORE);
    put("user", &["name", "email"]);
    lines
}

pub(crate) fn find_git(access: &Access) -> Result<PathBuf> {
    let path = access
        .user
        .variable("PATH")
        .cloned()
        .unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    find_program("git", &path)
        .ok_or_else(|| Error::not_found("the program git").hint("Install git; this needs it."))
}

/// A configuration value that reads back as this text.
pub(crate) fn quoted(value: &str) -> String {
    format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\""))
}

#[cfg(unix)]
fn link(real: &Path, here: &Path) -> Result<()> {
    Ok(std::os::unix::fs::symlink(real, here)?)
}

#[cfg(windows)]
fn link(real: &Path, here: &Path) -> Result<()> {
    if real.is_dir() {
        Ok(std::os::windows::fs::symlink_dir(real, here)?)
    } else {
        Ok(std::os::windows::fs::symlink_file(real, here)?)
    }
}
