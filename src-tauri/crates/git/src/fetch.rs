//! Fetching, with the git binary: only it knows the person's credentials.
//!
//! git would obey the repository's own configuration, which can name commands in more places
//! than can be listed. So it never sees it: it runs in a git folder of ours that lives for one
//! fetch, with a configuration that we write, and the repository's objects and refs by link.

use std::ffi::OsString;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use devrig_core::error::Context;
use devrig_core::{Code, Error, Result};
use devrig_process::{ChildSpec, RunLimits, run};
use gix::bstr::BStr;
use tokio_util::sync::CancellationToken;

use crate::branches::text;
use crate::layout::check_plain;
use crate::open::{Access, Opened, open};
use crate::remote::{public, raw_url};
use crate::scratch::{ALWAYS, Scratch, UNBORN, environment, find_git, quoted, stored_format};

/// The bounds of one fetch.
#[derive(Debug, Clone, Copy)]
pub struct FetchLimits {
    pub timeout: Duration,
}

impl Default for FetchLimits {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(120) }
    }
}

/// What git is to do, read from the repository once and checked.
struct Plan {
    remote: String,
    url: String,
    specs: Vec<String>,
    /// Lines of configuration that the stored objects and refs need.
    format: String,
    git_dir: PathBuf,
    common_dir: PathBuf,
    work_tree: PathBuf,
}

/// Fetches the branches of a remote into `refs/remotes/<remote>/`: the named one, else the one
/// that the present branch follows, else `origin`, else the only one.
///
/// Over https, ssh, and from local folders. Nothing asks for input: credentials come from the
/// person's own git configuration and agents. No tags are deleted, no submodule is entered, no
/// maintenance is started. On timeout or cancellation git is gone when this returns.
pub async fn fetch(
    repository: &Path,
    remote: Option<&str>,
    access: &Access,
    limits: FetchLimits,
    cancel: &CancellationToken,
) -> Result<()> {
    let git = find_git(access)?;
    let (folder, name, within) = (repository.to_owned(), remote.map(str::to_owned), access.clone());
    let (plan, scratch) = tokio::task::spawn_blocking(move || {
        let plan = plan(&open(&folder, &within)?, name.as_deref())?;
        let scratch = Scratch::make(&plan.common_dir, UNBORN, &plan.config())?;
        Ok::<_, Error>((plan, scratch))
    })
    .await
    .map_err(|error| Error::internal(format!("preparing a fetch: {error}")))??;

    let shown = public(&plan.url);
    let doing = format!("fetching {} of {}", plan.remote, plan.work_tree.display());
    let spec = command(git, &scratch, &plan, access);
    let output = run(spec, RunLimits { timeout: limits.timeout, output: 64 * 1024 }, cancel)
        .await
        .context(&doing)?;
    if output.exit.success() {
        return keep_fetch_head(&scratch.git_dir(), &plan.git_dir).context(&doing);
    }
    Err(failure(&doing, &String::from_utf8_lossy(&output.stderr), &plan.url, &shown))
}

/// What git notes of a fetch belongs to the repository, and its time is shown. Moved into place
/// rather than written, because what stands there may be a link to any file of the person's.
fn keep_fetch_head(from: &Path, to: &Path) -> Result<()> {
    let text = std::fs::read(from.join("FETCH_HEAD"))?;
    let mut file = tempfile::Builder::new().prefix("FETCH_HEAD.").tempfile_in(to)?;
    std::io::Write::write_all(&mut file, &text)?;
    file.persist(to.join("FETCH_HEAD")).map_err(|error| error.error)?;
    Ok(())
}

impl Plan {
    fn config(&self) -> String {
        let mut config = self.format.clone();
        let _ = write!(config, "[remote \"{}\"]\n\turl = {}\n", self.remote, quoted(&self.url));
        for spec in &self.specs {
            let _ = writeln!(config, "\tfetch = {}", quoted(spec));
        }
        config
    }
}

fn plan(opened: &Opened, remote: Option<&str>) -> Result<Plan> {
    let repo = &opened.repo;
    let work_tree = &opened.layout.work_tree;
    let remote = match remote {
        Some(name) => name.to_owned(),
        None => chosen_remote(repo).ok_or_else(|| {
            Error::new(Code::NothingToDo, format!("{} has no remote to fetch", work_tree.display()))
        })?,
    };
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if !remote.chars().all(plain) || remote.starts_with(['-', '.', '/']) || remote.contains("..") {
        return Err(Error::invalid(format!("{remote:?} is no name of a remote")));
    }
    let url = raw_url(repo, &remote).ok_or_else(|| {
        Error::not_found(format!("a remote {remote:?} of {}", work_tree.display()))
    })?;
    check_url(&url)?;
    // git would write through a link in any of these.
    check_plain(&opened.layout.common_dir.join("objects"), 2)?;
    let config = repo.config_snapshot();
    let mut specs: Vec<String> = config
        .strings_by("remote", Some(BStr::new(&remote)), "fetch")
        .unwrap_or_default()
        .into_iter()
        .map(text)
        .filter(|spec| is_tracking(spec, &remote))
        .collect();
    if specs.is_empty() {
        specs.push(format!("+refs/heads/*:refs/remotes/{remote}/*"));
    }
    let format = format!("{}[core]\n\tbare = true\n", stored_format(opened)?);
    Ok(Plan {
        remote,
        // A relative folder is meant from the repository, not from ours.
        url: if is_relative(&url) { work_tree.join(&url).display().to_string() } else { url },
        specs,
        format,
        git_dir: opened.layout.git_dir.clone(),
        common_dir: opened.layout.common_dir.clone(),
        work_tree: work_tree.clone(),
    })
}

