//! What is new in an answer, compared to what is known. Pure.

use std::collections::HashSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devrig_core::{Code, Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::definition::Deduplication;

/// Elements of one answer that are followed, and so the ids that are remembered.
const MOST: usize = 10_000;
/// Longer answers are not kept for comparison.
const LONGEST_PREVIOUS: usize = 64 * 1024;

/// What is known of a source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Known {
    /// The whole answer, or the one value that counts, and the answer itself where it is short.
    Last { hash: String, answer: Option<Value> },
    /// Ids of elements, as one text of eight bytes each; those of the last answer come first.
    Ids(String),
    /// The latest time, and the elements that have it.
    Latest { ms: i64, hashes: Vec<String> },
}

/// Something that was not there before.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fresh {
    pub data: Value,
    /// The answer before, where the whole of it is compared.
    pub previous: Option<Value>,
    /// Names an element among others.
    pub key: Option<String>,
    /// What is known once this was told, where that is little.
    pub known: Option<Known>,
}

/// What an answer brings: what is known from now on, and what is new, oldest first where the source
/// has an order. Without anything known, everything is new.
///
/// # Errors
/// `INVALID_INPUT` when nothing stands where something is expected; `TOO_LARGE`.
pub(super) fn judge(
    by: &Deduplication,
    known: Option<&Known>,
    answer: &Value,
) -> Result<(Known, Vec<Fresh>)> {
    let (Deduplication::Field(path) | Deduplication::Timestamp(path)) = by else {
        return Ok(as_whole(known, hash(answer), answer));
    };
    let found = elements(answer, path)?;
    match by {
        Deduplication::Timestamp(_) => by_time(known, &found),
        _ if found.is_single => Ok(as_whole(known, hash(found.list[0].0), answer)),
        _ => Ok(by_id(known, &found)),
    }
}

fn as_whole(known: Option<&Known>, hash: String, answer: &Value) -> (Known, Vec<Fresh>) {
    let before = match known {
        Some(Known::Last { hash, answer }) => Some((hash, answer)),
        _ => None,
    };
    let same = before.is_some_and(|(before, _)| *before == hash);
    let short = answer.to_string().len() <= LONGEST_PREVIOUS;
    let now = Known::Last { hash, answer: short.then(|| answer.clone()) };
    let previous = before.and_then(|(_, answer)| answer.clone());
    let fresh = Fresh { data: answer.clone(), previous, key: None, known: Some(now.clone()) };
    (now, if same { Vec::new() } else { vec![fresh] })
}

fn by_id(known: Option<&Known>, found: &Found<'_>) -> (Known, Vec<Fresh>) {
    let before = match known {
        Some(Known::Ids(text)) => unpacked(text),
        _ => Vec::new(),
    };
    let old: HashSet<[u8; 8]> = before.iter().copied().collect();
    let mut ids = Vec::new();
    let mut seen = HashSet::new();
    let mut fresh = Vec::new();
    for (id, element) in &found.list {
        let short = short(id);
        if seen.insert(short) {
            ids.push(short);
            if !old.contains(&short) {
                let key = Some(hex(&short));
                fresh.push(Fresh { data: (*element).clone(), previous: None, key, known: None });
            }
        }
    }
    if found.newest_first {
        fresh.reverse();
    }
    // What left the answer may come back to it.
    ids.extend(before.into_iter().filter(|id| !seen.contains(id)));
    ids.truncate(MOST);
    (Known::Ids(STANDARD.encode(ids.concat())), fresh)
}

fn by_time(known: Option<&Known>, found: &Found<'_>) -> Result<(Known, Vec<Fresh>)> {
    let (mut ms, mut hashes) = match known {
        Some(Known::Latest { ms, hashes }) => (*ms, hashes.clone()),
        _ => (i64::MIN, Vec::new()),
    };
    let mut timed = Vec::new();
    for (at, element) in &found.list {
        timed.push((time(at)?, *element));
    }
    timed.sort_by_key(|(at, _)| *at);
    let mut fresh = Vec::new();
    for (at, element) in timed {
        if at < ms {
            continue;
        }
        let hash = hash(element);
        if at > ms {
            (ms, hashes) = (at, Vec::new());
        }
        if hashes.contains(&hash) {
            continue;
        }
        hashes.push(hash);
        // Of so many at one moment the later ones are told again rather than kept.
        hashes.truncate(MOST / 10);
        let known = Some(Known::Latest { ms, hashes: hashes.clone() });
        fresh.push(Fresh { data: element.clone(), previous: None, key: None, known });
    }
    Ok((Known::Latest { ms, hashes }, fresh))
}

