//! Remotes: their addresses, told without what is secret in them.

use gix::bstr::BStr;

use crate::branches::text;
use crate::model::Remote;

/// Sorted by name.
pub(crate) fn remotes(repo: &gix::Repository) -> Vec<Remote> {
    let mut remotes: Vec<Remote> = repo
        .remote_names()
        .into_iter()
        .filter_map(|name| {
            Some(Remote { url: public(&raw_url(repo, &text(&name))?), name: text(&name) })
        })
        .collect();
    remotes.sort_by(|a, b| a.name.cmp(&b.name));
    remotes
}

/// As configured, with whatever is secret in it.
pub(crate) fn raw_url(repo: &gix::Repository, name: &str) -> Option<String> {
    repo.config_snapshot().string_by("remote", Some(BStr::new(name)), "url").map(text)
}

/// Without user information (an ssh user name is none), query and fragment.
pub(crate) fn public(url: &str) -> String {
    let Ok(mut parsed) = url::Url::parse(url) else {
        return url.to_owned();
    };
    if parsed.cannot_be_a_base() || !url.contains("://") {
        return url.to_owned();
    }
    // These fail for addresses that cannot hold them, which is as good.
    let _ = parsed.set_password(None);
    if parsed.scheme() != "ssh" {
        let _ = parsed.set_username("");
    }
    parsed.set_query(None);
    parsed.set_fragment(None);
    parsed.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_without_credentials() {
        for (url, expected) in [
            ("https://me:token@example.com/a/b.git", "https://example.com/a/b.git"),
            ("https://token@example.com/a/b", "https://example.com/a/b"),
            ("https://example.com/a?access_token=x#y", "https://example.com/a"),
            ("ssh://git:pass@example.com/a", "ssh://git@example.com/a"),
            ("git@example.com:a/b.git", "git@example.com:a/b.git"),
            ("/srv/git/a.git", "/srv/git/a.git"),
            ("../a.git", "../a.git"),
            ("file:///srv/a", "file:///srv/a"),
        ] {
            assert_eq!(public(url), expected);
        }
    }
}
