//! `git.status`

use async_trait::async_trait;
use devrig_core::Result;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::action::{About, Action, Context, Effect};
use crate::permissions::Wanted;

pub(super) const ABOUT: About = About {
    name: "git.status",
    title: "State of a repository",
    text: "Gives how a local git repository stands: `head` (branch and commit), `branches` with how \
           far each is ahead of and behind what it follows, `worktree` (how many files are staged, \
           modified, untracked or conflicted, with examples), `stashes`, `operation` (a merge or \
           rebase that was begun), `remotes`. Nothing is fetched. The flow must be allowed `read:` \
           of its folder.",
    effect: Effect::Read,
    idempotent: true,
    input: r#"{"type": "object", "additionalProperties": false, "required": ["path"],
        "properties": {"path": {"type": "string", "minLength": 1,
            "description": "The folder that holds `.git`."}}}"#,
    output: r#"{"type": "object", "required": ["path", "name", "head", "branches", "worktree", "stashes", "remotes"]}"#,
    example: r#"{"path": "~/code/lamp"}"#,
    typical_ms: 30,
    raw: &[],
};

pub(super) struct Status;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    path: String,
}

#[async_trait]
impl Action for Status {
    async fn run(&self, input: Value, context: &Context<'_>) -> Result<Value> {
        let config: Config = serde_json::from_value(input)?;
        let (path, access) = super::to_read(&config.path, context)?;
        let read = move |interrupt: &_| devrig_git::state_with(&path, &access, interrupt);
        Ok(serde_json::to_value(super::beside(read).await?)?)
    }

    fn needs(&self, config: &Map<String, Value>) -> Vec<Wanted> {
        super::reads(config)
    }
}
