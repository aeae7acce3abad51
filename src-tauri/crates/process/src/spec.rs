//! What a child is started with. Whatever is not named here, it does not get.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use devrig_core::{Error, Result};
use tokio::sync::mpsc;

use crate::ring::DEFAULT_RING;

/// What to start and what it is given.
#[derive(Debug)]
pub struct ChildSpec {
    /// An absolute path: nothing is looked up in a `PATH` (see [`find_program`]).
    pub program: PathBuf,
    /// Readable by every local user, so never a secret.
    pub args: Vec<OsString>,
    /// The whole environment.
    pub env: Vec<(OsString, OsString)>,
    /// `None` is the root of the file system, so that the child holds no folder of ours.
    pub cwd: Option<PathBuf>,
    pub stdin: Stdin,
    pub stdout: OutputPolicy,
    pub stderr: OutputPolicy,
    /// Who hears what the child writes as it comes. The child waits where they do not keep up, and
    /// no more once they hang up.
    pub heard: Option<Heard>,
    /// Open files for the child, each with the number it has there.
    #[cfg(unix)]
    pub inherit: Vec<(std::os::fd::OwnedFd, i32)>,
}

/// What the child reads.
#[derive(Debug, Default)]
pub enum Stdin {
    #[default]
    Null,
    /// These bytes, then the end of the stream.
    Bytes(Vec<u8>),
}

/// Where parts of a child's output are told as they come.
pub type Heard = mpsc::Sender<(Stream, Vec<u8>)>;

/// Where a child wrote something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Stdout,
    Stderr,
}

/// Where the child's output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputPolicy {
    Null,
    /// Kept in memory, the newest bytes up to this many.
    Ring(usize),
}

impl ChildSpec {
    /// No arguments, no environment, nothing on standard input, output into rings.
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            env: Vec::new(),
            cwd: None,
            stdin: Stdin::Null,
            stdout: OutputPolicy::Ring(DEFAULT_RING),
            stderr: OutputPolicy::Ring(DEFAULT_RING),
            heard: None,
            #[cfg(unix)]
            inherit: Vec::new(),
        }
    }

    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub fn cwd(mut self, folder: impl Into<PathBuf>) -> Self {
        self.cwd = Some(folder.into());
        self
    }

    #[must_use]
    pub fn stdin(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Bytes(bytes.into());
        self
    }

    /// Gives the child an open file under this number.
    #[cfg(unix)]
    #[must_use]
    pub fn inherit(mut self, file: impl Into<std::os::fd::OwnedFd>, number: i32) -> Self {
        self.inherit.push((file.into(), number));
        self
    }

    /// Refuses what would be started by chance, or fail in a way that says little.
    pub(crate) fn check(&self) -> Result<()> {
        if !self.program.is_absolute() {
            return Err(Error::invalid(format!(
                "{} is not an absolute path, so it is not started",
                self.program.display()
            ))
            .hint("Name the program by its whole path."));
        }
        if let Some(folder) = &self.cwd
            && !folder.is_dir()
        {
            return Err(Error::not_found(format!(
                "the working folder {} of {}",
                folder.display(),
                self.program.display()
            )));
        }
        for (name, _) in &self.env {
            if name.is_empty() || name.to_string_lossy().contains('=') {
                return Err(Error::invalid(format!("{name:?} cannot name a variable")));
            }
        }
        #[cfg(unix)]
        if let Some((_, number)) = self.inherit.iter().find(|(_, number)| *number < 3) {
            return Err(Error::internal(format!("file number {number} is a standard stream")));
        }
        Ok(())
    }
}

/// The number under which a child finds its end of a [`channel`].
#[cfg(unix)]
pub const CHANNEL_FD: i32 = 3;

/// A connected pair: our end, and the end to give to the child with
/// `spec.inherit(theirs, CHANNEL_FD)`. Closing our end is how the child learns that we are gone,
/// even by SIGKILL; a death signal would be tied to the thread that spawned it.
#[cfg(unix)]
pub fn channel() -> Result<(tokio::net::UnixStream, std::os::fd::OwnedFd)> {
    // Both ends are close-on-exec; only the inherited copy loses that, and only in the child.
    let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
    ours.set_nonblocking(true)?;
    Ok((tokio::net::UnixStream::from_std(ours)?, theirs.into()))
}

/// The first executable file of this name in the folders of `path` (a `PATH` that the caller
/// chose; the environment is not read here).
pub fn find_program(name: &str, path: &OsStr) -> Option<PathBuf> {
    std::env::split_paths(path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
        .find(|file| is_executable(file))
}

#[cfg(unix)]
fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_executable(file: &Path) -> bool {
    file.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_in_the_given_folders_only() {
        let found = find_program("sh", OsStr::new("/nowhere:/bin:relative")).unwrap();
        assert_eq!(found, Path::new("/bin/sh"));
        assert_eq!(find_program("sh", OsStr::new("/nowhere")), None);
        assert_eq!(find_program("passwd", OsStr::new("/etc")), None, "not executable");
    }

    #[test]
    fn a_bare_name_is_refused_with_the_remedy() {
        let error = ChildSpec::new("git").check().unwrap_err();
        assert!(error.hint.unwrap().contains("whole path"));
    }

    #[test]
    fn a_missing_folder_is_named() {
        let error = ChildSpec::new("/bin/sh").cwd("/no/such/folder").check().unwrap_err();
        assert!(error.message.contains("/no/such/folder"), "{error}");
    }
}
