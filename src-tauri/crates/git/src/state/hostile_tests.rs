//! Repositories that mean harm: none of what they name may run, and none may lead elsewhere.

use std::path::{Path, PathBuf};

use devrig_core::Code;

use crate::testing::Place;

/// A program that leaves a mark, and the mark.
fn trap(place: &Place) -> (String, PathBuf) {
    let mark = place.home.join("mark");
    let program = place.home.join("trap");
    std::fs::write(&program, format!("#!/bin/sh\ntouch '{}'\ncat\n", mark.display())).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    (program.to_str().unwrap().to_owned(), mark)
}

fn append(file: &Path, text: &str) {
    let old = std::fs::read_to_string(file).unwrap_or_default();
    std::fs::write(file, format!("{old}{text}")).unwrap();
}

fn hostile(place: &Place) -> (PathBuf, PathBuf) {
    let (program, mark) = trap(place);
    let repo = place.repo("hostile");
    place.commit(&repo, "a.txt", "one\n", "first");
    place.commit(&repo, "b.bin", "one\n", "second");
    let included = place.home.join("included");
    std::fs::write(
        &included,
        format!("[filter \"evil2\"]\n\tclean = {program}\n\tsmudge = {program}\n"),
    )
    .unwrap();
    append(
        &repo.join(".git/config"),
        &format!(
            "[core]\n\tfsmonitor = {program}\n\thooksPath = {home}\n\tsshCommand = {program}\n\
             \teditor = {program}\n\tpager = {program}\n\taskPass = {program}\n\tgitProxy = {program}\n\
             \talternateRefsCommand = {program}\n\tattributesFile = {home}/attributes\n\
             [filter \"evil\"]\n\tclean = {program}\n\tsmudge = {program}\n\tprocess = {program}\n\trequired = true\n\
             [diff]\n\texternal = {program}\n[diff \"evil\"]\n\ttextconv = {program}\n\tcommand = {program}\n\
             [merge \"evil\"]\n\tdriver = {program}\n[credential]\n\thelper = {program}\n\
             [gpg]\n\tprogram = {program}\n[include]\n\tpath = {included}\n\
             [includeIf \"gitdir:**\"]\n\tpath = {included}\n[alias]\n\tstatus = !{program}\n",
            home = place.home.display(),
            included = included.display(),
        ),
    );
    std::fs::write(place.home.join("attributes"), "* filter=evil2 diff=evil\n").unwrap();
    place.write(
        &repo,
        ".gitattributes",
        "*.txt filter=evil diff=evil merge=evil\n*.bin filter=evil2\n",
    );
    for hook in ["post-index-change", "fsmonitor-watchman", "reference-transaction", "pre-auto-gc"]
    {
        let file = repo.join(".git/hooks").join(hook);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::copy(&program, file).unwrap();
    }
    // Same size, other content and time: the comparison has to read them.
    place.write(&repo, "a.txt", "two\n");
    place.write(&repo, "b.bin", "two\n");
    (repo, mark)
}

#[test]
fn no_command_that_a_repository_names_runs() {
    let place = Place::new();
    let (repo, mark) = hostile(&place);
    let state = place.state(&repo);
    assert!(!mark.exists(), "a command of the repository ran");
    assert_eq!((state.worktree.modified, state.worktree.untracked), (2, 1));
    assert_eq!(state.head.commit.unwrap().subject, "second");
    // The trap itself works, or this test would prove nothing.
    place.try_git(&repo, &["status"]);
    assert!(mark.exists(), "git itself was expected to run one");
}

#[test]
fn a_filtered_file_that_was_only_touched_compares_as_it_lies() {
    let place = Place::new();
    let (repo, mark) = hostile(&place);
    place.write(&repo, "a.txt", "one\n");
    place.write(&repo, "b.bin", "one\n");
    assert_eq!(place.state(&repo).worktree.modified, 0);
    assert!(!mark.exists());
}

#[test]
fn reading_writes_nothing() {
    let place = Place::new();
    let (repo, _) = hostile(&place);
    let listing = || {
        let mut all: Vec<(PathBuf, std::time::SystemTime, u64)> = Vec::new();
        let mut folders = vec![repo.clone()];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let entry = entry.unwrap();
                let meta = entry.metadata().unwrap();
                if meta.is_dir() {
                    folders.push(entry.path());
                }
                all.push((entry.path(), meta.modified().unwrap(), meta.len()));
            }
        }
        all.sort();
        all
    };
    let before = listing();
    place.state(&repo);
    assert_eq!(listing(), before);
}

fn refused(place: &Place, repo: &Path, what: &str) {
    let error = place.try_state(repo).expect_err(what);
    assert_eq!(error.code, Code::Refused, "{what}: {error}");
    assert!(error.message.contains(repo.to_str().unwrap()), "{error}");
}

#[test]
fn a_work_tree_elsewhere_is_refused() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    place.git(&repo, &["config", "core.worktree", place.home.to_str().unwrap()]);
    refused(&place, &repo, "core.worktree names another folder");
}

#[test]
fn a_git_folder_elsewhere_is_refused_unless_it_names_this_one() {
    let place = Place::new();
    let private = place.repo("private");
    place.commit(&private, "secret", "1", "the secret subject");
    let repo = place.root.join("r");
    std::fs::create_dir(&repo).unwrap();
    std::fs::write(repo.join(".git"), "gitdir: ../private/.git\n").unwrap();
    refused(&place, &repo, "a .git file that leads to another repository");

    let other = place.repo("other");
    std::fs::write(other.join(".git/commondir"), "../../private/.git\n").unwrap();
    refused(&place, &other, "commondir of another repository");
}

