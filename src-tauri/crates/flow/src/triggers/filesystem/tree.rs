//! The files of the watched folders, as they were last seen. What the system tells is only where to
//! look; what happened is what is different from what was known.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use devrig_core::{Code, Error, Result};

use super::ears::{EACH_FOLDER, Ears};
use super::pending::Due;
use super::scope::Scope;
use crate::definition::FileEvent;

/// Files that one trigger watches at most.
const MOST_FILES: usize = 200_000;

/// What happened to a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Seen {
    pub event: FileEvent,
    pub path: PathBuf,
    pub from: Option<PathBuf>,
    /// Of what is there now.
    pub stamp: Option<Stamp>,
}

/// What tells one state of a file from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    pub size: u64,
    pub modified: Option<SystemTime>,
    /// A file that replaces another may have its size and time.
    number: u64,
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(metadata);
        #[cfg(not(unix))]
        let number = 0;
        Self { size: metadata.len(), modified: metadata.modified().ok(), number }
    }
}

/// What a move means for files.
#[derive(Debug)]
pub(super) struct Moved {
    /// From where to where.
    pub files: Vec<(PathBuf, PathBuf)>,
    /// Others that may be concerned.
    pub others: Vec<PathBuf>,
}

/// Whether the flow may look at a path without links in it.
pub(super) type May = dyn Fn(&Path) -> bool + Send + Sync;

/// See the module.
pub(super) struct Tree {
    scopes: Vec<Scope>,
    files: BTreeMap<PathBuf, Stamp>,
    folders: BTreeSet<PathBuf>,
    /// Followed links and where they lead, so that no folder is walked twice or in a circle.
    linked: BTreeMap<PathBuf, PathBuf>,
    follows: bool,
}

impl Tree {
    pub fn new(follows: bool) -> Self {
        Self {
            scopes: Vec::new(),
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            linked: BTreeMap::new(),
            follows,
        }
    }

    /// Watches one more scope. Gives the files in it that were not known.
    ///
    /// # Errors
    /// As [`Tree::enter`].
    pub fn add(&mut self, scope: Scope, ears: &mut Ears, may: &May) -> Result<Vec<PathBuf>> {
        let base = scope.base.clone();
        self.scopes.push(scope);
        self.enter(&base, ears, may)
    }

    /// Takes files as known without telling of them.
    pub fn know(&mut self, files: Vec<PathBuf>) {
        for file in files {
            if let Some(stamp) = self.stamp(&file) {
                self.files.insert(file, stamp);
            }
        }
    }

    /// Watches a folder with what is below it, again where it was watched before: it may be another
    /// one of the same name. Gives the files in it that differ from what is known.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` and `TOO_LARGE` when there is too much of it. What cannot be read is left
    /// out.
    pub fn enter(&mut self, folder: &Path, ears: &mut Ears, may: &May) -> Result<Vec<PathBuf>> {
        let mut news = Vec::new();
        let mut left = vec![folder.to_owned()];
        while let Some(folder) = left.pop() {
            let is_base = self.scopes.iter().any(|scope| scope.base == folder);
            // Watched first, so that what comes while it is read is told.
            if (EACH_FOLDER || is_base) && !quiet(ears.watch(&folder), &folder)? {
                continue;
            }
            self.folders.insert(folder.clone());
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten() {
                let path = entry.path();
                match self.kind(&path, entry.file_type().ok(), ears, may) {
                    Kind::Folder => left.push(path),
                    Kind::File if self.differs(&path) => news.push(path),
                    Kind::File | Kind::Other => {}
                }
            }
            if self.files.len() + news.len() > MOST_FILES {
                return Err(too_many());
            }
        }
        Ok(news)
    }

