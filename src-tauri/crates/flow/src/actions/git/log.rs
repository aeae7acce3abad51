//! `git.log`

use async_trait::async_trait;
use devrig_core::Result;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::action::{About, Action, Context, Effect};
use crate::permissions::Wanted;

pub(super) const ABOUT: About = About {
    name: "git.log",
    title: "Commits",
    text: "Gives the newest commits that a branch, tag or id leads to, HEAD unless told: `id`, \
           `subject`, `author`, `time`. The flow must be allowed `read:` of the repository's folder.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path"],
        "properties": {
            "path": {"type": "string", "minLength": 1, "description": "The folder that holds `.git`."},
            "from": {"type": "string", "minLength": 1, "maxLength": 500, "description": "A branch, a tag, an id, or such as `HEAD~1`."},
            "limit": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 20, "description": "At most so many."}}}"#,
    output: r#"{"type": "object", "required": ["commits"], "properties": {"commits": {"type": "array"}}}"#,
    example: r#"{"path": "~/code/lamp", "from": "main", "limit": 5}"#,
    typical_ms: 10,
    raw: &[],
};

pub(super) struct Log;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: String,
    from: Option<String>,
    limit: Option<usize>,
}

#[async_trait]
impl Action for Log {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let config: Config = serde_json::from_value(input)?;
        let (path, access) = super::to_read(&config.path, context)?;
        let most = config.limit.unwrap_or(20);
        let commits = super::beside(move |interrupt| {
            devrig_git::log(&path, config.from.as_deref(), most, &access, interrupt)
        });
        Ok(json!({ "commits": commits.await? }))
    }

    fn needs(&self, config: &Map<String, Value>) -> Vec<Wanted> {
        super::reads(config)
    }
}
