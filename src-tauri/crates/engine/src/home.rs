//! The folder under which everything of DevRig's lies.

use std::path::{Path, PathBuf};

use devrig_core::{Context, Error, Result};

/// `$DEVRIG_HOME`, by default `~/.devrig`, and the places in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Home(PathBuf);

impl Home {
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// # Errors
    /// When neither `DEVRIG_HOME` nor a home folder of the person is known.
    pub fn from_environment() -> Result<Self> {
        if let Some(folder) = std::env::var_os("DEVRIG_HOME").filter(|value| !value.is_empty()) {
            return Ok(Self(std::path::absolute(folder)?));
        }
        let home = std::env::home_dir().ok_or_else(|| {
            Error::invalid("your home folder is not known").hint("Set DEVRIG_HOME to a folder.")
        })?;
        Ok(Self(home.join(".devrig")))
    }

    /// Makes the folders, readable by the person alone.
    pub fn prepare(&self) -> Result<()> {
        for folder in [self.path(), &self.data(), &self.run(), &self.plugins()] {
            private_folder(folder).context(format!("preparing {}", folder.display()))?;
        }
        private_folder(&self.logs()).context("preparing the folder of logs")?;
        Ok(())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn data(&self) -> PathBuf {
        self.0.join("data")
    }

    pub fn database(&self) -> PathBuf {
        self.data().join("devrig.db")
    }

    pub fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }

    pub fn plugins(&self) -> PathBuf {
        self.0.join("plugins")
    }

    pub fn logs(&self) -> PathBuf {
        self.0.join("logs")
    }

    fn run(&self) -> PathBuf {
        self.0.join("run")
    }

    /// The local socket through which guests ask the owner.
    pub fn socket(&self) -> PathBuf {
        self.run().join("engine.sock")
    }

    /// The lock that makes a process the owner.
    pub fn lock(&self) -> PathBuf {
        self.run().join("owner.lock")
    }
}

fn private_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
