//! Opening a repository so that nothing it says can start a program or lead elsewhere.

use std::path::{Path, PathBuf};

use devrig_core::{Code, Error, Result};
use gix::bstr::ByteSlice;
use gix::config::tree::Core;

use crate::User;
use crate::layout::Layout;

/// On whose behalf, and within what, a repository is read.
#[derive(Debug, Clone)]
pub struct Access {
    pub user: User,
    /// Folders that a repository may borrow from, beside its own: those that were granted.
    pub readable: Vec<PathBuf>,
}

impl Default for Access {
    /// The person who runs this process; nothing beside the repository itself.
    fn default() -> Self {
        Self { user: User::from_environment(), readable: Vec::new() }
    }
}

/// All that a repository's own configuration can say to us. Commands, drivers, includes and
/// paths are not in it, and new ones cannot creep in.
const ALLOWED: &[(&str, &[&str])] = &[
    (
        "core",
        &[
            "repositoryformatversion",
            "filemode",
            "symlinks",
            "ignorecase",
            "precomposeunicode",
            "bare",
            "autocrlf",
            "eol",
            "trustctime",
            "checkstat",
            "sparsecheckout",
            "sparsecheckoutcone",
            "commitgraph",
        ],
    ),
    ("extensions", &["objectformat", "refstorage", "worktreeconfig", "relativeworktrees", "noop"]),
    ("branch", &["remote", "merge"]),
    ("remote", &["url", "fetch"]),
    ("user", &["name", "email"]),
];

/// A configuration of a million lines is an attack, or as good as one.
const LARGEST_CONFIG: u64 = 1024 * 1024;

pub(crate) struct Opened {
    pub repo: gix::Repository,
    pub layout: Layout,
}

pub(crate) fn open(repository: &Path, access: &Access) -> Result<Opened> {
    let layout = Layout::find(repository, &access.readable)?;
    let user = access.user.config();
    check_owner(&layout, &user)?;
    for name in [layout.common_dir.join("config"), layout.git_dir.join("config.worktree")] {
        if std::fs::metadata(&name).is_ok_and(|meta| meta.len() > LARGEST_CONFIG) {
            return Err(Error::new(Code::TooLarge, format!("{} is too large", name.display())));
        }
    }
    let options = gix::open::Options::isolated()
        // Ours is the check above, which knows the person's safe.directory.
        .with(gix::sec::Trust::Full)
        .config_overrides(["safe.directory=*", "core.logAllRefUpdates=false"]);
    let mut repo = gix::ThreadSafeRepository::open_opts(&layout.work_tree, options)
        .map_err(|error| broken(&layout.work_tree, error))?
        .to_thread_local();
    let found = repo.workdir().and_then(|folder| folder.canonicalize().ok());
    if found.as_deref() != Some(&layout.work_tree) {
        return Err(Error::new(
            Code::Refused,
            format!("the repository {} keeps its work tree elsewhere", layout.work_tree.display()),
        )
        .hint("Unset core.worktree and core.bare in its configuration."));
    }
    reduce_config(&mut repo, &user).map_err(|error| broken(&layout.work_tree, error))?;
    // Walks meet the same commits again and again.
    repo.object_cache_size_if_unset(4 * 1024 * 1024);
    Ok(Opened { repo, layout })
}

/// An error for something in the repository that git would not accept either.
pub(crate) fn broken(folder: &Path, error: impl std::fmt::Display) -> Error {
    let what = crate::files::one_line(&error.to_string(), 300);
    Error::new(
        Code::InvalidInput,
        format!("the repository {} cannot be read: {what}", folder.display()),
    )
    .hint("Run `git fsck` there.")
}

fn check_owner(layout: &Layout, user: &crate::user::UserConfig) -> Result<()> {
    let own =
        |folder: &Path| gix::sec::identity::is_path_owned_by_current_user(folder).unwrap_or(false);
    if own(&layout.work_tree) && own(&layout.git_dir) && own(&layout.common_dir) {
        return Ok(());
    }
    if user.trusts(&layout.work_tree) {
        return Ok(());
    }
    let folder = layout.work_tree.display();
    Err(Error::new(Code::Refused, format!("the repository {folder} belongs to another user"))
        .hint(format!("If you trust it: git config --global --add safe.directory {folder}")))
}

fn reduce_config(
    repo: &mut gix::Repository,
    user: &crate::user::UserConfig,
) -> Result<(), gix::Error> {
    let mut config = repo.config_snapshot_mut();
    let ids: Vec<_> = config.section_ids().collect();
    for id in ids {
        let Some(mut section) = config.section_mut_by_id(id) else {
            continue;
        };
        let name = section.header().name().to_str_lossy().to_ascii_lowercase();
        let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| *known == name) else {
            config.remove_section_by_id(id);
            continue;
        };
        let others: Vec<String> = section
            .value_names()
            .filter(|value| !allowed.contains(&value.to_ascii_lowercase().as_str()))
            .collect();
        for value in others {
            section.remove(&value);
        }
    }
    if let Some(crlf) = user.auto_crlf.as_deref()
        && config.string("core.autocrlf").is_none()
    {
        config.set_value(&Core::AUTO_CRLF, crlf)?;
    }
    if let Some(path) = user.excludes_file.as_deref().and_then(Path::to_str) {
        config.set_value(&Core::EXCLUDES_FILE, path)?;
    }
    config.commit()?;
    Ok(())
}
