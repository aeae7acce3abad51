//! `git.diff`

use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Error, Result};
use devrig_git::Wanted as Compared;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::{About, Action, Context, Effect};
use crate::permissions::Wanted;

pub(super) const ABOUT: About = About {
    name: "git.diff",
    title: "Differences",
    text: "Gives what changed in a repository: between HEAD and the files on disk; with `staged` \
           between HEAD and what is staged; with `from` between that commit and the files, or the \
           commit `to`. `files` has each path with the lines `added` and `removed`, `patch` the \
           whole in git's format. Untracked files and submodules are left out. The flow must be \
           allowed `read:` of the repository's folder.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "The folder that holds `.git`."},
            "staged": {"type": "boolean", "default": false, "description": "Whether what is staged is compared."},
            "from": {"type": "string", "minLength": 1, "maxLength": 500, "description": "A branch, a tag, an id, or such as `HEAD~1`."},
            "to": {"type": "string", "minLength": 1, "maxLength": 500, "description": "The same, with `from`."},
            "paths": {"type": "array", "items": {"type": "string", "minLength": 1}, "maxItems": 1000, "default": [],
                "description": "Only these files and folders, relative to the repository."},
            "context": {"type": "integer", "minimum": 0, "maximum": 1000, "default": 3, "description": "Lines around each change."},
            "maxBytes": {"type": "integer", "minimum": 0, "maximum": 8388608, "default": 1048576,
                "description": "A longer patch is cut at a line, and `truncated` says so."}}}"#,
    output: r#"{"type": "object", "required": ["files", "patch", "truncated"]}"#,
    example: r#"{"path": "~/code/lamp", "from": "main~5", "to": "main", "paths": ["src"]}"#,
    typical_ms: 30,
    raw: &[],
};

/// Comparing reads every file that changed.
const TIMEOUT: Duration = Duration::from_secs(120);

pub(super) struct Diff;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Config {
    path: String,
    #[serde(default)]
    staged: bool,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    paths: Vec<String>,
    context: Option<u32>,
    max_bytes: Option<usize>,
}

#[async_trait]
impl Action for Diff {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let config: Config = serde_json::from_value(input)?;
        let (path, access) = super::to_read(&config.path, context)?;
        if config.to.is_some() && (config.from.is_none() || config.staged) {
            return Err(Error::invalid("to is a commit to compare `from` with")
                .hint("Name `from` too, without `staged`."));
        }
        let wanted = Compared {
            staged: config.staged,
            from: config.from,
            to: config.to,
            paths: config.paths,
            context: config.context.unwrap_or(3),
        };
        let most = config.max_bytes.unwrap_or(1024 * 1024);
        let found = devrig_git::diff(&path, wanted, most, &access, TIMEOUT, context.token).await?;
        Ok(serde_json::to_value(found)?)
    }

    fn needs(&self, config: &Map<String, Value>) -> Vec<Wanted> {
        super::reads(config)
    }
}
