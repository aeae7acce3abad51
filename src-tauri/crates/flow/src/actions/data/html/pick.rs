//! What is looked for, and finding it.

use devrig_core::{Error, Result};
use scraper::{ElementRef, Selector};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::Url;

use super::text::{Layout, text};
use crate::actions::bounds::{Deadline, Room};
use crate::actions::input::few;

/// One field of what is given.
pub(super) struct Pick {
    name: String,
    /// Nothing means the element around.
    selector: Option<Selector>,
    get: Get,
    all: bool,
}

enum Get {
    Text(Layout),
    Html,
    OuterHtml,
    Attribute(String),
    Fields(Vec<Pick>),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Wanted {
    Selector(String),
    More(More),
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct More {
    selector: Option<String>,
    get: Option<Kind>,
    attribute: Option<String>,
    #[serde(default)]
    all: bool,
    fields: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Text,
    Lines,
    Html,
    OuterHtml,
}

/// Fields in fields, as deep as anyone would nest lists of a page.
const DEEPEST: usize = 5;

/// In bytes, and in parentheses, which are read by recursion.
const LONGEST_SELECTOR: usize = 1_000;
const MOST_PARENTHESES: usize = 20;

impl Pick {
    pub fn read_all(fields: Map<String, Value>, place: &str, depth: usize) -> Result<Vec<Self>> {
        if depth > DEEPEST {
            return Err(Error::invalid(format!(
                "{place} are nested more than {DEEPEST} levels deep"
            )));
        }
        let fields = few(fields.into_iter().collect(), place)?;
        fields.into_iter().map(|(name, wanted)| Self::read(name, wanted, place, depth)).collect()
    }

    fn read(name: String, wanted: Value, place: &str, depth: usize) -> Result<Self> {
        let place = format!("{place}.{name}");
        let wanted = serde_json::from_value(wanted).map_err(|_| {
            Error::invalid(format!("{place} is neither a selector nor an object with one"))
                .hint("Write \"h1\", or { \"selector\": \"a\", \"attribute\": \"href\" }.")
        })?;
        let more = match wanted {
            Wanted::Selector(selector) => More { selector: Some(selector), ..More::default() },
            Wanted::More(more) => more,
        };
        let selector = more.selector.as_deref().map(|text| selector(text, &place)).transpose()?;
        Ok(Self { name, selector, all: more.all, get: more.into_get(&place, depth)? })
    }
}

impl More {
    fn into_get(self, place: &str, depth: usize) -> Result<Get> {
        match (self.fields, self.attribute, self.get) {
            (Some(fields), None, None) => {
                Ok(Get::Fields(Pick::read_all(fields, &format!("{place}.fields"), depth + 1)?))
            }
            (None, Some(attribute), None) => Ok(Get::Attribute(attribute.to_ascii_lowercase())),
            (None, None, kind) => Ok(kind.map_or(Get::Text(Layout::OneLine), Kind::into_get)),
            _ => Err(Error::invalid(format!("{place}: only one of get, attribute and fields"))
                .hint("Take the others into fields of their own.")),
        }
    }
}

impl Kind {
    fn into_get(self) -> Get {
        match self {
            Self::Text => Get::Text(Layout::OneLine),
            Self::Lines => Get::Text(Layout::Lines),
            Self::Html => Get::Html,
            Self::OuterHtml => Get::OuterHtml,
        }
    }
}

fn selector(text: &str, place: &str) -> Result<Selector> {
    if text.len() > LONGEST_SELECTOR || text.matches('(').count() > MOST_PARENTHESES {
        return Err(Error::invalid(format!("{place}: the selector is too long"))
            .hint("Find an outer element first, and the rest with fields inside of it."));
    }
    Selector::parse(text).map_err(|error| {
        Error::invalid(format!("{place}: {text:?} is no selector: {error}"))
            .hint("Such as h1, .name, a[href], or li > a.")
    })
}

/// Looking through a page.
pub(super) struct Search {
    pub base: Option<Url>,
    pub deadline: Deadline,
    pub room: Room,
}

/// Looking at the clock costs more than looking at an element.
const ELEMENTS_BETWEEN_LOOKS: usize = 64;

impl Search {
    pub fn fields(&mut self, picks: &[Pick], around: ElementRef<'_>) -> Result<Value> {
        let mut object = Map::new();
        for pick in picks {
            let value = self.pick(pick, around)?;
            self.room.take(pick.name.len() + 3)?;
            object.insert(pick.name.clone(), value);
        }
        Ok(Value::Object(object))
    }

    fn pick(&mut self, pick: &Pick, around: ElementRef<'_>) -> Result<Value> {
        let Some(selector) = &pick.selector else {
            let value = self.get(&pick.get, around)?;
            return Ok(if pick.all { Value::Array(vec![value]) } else { value });
        };
        let mut found = Vec::new();
        for (index, element) in around.descendent_elements().skip(1).enumerate() {
            if index % ELEMENTS_BETWEEN_LOOKS == 0 {
                self.deadline.check()?;
            }
            if selector.matches_with_scope(&element, Some(around)) {
                let value = self.get(&pick.get, element)?;
                if !pick.all {
                    return Ok(value);
                }
                found.push(value);
            }
        }
        Ok(if pick.all { Value::Array(found) } else { Value::Null })
    }

    fn get(&mut self, get: &Get, element: ElementRef<'_>) -> Result<Value> {
        self.deadline.check()?;
        let text = match get {
            Get::Text(layout) => Some(text(element, *layout)),
            Get::Html => Some(element.inner_html()),
            Get::OuterHtml => Some(element.html()),
            Get::Attribute(name) => element.attr(name).map(|text| self.attribute(name, text)),
            Get::Fields(picks) => return self.fields(picks, element),
        };
        let value = text.map_or(Value::Null, Value::from);
        self.room.take_value(&value)?;
        Ok(value)
    }

    /// Addresses become whole; one that is none stays as it is.
    fn attribute(&self, name: &str, text: &str) -> String {
        let base = self.base.as_ref().filter(|_| matches!(name, "href" | "src"));
        let whole = base.and_then(|base| base.join(text.trim()).ok());
        whole.map_or_else(|| text.to_owned(), String::from)
    }
}
