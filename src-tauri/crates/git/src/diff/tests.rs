use super::*;
use crate::testing::Place;

async fn differences(
    place: &Place,
    repo: &Path,
    wanted: Wanted,
    most: usize,
) -> Result<Differences> {
    let cancel = CancellationToken::new();
    diff(repo, wanted, most, &place.access(), Duration::from_secs(60), &cancel).await
}

fn named(found: &Differences) -> Vec<(&str, Option<u64>, Option<u64>)> {
    found.files.iter().map(|file| (&*file.path, file.added, file.removed)).collect()
}

#[tokio::test]
async fn what_changed_is_shown_as_git_shows_it() {
    let place = Place::new();
    let repo = place.repo("a");
    place.commit(&repo, "a.txt", "one\ntwo\n", "first");
    place.commit(&repo, "ü b", "x\n", "second");
    place.write(&repo, "a.txt", "one\nthree\nfour\n");
    place.write(&repo, "ü b", "\0\0");
    place.git(&repo, &["add", "--", "ü b"]);
    let all =
        differences(&place, &repo, Wanted { context: 3, ..Wanted::default() }, 9999).await.unwrap();
    assert_eq!(named(&all), [("a.txt", Some(2), Some(1)), ("ü b", None, None)]);
    assert_eq!(all.patch, place.git(&repo, &["-c", "core.quotePath=false", "diff", "HEAD"]) + "\n");
    let staged = Wanted { staged: true, ..Wanted::default() };
    let staged = differences(&place, &repo, staged, 9999).await.unwrap();
    assert_eq!(named(&staged), [("ü b", None, None)]);
    let commits =
        Wanted { from: Some("HEAD~1".into()), to: Some("main".into()), ..Wanted::default() };
    assert_eq!(
        named(&differences(&place, &repo, commits, 9999).await.unwrap()),
        [("ü b", Some(1), Some(0))]
    );
    let one = Wanted { paths: vec!["a.txt".into()], ..Wanted::default() };
    let cut = differences(&place, &repo, one, 100).await.unwrap();
    assert!(cut.truncated && cut.patch.ends_with('\n') && cut.patch.len() <= 100, "{cut:?}");
    let unknown = Wanted { from: Some("--output=/tmp/x".into()), ..Wanted::default() };
    assert_eq!(differences(&place, &repo, unknown, 9).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn before_the_first_commit_everything_staged_is_new() {
    let place = Place::new();
    let repo = place.repo("a");
    place.write(&repo, "a", "1\n");
    place.git(&repo, &["add", "a"]);
    let found = differences(&place, &repo, Wanted::default(), 9999).await.unwrap();
    assert_eq!(named(&found), [("a", Some(1), Some(0))]);
}

#[tokio::test]
async fn no_command_that_the_repository_names_runs() {
    let place = Place::new();
    let repo = place.repo("a");
    place.write(&repo, ".gitattributes", "*.txt filter=evil diff=evil\n");
    place.commit(&repo, "a.txt", "one\n", "first");
    let trap = place.home.join("sprung");
    let touch = format!("touch {}; cat", trap.display());
    for name in [
        "filter.evil.clean",
        "filter.evil.process",
        "diff.evil.textconv",
        "diff.evil.command",
        "diff.external",
        "core.fsmonitor",
        "core.pager",
        "core.gitProxy",
        "core.sshCommand",
    ] {
        place.git(&repo, &["config", name, &touch]);
    }
    place.write(&repo, "a.txt", "two\n");
    let found = differences(&place, &repo, Wanted::default(), 9999).await.unwrap();
    assert_eq!(named(&found), [("a.txt", Some(1), Some(1))]);
    assert!(!trap.exists());
}