fn chosen_remote(repo: &gix::Repository) -> Option<String> {
    let head = repo.head_name().ok().flatten();
    let followed = head.and_then(|name| {
        repo.config_snapshot().string_by("branch", Some(name.shorten()), "remote").map(text)
    });
    let mut names: Vec<String> = repo.remote_names().into_iter().map(text).collect();
    let known = |name: &String| names.contains(name);
    let origin = "origin".to_owned();
    followed
        .filter(known)
        .or_else(|| Some(origin).filter(known))
        .or_else(|| if names.len() == 1 { names.pop() } else { None })
}

/// Only branches of the remote, and only into their own place: a mirror's refspec would write
/// over the person's branches.
fn is_tracking(spec: &str, remote: &str) -> bool {
    if spec.chars().any(char::is_control) {
        return false;
    }
    let (from, to) = spec.trim_start_matches('+').split_once(':').unwrap_or_default();
    from.starts_with("refs/heads/")
        && to.starts_with(&format!("refs/remotes/{remote}/"))
        && !to.contains("..")
}

/// https, ssh and folders; never `ext::` or another helper, which is a command in disguise.
fn check_url(url: &str) -> Result<()> {
    let refuse = |why: &str| {
        Err(Error::new(Code::Refused, format!("the remote {} is not fetched: {why}", public(url))))
    };
    if url.is_empty() || url.starts_with('-') || url.chars().any(char::is_control) {
        return refuse("it is no address");
    }
    if let Some((scheme, _)) = url.split_once("://") {
        return match scheme.to_ascii_lowercase().as_str() {
            "https" | "ssh" | "file" => Ok(()),
            "http" | "git" => refuse("it is neither encrypted nor verified"),
            _ => refuse("DevRig fetches over https and ssh"),
        };
    }
    if url.split('/').next().is_some_and(|start| start.contains("::")) {
        return refuse("it names a helper program");
    }
    Ok(())
}

fn is_relative(url: &str) -> bool {
    !url.contains("://") && !Path::new(url).is_absolute() && !is_scp(url)
}

/// `host:path`, as in `git@example.com:a/b`.
fn is_scp(url: &str) -> bool {
    url.split('/').next().is_some_and(|start| start.contains(':'))
}

fn command(git: PathBuf, scratch: &Scratch, plan: &Plan, access: &Access) -> ChildSpec {
    let mut spec = ChildSpec::new(git)
        .args(ALWAYS)
        .args(["fetch", "--quiet", "--no-auto-maintenance", "--no-recurse-submodules"])
        .args(["--no-write-commit-graph", "--upload-pack=git-upload-pack", "--"])
        .arg(&plan.remote)
        .cwd(scratch.folder());
    spec.env = environment(scratch, access);
    let ours: [(&str, OsString); 6] = [
        ("GIT_ALLOW_PROTOCOL", "https:ssh:file".into()),
        ("GIT_TERMINAL_PROMPT", "0".into()),
        // Set and empty: nobody is asked, whatever core.askPass says.
        ("GIT_ASKPASS", "".into()),
        ("SSH_ASKPASS_REQUIRE", "never".into()),
        ("GCM_INTERACTIVE", "never".into()),
        ("GIT_PROTOCOL_FROM_USER", "0".into()),
    ];
    spec.env.extend(ours.map(|(name, value)| (name.into(), value)));
    spec
}

/// git's own last words, in a category that retry can go by.
fn failure(doing: &str, said: &str, url: &str, shown: &str) -> Error {
    let said = said.replace(url, shown);
    let last = said.lines().rfind(|line| line.starts_with("fatal:") || line.starts_with("error:"));
    let line = devrig_process::escape_line(last.unwrap_or_else(|| said.trim()).as_bytes());
    let line: String = line.chars().take(300).collect();
    let any = |needles: &[&str]| needles.iter().any(|needle| said.contains(needle));
    let message = format!("{doing}: {line}");
    if any(&[
        "Authentication failed",
        "could not read Username",
        "Permission denied",
        "terminal prompts disabled",
    ]) {
        return Error::new(Code::Unauthorized, message).hint(
            "Run `git fetch` there once by hand, so that your credential helper or agent knows it.",
        );
    }
    if any(&["Host key verification failed"]) {
        return Error::new(Code::Refused, message)
            .hint("Connect once with ssh by hand to accept the host's key.");
    }
    if any(&["does not appear to be a git repository", "not found", "dubious ownership"]) {
        return Error::new(Code::NotFound, message)
            .hint("Check the remote's address with `git remote -v`.");
    }
    Error::new(Code::Network, message)
}

#[cfg(test)]
mod tests;