#[cfg(unix)]
#[test]
fn links_out_of_the_git_folder_are_refused() {
    let place = Place::new();
    let private = place.repo("private");
    place.commit(&private, "secret", "1", "the secret subject");
    for part in ["objects", "refs", "HEAD", "config"] {
        let repo = place.repo(&format!("r-{part}"));
        let here = repo.join(".git").join(part);
        if here.is_dir() {
            std::fs::remove_dir_all(&here).unwrap();
        } else {
            std::fs::remove_file(&here).unwrap();
        }
        std::os::unix::fs::symlink(private.join(".git").join(part), &here).unwrap();
        refused(&place, &repo, part);
    }
    let repo = place.root.join("linked");
    std::fs::create_dir(&repo).unwrap();
    std::os::unix::fs::symlink(private.join(".git"), repo.join(".git")).unwrap();
    refused(&place, &repo, "a linked .git");
}

#[test]
fn borrowed_objects_must_lie_within_what_is_readable() {
    let place = Place::new();
    let origin = place.repo("origin");
    place.commit(&origin, "a", "1", "first");
    place.git(&place.root, &["clone", "-q", "--shared", origin.to_str().unwrap(), "borrower"]);
    let borrower = place.root.join("borrower");
    refused(&place, &borrower, "alternates outside");
    let mut access = place.access();
    access.readable.push(place.root.clone());
    let interrupt = Default::default();
    let state = crate::state_with(&borrower, &access, &interrupt).unwrap();
    assert_eq!(state.head.commit.unwrap().subject, "first");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_the_git_folder_does_not_hang() {
    let place = Place::new();
    let repo = place.repo("r");
    let pipe = repo.join(".git/packed-refs");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let error = place.try_state(&repo).unwrap_err();
    assert_eq!(error.code, Code::Refused, "{error}");
}

#[cfg(unix)]
#[test]
fn refs_and_logs_are_plain_files() {
    let place = Place::new();
    let outside = place.home.join("outside");
    std::fs::create_dir(&outside).unwrap();
    let entries = ["refs/heads/x", "refs/remotes", "logs/refs/remotes", "logs/x"];
    for (n, entry) in entries.into_iter().enumerate() {
        let repo = place.repo(&format!("r{n}"));
        place.commit(&repo, "a", "1", "first");
        std::os::unix::fs::symlink(&outside, repo.join(".git").join(entry)).unwrap();
        refused(&place, &repo, entry);
    }
    let repo = place.repo("pipe");
    place.commit(&repo, "a", "1", "first");
    let pipe = repo.join(".git/refs/heads/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    refused(&place, &repo, "a pipe among the refs");
}

#[cfg(unix)]
#[test]
fn another_users_repository_needs_the_persons_word() {
    let place = Place::new();
    let repo = place.repo("r");
    place.commit(&repo, "a", "1", "first");
    if std::os::unix::fs::chown(&repo, Some(65_533), None).is_err() {
        return; // Only root can give a folder away.
    }
    let error = place.try_state(&repo).unwrap_err();
    assert_eq!(error.code, Code::Refused);
    assert!(error.hint.unwrap().contains("safe.directory"));
    // What the repository says of itself does not count.
    append(&repo.join(".git/config"), "[safe]\n\tdirectory = *\n");
    assert_eq!(place.try_state(&repo).unwrap_err().code, Code::Refused);
    append(&place.home.join(".gitconfig"), &format!("[safe]\n\tdirectory = {}\n", repo.display()));
    assert_eq!(place.state(&repo).head.commit.unwrap().subject, "first");
}

#[test]
fn broken_repositories_are_errors_and_no_panics() {
    let place = Place::new();
    type Harm = fn(&Path);
    let harms: [(&str, Harm); 7] = [
        ("an index of noise", |git| {
            std::fs::write(git.join("index"), b"DIRC\0\0\0\x02\xff\xff\xff\xff").unwrap()
        }),
        ("a config of noise", |git| {
            std::fs::write(git.join("config"), b"[core\n\xff\xfe=").unwrap()
        }),
        ("a HEAD of noise", |git| std::fs::write(git.join("HEAD"), b"\0\0\0").unwrap()),
        ("packed refs of noise", |git| {
            std::fs::write(git.join("packed-refs"), b"zzz refs/heads/x\n").unwrap()
        }),
        ("a branch without its commit", |git| {
            std::fs::write(git.join("refs/heads/main"), format!("{}\n", "1".repeat(40))).unwrap();
        }),
        ("no objects", |git| std::fs::remove_dir_all(git.join("objects")).unwrap()),
        ("an unknown encoding", |git| {
            std::fs::write(git.join("../.gitattributes"), "* working-tree-encoding=nonsense\n")
                .unwrap();
            std::fs::write(git.join("../a"), "2").unwrap();
        }),
    ];
    for (n, (what, harm)) in harms.into_iter().enumerate() {
        let repo = place.repo(&format!("r{n}"));
        place.commit(&repo, "a", "1", "first");
        harm(&repo.join(".git"));
        if let Err(error) = place.try_state(&repo) {
            assert!(!error.retryable, "{what}: {error}");
            assert!(error.message.len() < 1000, "{what}: {error}");
        }
    }
}
