//! Finding plugins, installing them from a folder, and removing them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};
use sha2::{Digest, Sha256};

use crate::check;
use crate::core::{Plugin, Status};
use crate::info::PluginSource;
use crate::manifest::Manifest;
use crate::package::{self, Hashes};
use crate::table::plugin::PluginRow;
use crate::text::shown;

/// Where copies are made before they take their place; whatever lies there was left by a crash.
const STAGING: &str = ".staging";

/// A package that lies where it is used.
pub(crate) struct Found {
    pub manifest: Manifest,
    pub folder: PathBuf,
    pub files: Hashes,
}

/// The plugins in the sub-folders of a bundle. One that cannot be read is left out, and said.
pub(crate) fn bundled(bundles: &[PathBuf], devrig: &str) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for bundle in bundles {
        let Ok(entries) = std::fs::read_dir(bundle) else { continue };
        let mut folders: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        folders.sort();
        for folder in folders.into_iter().filter(|folder| is_package(folder)) {
            match read(&folder, devrig) {
                // The first folder wins: the one beside the program.
                Ok(new) if found.iter().any(|old| old.manifest.name == new.manifest.name) => {}
                Ok(new) => found.push(new),
                Err(error) => {
                    tracing::warn!(%error, folder = %folder.display(), "a plugin of the bundle is unusable");
                }
            }
        }
    }
    found
}

fn is_package(folder: &Path) -> bool {
    folder.join("devrig-plugin.json").is_file()
}

fn read(folder: &Path, devrig: &str) -> Result<Found> {
    let (manifest, entries) = check::check(folder, devrig).into_manifest()?;
    let files = package::hash(folder, &entries)?;
    Ok(Found { manifest, folder: folder.to_owned(), files })
}

/// An installed plugin as its row has it. Files that are not what was installed quarantine it.
///
/// # Errors
/// When not even its manifest can be read.
pub(crate) fn installed(home: &Path, row: &PluginRow, devrig: &str) -> Result<Plugin> {
    let folder = place(home, &row.name, &row.version, &row.files);
    let found = read(&folder, devrig).context(format!("loading the plugin {}", row.name))?;
    let mut status =
        Status { enabled: row.enabled, quarantine: row.quarantine.clone(), ..Status::default() };
    if found.files != row.files || found.manifest.name != row.name {
        let changed =
            Error::new(Code::Conflict, "its files were changed on disk after the install")
                .hint("Install it again if you trust the change.");
        status.quarantine.get_or_insert(changed);
    }
    let files = row.files.clone();
    Ok(Plugin::new(found.manifest, folder, PluginSource::Installed, files, status))
}

/// Copies a package into DevRig's home. Until the caller stores the row, nothing uses it.
pub(crate) fn install(home: &Path, from: &Path, devrig: &str) -> Result<Found> {
    let (_, entries) = check::check(from, devrig).into_manifest()?;
    let staged = home.join(STAGING).join(devrig_core::id::fresh());
    let outcome: Result<Found> = (|| {
        let files = package::copy(from, &staged, &entries)?;
        // What counts is what was copied, not what was looked at before.
        let (manifest, _) = check::check(&staged, devrig).into_manifest()?;
        let folder = place(home, &manifest.name, &manifest.version, &files);
        package::put_in_place(&staged, &folder)?;
        Ok(Found { manifest, folder, files })
    })();
    if staged.exists() {
        _ = std::fs::remove_dir_all(&staged);
    }
    outcome.context(format!("installing {}", from.display()))
}

/// One folder for each content, so that an install never touches what is in use.
fn place(home: &Path, name: &str, version: &str, files: &Hashes) -> PathBuf {
    let mut hash = Sha256::new();
    for (path, file) in files {
        hash.update(format!("{path}\0{file}\n"));
    }
    let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
    home.join(name).join(format!("{version}-{digest}"))
}

/// Removes the folders of a plugin except the one in use.
pub(crate) fn clean(home: &Path, plugin: &str, kept: Option<&Path>) {
    let folder = home.join(plugin);
    for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
        if Some(entry.path().as_path()) != kept
            && let Err(error) = std::fs::remove_dir_all(entry.path())
        {
            tracing::warn!(%error, folder = %entry.path().display(), "an old version stays on disk");
        }
    }
    if kept.is_none() {
        // Only when empty: with `@scope/name` there may be neighbours.
        _ = std::fs::remove_dir(&folder);
    }
}

/// Removes what a crash left behind.
pub(crate) fn clean_staging(home: &Path) {
    let staging = home.join(STAGING);
    if staging.exists()
        && let Err(error) = std::fs::remove_dir_all(&staging)
    {
        tracing::warn!(%error, "what an interrupted install left could not be removed");
    }
}

/// # Errors
/// `CONFLICT` when a plugin of another source has the name.
pub(crate) fn refuse_impostor(name: &str, known: &[Arc<Plugin>]) -> Result<()> {
    let bundled =
        known.iter().any(|plugin| plugin.name() == name && plugin.source == PluginSource::Bundled);
    if bundled {
        let message = format!("a plugin named {} ships with DevRig", shown(name, 100));
        return Err(Error::new(Code::Conflict, message).hint("Give your plugin another name."));
    }
    Ok(())
}
