//! The text of an element as a person reads it.

use std::borrow::Cow;

use ego_tree::iter::Edge;
use scraper::{ElementRef, Node};

/// Whether each block is a line of its own.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Layout {
    OneLine,
    Lines,
}

/// Spaces are as a browser shows them; scripts and styles are no text.
pub(super) fn text(element: ElementRef<'_>, layout: Layout) -> String {
    let mut raw = String::new();
    let mut hidden = 0_usize;
    for edge in element.traverse() {
        match edge {
            Edge::Open(node) => {
                hidden += usize::from(hides(node.value()));
                open(node.value(), hidden > 0, &mut raw);
            }
            Edge::Close(node) => {
                hidden -= usize::from(hides(node.value()));
                separate(node.value(), &mut raw);
            }
        }
    }
    let lines = raw.split('\n').map(collapsed).filter(|line| !line.is_empty());
    let lines: Vec<Cow<'_, str>> = lines.collect();
    lines.join(if layout == Layout::Lines { "\n" } else { " " })
}

fn open(node: &Node, hidden: bool, into: &mut String) {
    match node {
        // Line ends of the source mean no more than a space.
        Node::Text(text) if !hidden => {
            into.extend(text.chars().map(|c| if c == '\n' { ' ' } else { c }))
        }
        node => separate(node, into),
    }
}

fn separate(node: &Node, into: &mut String) {
    if node.as_element().is_some_and(|element| !INLINE.contains(&element.name())) {
        into.push('\n');
    }
}

fn hides(node: &Node) -> bool {
    node.as_element().is_some_and(|element| HIDDEN.contains(&element.name()))
}

fn collapsed(line: &str) -> Cow<'_, str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [word] => (*word).into(),
        words => words.join(" ").into(),
    }
}

const HIDDEN: [&str; 4] = ["script", "style", "template", "noscript"];

/// Elements that do not begin a line.
const INLINE: [&str; 36] = [
    "a", "abbr", "acronym", "b", "bdi", "bdo", "big", "cite", "code", "data", "del", "dfn", "em",
    "font", "i", "img", "ins", "kbd", "label", "mark", "q", "rp", "rt", "ruby", "s", "samp",
    "small", "span", "strike", "strong", "sub", "sup", "time", "tt", "u", "wbr",
];
