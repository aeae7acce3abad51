//! A folder that is held open.

use std::ffi::OsStr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use devrig_core::{Error, Result};
use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use super::told;

/// Nothing in its path was a link when it was opened, and what happens to the path later does not
/// matter.
pub(crate) struct Folder {
    handle: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder by a path that was resolved.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` when a part of the path is no folder, or a link by now.
    pub fn open(path: &Path) -> Result<Self> {
        Self::walk(path, |folder, name| folder.inner(name))
    }

    /// The same, where folders that are missing are made.
    ///
    /// # Errors
    /// As [`Folder::open`]; `REFUSED` where the system does not let one be made.
    pub fn make(path: &Path) -> Result<Self> {
        Self::walk(path, |folder, name| match mkdirat(&folder.handle, name, Mode::from(0o777)) {
            Err(error) if error != Errno::EXIST => {
                // A folder that is there may lie in one that cannot be written to.
                folder.inner(name).map_err(|_| told(&folder.path.join(name), &error.into()))
            }
            _ => folder.inner(name),
        })
    }

    fn walk(path: &Path, step: impl Fn(&Self, &OsStr) -> Result<Self>) -> Result<Self> {
        let root = openat(CWD, "/", entering(), Mode::empty());
        let handle = root.map_err(|error| told(Path::new("/"), &error.into()))?;
        let mut folder = Self { handle, path: PathBuf::from("/") };
        for part in path.components() {
            match part {
                Component::RootDir => {}
                Component::Normal(name) => folder = step(&folder, name)?,
                _ => return Err(Error::internal(format!("{} is not resolved", path.display()))),
            }
        }
        Ok(folder)
    }

    /// A folder in this one.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn inner(&self, name: &OsStr) -> Result<Self> {
        let path = self.path.join(name);
        match openat(&self.handle, name, entering(), Mode::empty()) {
            Ok(handle) => Ok(Self { handle, path }),
            Err(error) => Err(told(&path, &error.into())),
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is in it, in no order.
    ///
    /// # Errors
    /// What reading meets.
    pub fn entries(&self) -> Result<rustix::fs::Dir> {
        let wrong = |error: Errno| told(&self.path, &error.into());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = openat(&self.handle, ".", flags, Mode::empty()).map_err(wrong)?;
        rustix::fs::Dir::new(handle).map_err(wrong)
    }

    /// Writes to the disk which files there are in it.
    ///
    /// # Errors
    /// What the disk meets.
    pub fn sync(&self) -> Result<()> {
        let wrong = |error: Errno| told(&self.path, &error.into());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let handle = openat(&self.handle, ".", flags, Mode::empty()).map_err(wrong)?;
        match rustix::fs::fsync(handle) {
            // Some file systems have no such thing.
            Err(Errno::INVAL) | Ok(()) => Ok(()),
            Err(error) => Err(wrong(error)),
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.handle.as_fd()
    }
}

/// A folder may be entered by somebody who may not list it.
fn entering() -> OFlags {
    #[cfg(target_os = "linux")]
    let access = OFlags::PATH;
    #[cfg(not(target_os = "linux"))]
    let access = OFlags::RDONLY;
    access | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}
