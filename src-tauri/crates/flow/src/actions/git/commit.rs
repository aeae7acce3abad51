//! `git.commit`

use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Context as _, Result};
use devrig_git::{Access, Author, Committed, NewCommit};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Action, Context, Effect};
use crate::permissions::Wanted;
use crate::place;

pub(super) const ABOUT: About = About {
    name: "git.commit",
    title: "Commit",
    text: "Commits on the branch that is checked out: everything that changed in `paths`, and \
           nothing else, so that what you have staged stays as it is; without `paths` everything \
           that changed or is staged. No hook runs, and the commit is not signed. `committed` says \
           whether there was anything to commit.\n\n\
           The author is `author`, else who the git configuration says. The message ends with a \
           line `DevRig-Key`, by which a commit that was made before a crash is known again. The \
           flow must be allowed `write:` of the repository's folder; of a linked work tree also of \
           the repository that it belongs to.",
    effect: Effect::Write,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path", "message"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "The folder that holds `.git`."},
            "message": {"type": "string", "minLength": 1, "maxLength": 65536, "description": "Its first line is the subject."},
            "paths": {"type": "array", "items": {"type": "string", "minLength": 1}, "minItems": 1, "maxItems": 10000,
                "description": "Files and folders, relative to the repository."},
            "author": {"type": "object", "additionalProperties": false, "required": ["name", "email"],
                "description": "Who commits.",
                "properties": {"name": {"type": "string", "minLength": 1, "maxLength": 500},
                    "email": {"type": "string", "minLength": 1, "maxLength": 500}}}}}"#,
    output: r#"{"type": "object", "required": ["committed", "commit"], "properties": {
        "committed": {"type": "boolean"}, "commit": {"type": ["object", "null"]}}}"#,
    example: r#"{"path": "~/notes", "message": "Notes of today", "paths": ["diary"]}"#,
    typical_ms: 100,
    raw: &[],
};

/// Large files take their time to be stored.
const TIMEOUT: Duration = Duration::from_secs(300);
/// The line of the message by which a commit is known again.
const MARK: &str = "DevRig-Key";

pub(super) struct Commit;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: String,
    message: String,
    paths: Option<Vec<String>>,
    author: Option<By>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct By {
    name: String,
    email: String,
}

#[async_trait]
impl Action for Commit {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let config: Config = serde_json::from_value(input)?;
        let path = place::absolute(&config.path).and_then(|path| place::resolve(&path));
        let path = path.context("path")?;
        context.permissions.write(&path)?;
        let access = Access { readable: context.permissions.readable(), ..Access::default() };
        let (folder, within) = (path.clone(), access.clone());
        let places = super::beside(move |_| devrig_git::places(&folder, &within)).await?;
        // A work tree can name a repository elsewhere, and that is what a commit writes to.
        for place in [&places.work_tree, &places.git_dir, &places.common_dir] {
            context.permissions.write(place)?;
        }
        let wanted = NewCommit {
            message: config.message,
            paths: config.paths,
            author: config.author.map(|By { name, email }| Author { name, email }),
            mark: Some((MARK.to_owned(), context.key.to_owned())),
        };
        let made = devrig_git::commit(&path, wanted, &access, TIMEOUT, context.token).await?;
        let commit = match made {
            Committed::Done(commit) | Committed::Before(commit) => Some(commit),
            Committed::Nothing => None,
        };
        Ok(json!({ "committed": commit.is_some(), "commit": commit }))
    }

    fn needs(&self, config: &Map<String, Value>) -> Vec<Wanted> {
        Wanted::write(config, "path").into_iter().collect()
    }
}
