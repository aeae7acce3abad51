//! Commits, made by git's own plumbing: no hook, filter or command of the repository's runs, and
//! what the person has staged besides is left as it is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};
use devrig_process::{ChildSpec, RunLimits, run};
use gix::ObjectId;
use gix::bstr::ByteSlice;
use gix::status::UntrackedFiles;
use tokio_util::sync::CancellationToken;

use crate::branches;
use crate::layout::check_plain;
use crate::log::commit_id;
use crate::model::Commit;
use crate::open::{Access, Opened, broken, open};
use crate::scratch::{ALWAYS, Scratch, environment, find_git, stored_format, work_tree_config};
use crate::walk::describe;
use crate::worktree::{Change, changes};

/// What is to be committed.
#[derive(Debug, Clone, Default)]
pub struct NewCommit {
    pub message: String,
    /// Files and folders, relative to the repository, of which everything that changed is
    /// committed, and nothing else; without any, everything that changed or is staged.
    pub paths: Option<Vec<String>>,
    /// As the person's configuration has it unless told.
    pub author: Option<Author>,
    /// A trailer, name and value. When HEAD's commit has it, that is the commit that was asked for.
    pub mark: Option<(String, String)>,
}

#[derive(Debug, Clone)]
pub struct Author {
    pub name: String,
    pub email: String,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Committed {
    Done(Commit),
    /// HEAD's commit has the mark: it was made before.
    Before(Commit),
    /// Nothing changed.
    Nothing,
}

/// Where a repository lies, and so what a commit writes to.
#[derive(Debug, Clone)]
pub struct Places {
    pub work_tree: PathBuf,
    pub git_dir: PathBuf,
    pub common_dir: PathBuf,
}

/// The places of a repository, links resolved.
pub fn places(repository: &Path, access: &Access) -> Result<Places> {
    let layout = open(repository, access)?.layout;
    let crate::layout::Layout { work_tree, git_dir, common_dir } = layout;
    Ok(Places { work_tree, git_dir, common_dir })
}

/// Commits on the branch that is checked out. It is not signed, and no hook runs. When it fails the
/// branch is as it was.
pub async fn commit(
    repository: &Path,
    wanted: NewCommit,
    access: &Access,
    timeout: Duration,
    cancel: &CancellationToken,
) -> Result<Committed> {
    let interrupt = Arc::new(AtomicBool::new(false));
    let _told = Told(interrupt.clone());
    let (folder, within, asked) = (repository.to_owned(), access.clone(), wanted.clone());
    let prepared =
        tokio::task::spawn_blocking(move || prepare(&folder, &asked, &within, &interrupt));
    let prepared = prepared.await;
    let prepared =
        prepared.map_err(|error| Error::internal(format!("preparing a commit: {error}")))??;
    let doing = format!("committing in {}", repository.display());
    let work = match prepared {
        Prepared::Settled(committed) => return Ok(committed),
        Prepared::Work(work) => work,
    };
    let git = Git { work: &work, access, timeout, cancel };
    let Some(id) = git.commit(&wanted).await.context(&doing)? else {
        return Ok(Committed::Nothing);
    };
    // The commit stands, whatever becomes of the index: it would only show the paths as changed.
    _ = git.stage(&work.index, work.paths()).await;
    let (folder, within) = (repository.to_owned(), access.clone());
    let described = tokio::task::spawn_blocking(move || {
        let opened = open(&folder, &within)?;
        describe(&opened.repo, id)
    });
    described
        .await
        .map_err(|error| Error::internal(format!("reading a commit: {error}")))?
        .map(Committed::Done)
}

/// Stops what reads the repository when nobody waits for it.
struct Told(Arc<AtomicBool>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

enum Prepared {
    Settled(Committed),
    Work(Work),
}

/// Everything that git needs to know.
struct Work {
    scratch: Scratch,
    work_tree: PathBuf,
    index: PathBuf,
    branch: String,
    head: Option<ObjectId>,
    unborn: ObjectId,
    /// Whether what is staged goes along.
    whole: bool,
    changed: Vec<String>,
}

impl Work {
    /// The changed paths as git reads a list of them.
    fn paths(&self) -> Vec<u8> {
        self.changed.iter().flat_map(|path| path.bytes().chain([0])).collect()
    }
}

fn prepare(
    folder: &Path,
    wanted: &NewCommit,
    access: &Access,
    interrupt: &Arc<AtomicBool>,
) -> Result<Prepared> {
    if wanted.message.trim().is_empty() {
        return Err(Error::invalid("the message of the commit is empty").hint("Write one."));
    }
    let opened = open(folder, access)?;
    let head = commit_id(&opened, None)?;
    if let Some(made) = made_before(&opened, head, wanted.mark.as_ref())? {
        return Ok(Prepared::Settled(Committed::Before(made)));
    }
    let branch = branch(&opened)?;
    let changed = changed(&opened, wanted.paths.as_deref(), interrupt)?;
    // git would write through a link in any of these.
    check_plain(&opened.layout.common_dir.join("objects"), 2)?;
    let config = stored_format(&opened)? + &work_tree_config(&opened);
    // git notes the commit under HEAD too where HEAD is that of the folder which it writes to.
    let own_head = opened.layout.git_dir == opened.layout.common_dir;
    let head_text =
        if own_head { format!("ref: {branch}\n") } else { crate::scratch::UNBORN.into() };
    Ok(Prepared::Work(Work {
        scratch: Scratch::make(&opened.layout.common_dir, &head_text, &config)?,
        work_tree: opened.layout.work_tree.clone(),
        index: opened.layout.git_dir.join("index"),
        unborn: ObjectId::null(opened.repo.object_hash()),
        branch,
        head,
        whole: wanted.paths.is_none(),
        changed,
    }))
}

fn made_before(
    opened: &Opened,
    head: Option<ObjectId>,
    mark: Option<&(String, String)>,
) -> Result<Option<Commit>> {
    let (Some(head), Some((name, value))) = (head, mark) else { return Ok(None) };
    let wrong = |error: &dyn std::fmt::Display| broken(&opened.layout.work_tree, error);
    let commit = opened.repo.find_commit(head).map_err(|error| wrong(&error))?;
    let message = commit.message_raw().map_err(|error| wrong(&error))?.to_str_lossy().into_owned();
    let line = format!("{name}: {value}");
    match message.lines().any(|each| each.trim() == line) {
        true => describe(&opened.repo, head).map(Some),
        false => Ok(None),
    }
}

/// The branch that the commit goes on.
fn branch(opened: &Opened) -> Result<String> {
    let folder = opened.layout.work_tree.display();
    if let Some(operation) = crate::operation::operation(&opened.repo) {
        let what = format!("{:?}", operation.kind).to_lowercase();
        return Err(Error::new(Code::Conflict, format!("a {what} is under way in {folder}"))
            .hint("End it first, or give it up."));
    }
    match branches::head(opened)?.branch {
        Some(name) => Ok(format!("refs/heads/{name}")),
        None => Err(Error::new(Code::Conflict, format!("no branch is checked out in {folder}"))
            .hint("Check one out first, so that the commit is not lost.")),
    }
}

fn changed(
    opened: &Opened,
    paths: Option<&[String]>,
    interrupt: &Arc<AtomicBool>,
) -> Result<Vec<String>> {
    let folder = &opened.layout.work_tree;
    let named =
        paths.map(|paths| paths.iter().map(|path| named(path, folder)).collect::<Result<_>>());
    let named: Option<Vec<String>> = named.transpose()?;
    let (changes, more) = changes(opened, UntrackedFiles::Files, interrupt)?;
    if more {
        return Err(Error::new(
            Code::TooLarge,
            format!("too much changed in {}", folder.display()),
        )
        .hint("Commit it by hand."));
    }
    let mut chosen = Vec::new();
    for (path, change) in changes {
        if named.as_ref().is_some_and(|named| !named.iter().any(|name| covers(name, &path))) {
            continue;
        }
        if change.conflicted {
            return Err(Error::new(Code::Conflict, format!("{path} has conflicts"))
                .hint("Resolve them first."));
        }
        if is_to_stage(change, named.is_some()) && may_be_staged(&folder.join(&path)) {
            chosen.push(path);
        }
    }
    Ok(chosen)
}

/// What is staged and unchanged since goes along as it is, unless only some paths are wanted.
fn is_to_stage(change: Change, only_some: bool) -> bool {
    change.modified || change.deleted || change.untracked || (change.staged && only_some)
}

/// Files and links, and what is gone; no pipe, and no repository in the repository.
fn may_be_staged(path: &Path) -> bool {
    std::fs::symlink_metadata(path).map_or(true, |meta| meta.is_file() || meta.is_symlink())
}

/// A path as the index has it. The whole repository is the empty one.
fn named(path: &str, folder: &Path) -> Result<String> {
    let given = Path::new(path);
    let below = given.strip_prefix(folder).unwrap_or(given);
    let wrong = || {
        Error::invalid(format!("{path:?} is not in {}", folder.display()))
            .hint("Name it relative to the repository, without `..`.")
    };
    let mut parts = Vec::new();
    for part in below.components() {
        match part {
            std::path::Component::Normal(part) => parts.push(part.to_str().ok_or_else(wrong)?),
            std::path::Component::CurDir => {}
            _ => return Err(wrong()),
        }
    }
    Ok(parts.join("/"))
}

fn covers(name: &str, path: &str) -> bool {
    name.is_empty()
        || path.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The git program at one piece of work.
struct Git<'a> {
    work: &'a Work,
    access: &'a Access,
    timeout: Duration,
    cancel: &'a CancellationToken,
}

impl Git<'_> {
    /// Nothing where the tree is that of HEAD.
    async fn commit(&self, wanted: &NewCommit) -> Result<Option<ObjectId>> {
        let work = self.work;
        let index = work.scratch.folder().join("index");
        match (work.whole, work.head) {
            (true, _) if work.index.is_file() => {
                std::fs::copy(&work.index, &index).context("copying the index")?;
            }
            (false, Some(head)) => {
                self.run(&["read-tree", &head.to_string()], &index, Vec::new()).await?;
            }
            _ => {}
        }
        self.stage(&index, work.paths()).await?;
        let tree = self.run(&["write-tree"], &index, Vec::new()).await?;
        if tree == self.tree_of_head(&index).await? {
            return Ok(None);
        }
        let id = self.write(&tree, wanted, &index).await?;
        let new = ObjectId::from_hex(id.as_bytes())
            .map_err(|error| Error::internal(format!("git gave the id {id:?}: {error}")))?;
        let old = work.head.unwrap_or(work.unborn).to_string();
        let subject = wanted.message.trim().lines().next().unwrap_or_default();
        let told = format!("commit: {subject}");
        let update = ["update-ref", "-m", &told, "--no-deref", &work.branch, &id, &old];
        self.run(&update, &index, Vec::new()).await?;
        Ok(Some(new))
    }

    async fn tree_of_head(&self, index: &Path) -> Result<String> {
        match self.work.head {
            Some(head) => {
                let tree = format!("{head}^{{tree}}");
                self.run(&["rev-parse", "--verify", &tree], index, Vec::new()).await
            }
            None => self.run(&["mktree"], index, Vec::new()).await,
        }
    }

    async fn write(&self, tree: &str, wanted: &NewCommit, index: &Path) -> Result<String> {
        let mut args = vec!["commit-tree".to_owned(), tree.to_owned()];
        args.extend(self.work.head.iter().flat_map(|head| ["-p".to_owned(), head.to_string()]));
        let mut spec = self.command(index)?.args(args).stdin(message(wanted).into_bytes());
        if let Some(Author { name, email }) = &wanted.author {
            for who in ["AUTHOR", "COMMITTER"] {
                spec = spec
                    .env(format!("GIT_{who}_NAME"), name)
                    .env(format!("GIT_{who}_EMAIL"), email);
            }
        }
        self.finish(spec).await
    }

    /// Takes over what is on disk.
    async fn stage(&self, index: &Path, paths: Vec<u8>) -> Result<()> {
        if paths.is_empty() {
            return Ok(());
        }
        let args = ["update-index", "--add", "--remove", "--replace", "-z", "--stdin"];
        self.run(&args, index, paths).await.map(drop)
    }

    async fn run(&self, args: &[&str], index: &Path, stdin: Vec<u8>) -> Result<String> {
        self.finish(self.command(index)?.args(args.iter().copied()).stdin(stdin)).await
    }

    fn command(&self, index: &Path) -> Result<ChildSpec> {
        // Nobody is made up where it is not known who commits.
        let mut spec = ChildSpec::new(find_git(self.access)?)
            .args(ALWAYS)
            .args(["-c", "user.useConfigOnly=true"])
            .cwd(&self.work.work_tree);
        spec.env = environment(&self.work.scratch, self.access);
        Ok(spec.env("GIT_WORK_TREE", &self.work.work_tree).env("GIT_INDEX_FILE", index))
    }

    async fn finish(&self, spec: ChildSpec) -> Result<String> {
        let limits = RunLimits { timeout: self.timeout, output: 64 * 1024 };
        let output = run(spec, limits, self.cancel).await?;
        if !output.exit.success() {
            return Err(failure(&String::from_utf8_lossy(&output.stderr), output.exit));
        }
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    }
}

fn message(wanted: &NewCommit) -> String {
    let text = wanted.message.trim();
    match &wanted.mark {
        Some((name, value)) => format!("{text}\n\n{name}: {value}\n"),
        None => format!("{text}\n"),
    }
}

fn failure(said: &str, exit: devrig_process::Exit) -> Error {
    if said.contains("auto-detection is disabled") || said.contains("empty ident") {
        return Error::invalid("git does not know who commits").hint(
            "Name an author, or set user.name and user.email: git config --global user.name NAME.",
        );
    }
    let last = said.lines().rfind(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = devrig_process::escape_line(last.unwrap_or_else(|| said.trim()).as_bytes());
    let line: String = line.chars().take(300).collect();
    match line.contains("cannot lock ref") || line.contains(".lock") {
        true => Error::new(Code::Io, format!("somebody else changed the repository: {line}")),
        false => Error::invalid(format!("git: {exit}: {line}")).hint("Try it there by hand."),
    }
}

#[cfg(test)]
mod tests;
