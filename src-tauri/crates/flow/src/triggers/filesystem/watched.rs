//! What one trigger watches: its folders, what is known of them, and what waits to be quiet.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use devrig_core::Result;

use super::ears::{Ears, Heard, Hint};
use super::pending::Pending;
use super::scope::{Place, Scope};
use super::tree::{Seen, Tree};
use crate::definition::Filesystem;
use crate::permissions::Permissions;

/// A change is made in several steps, however fast.
const SHORTEST_QUIET: Duration = Duration::from_millis(20);

pub(super) struct Watched {
    definition: Arc<Filesystem>,
    permissions: Arc<Permissions>,
    ears: Ears,
    tree: Tree,
    pending: Pending,
    /// Of the definition's paths, those that nothing is at yet.
    missing: Vec<Place>,
    /// Of those that are there, what the flow has to be allowed.
    read: Vec<PathBuf>,
    /// Folders that are watched, or were until they vanished.
    bases: Vec<PathBuf>,
}

impl Watched {
    /// Begins to watch. What is there already is no news.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a path that is none, `REFUSED` for one that the flow may not read, and
    /// what the system cannot watch.
    pub fn open(definition: Arc<Filesystem>, permissions: Arc<Permissions>) -> Result<Self> {
        let home = std::env::home_dir();
        let place = |text: &String| Place::parse(text, home.as_deref());
        let quiet = Duration::from_millis(definition.debounce_ms).max(SHORTEST_QUIET);
        let mut watched = Self {
            missing: definition.paths.iter().map(place).collect::<Result<_>>()?,
            permissions,
            ears: Ears::open()?,
            tree: Tree::new(definition.follow_symlinks),
            pending: Pending::new(quiet),
            read: Vec::new(),
            bases: Vec::new(),
            definition,
        };
        let there = watched.look_for_missing()?;
        watched.tree.know(there);
        Ok(watched)
    }

    /// Where the system's hints come in.
    pub fn heard(&self) -> Arc<Heard> {
        self.ears.heard()
    }

    /// When there is something to do without a hint.
    pub fn next_due(&self) -> Option<Instant> {
        self.pending.next()
    }

    /// A path of the definition, or a folder, that is not there.
    pub fn missing(&self) -> Option<&Path> {
        let gone = self.bases.iter().find(|base| !self.tree.has_folder(base));
        self.missing.first().map(|place| &*place.base).or(gone.map(PathBuf::as_path))
    }

    /// Follows the hints, and gives what became quiet. With permissions it looks at what it may
    /// still do, and for what was missing.
    ///
    /// # Errors
    /// As [`Watched::open`].
    pub fn work(
        &mut self,
        hints: Vec<Hint>,
        permissions: Option<Arc<Permissions>>,
    ) -> Result<Vec<Seen>> {
        if let Some(permissions) = permissions {
            self.permissions = permissions;
            let news = self.look_for_missing()?;
            self.touch(news);
        }
        for hint in hints {
            self.follow(hint)?;
        }
        let due = self.pending.take_due(Instant::now());
        Ok(due.into_iter().flat_map(|due| self.tree.settle(due)).collect())
    }

    fn follow(&mut self, hint: Hint) -> Result<()> {
        let permissions = self.permissions.clone();
        let may = move |path: &Path| permissions.read(path).is_ok();
        let news = match hint {
            Hint::Look(path) => self.tree.touched(&path, &mut self.ears, &may)?,
            Hint::LookEverywhere => self.tree.everything(&mut self.ears, &may)?,
            Hint::Moved(from, to) => {
                let moved = self.tree.moved(&from, &to, &mut self.ears, &may)?;
                let now = Instant::now();
                for (from, to) in moved.files {
                    self.pending.moved(from, to, now);
                }
                moved.others
            }
        };
        self.touch(news);
        Ok(())
    }

    fn touch(&mut self, files: Vec<PathBuf>) {
        let now = Instant::now();
        files.into_iter().for_each(|file| self.pending.touch(file, now));
    }

    /// Begins with places that are there by now, and again with folders that came back. Gives the
    /// files in them.
    fn look_for_missing(&mut self) -> Result<Vec<PathBuf>> {
        self.read.iter().try_for_each(|path| self.permissions.read(path))?;
        let permissions = self.permissions.clone();
        let may = move |path: &Path| permissions.read(path).is_ok();
        let mut files = Vec::new();
        for base in &self.bases {
            let known = self.tree.has_folder(base);
            if known != base.is_dir() {
                files.extend(self.tree.touched(base, &mut self.ears, &may)?);
            }
        }
        for place in std::mem::take(&mut self.missing) {
            let Ok(base) = fs::canonicalize(&place.base) else {
                // Whether something is there is told to nobody who may not look.
                self.permissions.read(&place.base)?;
                self.missing.push(place);
                continue;
            };
            self.permissions.read(&base)?;
            let scope = Scope::new(&place, &base, base.is_file(), &self.definition)?;
            self.bases.push(scope.base.clone());
            files.extend(self.tree.add(scope, &mut self.ears, &may)?);
            self.read.push(base);
        }
        Ok(files)
    }
}
