//! What of a tree a trigger is about. Pure: it looks at paths and touches no file.

use std::path::{Component, Path, PathBuf};

use devrig_core::{Error, Result};
use globset::{GlobBuilder, GlobMatcher};
use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::definition::Filesystem;

/// Levels below a folder where the definition bounds them by nothing.
const DEEPEST: usize = 1_000;

/// One of the definition's paths: a folder or file, or a glob below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// Where it begins: the part in front of the first sign of a glob.
    pub base: PathBuf,
    /// What stands behind that.
    pub pattern: Option<String>,
}

impl Place {
    /// Reads a path as people write it.
    ///
    /// # Errors
    /// `INVALID_INPUT` for one that does not begin at the root or at `~/`, or that goes up.
    pub fn parse(text: &str, home: Option<&Path>) -> Result<Self> {
        let wrong = |why: &str| {
            Error::invalid(format!("the path {text:?} {why}"))
                .hint("Write it from the root on, such as /home/kim/notes, or as ~/notes.")
        };
        let path = match (text.strip_prefix("~/"), home) {
            (Some(below), Some(home)) => home.join(below),
            _ => PathBuf::from(text),
        };
        if !path.is_absolute() {
            return Err(wrong("does not begin at the root"));
        }
        if path.components().any(|part| part == Component::ParentDir) {
            return Err(wrong("has .. in it"));
        }
        let plain = |part: &Component<'_>| !part.as_os_str().to_string_lossy().contains(SIGNS);
        let base: PathBuf = path.components().take_while(plain).collect();
        let rest = path.strip_prefix(&base).unwrap_or(Path::new(""));
        let pattern = rest.to_string_lossy().replace('\\', "/");
        Ok(Self { base, pattern: (!pattern.is_empty()).then_some(pattern) })
    }
}

/// What makes a text a glob.
const SIGNS: [char; 4] = ['*', '?', '[', '{'];

/// What is watched below one folder.
#[derive(Debug)]
pub(super) struct Scope {
    /// Without links in it.
    pub base: PathBuf,
    glob: Option<GlobMatcher>,
    ignored: Gitignore,
    depth: usize,
}

impl Scope {
    /// What a place means now that it is there: `base` is its own without links, and a file is
    /// watched through the folder around it, since it may be replaced.
    ///
    /// # Errors
    /// `INVALID_INPUT` for a pattern that is none.
    pub fn new(place: &Place, base: &Path, is_file: bool, definition: &Filesystem) -> Result<Self> {
        let (base, glob, depth) = match (&place.pattern, is_file.then(|| base.parent()).flatten()) {
            (None, Some(folder)) => {
                let name = base.file_name().unwrap_or_default().to_string_lossy();
                (folder, Some(glob(&globset::escape(&name))?), 0)
            }
            (None, None) => (base, None, DEEPEST),
            (Some(pattern), _) => (base, Some(glob(pattern)?), levels(pattern)),
        };
        let asked = definition.depth.map_or(DEEPEST, |depth| depth as usize);
        Ok(Self {
            base: base.to_owned(),
            glob,
            ignored: ignored(base, &definition.ignore_patterns)?,
            depth: depth.min(asked),
        })
    }

    /// Whether the files right in this folder may be meant, or folders below it.
    pub fn enters(&self, folder: &Path) -> bool {
        let Ok(below) = folder.strip_prefix(&self.base) else { return false };
        below.components().count() <= self.depth && !self.ignores(folder, true)
    }

    /// Whether this file is meant.
    pub fn takes(&self, file: &Path) -> bool {
        let Ok(below) = file.strip_prefix(&self.base) else { return false };
        let levels = below.components().count();
        (1..=self.depth + 1).contains(&levels)
            && self.glob.as_ref().is_none_or(|glob| glob.is_match(below))
            && !self.ignores(file, false)
    }

    fn ignores(&self, path: &Path, is_folder: bool) -> bool {
        path != self.base && self.ignored.matched_path_or_any_parents(path, is_folder).is_ignore()
    }
}

/// Whether a text can be a path that is watched.
///
/// # Errors
/// `INVALID_INPUT` that says what is wrong.
pub fn check_path(text: &str) -> Result<()> {
    Place::parse(text, Some(Path::new("/"))).map(drop)
}

/// Whether a text can be a glob.
///
/// # Errors
/// `INVALID_INPUT` that says what is wrong.
pub fn check_pattern(text: &str) -> Result<()> {
    glob(text.strip_prefix('!').unwrap_or(text)).map(drop)
}

fn glob(pattern: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).literal_separator(true).build().map_err(wrong)?;
    Ok(glob.compile_matcher())
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::invalid(format!("the pattern cannot be read: {error}"))
        .hint("* stands for a part of a name, ** for folders, {a,b} for one of them.")
}