/// Values at a path, each with the element of a list that it belongs to, or with the whole answer.
struct Found<'a> {
    list: Vec<(&'a Value, &'a Value)>,
    /// There is no list on the way.
    is_single: bool,
    newest_first: bool,
}

fn elements<'a>(answer: &'a Value, path: &str) -> Result<Found<'a>> {
    let steps: Vec<&str> = path.split('.').collect();
    let mut walk = Walk { list: Vec::new(), lists: 0, missing: false };
    walk.on(answer, &steps, answer);
    if walk.missing && walk.list.is_empty() {
        return Err(Error::invalid(format!("nothing stands at {path} in the answer")).hint(
            "Name the way to it with dots, through lists too: items.id for {\"items\": [{\"id\": 1}]}.",
        ));
    }
    if walk.list.len() > MOST {
        let count = walk.list.len();
        return Err(Error::new(
            Code::TooLarge,
            format!("the answer has {count} elements, and at most {MOST} are followed"),
        )
        .hint("Ask for fewer: most addresses take a limit, or a time since when."));
    }
    let is_single = walk.lists == 0;
    // Feeds begin with the newest entry.
    Ok(Found { list: walk.list, is_single, newest_first: steps[0] == "entries" })
}

struct Walk<'a> {
    list: Vec<(&'a Value, &'a Value)>,
    lists: usize,
    missing: bool,
}

impl<'a> Walk<'a> {
    fn on(&mut self, value: &'a Value, steps: &[&str], element: &'a Value) {
        if let Value::Array(values) = value {
            self.lists += 1;
            values.iter().for_each(|value| self.on(value, steps, value));
            return;
        }
        let Some((step, rest)) = steps.split_first() else {
            self.list.push((value, element));
            return;
        };
        match value.get(step).filter(|value| !value.is_null()) {
            Some(below) => self.on(below, rest, element),
            None => self.missing = true,
        }
    }
}

fn time(value: &Value) -> Result<i64> {
    let seconds = |number: f64| {
        // Later than the year 5000 in seconds: it is in milliseconds.
        let ms = if number.abs() < 1e11 { number * 1_000.0 } else { number };
        (ms.abs() < 9e15).then_some(ms as i64)
    };
    let read = match value {
        Value::Number(number) => number.as_f64().and_then(seconds),
        Value::String(text) => {
            let at = text.parse::<jiff::Timestamp>().ok();
            let mail = || jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp());
            at.or_else(mail).map(|at| at.as_millisecond())
        }
        _ => None,
    };
    read.ok_or_else(|| {
        Error::invalid(format!("{value} is no time"))
            .hint("Name a field with a time such as 2026-11-20T09:00:00Z, or seconds since 1970.")
    })
}

pub(in crate::triggers) fn hash(value: &Value) -> String {
    hex(&Sha256::digest(value.to_string())[..16])
}

