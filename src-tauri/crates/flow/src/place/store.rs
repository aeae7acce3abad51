//! Writing files so that nobody ever sees half of one.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};

use devrig_core::{Error, Result};
use rustix::fs::{AtFlags, Gid, Mode, OFlags, Stat, Uid, fchmod, fchown, linkat};
use rustix::io::Errno;

use super::{Kind, Spot, told};

/// What of a large file is copied before somebody may stop it.
const PART: u64 = 8 * 1024 * 1024;

/// What becomes of a file that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Over {
    /// The new one takes its place, with its permissions.
    Replace,
    /// It stays, and that is an error.
    Refuse,
}

impl Spot {
    /// Writes a file whole, or leaves what was there: it is on disk when this returns. Says whether
    /// it is a new one. `goes_on` is asked now and then.
    ///
    /// # Errors
    /// `CONFLICT` where a file is there that may not be replaced; `DISK_FULL`; what the system
    /// meets.
    pub fn store(
        &self,
        mut from: impl Read,
        over: Over,
        goes_on: impl Fn() -> Result<()>,
    ) -> Result<bool> {
        let before = self.must_be_free(over)?;
        let temporary = Temporary::beside(self)?;
        let mut file = temporary.make(before.as_ref())?;
        let wrong = |error: std::io::Error| told(self.path(), &error);
        loop {
            goes_on()?;
            if std::io::copy(&mut (&mut from).take(PART), &mut file).map_err(wrong)? == 0 {
                break;
            }
        }
        file.sync_all().map_err(wrong)?;
        temporary.become_the(self, over)?;
        self.folder.sync()?;
        Ok(before.is_none())
    }

    /// Adds to the end of a file, which is made where there is none.
    ///
    /// # Errors
    /// As [`Spot::store`].
    pub fn append(&self, bytes: &[u8]) -> Result<bool> {
        let before = self.must_be_free(Over::Replace)?;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE;
        let (mut file, _) = self.open_as(flags, Mode::from(0o666))?;
        let wrong = |error: std::io::Error| told(self.path(), &error);
        file.write_all(bytes).map_err(wrong)?;
        file.sync_all().map_err(wrong)?;
        if before.is_none() {
            self.folder.sync()?;
        }
        Ok(before.is_none())
    }

    /// Where there is nothing, or a file that may be replaced.
    fn must_be_free(&self, over: Over) -> Result<Option<Stat>> {
        let Some(stat) = self.look()? else { return Ok(None) };
        self.must_be_file(&stat)?;
        match over {
            Over::Replace => Ok(Some(stat)),
            Over::Refuse => Err(self.wrong(Errno::EXIST)),
        }
    }
}

/// A file beside the one that it will become; gone when that fails.
struct Temporary {
    spot: Spot,
    left: std::cell::Cell<bool>,
}

impl Temporary {
    fn beside(spot: &Spot) -> Result<Self> {
        let name = format!(".devrig-{:016x}", fastrand::u64(..));
        let spot = spot.beside(OsString::from(name))?;
        Ok(Self { spot, left: std::cell::Cell::new(false) })
    }

    /// With the permissions of the file that it replaces.
    fn make(&self, before: Option<&Stat>) -> Result<File> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mode = if before.is_some() { 0o600 } else { 0o666 };
        let (file, made) = self.spot.open_as(flags, Mode::from(mode))?;
        self.left.set(true);
        let Some(before) = before else { return Ok(file) };
        if (before.st_uid, before.st_gid) != (made.st_uid, made.st_gid) {
            let (uid, gid) = (Uid::from_raw(before.st_uid), Gid::from_raw(before.st_gid));
            // Only some may give a file away; then it belongs to whoever wrote it last.
            _ = fchown(&file, Some(uid), Some(gid));
        }
        let mode = Mode::from_raw_mode(before.st_mode);
        fchmod(&file, mode).map_err(|error| self.spot.wrong(error))?;
        Ok(file)
    }

    fn become_the(&self, spot: &Spot, over: Over) -> Result<()> {
        let moved = match self.spot.move_to(spot, over == Over::Replace) {
            // Some file systems cannot promise to replace nothing; a second name cannot either way.
            Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) if over == Over::Refuse => {
                let (from, to) = (&self.spot, spot);
                return linkat(&from.folder, from.name(), &to.folder, to.name(), AtFlags::empty())
                    .map_err(|error| spot.wrong(error));
            }
            moved => moved,
        };
        moved.map_err(|error| spot.wrong(error))?;
        self.left.set(false);
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if self.left.get() {
            _ = self.spot.unlink();
        }
    }
}

impl Spot {
    /// Puts a file or folder at another place, over what is there only where `over` says so. A file
    /// may go to another disk. Says whether it went there as a whole, at once.
    ///
    /// # Errors
    /// `CONFLICT`; `UNSUPPORTED` for a folder that would go to another disk.
    pub fn relocate(&self, to: &Self, over: Over, goes_on: impl Fn() -> Result<()>) -> Result<()> {
        let stat = self.look()?.ok_or_else(|| self.wrong(Errno::NOENT))?;
        match self.move_to(to, over == Over::Replace) {
            Ok(()) => self.both_synced(to),
            Err(Errno::XDEV) if Kind::of(&stat) == Kind::File => {
                let (file, _) = self.open()?;
                to.store(file, over, goes_on)?;
                self.unlink()
            }
            Err(Errno::XDEV) => {
                let what = format!("{} would go to another disk", self.path().display());
                Err(Error::new(devrig_core::Code::Unsupported, what)
                    .hint("Only files do; copy the folder with a program, and delete it then."))
            }
            Err(Errno::NOENT) => Err(self.wrong(Errno::NOENT)),
            Err(error) => Err(to.wrong(error)),
        }
    }

    fn both_synced(&self, to: &Self) -> Result<()> {
        to.folder.sync()?;
        self.folder.sync()
    }
}
