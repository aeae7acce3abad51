//! Which actions a hook is around, as its manifest names them.

use devrig_core::{Error, Result};

use crate::text::shown;

/// In front of a plugin's name.
const OF_PLUGIN: &str = "plugin:";
/// What names of plugins may leave out.
const PREFIX: &str = "devrig-plugin-";
const LONGEST: usize = 400;

/// The whole name of an action: `http.request`, or `plugin:github:github.comment`.
pub(crate) fn whole_name(plugin: Option<&str>, action: &str) -> String {
    match plugin {
        Some(plugin) => format!("{OF_PLUGIN}{}:{action}", short(plugin)),
        None => action.to_owned(),
    }
}

/// A whole name of an action, or the beginning of some.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pattern {
    text: String,
    is_beginning: bool,
}

impl Pattern {
    /// # Errors
    /// `INVALID_INPUT` with what is wrong and what would be right.
    pub fn parse(text: &str) -> Result<Self> {
        let (name, is_beginning) = match text.strip_suffix('*') {
            Some(name) => (name, true),
            None => (text, false),
        };
        check(text, name, is_beginning)?;
        let Some(of_plugin) = name.strip_prefix(OF_PLUGIN) else {
            return Ok(Self { text: name.to_owned(), is_beginning });
        };
        let of_plugin = short(of_plugin);
        let all = !is_beginning && !of_plugin.contains(':');
        let end = if all { ":" } else { "" };
        let text = format!("{OF_PLUGIN}{of_plugin}{end}");
        Ok(Self { text, is_beginning: is_beginning || all })
    }

    /// Whether it is around the action of this whole name.
    pub fn fits(&self, action: &str) -> bool {
        match self.is_beginning {
            true => action.starts_with(&self.text),
            false => action == self.text,
        }
    }
}

fn check(text: &str, name: &str, is_beginning: bool) -> Result<()> {
    let wrong = |why: &str| {
        Err(Error::invalid(format!("{:?} {why}", shown(text, 100))).hint(
            "Write http.request, http.*, plugin:github, plugin:github:github.comment, or * for all.",
        ))
    };
    if name.contains('*') {
        return wrong("has a * that is not at its end");
    }
    let of_plugin = name.strip_prefix(OF_PLUGIN);
    let parts = of_plugin.unwrap_or(name);
    let plain = |c: char| {
        let beside = if of_plugin.is_some() { "@/:" } else { "" };
        c.is_ascii_alphanumeric() || "._-".contains(c) || beside.contains(c)
    };
    let is_empty = parts.split(':').any(str::is_empty) && !is_beginning;
    if text.len() > LONGEST
        || is_empty
        || !parts.chars().all(plain)
        || parts.matches(':').count() > 1
    {
        return wrong("is no name of an action");
    }
    Ok(())
}

fn short(plugin: &str) -> &str {
    plugin.strip_prefix(PREFIX).unwrap_or(plugin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_a_name_or_a_beginning() {
        let comment = whole_name(Some("devrig-plugin-github"), "github.comment");
        assert_eq!(comment, "plugin:github:github.comment");
        for (pattern, fits, fits_not) in [
            ("http.request", &["http.request"][..], &["http.requests", "http", &comment][..]),
            ("http.*", &["http.request", "http.graphql"], &["httpx.request", "shell.exec"]),
            ("*", &["http.request", &comment], &[]),
            ("plugin:*", &[&comment], &["http.request"]),
            ("plugin:github", &[&comment], &["plugin:github2:a", "github.comment"]),
            ("plugin:devrig-plugin-github", &[&comment], &["plugin:git:a"]),
            ("plugin:git*", &[&comment, "plugin:git-local:a"], &["git.commit"]),
            ("plugin:github:github.c*", &[&comment], &["plugin:github:github.merge"]),
            ("plugin:github:github.comment", &[&comment], &["plugin:github:github.comments"]),
            ("plugin:@a/b:c", &["plugin:@a/b:c"], &["plugin:@a/b:d"]),
        ] {
            let parsed = Pattern::parse(pattern).unwrap();
            for action in fits {
                assert!(parsed.fits(action), "{pattern} {action}");
            }
            for action in fits_not {
                assert!(!parsed.fits(action), "{pattern} {action}");
            }
        }
    }

    #[test]
    fn what_names_nothing_is_refused_with_what_would() {
        for (pattern, why) in [
            ("", "no name"),
            ("http.*.x", "not at its end"),
            ("**", "not at its end"),
            ("http request", "no name"),
            ("http:request", "no name"),
            ("plugin:", "no name"),
            ("plugin:github:", "no name"),
            ("plugin:a:b:c", "no name"),
            (&"x".repeat(500), "no name"),
        ] {
            let error = Pattern::parse(pattern).unwrap_err();
            assert!(error.message.contains(why) && error.hint.is_some(), "{pattern}: {error}");
        }
    }
}
