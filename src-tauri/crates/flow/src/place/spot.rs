//! A name in a folder that is held open.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use devrig_core::{Code, Error, Result, Timestamp};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, RenameFlags, Stat, openat, statat, unlinkat};
use rustix::io::Errno;

use super::{Folder, told};

/// Where a file is or could be.
pub(crate) struct Spot {
    pub folder: Folder,
    name: OsString,
    path: PathBuf,
}

/// What is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Other,
}

impl Kind {
    pub fn of(stat: &Stat) -> Self {
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Self::File,
            FileType::Directory => Self::Folder,
            FileType::Symlink => Self::Link,
            _ => Self::Other,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Folder => "folder",
            Self::Link => "link",
            Self::Other => "other",
        }
    }
}

impl Spot {
    /// By a path that was resolved. `make` makes the folders above it.
    ///
    /// # Errors
    /// As [`Folder::open`].
    pub fn reach(path: &Path, make: bool) -> Result<Self> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(Error::invalid(format!("{} is a folder", path.display())));
        };
        let folder = if make { Folder::make(parent)? } else { Folder::open(parent)? };
        Ok(Self { folder, name: name.to_owned(), path: path.to_owned() })
    }

    /// Beside this one.
    pub fn beside(&self, name: OsString) -> Result<Self> {
        let folder = self.folder.inner(OsStr::new("."))?;
        Ok(Self { folder, path: self.path.with_file_name(&name), name })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn name(&self) -> &OsStr {
        &self.name
    }

    /// What is there, if anything is.
    ///
    /// # Errors
    /// What reading meets.
    pub fn look(&self) -> Result<Option<Stat>> {
        match statat(&self.folder, &*self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(self.wrong(error)),
        }
    }

    /// Opens a file for reading. What only looks like one, such as a pipe, is not waited for.
    ///
    /// # Errors
    /// `NOT_FOUND`; `INVALID_INPUT` for anything but a file.
    pub fn open(&self) -> Result<(File, Stat)> {
        let stat = self.look()?.ok_or_else(|| self.wrong(Errno::NOENT))?;
        self.must_be_file(&stat)?;
        self.open_as(OFlags::RDONLY, Mode::empty())
    }

    /// Opens or makes a file, and makes sure that it is one.
    ///
    /// # Errors
    /// `INVALID_INPUT` for anything but a file; `CONFLICT` for one that must be new and is there.
    pub fn open_as(&self, flags: OFlags, mode: Mode) -> Result<(File, Stat)> {
        let always = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let opened = openat(&self.folder, &*self.name, flags | always, mode);
        let file = File::from(opened.map_err(|error| self.wrong(error))?);
        let stat = rustix::fs::fstat(&file).map_err(|error| self.wrong(error))?;
        self.must_be_file(&stat)?;
        Ok((file, stat))
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// As [`Spot::open`]; `TOO_LARGE`.
    pub fn read(&self, most: usize) -> Result<(Vec<u8>, Stat)> {
        let (file, stat) = self.open()?;
        let mut bytes = Vec::new();
        let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
        file.take(limit).read_to_end(&mut bytes).map_err(|error| told(&self.path, &error))?;
        if bytes.len() > most {
            let message = format!("{} has more than {most} bytes", self.path.display());
            return Err(Error::new(Code::TooLarge, message)
                .hint("Raise maxBytes, as far as the action lets you, or read a smaller file."));
        }
        Ok((bytes, stat))
    }

    /// Puts what is here at another place, over what is there only where `replace` says so.
    ///
    /// # Errors
    /// `CONFLICT`; what the system meets, as [`Errno::XDEV`] for another disk.
    pub fn move_to(&self, to: &Self, replace: bool) -> std::result::Result<(), Errno> {
        let flags = if replace { RenameFlags::empty() } else { RenameFlags::NOREPLACE };
        rustix::fs::renameat_with(&self.folder, &*self.name, &to.folder, &*to.name, flags)
    }

    /// Takes away a file or a link.
    ///
    /// # Errors
    /// What the system meets.
    pub fn unlink(&self) -> Result<()> {
        unlinkat(&self.folder, &*self.name, AtFlags::empty()).map_err(|error| self.wrong(error))
    }

    /// An error of the system's, with the path.
    pub fn wrong(&self, error: Errno) -> Error {
        if error == Errno::LOOP {
            return Error::invalid(format!("{} is a link", self.path.display()))
                .hint("Name the file that it leads to.");
        }
        if error == Errno::NXIO {
            return not_a_file(&self.path);
        }
        told(&self.path, &error.into())
    }

    pub(super) fn must_be_file(&self, stat: &Stat) -> Result<()> {
        match Kind::of(stat) {
            Kind::File => Ok(()),
            Kind::Folder => Err(Error::invalid(format!("{} is a folder", self.path.display()))),
            Kind::Link => Err(self.wrong(Errno::LOOP)),
            Kind::Other => Err(not_a_file(&self.path)),
        }
    }
}

fn not_a_file(path: &Path) -> Error {
    Error::invalid(format!("{} is a pipe, a socket or a device", path.display()))
        .hint("Only files are read and written.")
}

/// When a file was changed.
pub(crate) fn modified(stat: &Stat) -> Timestamp {
    // Their types differ from system to system.
    #[allow(clippy::unnecessary_cast)]
    let (seconds, beyond) = (stat.st_mtime as i64, stat.st_mtime_nsec as i64 / 1_000_000);
    Timestamp::from_ms(seconds.saturating_mul(1000).saturating_add(beyond))
}
