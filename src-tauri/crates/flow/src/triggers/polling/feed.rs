//! Feeds (RSS and Atom) as JSON.

use feed_rs::model::{Entry, Feed, Text};
use serde_json::{Value, json};

/// The feed that a document is, or nothing. Without the times of the feed itself, which change with
/// every answer of some servers.
pub(super) fn read(bytes: &[u8]) -> Option<Value> {
    let feed: Feed = feed_rs::parser::parse(bytes).ok()?;
    let entries: Vec<Value> = feed.entries.iter().map(entry).collect();
    Some(json!({
        "title": text(feed.title.as_ref()),
        "url": feed.links.first().map(|link| &link.href),
        "entries": entries,
    }))
}

fn entry(entry: &Entry) -> Value {
    let names: Vec<&String> =
        entry.authors.iter().filter_map(|author| author.name.as_ref()).collect();
    let terms: Vec<&String> = entry.categories.iter().map(|category| &category.term).collect();
    json!({
        "id": entry.id,
        "title": text(entry.title.as_ref()),
        "url": entry.links.first().map(|link| &link.href),
        "summary": text(entry.summary.as_ref()),
        "content": entry.content.as_ref().and_then(|content| content.body.as_ref()),
        "authors": names,
        "categories": terms,
        "publishedAt": entry.published.map(|at| at.to_rfc3339()),
        "updatedAt": entry.updated.map(|at| at.to_rfc3339()),
    })
}

fn text(text: Option<&Text>) -> Option<&String> {
    text.map(|text| &text.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_feeds_read_alike() {
        let rss = br#"<?xml version="1.0"?><rss version="2.0"><channel><title>News</title>
            <link>https://a.test/</link><lastBuildDate>Mon, 06 Sep 2010 00:01:00 +0000</lastBuildDate>
            <item><title>One &amp; all</title><link>https://a.test/1</link><guid>g1</guid>
            <pubDate>Sun, 06 Sep 2009 16:20:00 +0000</pubDate><category>x</category></item>
            </channel></rss>"#;
        let feed = read(rss).unwrap();
        assert_eq!(feed["title"], "News");
        let entry = &feed["entries"][0];
        assert_eq!((&entry["id"], &entry["title"]), (&json!("g1"), &json!("One & all")));
        assert_eq!(entry["publishedAt"], "2009-09-06T16:20:00+00:00");
        assert!(!feed.to_string().contains("2010"), "the feed's own time is no news");
        let atom = br#"<feed xmlns="http://www.w3.org/2005/Atom"><title>News</title><id>f</id>
            <updated>2024-01-01T00:00:00Z</updated><entry><id>e1</id><title>One</title>
            <author><name>Kim</name></author><link href="https://a.test/1"/>
            <updated>2024-01-01T00:00:00Z</updated></entry></feed>"#;
        let entry = read(atom).unwrap()["entries"][0].clone();
        assert_eq!((&entry["id"], &entry["authors"]), (&json!("e1"), &json!(["Kim"])));
        assert_eq!(entry["url"], "https://a.test/1");
        for none in ["", "<html><body>no feed</body></html>", "<rss", "<feed><a></b>"] {
            assert_eq!(read(none.as_bytes()), None, "{none}");
        }
    }

    #[test]
    fn a_hostile_document_does_no_harm() {
        let deep = format!("<rss version=\"2.0\"><channel>{}", "<a>".repeat(200_000));
        let _ = read(deep.as_bytes());
        let bomb = r#"<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>
            <rss version="2.0"><channel><title>&b;</title></channel></rss>"#;
        assert!(read(bomb.as_bytes()).is_none_or(|feed| feed.to_string().len() < 1_000));
    }
}
