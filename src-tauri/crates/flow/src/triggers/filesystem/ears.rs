//! What the system tells of files, boiled down to where to look.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use devrig_core::{Code, Error, Result};
use notify::event::{MetadataKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

/// Where the system watches one folder at a time. Elsewhere it watches whole trees, at no cost for
/// each folder.
pub(super) const EACH_FOLDER: bool =
    cfg!(not(any(target_os = "macos", target_os = "ios", target_os = "windows")));
/// Hints that wait at most. Beyond that everything is looked at anew, which costs less.
const MOST: usize = 50_000;

/// Where something happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// Something is at the path, or no longer.
    Look(PathBuf),
    Moved(PathBuf, PathBuf),
    /// Some were lost.
    LookEverywhere,
}

/// Listens to the system while it is kept.
pub(super) struct Ears {
    watcher: RecommendedWatcher,
    heard: Arc<Heard>,
}

/// Hints that nobody has followed yet.
#[derive(Default)]
pub(super) struct Heard {
    hints: Mutex<Vec<Hint>>,
    error: Mutex<Option<Error>>,
    some: Notify,
}

impl Ears {
    /// # Errors
    /// `QUOTA_EXCEEDED` when the system gives no more of them.
    pub fn open() -> Result<Self> {
        let heard = Arc::new(Heard::default());
        let hearing = heard.clone();
        let watcher = notify::recommended_watcher(move |event| hearing.hear(event));
        Ok(Self { watcher: watcher.map_err(|error| told(error, None))?, heard })
    }

    /// Listens at a folder, or at a file. Twice is the same as once.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` when the system watches no more; `NOT_FOUND`.
    pub fn watch(&mut self, path: &Path) -> Result<()> {
        let mode = match EACH_FOLDER {
            true => RecursiveMode::NonRecursive,
            false => RecursiveMode::Recursive,
        };
        self.watcher.watch(path, mode).map_err(|error| told(error, Some(path)))
    }

    /// Listens no longer at a path.
    pub fn leave(&mut self, path: &Path) {
        // The system may have forgotten it before.
        let _ = self.watcher.unwatch(path);
    }

    /// Where the hints come in.
    pub fn heard(&self) -> Arc<Heard> {
        self.heard.clone()
    }
}

impl Heard {
    /// What was told since the last time. Waits for something where there is nothing.
    ///
    /// # Errors
    /// What the system could not watch.
    pub async fn hints(&self) -> Result<Vec<Hint>> {
        loop {
            let some = self.some.notified();
            if let Some(error) = lock(&self.error).take() {
                return Err(error);
            }
            let hints = std::mem::take(&mut *lock(&self.hints));
            if !hints.is_empty() {
                return Ok(hints);
            }
            some.await;
        }
    }

    fn hear(&self, event: notify::Result<Event>) {
        match event {
            Ok(event) => self.add(hints(event)),
            Err(error) => *lock(&self.error) = Some(told(error, None)),
        }
        self.some.notify_one();
    }

    fn add(&self, new: Vec<Hint>) {
        let mut hints = lock(&self.hints);
        if hints.len() + new.len() > MOST {
            hints.clear();
            hints.push(Hint::LookEverywhere);
        } else if hints.first() != Some(&Hint::LookEverywhere) {
            hints.extend(new);
        }
    }
}

fn hints(event: Event) -> Vec<Hint> {
    if event.need_rescan() {
        return vec![Hint::LookEverywhere];
    }
    match event.kind {
        // Somebody reads.
        EventKind::Access(_)
        | EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime)) => Vec::new(),
        EventKind::Modify(ModifyKind::Name(RenameMode::Both)) if event.paths.len() == 2 => {
            let [from, to] = [event.paths[0].clone(), event.paths[1].clone()];
            vec![Hint::Moved(from, to)]
        }
        _ => event.paths.into_iter().map(Hint::Look).collect(),
    }
}

/// The system's error in words, with the remedy where it has a limit.
fn told(error: notify::Error, path: Option<&Path>) -> Error {
    let place = path.map(|path| format!("{}: ", path.display())).unwrap_or_default();
    let full = |what: &str, setting: &str, room: u32| {
        Error::new(Code::QuotaExceeded, format!("{place}the system watches no more {what}")).hint(
            format!(
                "Ignore folders that are not needed (ignorePatterns, depth), or raise the limit: \
                 `sudo sysctl {setting}={room}`."
            ),
        )
    };
    match error.kind {
        notify::ErrorKind::MaxFilesWatch => {
            full("folders", "fs.inotify.max_user_watches", 1_048_576)
        }
        notify::ErrorKind::Io(error) if error.raw_os_error() == Some(TOO_MANY_FILES) => {
            full("trees", "fs.inotify.max_user_instances", 1_024)
        }
        notify::ErrorKind::PathNotFound => Error::not_found(format!("{place}the folder")),
        kind => Error::new(
            Code::Io,
            format!("{place}it cannot be watched: {}", notify::Error::new(kind)),
        )
        .hint("See that the folder can be read."),
    }
}

/// `EMFILE`, which is how Linux says that a person has too many listeners.
const TOO_MANY_FILES: i32 = 24;

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, CreateKind};

    use super::*;

    #[test]
    fn limits_of_the_system_are_told_with_the_remedy() {
        let watches =
            told(notify::Error::new(notify::ErrorKind::MaxFilesWatch), Some("/x".as_ref()));
        assert_eq!(watches.code, Code::QuotaExceeded);
        assert!(watches.message.starts_with("/x: "), "{watches}");
        assert!(watches.hint.unwrap().contains("fs.inotify.max_user_watches="));
        let io = std::io::Error::from_raw_os_error(TOO_MANY_FILES);
        let instances = told(notify::Error::io(io), None);
        assert!(instances.hint.unwrap().contains("fs.inotify.max_user_instances="));
    }

    #[test]
    fn too_many_hints_become_one() {
        let heard = Heard::default();
        let create = |n: usize| {
            Event::new(EventKind::Create(CreateKind::File)).add_path(format!("/f{n}").into())
        };
        heard.hear(Ok(create(0)));
        heard.hear(Ok(Event::new(EventKind::Access(AccessKind::Read)).add_path("/x".into())));
        assert_eq!(*lock(&heard.hints), [Hint::Look("/f0".into())]);
        (0..MOST + 10).for_each(|n| heard.hear(Ok(create(n))));
        assert_eq!(*lock(&heard.hints), [Hint::LookEverywhere]);
    }
}
