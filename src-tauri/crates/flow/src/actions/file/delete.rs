//! `file.delete`

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use devrig_core::{Error, Result};
use rustix::fs::{AtFlags, statat, unlinkat};
use rustix::io::Errno;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Effect};
use crate::actions::blocking::{Blocking, Scene};
use crate::permissions::Wanted;
use crate::place::{Folder, Kind, Spot, told};

const ABOUT: About = About {
    name: "file.delete",
    title: "Delete a file",
    text: "Deletes a file, a link (not what it leads to) or an empty folder; with `recursive` a \
           folder and all that is in it. Where there is nothing, nothing is to be done: `deleted` \
           says so. The flow must be allowed `write:` of it or of a folder above it.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "From the root on, or from the home folder with `~/`."},
            "recursive": {"type": "boolean", "default": false, "description": "Whether a folder goes with all that is in it."}}}"#,
    output: r#"{"type": "object", "required": ["path", "deleted"],
        "properties": {"path": {"type": "string"}, "deleted": {"type": "boolean"}}}"#,
    example: r#"{"path": "~/reports/old.json"}"#,
    typical_ms: 1,
    raw: &[],
};

/// Folders in folders; more is a trap.
const DEEPEST: usize = 200;

pub(super) struct Delete;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    path: String,
    #[serde(default)]
    recursive: bool,
}

impl Blocking for Delete {
    const ABOUT: About = ABOUT;
    type Config = Config;

    fn run(config: Config, scene: &Scene) -> Result<Value> {
        let path = super::to_remove(&config.path, "path", scene)?;
        let deleted = match Spot::reach(&path, false) {
            Ok(spot) => remove(&spot, config.recursive, scene)?,
            Err(error) if error.code == devrig_core::Code::NotFound => false,
            Err(error) => return Err(error),
        };
        Ok(json!({ "path": path, "deleted": deleted }))
    }

    fn needs(config: &Map<String, Value>) -> Vec<Wanted> {
        Wanted::write(config, "path").into_iter().collect()
    }
}

fn remove(spot: &Spot, recursive: bool, scene: &Scene) -> Result<bool> {
    let Some(stat) = spot.look()? else { return Ok(false) };
    if Kind::of(&stat) != Kind::Folder {
        return spot.unlink().map(|()| true);
    }
    if recursive {
        empty(&spot.folder.inner(spot.name())?, 0, scene)?;
    }
    match unlinkat(&spot.folder, spot.name(), AtFlags::REMOVEDIR) {
        Ok(()) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(Errno::NOTEMPTY | Errno::EXIST) if !recursive => Err(spot
            .wrong(Errno::NOTEMPTY)
            .hint("With `recursive` it goes with all that is in it.")),
        Err(error) => Err(spot.wrong(error)),
    }
}

/// Everything in a folder. Links in it go themselves, and what they lead to stays.
fn empty(folder: &Folder, depth: usize, scene: &Scene) -> Result<()> {
    if depth > DEEPEST {
        return Err(Error::invalid(format!("{} is too deep", folder.path().display())));
    }
    for name in names(folder)? {
        scene.go_on()?;
        let wrong = |error: Errno| told(&folder.path().join(&name), &error.into());
        let flags = match statat(folder, &*name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) if Kind::of(&stat) == Kind::Folder => {
                empty(&folder.inner(&name)?, depth + 1, scene)?;
                AtFlags::REMOVEDIR
            }
            Ok(_) => AtFlags::empty(),
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(wrong(error)),
        };
        match unlinkat(folder, &*name, flags) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(wrong(error)),
        }
    }
    Ok(())
}

/// All at once: deleting while listing leaves some out.
fn names(folder: &Folder) -> Result<Vec<OsString>> {
    let mut names = Vec::new();
    for entry in folder.entries()? {
        let entry = entry.map_err(|error| told(folder.path(), &error.into()))?;
        let name = entry.file_name().to_bytes();
        if !matches!(name, b"." | b"..") {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}
