//! What a node gave: a value, or where it lies when it is large.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A value that lies in the table of payloads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stored {
    /// The SHA-256 of its JSON, in hexadecimal.
    #[serde(rename = "h")]
    pub hash: String,
    /// How long its JSON is, in bytes.
    #[serde(rename = "s")]
    pub size: u64,
}

/// An output, parts of which may be stored. The names are short because journals have them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Output {
    #[serde(rename = "v")]
    Here(Value),
    #[serde(rename = "h")]
    Stored(Stored),
    /// A stored list of so many elements, which belong to the list around it.
    #[serde(rename = "m")]
    Spread(usize, Stored),
    #[serde(rename = "l")]
    List(Vec<Output>),
    #[serde(rename = "o")]
    Fields(Vec<(String, Output)>),
}

impl Default for Output {
    fn default() -> Self {
        Self::Here(Value::Null)
    }
}

impl Output {
    /// An object of outputs; a plain value where all of them are.
    pub fn fields(fields: Vec<(String, Self)>) -> Self {
        if !fields.iter().all(|(_, output)| matches!(output, Self::Here(_))) {
            return Self::Fields(fields);
        }
        let plain = fields.into_iter().filter_map(|(name, output)| match output {
            Self::Here(value) => Some((name, value)),
            _ => None,
        });
        Self::Here(Value::Object(plain.collect()))
    }

    /// A list of outputs; a plain value where all of them are.
    pub fn list(parts: Vec<Self>) -> Self {
        if !parts.iter().all(|output| matches!(output, Self::Here(_))) {
            return Self::List(parts);
        }
        let plain = parts.into_iter().filter_map(|output| match output {
            Self::Here(value) => Some(value),
            _ => None,
        });
        Self::Here(Value::Array(plain.collect()))
    }

    /// How much of it is stored, in bytes.
    pub fn stored(&self) -> u64 {
        let mut size = 0;
        self.each_stored(&mut |stored| size += stored.size);
        size
    }

    /// What it points to.
    pub fn hashes(&self) -> Vec<String> {
        let mut hashes = Vec::new();
        self.each_stored(&mut |stored| hashes.push(stored.hash.clone()));
        hashes.sort_unstable();
        hashes.dedup();
        hashes
    }

    fn each_stored(&self, see: &mut dyn FnMut(&Stored)) {
        match self {
            Self::Here(_) => {}
            Self::Stored(stored) | Self::Spread(_, stored) => see(stored),
            Self::List(list) => list.iter().for_each(|part| part.each_stored(see)),
            Self::Fields(fields) => fields.iter().for_each(|(_, part)| part.each_stored(see)),
        }
    }

    /// The same without the parts that none of these paths reads: they are null. An empty path reads
    /// all of it.
    #[must_use]
    pub fn narrowed(&self, paths: &[&[String]]) -> Self {
        if paths.iter().any(|path| path.is_empty()) {
            return self.clone();
        }
        match self {
            Self::List(list) => {
                let mut at = 0;
                let parts = list.iter().flat_map(|part| {
                    let from = at;
                    at += if let Self::Spread(length, _) = part { *length } else { 1 };
                    part.element(paths, from..at)
                });
                Self::List(parts.collect())
            }
            Self::Fields(fields) => {
                let field = |(name, part): &(String, Self)| {
                    (name.clone(), part.narrowed_below(&below(paths, |step| step == name)))
                };
                Self::Fields(fields.iter().map(field).collect())
            }
            other => other.clone(),
        }
    }

    /// What is left of a part of a list that has these places in it.
    fn element(&self, paths: &[&[String]], places: std::ops::Range<usize>) -> Vec<Self> {
        // What is no number may be the length of the list, which stays.
        let inside = |step: &str| step.parse().is_ok_and(|at: usize| places.contains(&at));
        let below = below(paths, inside);
        match self {
            Self::Spread(length, _) if below.is_empty() => vec![Self::default(); *length],
            Self::Spread(..) => vec![self.clone()],
            part => vec![part.narrowed_below(&below)],
        }
    }

    fn narrowed_below(&self, paths: &[&[String]]) -> Self {
        match (self, paths) {
            (Self::Here(_), _) => self.clone(),
            (_, []) => Self::default(),
            _ => self.narrowed(paths),
        }
    }
}

fn below<'a>(paths: &[&'a [String]], goes: impl Fn(&str) -> bool) -> Vec<&'a [String]> {
    let rest = |path: &&'a [String]| path.split_first().filter(|(step, _)| goes(step));
    paths.iter().filter_map(rest).map(|(_, rest)| rest).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stored(size: u64) -> Stored {
        Stored { hash: format!("{size:064x}"), size }
    }

    #[test]
    fn an_output_is_written_and_read_with_all_that_it_points_to() {
        let here = |n| Output::Here(json!(n));
        let fields = |fields: Vec<(&str, Output)>| {
            Output::fields(fields.into_iter().map(|(name, it)| (name.to_owned(), it)).collect())
        };
        assert_eq!(
            fields(vec![("a", here(1)), ("b", here(2))]),
            Output::Here(json!({"a": 1, "b": 2}))
        );
        let list =
            Output::list(vec![Output::Stored(stored(9)), Output::Spread(2, stored(5)), here(1)]);
        let all = fields(vec![("a", here(1)), ("b", list), ("c", Output::Stored(stored(9)))]);
        assert_eq!(all.stored(), 23);
        assert_eq!(all.hashes(), [stored(5).hash, stored(9).hash], "each once");
        let text = serde_json::to_string(&all).unwrap();
        assert_eq!(serde_json::from_str::<Output>(&text).unwrap(), all);
    }

    #[test]
    fn parts_that_nobody_reads_are_left_out() {
        let round = |size| {
            Output::Fields(vec![
                ("big".to_owned(), Output::Stored(stored(size))),
                ("small".to_owned(), Output::Here(json!(size))),
            ])
        };
        let list = Output::List(vec![round(1), Output::Spread(3, stored(2)), round(4)]);
        let left = |paths: &[&str]| {
            let paths: Vec<Vec<String>> = paths
                .iter()
                .map(|path| {
                    path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect()
                })
                .collect();
            let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
            list.narrowed(&paths).stored()
        };
        for (paths, expected) in [
            (vec![""], 7),
            (vec!["length"], 0),
            (vec!["0"], 1),
            (vec!["0.big.text"], 1),
            (vec!["0.small"], 0),
            (vec!["1"], 2),
            (vec!["3.x", "3"], 2),
            (vec!["4.big"], 4),
            (vec!["4.big", "0"], 5),
            (vec!["5"], 0),
        ] {
            assert_eq!(left(&paths), expected, "{paths:?}");
        }
        let Output::List(parts) = list.narrowed(&[]) else { panic!("a list stays one") };
        assert_eq!(parts.len(), 5, "and is as long as it was");
    }
}
