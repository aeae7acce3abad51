//! Inputs near to given ones: some bytes are taken out, doubled or exchanged for others that mean
//! something.

use proptest::prelude::*;

const SIGNS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "{{",
    "}}",
    "\"",
    "'",
    "\\",
    ",",
    ":",
    ".",
    "..",
    "*",
    "?",
    "@",
    "$",
    "|",
    "(",
    ")",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "null",
    "true",
    "#",
    "/",
    "é",
    "\u{0}",
    "\n",
    " ",
    "type",
    "nodes",
    "body",
    "L",
    "W",
];

pub fn to(seeds: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> {
    let edit = (any::<prop::sample::Index>(), 0..SIGNS.len(), 0..4_u8, 1..30_usize);
    (prop::sample::select(seeds), prop::collection::vec(edit, 1..8)).prop_map(|(seed, edits)| {
        let mut bytes = seed.as_bytes().to_vec();
        for (at, sign, kind, length) in edits {
            let at = at.index(bytes.len() + 1);
            let end = (at + length).min(bytes.len());
            match kind {
                0 => drop(bytes.drain(at..end)),
                1 => {
                    let twice = bytes[at..end].to_vec();
                    bytes.splice(at..at, twice);
                }
                2 => drop(bytes.splice(at..at, SIGNS[sign].bytes())),
                _ => drop(bytes.splice(at..end.min(at + 1), SIGNS[sign].bytes())),
            }
        }
        bytes
    })
}
