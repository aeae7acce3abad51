//! Small choices out of a list of numbers; when it has ended, always the first one.

use serde_json::{Map, Number, Value, json};

use crate::definition::wire::Word;

#[derive(Debug, Clone)]
pub(crate) struct Choices {
    numbers: std::vec::IntoIter<u16>,
}

const TEXTS: [&str; 12] = [
    "a",
    "two words",
    "{{nodes.a.output.x}}",
    "{{#if",
    "é漢\u{202e}",
    "nodes.b.",
    "\"quoted\" \\",
    "https://example.com/?a=1&b=2",
    "={{ $json.x }}",
    "0 9 * * *",
    "true",
    "x-api key",
];

impl Choices {
    pub fn new(numbers: Vec<u16>) -> Self {
        Self { numbers: numbers.into_iter() }
    }

    pub fn next(&mut self) -> u16 {
        self.numbers.next().unwrap_or_default()
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.next()) % end
    }

    pub fn flag(&mut self) -> bool {
        self.below(2) == 1
    }

    pub fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())]
    }

    pub fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(3) == 1).then(|| make(self))
    }

    pub fn list<T>(&mut self, most: usize, make: impl Fn(&mut Self) -> T) -> Vec<T> {
        (0..self.below(most + 1)).map(|_| make(self)).collect()
    }

    pub fn word<W: Word>(&mut self) -> W {
        W::ALL[self.below(W::ALL.len())].1
    }

    /// One of few, so that edges often fit and ids sometimes clash.
    pub fn name(&mut self) -> String {
        format!("{}{}", self.one(&["a", "b", "c-", "d_", "Fetch"]), self.one(&["", "1", "2", "x"]))
    }

    pub fn line(&mut self) -> String {
        self.one(&TEXTS).to_owned()
    }

    pub fn any_text(&mut self) -> String {
        self.one(&["", " ", "a\nb", "tab\tand \u{1}", "long enough to be a sentence."]).to_owned()
    }

    pub fn map(&mut self) -> Map<String, Value> {
        let entries = self.list(3, |from| (from.key(), from.json(3)));
        entries.into_iter().collect()
    }

    pub fn object(&mut self) -> Value {
        Value::Object(self.map())
    }

    fn key(&mut self) -> String {
        const KEYS: [&str; 14] = [
            "id",
            "nodes",
            "edges",
            "config",
            "type",
            "x",
            "condition",
            "url",
            "trigger",
            "é k",
            "schemaVersion",
            "source",
            "parameters",
            "connections",
        ];
        self.one(&KEYS).to_owned()
    }

    pub fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 6 } else { 9 }) {
            0 => Value::Null,
            1 => self.flag().into(),
            2 => self.number(),
            3 => self.any_text().into(),
            4 | 5 => self.line().into(),
            6 => Value::Array(self.list(3, |from| from.json(depth - 1))),
            _ => {
                let entries = self.list(3, |from| (from.key(), from.json(depth - 1)));
                Value::Object(entries.into_iter().collect())
            }
        }
    }

    fn number(&mut self) -> Value {
        let bits = [self.next(), self.next(), self.next(), self.next()];
        let bits = bits.into_iter().fold(0u64, |bits, part| bits << 16 | u64::from(part));
        match self.below(5) {
            0 => json!(self.next()),
            1 => json!(-i64::from(self.next())),
            2 => json!(bits),
            // Every finite number with a fraction, so that each has to come back as it was.
            _ => Number::from_f64(f64::from_bits(bits)).map_or(json!(0.1), Value::Number),
        }
    }

    /// Changes, adds or takes away one thing somewhere.
    pub fn spoil(&mut self, value: &mut Value) {
        let deeper = self.below(4) != 0;
        match value {
            Value::Object(map) if deeper && !map.is_empty() => {
                let index = self.below(map.len());
                if let Some(inner) = map.values_mut().nth(index) {
                    self.spoil(inner);
                }
            }
            Value::Array(values) if deeper && !values.is_empty() => {
                let index = self.below(values.len());
                self.spoil(&mut values[index]);
            }
            Value::Object(map) if self.flag() => {
                let (key, inner) = (self.key(), self.json(3));
                map.insert(key, inner);
            }
            Value::Object(map) if self.flag() && !map.is_empty() => {
                let key = map.keys().nth(self.below(map.len())).cloned().unwrap_or_default();
                map.shift_remove(&key);
            }
            value => *value = self.json(3),
        }
    }
}
