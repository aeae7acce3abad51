//! Regular expressions that end in time, whatever the pattern and the text.
//!
//! The engine is linear in the text, but a large pattern multiplies: a hostile one of 250 KiB takes
//! half a minute for a megabyte of text. So the work is estimated first. Where it could be too much, a
//! search is tried that gives up when it does not get on.

use regex::{Regex, RegexBuilder};
use regex_automata::Input;
use regex_automata::hybrid::dfa::{Config, DFA};
use regex_automata::nfa::thompson;
use regex_automata::{MatchError, MatchErrorKind};

#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// For texts that the regex could take too long for.
    quick: DFA,
}

/// Why a pattern was not taken.
pub(super) enum Refused {
    TooLarge,
    /// What is wrong with it, in one line.
    Wrong(String),
}

/// Bytes that the compiled patterns of one condition may take together.
pub(super) const LARGEST: usize = 1024 * 1024;

/// States of the pattern times bytes of the text; about a tenth of a second at the worst.
const MOST_WORK: usize = 20_000_000;

/// The same where nothing quicker is left, because letters beyond ASCII meet a `\b`.
const MOST_SLOW_WORK: usize = 200_000_000;

/// How far a new state of the quick search has to bring it on average.
const LEAST_BYTES_PER_STATE: usize = 1_000;

impl Pattern {
    /// Takes what it needs from `left`, the bytes that there are for it.
    pub fn compile(text: &str, left: &mut usize) -> Result<Self, Refused> {
        let regex = RegexBuilder::new(text).size_limit(*left).build();
        let regex = regex.map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => Refused::TooLarge,
            other => Refused::Wrong(last_line(&other)),
        })?;
        let nfa = thompson::Config::new()
            .nfa_size_limit(Some(*left))
            .which_captures(thompson::WhichCaptures::None);
        let config = Config::new()
            .unicode_word_boundary(true)
            .skip_cache_capacity_check(true)
            .minimum_cache_clear_count(Some(2))
            .minimum_bytes_per_state(Some(LEAST_BYTES_PER_STATE));
        let quick = DFA::builder().configure(config).thompson(nfa).build(text);
        let quick = quick.map_err(|_| Refused::TooLarge)?;
        *left = left.saturating_sub(quick.get_nfa().memory_usage());
        Ok(Self { regex, quick })
    }

    pub fn as_str(&self) -> &str {
        self.regex.as_str()
    }

    /// Nothing when it would take too long to find out.
    pub fn matches(&self, text: &str) -> Option<bool> {
        let work = self.quick.get_nfa().states().len().saturating_mul(text.len());
        if work <= MOST_WORK {
            return Some(self.regex.is_match(text));
        }
        match self.quick_search(text) {
            Ok(found) => Some(found),
            Err(error) => {
                let quit = matches!(error.kind(), MatchErrorKind::Quit { .. });
                (quit && work <= MOST_SLOW_WORK).then(|| self.regex.is_match(text))
            }
        }
    }

    fn quick_search(&self, text: &str) -> Result<bool, MatchError> {
        let input = Input::new(text).earliest(true);
        let found = self.quick.try_search_fwd(&mut self.quick.create_cache(), &input)?;
        Ok(found.is_some())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// The library draws the pattern over several lines and says what is wrong in the last.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim().trim_start_matches("error: ").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::compile(text, &mut LARGEST.clone()).unwrap_or_else(|_| panic!("{text} compiles"))
    }

    #[test]
    fn long_texts_give_what_short_ones_give() {
        let filler = "lorem ipsum dolor ".repeat(200_000);
        for (text, found) in [
            ("(?i)FIX", true),
            ("^lorem", true),
            ("^fix", false),
            ("fix$", true),
            ("\\bfix\\b", true),
            ("\\bfi\\b", false),
            ("(?m)^fix$", true),
            ("[^a-z ]", true),
            ("x{2}", false),
        ] {
            let pattern = pattern(text);
            let long = format!("{filler}\nfix");
            assert_eq!(pattern.matches(&long), Some(found), "{text}");
            assert_eq!(pattern.matches("lorem ipsum \nfix"), Some(found), "{text}");
        }
    }

    #[test]
    fn patterns_share_the_memory_that_there_is() {
        let mut left = LARGEST;
        assert!(Pattern::compile("\\w{1,20}!", &mut left).is_ok());
        assert!(left < LARGEST && left > LARGEST / 2, "{left}");
        let fits = (0..100).take_while(|_| Pattern::compile("\\w{1,20}!", &mut left).is_ok());
        assert!(fits.count() < 10);
        assert!(matches!(Pattern::compile("\\w{1,20}!", &mut left), Err(Refused::TooLarge)));
        assert!(matches!(Pattern::compile("(", &mut left), Err(Refused::Wrong(_))));
    }

    #[test]
    fn what_would_take_too_long_is_left_open() {
        let begun = std::time::Instant::now();
        let mut bits = 1_u64;
        let mut bit = || {
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            if bits & 1 == 0 { '0' } else { '1' }
        };
        // Every byte brings the search to a state that it was never in.
        let text: String = (0..1_000_000).map(|_| bit()).collect();
        let hostile = pattern("[01]*1[01]{300}$");
        assert_eq!(hostile.matches(&text), None);
        assert_eq!(hostile.matches(&text[..1_000]), Some(true));
        assert_eq!(pattern("\\bx\\b").matches(&"é".repeat(1_000_000)), Some(false));
        assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
    }
}