    /// Looks at a path that something happened to, and gives the files that may be concerned.
    ///
    /// # Errors
    /// As [`Tree::enter`].
    pub fn touched(&mut self, path: &Path, ears: &mut Ears, may: &May) -> Result<Vec<PathBuf>> {
        let kind = fs::symlink_metadata(path).ok().map(|metadata| metadata.file_type());
        let gone = self.leave_unless_folder(path, ears);
        match self.kind(path, kind, ears, may) {
            Kind::Folder => {
                let missing = self.below(path).filter(|file| !self.is_there(file));
                let missing: Vec<PathBuf> = missing.cloned().collect();
                Ok([missing, self.enter(path, ears, may)?].concat())
            }
            Kind::File => Ok(vec![path.to_owned()]),
            Kind::Other if self.files.contains_key(path) => Ok(vec![path.to_owned()]),
            Kind::Other => Ok(gone),
        }
    }

    /// Takes note that what was at `from` is at `to`.
    ///
    /// # Errors
    /// As [`Tree::enter`].
    pub fn moved(&mut self, from: &Path, to: &Path, ears: &mut Ears, may: &May) -> Result<Moved> {
        let mut touched = self.touched(from, ears, may)?;
        let arrived = self.touched(to, ears, may)?;
        let mut moved = Vec::new();
        for path in arrived {
            let below = path.strip_prefix(to).ok();
            let origin = below.map(|below| match below.as_os_str().is_empty() {
                true => from.to_owned(),
                false => from.join(below),
            });
            match origin.filter(|origin| self.files.contains_key(origin)) {
                Some(origin) => moved.push((origin, path)),
                None => touched.push(path),
            }
        }
        let origins: HashSet<&PathBuf> = moved.iter().map(|(origin, _)| origin).collect();
        touched.retain(|path| !origins.contains(path));
        Ok(Moved { files: moved, others: touched })
    }

    /// What is different everywhere.
    ///
    /// # Errors
    /// As [`Tree::enter`].
    pub fn everything(&mut self, ears: &mut Ears, may: &May) -> Result<Vec<PathBuf>> {
        let mut news: Vec<PathBuf> =
            self.files.keys().filter(|path| self.differs(path)).cloned().collect();
        let bases: Vec<PathBuf> = self.scopes.iter().map(|scope| scope.base.clone()).collect();
        for base in bases.iter().filter(|base| base.is_dir()) {
            news.extend(self.enter(base, ears, may)?);
        }
        Ok(news)
    }

    /// What became of a path that is quiet now.
    pub fn settle(&mut self, due: Due) -> Vec<Seen> {
        let Due { path, from } = due;
        let Some(from) = from else { return self.settle_one(path).into_iter().collect() };
        let moved = self.files.contains_key(&from) && !self.is_there(&from);
        match self.stamp(&path).filter(|_| moved && self.takes(&path)) {
            Some(stamp) => {
                self.files.remove(&from);
                self.files.insert(path.clone(), stamp);
                vec![Seen { event: FileEvent::Rename, path, from: Some(from), stamp: Some(stamp) }]
            }
            None => self.settle_one(from).into_iter().chain(self.settle_one(path)).collect(),
        }
    }

    fn settle_one(&mut self, path: PathBuf) -> Option<Seen> {
        let now = self.stamp(&path).filter(|_| self.takes(&path));
        let before = match now {
            Some(stamp) => self.files.insert(path.clone(), stamp),
            None => self.files.remove(&path),
        };
        let event = match (before, now) {
            (None, Some(_)) => FileEvent::Add,
            (Some(before), Some(now)) if before != now => FileEvent::Change,
            (Some(_), None) => FileEvent::Unlink,
            _ => return None,
        };
        Some(Seen { event, path, from: None, stamp: now })
    }

    /// Whether the folder is one that is watched.
    pub fn has_folder(&self, folder: &Path) -> bool {
        self.folders.contains(folder)
    }