fn short(value: &Value) -> [u8; 8] {
    let digest = Sha256::digest(value.to_string());
    std::array::from_fn(|at| digest[at])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unpacked(text: &str) -> Vec<[u8; 8]> {
    let bytes = STANDARD.decode(text).unwrap_or_default();
    bytes.as_chunks::<8>().0.to_vec()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(path: &str) -> Deduplication {
        Deduplication::Field(path.to_owned())
    }

    fn news(by: &Deduplication, known: Option<&Known>, answer: Value) -> (Known, Vec<Value>) {
        let (known, fresh) = judge(by, known, &answer).unwrap();
        (known, fresh.into_iter().map(|fresh| fresh.data).collect())
    }

    #[test]
    fn another_answer_is_told_with_the_one_before() {
        let by = Deduplication::Hash;
        let (first, all) = news(&by, None, json!({"a": 1}));
        assert_eq!(all.len(), 1);
        assert!(news(&by, Some(&first), json!({"a": 1})).1.is_empty());
        let (_, fresh) = judge(&by, Some(&first), &json!({"a": 2})).unwrap();
        assert_eq!(fresh[0].previous, Some(json!({"a": 1})));
        let long = json!("x".repeat(LONGEST_PREVIOUS));
        let (kept, _) = news(&by, None, long);
        assert!(serde_json::to_string(&kept).unwrap().len() < 100, "a long one is not kept");
    }

    #[test]
    fn elements_are_told_once_by_their_ids() {
        let by = field("items.id");
        let (known, all) = news(&by, None, json!({"items": [{"id": 1}, {"id": 2}]}));
        assert_eq!(all.len(), 2);
        let answer = json!({"items": [{"id": 2, "x": 1}, {"id": 3}, {"id": 3}]});
        let (known, fresh) = news(&by, Some(&known), answer);
        assert_eq!(fresh, [json!({"id": 3})]);
        let (_, fresh) = news(&by, Some(&known), json!({"items": [{"id": 1}]}));
        assert!(fresh.is_empty(), "what comes back is no news");
        let feed = json!({"entries": [{"id": "b"}, {"id": "a"}]});
        let (_, fresh) = news(&field("entries.id"), None, feed);
        assert_eq!(fresh, [json!({"id": "a"}), json!({"id": "b"})], "the oldest first");
        assert_eq!(news(&field("id"), None, json!([{"id": 1}])).1.len(), 1);
    }

    #[test]
    fn one_value_is_compared_with_the_one_before() {
        let by = field("status.state");
        let state = |state: &str| json!({"status": {"state": state}, "at": state.len()});
        let (up, _) = news(&by, None, state("up"));
        let (down, fresh) = news(&by, Some(&up), state("down"));
        assert_eq!(fresh, [state("down")], "the whole answer is told");
        assert_eq!(news(&by, Some(&down), state("up")).1.len(), 1, "back again is news");
    }

    #[test]
    fn later_elements_are_told_in_their_order() {
        let by = Deduplication::Timestamp("at".to_owned());
        let at =
            |second: u8, id: u8| json!({"at": format!("2026-01-01T00:00:{second:02}Z"), "id": id});
        let (known, _) = news(&by, None, json!([at(5, 1), at(3, 2)]));
        let answer = json!([at(9, 3), at(5, 1), at(5, 4), at(7, 5), at(4, 6)]);
        let (known, fresh) = news(&by, Some(&known), answer);
        assert_eq!(fresh, [at(5, 4), at(7, 5), at(9, 3)]);
        assert!(matches!(&known, Known::Latest { hashes, .. } if hashes.len() == 1));
        let same = [json!(1_767_225_600), json!(1_767_225_600_000_i64)];
        let [seconds, ms] = same.map(|at| time(&at).unwrap());
        assert_eq!((seconds, seconds), (ms, time(&json!("2026-01-01T00:00:00Z")).unwrap()));
        assert!(time(&json!("Thu, 01 Jan 2026 00:00:00 +0000")).is_ok());
        assert!(time(&json!("soon")).unwrap_err().hint.is_some());
        assert!(time(&json!(f64::MAX)).is_err());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let by = field("id");
        let answer =
            |from: usize| -> Value { (from..from + 4_000).map(|id| json!({"id": id})).collect() };
        let mut known = None;
        for round in 0..6 {
            let (next, fresh) = news(&by, known.as_ref(), answer(round * 4_000));
            assert_eq!(fresh.len(), 4_000);
            known = Some(next);
        }
        let Some(Known::Ids(text)) = known else { panic!("ids are kept") };
        assert_eq!(unpacked(&text).len(), MOST);
        let many: Value = (0..=MOST).map(|id| json!({"id": id})).collect();
        assert_eq!(judge(&by, None, &many).unwrap_err().code, Code::TooLarge);
    }

    #[test]
    fn a_path_that_leads_nowhere_is_told() {
        let error = judge(&field("items.id"), None, &json!({"data": []})).unwrap_err();
        assert!(error.message.contains("items.id") && error.hint.is_some());
        assert!(judge(&field("items.id"), None, &json!({"items": []})).unwrap().1.is_empty());
        let some = json!({"items": [{"id": 1}, {"name": "none"}]});
        assert_eq!(judge(&field("items.id"), None, &some).unwrap().1.len(), 1);
    }
}
