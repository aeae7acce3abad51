//! Which white space the tags take with them.
//!
//! `~` trims all of it on its side. A block tag or comment that stands alone on a line takes the
//! line along. The order of the steps decides what is left, so it is that of handlebars.js.

use super::ast::{Block, Content, Inverse, Node};
use super::lex::Strip;
use super::source::is_space;

pub(super) fn strip(text: &str, nodes: &mut [Node]) {
    Stripper { text }.program(nodes, true);
}

struct Stripper<'t> {
    text: &'t str,
}

/// What a tag asks of the text around it.
#[derive(Default)]
struct Wish {
    open: bool,
    close: bool,
    /// Its first tag could stand alone on its line, as far as its inside tells.
    open_alone: bool,
    close_alone: bool,
    /// It has no inside.
    inline_alone: bool,
}

impl Stripper<'_> {
    fn program(&self, body: &mut [Node], is_root: bool) {
        for index in 0..body.len() {
            let wish = match &mut body[index] {
                Node::Content(_) => continue,
                Node::Comment { strip } => Wish {
                    open: strip.open,
                    close: strip.close,
                    inline_alone: true,
                    ..Wish::default()
                },
                Node::Output { strip, .. } => {
                    Wish { open: strip.open, close: strip.close, ..Wish::default() }
                }
                Node::Block(block) => self.block(block),
            };
            self.grant(&wish, body, index, is_root);
        }
    }

    fn grant(&self, wish: &Wish, body: &mut [Node], index: usize, is_root: bool) {
        let line_before = self.ends_line(&body[..index], is_root);
        let line_after = self.begins_line(&body[index + 1..], is_root);
        if wish.close {
            self.trim_start(body.get_mut(index + 1), true);
        }
        if wish.open {
            self.trim_end(before(body, index), true);
        }
        if wish.inline_alone && line_before && line_after {
            self.trim_start(body.get_mut(index + 1), false);
            self.trim_end(before(body, index), false);
        }
        if wish.open_alone && line_before {
            if let Node::Block(block) = &mut body[index] {
                self.trim_start(block.first_body().first_mut(), false);
            }
            self.trim_end(before(body, index), false);
        }
        if wish.close_alone && line_after {
            self.trim_start(body.get_mut(index + 1), false);
            if let Node::Block(block) = &mut body[index] {
                self.trim_end(block.last_body().last_mut(), false);
            }
        }
    }

    fn block(&self, block: &mut Block) -> Wish {
        if let Some(program) = &mut block.program {
            self.program(program, false);
        }
        if let Some(inverse) = &mut block.inverse {
            self.program(&mut inverse.body, false);
        }
        let strips = (block.open_strip, block.inverse_strip, block.close_strip);
        let wish = Wish {
            open: strips.0.open,
            close: strips.2.close,
            open_alone: self.begins_line(block.first_body(), false),
            close_alone: self.ends_line(block.first_inverse_body(), false),
            inline_alone: false,
        };
        if strips.0.close {
            self.trim_start(block.first_body().first_mut(), true);
        }
        match block.parts() {
            (Some(program), Some(inverse)) => self.around_else(program, inverse, strips),
            _ if strips.2.open => self.trim_end(block.first_body().last_mut(), true),
            _ => {}
        }
        wish
    }

    fn around_else(
        &self,
        program: &mut [Node],
        inverse: &mut Inverse,
        (_, else_strip, close_strip): (Strip, Strip, Strip),
    ) {
        if else_strip.open {
            self.trim_end(program.last_mut(), true);
        }
        if else_strip.close {
            self.trim_start(inverse.first().first_mut(), true);
        }
        if close_strip.open {
            // Not of the last of a chain, which its own block trims.
            self.trim_end(inverse.first().last_mut(), true);
        }
        if self.ends_line(program, false) && self.begins_line(inverse.first(), false) {
            self.trim_end(program.last_mut(), false);
            self.trim_start(inverse.first().first_mut(), false);
        }
    }

    /// Whether nothing but white space stands between here and the beginning of the line.
    fn ends_line(&self, before: &[Node], is_root: bool) -> bool {
        let Some(last) = before.last() else { return is_root };
        let Node::Content(content) = last else { return false };
        let text = &self.text[content.original.clone()];
        let blank = &text[text.trim_end_matches(is_space).len()..];
        blank.contains('\n') || (is_root && before.len() == 1 && blank.len() == text.len())
    }

    fn begins_line(&self, after: &[Node], is_root: bool) -> bool {
        let Some(first) = after.first() else { return is_root };
        let Node::Content(content) = first else { return false };
        let text = &self.text[content.original.clone()];
        let rest = text.trim_start_matches(is_space);
        let blank = &text[..text.len() - rest.len()];
        blank.contains('\n') || (is_root && after.len() == 1 && rest.is_empty())
    }

    /// All white space, or the rest of the line with its end.
    fn trim_start(&self, node: Option<&mut Node>, all: bool) {
        let Some(content) = content(node) else { return };
        if !all && content.right_stripped {
            return;
        }
        let text = &self.text[content.kept.clone()];
        let rest = if all { text.trim_start_matches(is_space) } else { after_line(text) };
        content.right_stripped = rest.len() < text.len();
        content.kept.start = content.kept.end - rest.len();
    }

    /// All white space, or the indentation.
    fn trim_end(&self, node: Option<&mut Node>, all: bool) {
        let Some(content) = content(node) else { return };
        if !all && content.left_stripped {
            return;
        }
        let text = &self.text[content.kept.clone()];
        let rest =
            if all { text.trim_end_matches(is_space) } else { text.trim_end_matches([' ', '\t']) };
        content.left_stripped = rest.len() < text.len();
        content.kept.end = content.kept.start + rest.len();
    }
}

fn before(body: &mut [Node], index: usize) -> Option<&mut Node> {
    index.checked_sub(1).and_then(|index| body.get_mut(index))
}

fn content(node: Option<&mut Node>) -> Option<&mut Content> {
    match node? {
        Node::Content(content) => Some(content),
        _ => None,
    }
}

fn after_line(text: &str) -> &str {
    let rest = text.trim_start_matches([' ', '\t']);
    let rest = rest.strip_prefix('\r').unwrap_or(rest);
    rest.strip_prefix('\n').unwrap_or(rest)
}

impl Block {
    fn first_body(&mut self) -> &mut [Node] {
        match (&mut self.program, &mut self.inverse) {
            (Some(program), _) => program,
            (None, Some(inverse)) => &mut inverse.body,
            (None, None) => &mut [],
        }
    }

    fn last_body(&mut self) -> &mut [Node] {
        match (&mut self.program, &mut self.inverse) {
            (_, Some(inverse)) => &mut inverse.body,
            (Some(program), None) => program,
            (None, None) => &mut [],
        }
    }

    /// What the closing tag would share a line with, were there no text before it.
    fn first_inverse_body(&mut self) -> &mut [Node] {
        match (&mut self.program, &mut self.inverse) {
            (Some(_), Some(inverse)) => inverse.first(),
            (Some(program), None) => program,
            (None, Some(inverse)) => &mut inverse.body,
            (None, None) => &mut [],
        }
    }

    fn parts(&mut self) -> (Option<&mut [Node]>, Option<&mut Inverse>) {
        (self.program.as_deref_mut(), self.inverse.as_mut())
    }
}

impl Inverse {
    /// What is shown first: in a chain, the body of its block.
    fn first(&mut self) -> &mut [Node] {
        match (self.chained, &mut self.body[..]) {
            (true, [Node::Block(block)]) => block.first_body(),
            (_, body) => body,
        }
    }
}
