//! Another program in the place of the sandbox worker, but only from a moment on: the plugins that
//! behave have real workers by then.

use std::path::{Path, PathBuf};

use crate::rig::{Rig, host_program};

/// Starts the real worker until it is told to start the other program.
pub struct Impostor {
    folder: tempfile::TempDir,
    program: PathBuf,
}

impl Impostor {
    /// `other` has the worker's connection as `descriptor`, such as `<&3 >&3` or nothing.
    pub fn new(other: &Path, descriptor: &str) -> Self {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let program = folder.path().join("worker");
        let text = format!(
            "#!/bin/sh\n[ -e {} ] && exec {} {descriptor}\nexec {}\n",
            folder.path().join("now").display(),
            other.display(),
            host_program().display()
        );
        std::fs::write(&program, text).expect("a script");
        let runs = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(&program, runs).expect("permissions");
        Self { folder, program }
    }

    pub async fn rig(&self) -> Rig {
        Rig::start_with(self.program.clone()).await
    }

    /// From here on new workers are the other program.
    pub fn now(&self) {
        std::fs::write(self.folder.path().join("now"), "").expect("a file");
    }
}