/// How far down a glob without `**` can match.
fn levels(pattern: &str) -> usize {
    match pattern.contains("**") {
        true => DEEPEST,
        false => pattern.split('/').count() - 1,
    }
}

fn ignored(base: &Path, patterns: &[String]) -> Result<Gitignore> {
    let mut builder = GitignoreBuilder::new(base);
    for pattern in patterns {
        builder.add_line(None, pattern).map_err(wrong)?;
        // Who ignores all that is in a folder need not enter it.
        if let Some(folder) = pattern.strip_suffix("/**").filter(|folder| !folder.is_empty()) {
            builder.add_line(None, &format!("{folder}/")).map_err(wrong)?;
        }
    }
    builder.build().map_err(wrong)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    fn scope(path: &str, more: Filesystem) -> Scope {
        let place = Place::parse(path, Some(Path::new("/home/kim"))).unwrap();
        Scope::new(&place, &place.base, false, &more).unwrap()
    }

    fn taken<'a>(scope: &Scope, files: &[&'a str]) -> Vec<&'a str> {
        files.iter().copied().filter(|file| scope.takes(Path::new(file))).collect()
    }

    #[test]
    fn a_path_is_split_before_its_first_pattern() {
        let parsed = |text: &str| Place::parse(text, Some(Path::new("/home/kim")));
        let place = |base: &str, pattern: Option<&str>| Place {
            base: base.into(),
            pattern: pattern.map(str::to_owned),
        };
        for (text, base, pattern) in [
            ("/a/b", "/a/b", None),
            ("/a/b/", "/a/b", None),
            ("~/notes/*.md", "/home/kim/notes", Some("*.md")),
            ("/a/{b,c}/**/x", "/a", Some("{b,c}/**/x")),
            ("/**", "/", Some("**")),
        ] {
            assert_eq!(parsed(text).unwrap(), place(base, pattern), "{text}");
        }
        for wrong in ["notes", "./notes", "~kim/x", "/a/../b", "*.md", ""] {
            let error = parsed(wrong).unwrap_err();
            assert!(error.hint.is_some(), "{wrong:?}: {error}");
        }
    }

    #[test]
    fn a_glob_takes_its_files_and_enters_only_what_may_hold_them() {
        let notes = scope("/n/*.md", Filesystem::default());
        assert_eq!(taken(&notes, &["/n/a.md", "/n/a.txt", "/n/b/a.md", "/x/a.md"]), ["/n/a.md"]);
        assert!(notes.enters(Path::new("/n")) && !notes.enters(Path::new("/n/b")));
        let deep = scope("/n/**/*.md", Filesystem::default());
        assert_eq!(taken(&deep, &["/n/a.md", "/n/b/c/a.md", "/n/b/a.txt"]).len(), 2);
        let all = scope("/n", Filesystem { depth: Some(1), ..Filesystem::default() });
        assert_eq!(taken(&all, &["/n/a", "/n/b/c", "/n/b/c/d", "/n"]), ["/n/a", "/n/b/c"]);
        assert!(all.enters(Path::new("/n/b")) && !all.enters(Path::new("/n/b/c")));
    }

    #[test]
    fn what_is_ignored_is_not_entered() {
        let usual = scope("/n", Filesystem::default());
        for folder in ["/n/node_modules", "/n/a/node_modules", "/n/.git", "/n/.git/objects"] {
            assert!(!usual.enters(Path::new(folder)), "{folder}");
        }
        assert!(usual.enters(Path::new("/n/node_modules2")));
        let own = ["target", "/build/", "*.log", "!keep.log"].map(str::to_owned).to_vec();
        let own = scope("/n", Filesystem { ignore_patterns: own, ..Filesystem::default() });
        assert!(!own.enters(Path::new("/n/a/target")) && !own.enters(Path::new("/n/build")));
        assert!(own.enters(Path::new("/n/a/build")), "it is anchored");
        assert_eq!(taken(&own, &["/n/a.log", "/n/keep.log", "/n/target/x"]), ["/n/keep.log"]);
    }

    #[test]
    fn a_file_is_watched_through_its_folder() {
        let place = Place::parse("/n/[a]", None).unwrap();
        assert_eq!(place.pattern.as_deref(), Some("[a]"));
        let place = Place { base: "/n/a*.md".into(), pattern: None };
        let file = Scope::new(&place, &place.base, true, &Filesystem::default()).unwrap();
        assert_eq!(file.base, Path::new("/n"));
        assert_eq!(taken(&file, &["/n/a*.md", "/n/ab.md", "/n/x/a*.md"]), ["/n/a*.md"]);
    }

    #[test]
    fn a_pattern_that_is_none_is_told() {
        assert!(check_pattern("**/*.{rs,toml}").is_ok() && check_pattern("!keep").is_ok());
        let error = check_pattern("a{b").unwrap_err();
        assert!(error.hint.is_some(), "{error}");
    }
}