    /// Lets go of a folder that is gone, or is none any more. Gives the files that were in it.
    fn leave_unless_folder(&mut self, path: &Path, ears: &mut Ears) -> Vec<PathBuf> {
        let still = match self.follows {
            true => fs::metadata(path),
            false => fs::symlink_metadata(path),
        };
        if !self.folders.contains(path) || still.is_ok_and(|metadata| metadata.is_dir()) {
            return Vec::new();
        }
        let inside = |folder: &&PathBuf| folder.starts_with(path);
        let gone: Vec<PathBuf> =
            self.folders.range(path.to_owned()..).take_while(inside).cloned().collect();
        for folder in gone {
            ears.leave(&folder);
            self.folders.remove(&folder);
            self.linked.remove(&folder);
        }
        self.below(path).cloned().collect()
    }

    /// The known files in a folder, however deep.
    fn below<'a>(&'a self, folder: &'a Path) -> impl Iterator<Item = &'a PathBuf> {
        let files = self.files.range(folder.to_owned()..).map(|(file, _)| file);
        files.take_while(move |file| file.starts_with(folder))
    }

    fn kind(
        &mut self,
        path: &Path,
        kind: Option<fs::FileType>,
        ears: &mut Ears,
        may: &May,
    ) -> Kind {
        let Some(kind) = kind else { return Kind::Other };
        if kind.is_symlink() {
            return self.linked(path, ears, may);
        }
        match (kind.is_dir(), kind.is_file()) {
            (true, _) if self.enters(path) => Kind::Folder,
            (_, true) if self.takes(path) => Kind::File,
            _ => Kind::Other,
        }
    }

    /// What a link stands for. One is followed only where the flow may look, and no folder twice.
    fn linked(&mut self, link: &Path, ears: &mut Ears, may: &May) -> Kind {
        if !self.follows || !(self.enters(link) || self.takes(link)) {
            return Kind::Other;
        }
        let Some(target) = fs::canonicalize(link).ok().filter(|target| may(target)) else {
            return Kind::Other;
        };
        if target.is_file() && self.takes(link) {
            // What is behind a link is told of only where it is watched itself.
            let _ = ears.watch(link);
            return Kind::File;
        }
        let inside = self
            .scopes
            .iter()
            .any(|scope| target.starts_with(&scope.base) || scope.base.starts_with(&target));
        let elsewhere = self.linked.iter().any(|(other, to)| other != link && *to == target);
        if !target.is_dir() || inside || elsewhere || !self.enters(link) {
            return Kind::Other;
        }
        self.linked.insert(link.to_owned(), target);
        Kind::Folder
    }

    fn enters(&self, folder: &Path) -> bool {
        self.scopes.iter().any(|scope| scope.enters(folder))
    }

    fn takes(&self, file: &Path) -> bool {
        self.scopes.iter().any(|scope| scope.takes(file))
    }

    fn differs(&self, path: &Path) -> bool {
        self.files.get(path) != self.stamp(path).as_ref()
    }

    fn is_there(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok()
    }

    /// Of a file that is there; links count where they are followed.
    fn stamp(&self, path: &Path) -> Option<Stamp> {
        let metadata = match self.follows {
            true => fs::metadata(path),
            false => fs::symlink_metadata(path),
        };
        metadata.ok().filter(Metadata::is_file).map(|metadata| Stamp::of(&metadata))
    }
}

enum Kind {
    Folder,
    File,
    /// Nothing, or nothing that is meant.
    Other,
}

/// Whether a folder could be watched. One that is gone or closed to us is no reason to stop.
fn quiet(watched: Result<()>, folder: &Path) -> Result<bool> {
    match watched {
        Ok(()) => Ok(true),
        Err(error) if error.code == Code::QuotaExceeded => Err(error),
        Err(error) => {
            tracing::debug!(%error, folder = %folder.display(), "a folder is not watched");
            Ok(false)
        }
    }
}

fn too_many() -> Error {
    Error::new(Code::TooLarge, format!("the trigger would watch more than {MOST_FILES} files"))
        .hint("Narrow its paths, or ignore folders (ignorePatterns, depth).")
}
