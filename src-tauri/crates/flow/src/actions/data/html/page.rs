//! A text to a page, within bounds that the standard does not have.
//!
//! HTML is never wrong, but a hostile text can nest without end, or make each character become
//! hundreds of elements. So it is read in parts, and looked at after each.

use devrig_core::{Code, Error, Result};
use html5ever::driver::{ParseOpts, Parser, parse_document};
use html5ever::tendril::TendrilSink;
use scraper::{Html, HtmlTreeSink};

use crate::actions::bounds::Deadline;

/// Small enough that one part cannot do much harm.
const PART: usize = 4 * 1024;

/// Browsers stop at 512.
const DEEPEST: usize = 400;

/// As many as 4 MB of dense markup have, and some 70 MB of memory.
const MOST_NODES: usize = 500_000;

pub(super) fn read(text: &str, deadline: &Deadline) -> Result<Html> {
    let mut parser = parse_document(HtmlTreeSink::new(Html::new_document()), ParseOpts::default());
    let mut rest = text;
    while !rest.is_empty() {
        let (part, after) = rest.split_at(rest.floor_char_boundary(PART));
        parser.process(part.into());
        check(&parser)?;
        deadline.check()?;
        rest = after;
    }
    Ok(parser.finish())
}

fn check(parser: &Parser<HtmlTreeSink>) -> Result<()> {
    let html = parser.tokenizer.sink.sink.0.borrow();
    if html.tree.values().len() > MOST_NODES {
        let message = format!("the page has more than {MOST_NODES} elements and texts");
        return Err(Error::new(Code::TooLarge, message).hint("Give it a part of the page."));
    }
    // What is still open stands at the end of what is around it.
    let open = std::iter::successors(Some(html.tree.root()), |node| node.last_child());
    let depth = open.take(DEEPEST + 1).count();
    if depth > DEEPEST {
        let message = format!("the page is nested more than {DEEPEST} levels deep");
        return Err(Error::invalid(message).hint("Give it an inner part of the page."));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Each attribute is compared with all before it, which nothing but time tells from outside.
    #[test]
    fn a_page_that_takes_too_long_is_given_up() {
        let attributes: String = (0..20_000).map(|at| format!(" a{at}")).collect();
        let deadline = Deadline::within(Duration::from_millis(50), "reading the page");
        let error = read(&format!("<p{attributes}>"), &deadline).unwrap_err();
        assert_eq!(
            (error.code, &*error.message),
            (Code::Timeout, "reading the page takes too long")
        );
    }
}
