//! What changed, line by line, as git shows it.

use std::path::Path;
use std::time::Duration;

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};
use devrig_process::{ChildSpec, RunLimits, run};
use gix::ObjectId;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::log::commit_id;
use crate::open::{Access, open};
use crate::scratch::{
    ALWAYS, Scratch, UNBORN, environment, find_git, stored_format, work_tree_config,
};

/// What is compared. Without anything, HEAD with the files on disk.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// HEAD with what is staged.
    pub staged: bool,
    /// A commit instead of HEAD.
    pub from: Option<String>,
    /// A commit instead of the files on disk.
    pub to: Option<String>,
    /// Only these files and folders, relative to the repository.
    pub paths: Vec<String>,
    /// Lines around each change.
    pub context: u32,
}

/// The answer to a [`Wanted`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Differences {
    pub files: Vec<DiffFile>,
    /// In git's own format.
    pub patch: String,
    /// Whether the patch was cut.
    pub truncated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DiffFile {
    /// Relative to the repository, with `/`.
    pub path: String,
    /// Lines; absent for what is no text.
    pub added: Option<u64>,
    pub removed: Option<u64>,
}

/// More than anybody reads, and than is kept in memory.
const MOST_OUTPUT: usize = 16 * 1024 * 1024;

/// Compares commits, the index and the files on disk; untracked files and submodules are left out.
/// The patch is cut at a line after `most` bytes. Nothing that the repository names is run.
pub async fn diff(
    repository: &Path,
    wanted: Wanted,
    most: usize,
    access: &Access,
    timeout: Duration,
    cancel: &CancellationToken,
) -> Result<Differences> {
    let (folder, within) = (repository.to_owned(), access.clone());
    let comparing =
        tokio::task::spawn_blocking(move || Comparison::prepare(&folder, &wanted, &within))
            .await
            .map_err(|error| Error::internal(format!("preparing a comparison: {error}")))??;
    let doing = format!("comparing {}", repository.display());
    let git = async |what: &[&str]| {
        let spec = comparing.command(what, access)?;
        let output = run(spec, RunLimits { timeout, output: MOST_OUTPUT }, cancel).await;
        let output = output.context(&doing)?.checked(&doing)?;
        match output.truncated {
            true => Err(Error::new(Code::TooLarge, format!("{doing}: more than 16 MB changed"))
                .hint("Name the paths that matter.")),
            false => Ok(output.stdout),
        }
    };
    let files = files(&git(&["--numstat", "-z"]).await?);
    let patch = git(&["--patch"]).await?;
    let kept = cut(&patch, most);
    let truncated = kept < patch.len();
    Ok(Differences {
        files,
        patch: String::from_utf8_lossy(&patch[..kept]).into_owned(),
        truncated,
    })
}

struct Comparison {
    scratch: Scratch,
    work_tree: std::path::PathBuf,
    index: std::path::PathBuf,
    args: Vec<String>,
}

impl Comparison {
    fn prepare(folder: &Path, wanted: &Wanted, access: &Access) -> Result<Self> {
        let opened = open(folder, access)?;
        let config = stored_format(&opened)? + &work_tree_config(&opened);
        let named = |name: &Option<String>| match name {
            Some(name) => commit_id(&opened, Some(name)),
            None => Ok(None),
        };
        let from = match named(&wanted.from)? {
            Some(from) => from,
            None => commit_id(&opened, None)?
                .unwrap_or_else(|| ObjectId::empty_tree(opened.repo.object_hash())),
        };
        let mut args = vec![format!("--unified={}", wanted.context)];
        if wanted.staged {
            args.push("--cached".to_owned());
        }
        args.extend(["--end-of-options".to_owned(), from.to_string()]);
        args.extend(named(&wanted.to)?.map(|to| to.to_string()));
        args.push("--".to_owned());
        args.extend(wanted.paths.iter().cloned());
        Ok(Self {
            scratch: Scratch::make(&opened.layout.common_dir, UNBORN, &config)?,
            work_tree: opened.layout.work_tree.clone(),
            index: opened.layout.git_dir.join("index"),
            args,
        })
    }

    fn command(&self, what: &[&str], access: &Access) -> Result<ChildSpec> {
        let mut spec = ChildSpec::new(find_git(access)?)
            .args(ALWAYS)
            .args(["-c", "core.quotePath=false", "diff"])
            .args(["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"])
            .args(["--ignore-submodules=all", "--src-prefix=a/", "--dst-prefix=b/"])
            .args(what)
            .args(&self.args)
            .cwd(&self.work_tree);
        spec.env = environment(&self.scratch, access);
        spec = spec.env("GIT_WORK_TREE", &self.work_tree).env("GIT_INDEX_FILE", &self.index);
        // A name is a name, whatever characters it has.
        Ok(spec.env("GIT_LITERAL_PATHSPECS", "1"))
    }
}

/// `added<TAB>removed<TAB>path<NUL>`, with `-` for what is no text.
fn files(output: &[u8]) -> Vec<DiffFile> {
    let records = output.split(|byte| *byte == 0).filter(|record| !record.is_empty());
    let file = |record: &[u8]| {
        let text = String::from_utf8_lossy(record).into_owned();
        let mut parts = text.splitn(3, '\t');
        let (added, removed) = (parts.next()?.parse().ok(), parts.next()?.parse().ok());
        Some(DiffFile { path: parts.next()?.to_owned(), added, removed })
    };
    records.filter_map(file).collect()
}

/// Where a line ends, after at most so many bytes.
fn cut(patch: &[u8], most: usize) -> usize {
    if patch.len() <= most {
        return patch.len();
    }
    patch[..most].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

#[cfg(test)]
mod tests;
