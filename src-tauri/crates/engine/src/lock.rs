//! The lock of the home folder: whoever holds it is the owner. The system lets go of it when the
//! process ends, however it ends, so a stale lock cannot exist.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};

use devrig_core::{Context, Error, Result};
use serde::{Deserialize, Serialize};

use crate::connection::OwnerKind;
use crate::home::Home;

/// Held for as long as this process owns the home folder.
#[derive(Debug)]
pub struct OwnerLock {
    _file: File,
}

/// What an owner writes about itself into the lock file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Owner {
    pub pid: u32,
    pub kind: OwnerKind,
}

impl OwnerLock {
    /// `None` when another process holds it.
    pub fn try_acquire(home: &Home, kind: OwnerKind) -> Result<Option<Self>> {
        home.prepare()?;
        let path = home.lock();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .context(format!("opening {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => {
                return Err(Error::from(error).context(format!("locking {}", path.display())));
            }
        }
        let owner = Owner { pid: std::process::id(), kind };
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(&serde_json::to_vec(&owner)?)?;
        Ok(Some(Self { _file: file }))
    }

    /// Who wrote the lock file last, for a message to the person.
    pub fn owner(home: &Home) -> Option<Owner> {
        let mut text = String::new();
        File::open(home.lock()).ok()?.read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_process_holds_it_and_the_next_gets_it_after() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::at(folder.path().join("home"));
        let first = OwnerLock::try_acquire(&home, OwnerKind::Window).unwrap();
        assert!(first.is_some());
        assert!(OwnerLock::try_acquire(&home, OwnerKind::Command).unwrap().is_none());
        assert_eq!(OwnerLock::owner(&home).unwrap().pid, std::process::id());
        drop(first);
        assert!(OwnerLock::try_acquire(&home, OwnerKind::Command).unwrap().is_some());
    }
}
