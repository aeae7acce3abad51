//! How text becomes search tokens: the same rules for items and for queries.
//!
//! Words are letters and digits, folded to lower case without accents (as FTS5's `unicode61`
//! does). Chinese, Japanese and Korean are written without useful spaces, so that a run of them
//! becomes overlapping pairs: 文件测试 → 文件 件测 测试, and its last character by itself, so that
//! a single character is found as the beginning of a token. A word of the query in such a script
//! is the phrase of its pairs.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_canonical, is_combining_mark};

/// Longest token; the rest of a longer word is left out, as nobody types it.
const LONGEST: usize = 64;

/// Tokens separated by spaces, for the index.
pub fn index(text: &str, out: &mut String) {
    let mut sink = |token: &str| {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(token);
    };
    split(&normal(text), &mut sink);
}

/// The tokens of a phrase of the query, in order, and whether the last one is to be matched as a
/// prefix: because it is a single character of a script without spaces, or `open` says so (the
/// person is still typing, or wrote `deplo*`).
pub fn phrase(text: &str, open: bool) -> (Vec<String>, bool) {
    let mut list = Vec::new();
    let text = &normal(text);
    split(text, &mut |token: &str| list.push(token.to_owned()));
    let mut last_run = 0;
    for c in text.chars().rev().skip_while(|c| !c.is_alphanumeric()) {
        if !unspaced(c) {
            break;
        }
        last_run += 1;
    }
    match last_run {
        0 => (list, open),
        1 => (list, true),
        // The run may go on in the item: there its last character is no token of its own.
        _ => {
            list.pop();
            (list, false)
        }
    }
}

/// True when the last word is long enough to be searched as the beginning of one. Of shorter ones
/// there are so many that the full text would have to join half of its lists.
pub fn may_be_open(text: &str) -> bool {
    let (list, _) = phrase(text, true);
    list.last().is_some_and(|token| token.chars().count() >= 3 || token.chars().all(unspaced))
}

/// Half-width and full-width forms are other spellings of the same characters.
fn normal(text: &str) -> Cow<'_, str> {
    if text.chars().any(|c| ('\u{ff00}'..='\u{ffef}').contains(&c)) {
        return text.nfkc().collect();
    }
    text.into()
}

fn split(text: &str, sink: &mut dyn FnMut(&str)) {
    let mut word = String::new();
    let mut previous: Option<char> = None;
    let mut pair = String::new();
    for c in text.chars() {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                end_run(&mut previous, &mut pair, sink);
                if word.len() < LONGEST {
                    word.push(c.to_ascii_lowercase());
                }
                continue;
            }
        } else if unspaced(c) {
            end_word(&mut word, sink);
            if let Some(previous) = previous {
                pair.clear();
                pair.extend([previous, c]);
                sink(&pair);
            }
            previous = Some(c);
            continue;
        } else if is_combining_mark(c) {
            // Part of the letter before it; accents are not kept.
            continue;
        } else if c.is_alphanumeric() {
            end_run(&mut previous, &mut pair, sink);
            if word.len() < LONGEST {
                fold(c, &mut word);
            }
            continue;
        }
        end_word(&mut word, sink);
        end_run(&mut previous, &mut pair, sink);
    }
    end_word(&mut word, sink);
    end_run(&mut previous, &mut pair, sink);
}

fn end_word(word: &mut String, sink: &mut dyn FnMut(&str)) {
    if !word.is_empty() {
        sink(word);
        word.clear();
    }
}

fn end_run(previous: &mut Option<char>, buffer: &mut String, sink: &mut dyn FnMut(&str)) {
    if let Some(last) = previous.take() {
        buffer.clear();
        buffer.push(last);
        sink(buffer);
    }
}

/// Lower case, without accents.
fn fold(c: char, word: &mut String) {
    for lower in c.to_lowercase() {
        // Cyrillic й and the like are letters of their own to their readers, but unicode61 folds
        // them as well, and a searcher who omits the breve finds what is meant.
        decompose_canonical(lower, |part| {
            if !is_combining_mark(part) {
                word.push(part);
            }
        });
    }
}

/// Han, Hiragana, Katakana, Hangul, Bopomofo, and scripts of South-East Asia that also write
/// words together.
pub fn unspaced(c: char) -> bool {
    matches!(c,
        '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1100}'..='\u{11ff}'
        | '\u{1780}'..='\u{17ff}' | '\u{3005}'..='\u{3007}' | '\u{3041}'..='\u{3096}'
        | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}' | '\u{30fc}'..='\u{30ff}'
        | '\u{3105}'..='\u{312f}' | '\u{3131}'..='\u{318e}' | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// A term for an attribute, such as `=repo:acme/api`. No word of a text can equal it, as words
/// have no `=`.
pub fn term(field: &str, value: &str) -> String {
    let mut out = String::with_capacity(field.len() + value.len() + 2);
    out.push('=');
    out.push_str(field);
    out.push(':');
    for c in value.chars().flat_map(char::to_lowercase) {
        if out.len() > 4 * LONGEST {
            break;
        }
        out.push(match c {
            '"' | '\'' | '`' | '\\' => '~',
            c if c.is_whitespace() || c.is_control() => '_',
            c => c,
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn indexed(text: &str) -> String {
        let mut out = String::new();
        index(text, &mut out);
        out
    }

    #[test]
    fn words_are_folded() {
        assert_eq!(indexed("Größe: Übersicht, ÇA va? İstanbul"), "große ubersicht ca va istanbul");
        assert_eq!(indexed("snake_case foo::bar v1.2"), "snake case foo bar v1 2");
        assert_eq!(indexed("e\u{301}te\u{301}"), "ete");
        assert_eq!(indexed("…—!"), "");
    }

    #[test]
    fn unspaced_scripts_become_pairs_and_the_last_character() {
        assert_eq!(indexed("文件测试"), "文件 件测 测试 试");
        assert_eq!(indexed("fix文件bug"), "fix 文件 件 bug");
        assert_eq!(indexed("テスト、確認"), "テス スト ト 確認 認");
        assert_eq!(indexed("배포 실패"), "배포 포 실패 패");
        assert_eq!(indexed("ﾃｽﾄ ＡＢＣ"), "テス スト ト abc");
    }

    #[test]
    fn a_query_phrase_matches_inside_longer_runs() {
        let tokens = |list: &[&str]| list.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        assert_eq!(phrase("文件测试", false), (tokens(&["文件", "件测", "测试"]), false));
        assert_eq!(phrase("文", false), (tokens(&["文"]), true));
        assert_eq!(phrase("文件 abc", false), (tokens(&["文件", "件", "abc"]), false));
        assert_eq!(phrase("abc 文", false), (tokens(&["abc", "文"]), true));
        assert_eq!(phrase("deplo", true), (tokens(&["deplo"]), true));
        assert_eq!(phrase("文件。", false), (tokens(&["文件"]), false));
    }

    #[test]
    fn attribute_terms_hold_no_separator() {
        assert_eq!(term("label", "Good First \"Issue\""), "=label:good_first_~issue~");
        assert_eq!(term("repo", "Acme/API"), "=repo:acme/api");
    }
}
