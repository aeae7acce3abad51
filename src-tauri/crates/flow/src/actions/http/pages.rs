//! Answers that come in pages: where the next one is.

use devrig_core::{Code, Context, Error, Result};
use devrig_expr::{Path, View};
use devrig_net::{Response, Url, join_url};
use serde::Deserialize;
use serde_json::Value;

use super::ask::{header, scalar};
use crate::actions::input::wrong_kind;

/// How pages follow each other.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Pages {
    #[serde(flatten)]
    next: Next,
    /// Where in a page its elements are; the page itself where absent.
    items: Option<String>,
    #[serde(default = "usual")]
    pub limit: usize,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "by")]
enum Next {
    /// The header `Link` with `rel="next"`.
    Link,
    /// A text in the page, which the next request has in its query.
    Cursor { path: String, parameter: String },
}

fn usual() -> usize {
    10
}

impl Pages {
    /// The elements of a page.
    pub fn items(&self, page: &Value) -> Result<Vec<Value>> {
        let found = match &self.items {
            None => Some(View::of(page)),
            Some(text) => path(text, "pages.items")?.get(View::of(page)),
        };
        match found.map(View::to_value) {
            Some(Value::Array(list)) => Ok(list),
            None | Some(Value::Null) => Ok(Vec::new()),
            Some(other) => Err(wrong_kind("what pages.items names", &other, "a list")
                .hint("Name the list in the page, such as data.items.")),
        }
    }

    /// The address of the page after this one, which is on the same server.
    pub fn next(&self, asked: &str, response: &Response, page: &Value) -> Result<Option<String>> {
        let next = match &self.next {
            Next::Link => self.linked(response)?,
            Next::Cursor { path: text, parameter } => {
                let found = path(text, "pages.path")?.get(View::of(page));
                let cursor = found.and_then(|view| scalar(&view.to_value()));
                let cursor = cursor.filter(|text| !text.is_empty() && text != "false");
                cursor.map(|cursor| with_parameter(asked, parameter, &cursor)).transpose()?
            }
        };
        Ok(next.filter(|next| next != asked))
    }

    fn linked(&self, response: &Response) -> Result<Option<String>> {
        let Some(link) = header(&response.headers, "link").and_then(next_link) else {
            return Ok(None);
        };
        let next = join_url(&response.url, link)?;
        if next.origin() == response.url.origin() {
            return Ok(Some(next.into()));
        }
        // What is sent along was meant for the first one.
        let host = next.host_str().unwrap_or_default().to_owned();
        Err(Error::new(Code::Refused, format!("the next page is on another server, {host}"))
            .hint("Ask for the next page in a node of its own."))
    }
}

fn path(text: &str, place: &str) -> Result<Path> {
    text.parse().context(place)
}

fn with_parameter(address: &str, name: &str, value: &str) -> Result<String> {
    let mut url = Url::parse(address).map_err(|_| Error::internal("an address that was asked"))?;
    let others: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(each, _)| each != name)
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    url.query_pairs_mut().clear().extend_pairs(others).append_pair(name, value);
    Ok(url.into())
}

/// The target of `rel="next"` (RFC 8288).
fn next_link(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, parameters) = after.split_once('>')?;
        let end = parameters.find('<').unwrap_or(parameters.len());
        if parameters[..end].split([';', ',']).any(is_next) {
            return Some(target);
        }
        rest = &parameters[end..];
    }
    None
}

fn is_next(parameter: &str) -> bool {
    parameter.trim().split_once('=').is_some_and(|(name, value)| {
        let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel") && relations.any(|rel| rel == "next")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_next_link_is_found_among_others() {
        for (header, found) in [
            (
                r#"<https://a/?p=2>; rel="next", <https://a/?p=9>; rel="last""#,
                Some("https://a/?p=2"),
            ),
            (r#"<https://a/?p=1>; rel="prev", </?p=3,4;5>; rel="x next""#, Some("/?p=3,4;5")),
            ("<https://a/?p=2>; rel=next", Some("https://a/?p=2")),
            (r#"<https://a/>; rel="last""#, None),
            ("<https://a/", None),
            ("", None),
        ] {
            assert_eq!(next_link(header), found, "{header}");
        }
    }

    #[test]
    fn a_cursor_takes_the_place_of_the_one_before() {
        let pages: Pages = serde_json::from_value(
            json!({"by": "cursor", "path": "meta.next", "parameter": "c", "items": "data"}),
        )
        .unwrap();
        let response = Response {
            status: 200,
            headers: Vec::new(),
            body: "".into(),
            url: Url::parse("https://a/").unwrap(),
            redirected: false,
            hops: Vec::new(),
        };
        let next = |asked: &str, page: Value| pages.next(asked, &response, &page).unwrap();
        let page = json!({"meta": {"next": "x&y"}, "data": [1]});
        let second = next("https://a/?q=1", page.clone()).unwrap();
        assert_eq!(second, "https://a/?q=1&c=x%26y");
        assert_eq!(next(&second, page.clone()), None, "a cursor that stays is the end");
        assert_eq!(next(&second, json!({"meta": {"next": 7}})).unwrap(), "https://a/?q=1&c=7");
        assert_eq!(next(&second, json!({"meta": {"next": null}})), None);
        assert_eq!(pages.items(&page).unwrap(), [json!(1)]);
        assert!(pages.items(&json!({"data": 1})).unwrap_err().hint.is_some());
    }
}
