//! Stack traces in the plugin's own files and lines.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine as _;
use serde::Deserialize;

/// How our own JavaScript is named in traces.
pub const OWN: &str = "devrig:";

const INLINE: &str = "//# sourceMappingURL=data:application/json";

/// The inline source maps of the modules that were loaded, read when a trace first needs them.
#[derive(Default)]
pub struct SourceMaps {
    inline: RefCell<BTreeMap<String, String>>,
    read: RefCell<BTreeMap<String, Option<Map>>>,
}

impl SourceMaps {
    /// Keeps the map at the end of a module's source, if it has one.
    pub fn keep(&self, module: &str, source: &str) {
        let Some(at) = source.rfind(INLINE) else { return };
        let url = source[at..].lines().next().unwrap_or_default();
        if let Some((_, data)) = url.split_once(";base64,") {
            self.inline.borrow_mut().insert(module.to_owned(), data.trim().to_owned());
        }
    }

    /// A trace without our own frames, and with mapped positions.
    pub fn readable(&self, stack: &str) -> String {
        let mut lines = String::new();
        for line in stack.lines() {
            if line.contains(OWN) || line.ends_with("(native)") {
                continue;
            }
            lines.push_str(&self.mapped(line).unwrap_or_else(|| line.to_owned()));
            lines.push('\n');
        }
        lines.truncate(lines.trim_end().len());
        lines
    }

    /// `    at name (dist/index.js:3:5)` in the original's terms.
    fn mapped(&self, line: &str) -> Option<String> {
        let open =
            line.rfind('(').map_or_else(|| line.find("at ").map(|at| at + 3), |at| Some(at + 1))?;
        let end = line.rfind(')').unwrap_or(line.len());
        let place = line.get(open..end)?;
        let mut parts = place.rsplitn(3, ':');
        let column = parts.next()?.parse::<u32>().ok()?;
        let row = parts.next()?.parse::<u32>().ok()?;
        let module = parts.next()?;
        let mut read = self.read.borrow_mut();
        let map = match read.get(module) {
            Some(map) => map.as_ref()?,
            None => {
                let map = self.inline.borrow_mut().remove(module).and_then(|data| Map::read(&data));
                read.entry(module.to_owned()).or_insert(map).as_ref()?
            }
        };
        let (source, row, column) = map.original(row.checked_sub(1)?, column.checked_sub(1)?)?;
        Some(format!("{}{source}:{}:{}{}", &line[..open], row + 1, column + 1, &line[end..]))
    }
}

#[derive(Deserialize)]
struct RawMap {
    #[serde(default)]
    sources: Vec<Option<String>>,
    mappings: String,
}

struct Map {
    sources: Vec<String>,
    /// Generated line and column, then source, line and column; in order.
    segments: Vec<[u32; 5]>,
}

impl Map {
    fn read(base64: &str) -> Option<Self> {
        let json = base64::engine::general_purpose::STANDARD.decode(base64).ok()?;
        let raw: RawMap = serde_json::from_slice(&json).ok()?;
        let mut segments = Vec::new();
        // Source, line and column run on over the whole map; the generated column over a line.
        let mut last = [0i64; 4];
        for (row, line) in raw.mappings.split(';').enumerate() {
            last[0] = 0;
            for segment in line.split(',').filter(|segment| !segment.is_empty()) {
                let fields = numbers(segment)?;
                for (last, field) in last.iter_mut().zip(&fields) {
                    *last += field;
                }
                if fields.len() >= 4 {
                    let at = |index: usize| u32::try_from(last[index]).ok();
                    let row = u32::try_from(row).ok()?;
                    segments.push([row, at(0)?, at(1)?, at(2)?, at(3)?]);
                }
            }
        }
        let sources = raw
            .sources
            .into_iter()
            .map(|source| {
                let source = source.unwrap_or_default();
                source.trim_start_matches("../").trim_start_matches("./").to_owned()
            })
            .collect();
        Some(Self { sources, segments })
    }

    fn original(&self, row: u32, column: u32) -> Option<(&str, u32, u32)> {
        let after = self.segments.partition_point(|at| (at[0], at[1]) <= (row, column));
        let found = self.segments.get(after.checked_sub(1)?).filter(|at| at[0] == row)?;
        Some((self.sources.get(found[2] as usize)?, found[3], found[4]))
    }
}

/// The base64 variable-length quantities of one segment.
fn numbers(segment: &str) -> Option<Vec<i64>> {
    let (mut numbers, mut value, mut shift) = (Vec::new(), 0i64, 0);
    for byte in segment.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        if shift > 40 {
            return None;
        }
        value |= i64::from(digit & 31) << shift;
        shift += 5;
        if digit & 32 == 0 {
            numbers.push(if value & 1 == 1 { -(value >> 1) } else { value >> 1 });
            (value, shift) = (0, 0);
        }
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_frames_are_left_out_and_plugin_frames_are_mapped() {
        let maps = SourceMaps::default();
        // Line 2, column 0 of the output is src/a.ts, line 10, column 4.
        let json = r#"{"version":3,"sources":["../src/a.ts"],"mappings":";AASI,IACA"}"#;
        let data = base64::engine::general_purpose::STANDARD.encode(json);
        maps.keep("dist/index.js", &format!("x\ny\n{INLINE};charset=utf-8;base64,{data}\n"));
        let stack = "    at inner (dist/index.js:2:1)\n    at devrig.host (devrig:sdk:3:1)\n    \
                     at <anonymous> (dist/index.js:2:6)\n    at then (native)\n    \
                     at other (dist/b.js:1:1)\n";
        assert_eq!(
            maps.readable(stack),
            "    at inner (src/a.ts:10:5)\n    at <anonymous> (src/a.ts:11:5)\n    \
             at other (dist/b.js:1:1)"
        );
    }

    #[test]
    fn a_broken_map_leaves_the_trace_as_it_is() {
        let maps = SourceMaps::default();
        for data in ["!!", "e30=", "eyJtYXBwaW5ncyI6IuKCrCJ9"] {
            maps.keep("a.js", &format!("{INLINE};base64,{data}"));
            assert_eq!(maps.readable("    at f (a.js:1:1)"), "    at f (a.js:1:1)");
        }
    }
}
