//! Links from outside: `devrig://item/ID`, `devrig://inbox?q=QUERY` and the names of other pages.

use url::Url;

/// The pages that a link can name.
const PAGES: [&str; 7] = ["inbox", "outbox", "rules", "history", "plugins", "settings", "flows"];

/// The page's path that a link leads to; nothing for what is no link of ours. A link only shows:
/// anybody can make one, so none does anything.
pub fn path(link: &str) -> Option<String> {
    let link = Url::parse(link).ok().filter(|link| link.scheme() == "devrig")?;
    let host = link.host_str()?;
    let rest = link.path().trim_matches('/');
    if host == "item" {
        let plain =
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        return plain.then(|| format!("inbox?view=all&item={rest}"));
    }
    if !PAGES.contains(&host) || !rest.is_empty() {
        return None;
    }
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in link.query_pairs().filter(|(name, _)| name == "q" || name == "view") {
        query.append_pair(&name, &value);
    }
    let query = query.finish();
    Some(if query.is_empty() { host.to_owned() } else { format!("{host}?{query}") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_to_pages_and_nothing_else() {
        for (link, expected) in [
            ("devrig://item/ab12_c", Some("inbox?view=all&item=ab12_c")),
            ("devrig://inbox", Some("inbox")),
            ("devrig://inbox/?q=is%3Aunread&x=1", Some("inbox?q=is%3Aunread")),
            ("devrig://settings", Some("settings")),
            ("devrig://item/a/b", None),
            ("devrig://item/a'b", None),
            ("devrig://elsewhere", None),
            ("https://item/ab12", None),
            ("--hidden", None),
        ] {
            assert_eq!(path(link).as_deref(), expected, "{link}");
        }
    }
}
