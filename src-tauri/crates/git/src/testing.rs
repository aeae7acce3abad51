//! Repositories for tests, made by git itself: a home of their own, fixed names and dates.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use crate::{Access, RepositoryState, User, state_with};

pub(crate) struct Place {
    _folder: tempfile::TempDir,
    /// Where repositories go, links resolved.
    pub root: PathBuf,
    pub home: PathBuf,
    clock: AtomicI64,
}

impl Place {
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().canonicalize().unwrap();
        let (root, home) = (base.join("code"), base.join("home"));
        std::fs::create_dir(&root).unwrap();
        std::fs::create_dir(&home).unwrap();
        std::fs::write(home.join(".gitconfig"), "[init]\n\tdefaultBranch = main\n").unwrap();
        Self { _folder: folder, root, home, clock: AtomicI64::new(1_700_000_000) }
    }

    pub(crate) fn access(&self) -> Access {
        let user = User::at_home(&self.home, std::env::var_os("PATH").unwrap_or_default());
        Access { user, readable: Vec::new() }
    }

    /// git, as the person of this place runs it; whatever it answers.
    pub(crate) fn try_git(&self, folder: &Path, args: &[&str]) -> (bool, String) {
        let now = format!("{} +0000", self.clock.fetch_add(60, Ordering::Relaxed));
        let output = Command::new("git")
            .args(args)
            .current_dir(folder)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", &self.home)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Ada Lovelace")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_NAME", "Ada Lovelace")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .env("GIT_AUTHOR_DATE", &now)
            .env("GIT_COMMITTER_DATE", &now)
            .env("GIT_EDITOR", "true")
            .output()
            .unwrap();
        let said = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&said).into_owned())
    }

    pub(crate) fn git(&self, folder: &Path, args: &[&str]) -> String {
        let (fine, said) = self.try_git(folder, args);
        assert!(fine, "git {args:?} in {}: {said}", folder.display());
        said.trim_end().to_owned()
    }

    pub(crate) fn repo(&self, name: &str) -> PathBuf {
        let folder = self.root.join(name);
        std::fs::create_dir_all(&folder).unwrap();
        self.git(&folder, &["init", "-q"]);
        folder
    }

    pub(crate) fn write(&self, repo: &Path, file: &str, text: &str) {
        let path = repo.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn commit(&self, repo: &Path, file: &str, text: &str, message: &str) {
        self.write(repo, file, text);
        self.git(repo, &["add", "--", file]);
        self.git(repo, &["commit", "-q", "-m", message]);
    }

    /// A repository with one commit, and a clone of it whose `main` follows `origin/main`.
    pub(crate) fn cloned(&self) -> (PathBuf, PathBuf) {
        let origin = self.repo("origin");
        self.commit(&origin, "a.txt", "a\n", "first");
        self.git(&self.root, &["clone", "-q", origin.to_str().unwrap(), "clone"]);
        (origin, self.root.join("clone"))
    }

    pub(crate) fn state(&self, repo: &Path) -> RepositoryState {
        self.try_state(repo).unwrap()
    }

    pub(crate) fn try_state(&self, repo: &Path) -> devrig_core::Result<RepositoryState> {
        state_with(repo, &self.access(), &Arc::new(AtomicBool::new(false)))
    }
}
