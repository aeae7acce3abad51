//! The files of flows below a folder, and the folders that have to be watched for them.

use std::path::{Path, PathBuf};

use devrig_core::{Code, Context, Error, Result};

use super::disk::ENDING;

/// More than anybody keeps flows in; a folder such as a home is not meant.
const MOST_FOLDERS: usize = 1_000;
const MOST_FILES: usize = 5_000;
const DEEPEST: usize = 10;

/// Names of folders in which nobody keeps flows, and tools keep a lot.
const LEFT_OUT: [&str; 3] = ["node_modules", "target", "vendor"];

/// What lies below a folder.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub files: Vec<PathBuf>,
    pub folders: Vec<PathBuf>,
}

/// Looks through a folder; `enter` is told each of its folders before that is read.
///
/// # Errors
/// A folder that cannot be read, or holds more than anybody means.
pub(super) async fn scan(folder: &Path, mut enter: impl FnMut(&Path)) -> Result<Found> {
    let mut found = Found::default();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((path, depth)) = open.pop() {
        if found.folders.len() == MOST_FOLDERS || found.files.len() > MOST_FILES {
            return Err(too_much(folder));
        }
        enter(&path);
        found.folders.push(path.clone());
        let mut entries =
            tokio::fs::read_dir(&path).await.context(format!("reading {}", path.display()))?;
        while let Some(entry) = entries.next_entry().await.context("reading a folder")? {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let is_folder = entry.file_type().await.is_ok_and(|kind| kind.is_dir());
            if name.starts_with('.') {
                continue;
            } else if is_folder && depth < DEEPEST && !LEFT_OUT.contains(&name.as_str()) {
                open.push((entry.path(), depth + 1));
            } else if !is_folder && name.ends_with(ENDING) {
                found.files.push(entry.path());
            }
        }
    }
    Ok(found)
}

fn too_much(folder: &Path) -> Error {
    let message = format!(
        "{} has more than {MOST_FOLDERS} folders or {MOST_FILES} flows below it",
        folder.display()
    );
    Error::new(Code::TooLarge, message)
        .hint("Set `flows.folder` to a folder that holds flows alone.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn flows_are_found_below_and_other_things_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "{}").unwrap();
        };
        for path in [
            "a.flow.json",
            "work/b.flow.json",
            "a.layout.json",
            ".git/c.flow.json",
            "node_modules/d.flow.json",
            ".e.flow.json.tmp",
        ] {
            write(path);
        }
        let mut entered = 0;
        let found = scan(folder.path(), |_| entered += 1).await.unwrap();
        let mut files = found.files;
        files.sort();
        let below = |path: &str| folder.path().join(path);
        assert_eq!(files, [below("a.flow.json"), below("work/b.flow.json")]);
        assert_eq!((found.folders.len(), entered), (2, 2));
        assert!(scan(&folder.path().join("nowhere"), |_| ()).await.is_err());
    }
}
