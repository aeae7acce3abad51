//! `data.html`: what stands in a page.

mod page;
mod pick;
mod text;

use devrig_core::{Error, Result};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use crate::action::{About, Effect};
use crate::actions::bounds::{Deadline, Room};
use crate::actions::compute::Compute;
use pick::{Pick, Search};

const ABOUT: About = About {
    name: "data.html",
    title: "Extract from HTML",
    text: "Finds elements of a page by CSS selectors and gives an object with a field for each of \
        `fields`. A field is a selector, whose first element's text is given, or an object:\n\n\
        - `selector`: which element; without one, the element around (in `fields` inside of \
        `fields`)\n\
        - `get`: `text` (in one line), `lines` (a line for each block), `html` (what is inside) \
        or `outerHtml`\n\
        - `attribute`: gives that attribute instead\n\
        - `all`: gives a list of all elements that match\n\
        - `fields`: gives an object for each element, with fields found inside of it\n\n\
        What is not found is null. With `base`, addresses in `href` and `src` become whole. \
        Scripts are not run, and nothing is fetched.",
    effect: Effect::Pure,
    idempotent: true,
    input: r##"{
        "type": "object",
        "properties": {
            "html": { "type": "string", "description": "The page, or a part of one." },
            "fields": {
                "type": "object",
                "additionalProperties": { "$ref": "#/$defs/pick" },
                "description": "What is given, by name."
            },
            "base": {
                "type": "string",
                "description": "The address of the page, such as `https://example.com/a`."
            }
        },
        "required": ["html", "fields"],
        "additionalProperties": false,
        "$defs": {
            "pick": {
                "type": ["string", "object"],
                "properties": {
                    "selector": { "type": "string" },
                    "get": { "enum": ["text", "lines", "html", "outerHtml"] },
                    "attribute": { "type": "string" },
                    "all": { "type": "boolean" },
                    "fields": {
                        "type": "object",
                        "additionalProperties": { "$ref": "#/$defs/pick" }
                    }
                },
                "additionalProperties": false
            }
        }
    }"##,
    output: r#"{
        "type": "object",
        "additionalProperties": { "type": ["string", "null", "array", "object"] }
    }"#,
    example: r#"{
        "html": "<h1>News</h1><ul><li><a href=/a>One</a></li><li><a href=/b>Two</a></li></ul>",
        "base": "https://example.com/",
        "fields": {
            "title": "h1",
            "entries": {
                "selector": "li",
                "all": true,
                "fields": { "name": "a", "link": { "selector": "a", "attribute": "href" } }
            }
        }
    }"#,
    typical_ms: 10,
    raw: &[],
};

pub(super) struct Html;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    html: String,
    fields: Map<String, Value>,
    base: Option<String>,
}

impl Compute for Html {
    const ABOUT: About = ABOUT;
    type Input = Input;

    fn compute(input: Input) -> Result<Value> {
        let picks = Pick::read_all(input.fields, "fields", 0)?;
        let base = input.base.as_deref().map(base).transpose()?;
        let deadline = Deadline::new("reading the page");
        let page = page::read(&input.html, &deadline)?;
        let mut search = Search { base, deadline, room: Room::for_output() };
        search.fields(&picks, page.root_element())
    }
}

fn base(text: &str) -> Result<Url> {
    text.parse().map_err(|error| {
        Error::invalid(format!("base is no address: {error}"))
            .hint("Write it whole: https://example.com/page.")
    })
}

#[cfg(test)]
mod tests;
