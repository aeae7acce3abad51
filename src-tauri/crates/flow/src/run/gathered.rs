//! What the rounds of a loop gave, gathered so that little of it is in memory.

use std::collections::BTreeMap;

use serde_json::Value;

use super::Output;
use crate::payloads;

/// So much of small outputs is kept for one loop; what is more is stored together.
const MUCH: usize = 1024 * 1024;

/// The outputs of rounds, which end in any order.
#[derive(Debug)]
pub struct Gathered {
    /// The first rounds: those of them that have ended without a gap.
    front: Vec<Output>,
    /// How many rounds those are.
    passed: usize,
    /// Small ones at the end of the first.
    small: Vec<Value>,
    weight: usize,
    later: BTreeMap<usize, Output>,
    /// The last round that counts.
    last: usize,
}

impl Gathered {
    /// For rounds up to `last`.
    pub fn new(last: usize) -> Self {
        let (front, small, later) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { front, passed: 0, small, weight: 0, later, last }
    }

    /// From now on nothing counts that comes after this round, which has not been added.
    pub fn cut(&mut self, last: usize) {
        self.last = self.last.min(last);
        self.later.split_off(&(self.last + 1));
    }

    /// Adds what a round gave.
    pub fn add(&mut self, round: usize, output: Output) {
        if round > self.last {
            return;
        }
        self.later.insert(round, output);
        while let Some(next) = self.later.remove(&self.passed) {
            self.passed += 1;
            match next {
                Output::Here(value) => {
                    self.weight += payloads::weight(&value);
                    self.small.push(value);
                }
                stored => {
                    self.settle();
                    self.front.push(stored);
                }
            }
        }
    }

    /// How many rounds before this one have ended.
    pub fn before(&self, round: usize) -> usize {
        self.passed.min(round) + self.later.range(..round).count()
    }

    /// Small outputs that are much together, to be stored: then [`Gathered::spread`] says where.
    pub fn heavy(&mut self) -> Option<Vec<Value>> {
        (self.weight > MUCH).then(|| self.take())
    }

    fn take(&mut self) -> Vec<Value> {
        self.weight = 0;
        std::mem::take(&mut self.small)
    }

    /// Takes the place of what [`Gathered::heavy`] gave, or keeps it where it could not be stored.
    pub fn spread(&mut self, length: usize, output: Output) {
        match output {
            Output::Stored(stored) => self.front.push(Output::Spread(length, stored)),
            Output::Here(Value::Array(list)) => {
                self.front.extend(list.into_iter().map(Output::Here));
            }
            other => self.front.push(other),
        }
    }

    /// What is left of small outputs beside large ones, where that is large, too.
    pub fn rest(&mut self) -> Option<Vec<Value>> {
        self.close();
        let large = !self.front.is_empty() && self.weight > payloads::LARGE;
        large.then(|| self.take())
    }

    /// The list of what the rounds gave, in their order.
    pub fn all(mut self) -> Output {
        self.close();
        if self.front.is_empty() {
            return Output::Here(Value::Array(self.small));
        }
        self.settle();
        Output::list(self.front)
    }

    /// Nothing more comes: where a round is missing, it was left.
    fn close(&mut self) {
        while let Some((round, output)) = self.later.pop_first() {
            self.passed = round;
            self.add(round, output);
        }
    }

    fn settle(&mut self) {
        self.weight = 0;
        self.front.extend(self.small.drain(..).map(Output::Here));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::run::Stored;

    fn stored(size: u64) -> Output {
        Output::Stored(Stored { hash: format!("{size:064x}"), size })
    }

    fn here(n: usize) -> Output {
        Output::Here(json!(n))
    }

    #[test]
    fn small_outputs_stay_a_plain_list_in_the_order_of_their_rounds() {
        let mut gathered = Gathered::new(6);
        for round in [3, 1, 0, 5, 2, 4] {
            gathered.add(round, here(round));
            assert_eq!(gathered.heavy(), None);
        }
        assert_eq!((gathered.before(4), gathered.before(9)), (4, 6));
        assert_eq!(gathered.rest(), None);
        assert_eq!(gathered.all(), Output::Here(json!([0, 1, 2, 3, 4, 5])));
    }

    #[test]
    fn what_comes_after_the_last_round_does_not_count() {
        let ended = |before: &[usize], last: usize, after: &[usize]| {
            let mut gathered = Gathered::new(9);
            before.iter().for_each(|round| gathered.add(*round, here(*round)));
            gathered.cut(last);
            gathered.add(last, here(last));
            after.iter().for_each(|round| gathered.add(*round, here(*round)));
            gathered.all()
        };
        let plain = |rounds: &[usize]| Output::Here(json!(rounds));
        assert_eq!(ended(&[2, 3], 1, &[0]), plain(&[0, 1]), "they had ended before");
        assert_eq!(ended(&[0, 4], 2, &[3, 1]), plain(&[0, 1, 2]), "they ended after it");
        assert_eq!(ended(&[0, 5], 4, &[]), plain(&[0, 4]), "those between were left");
        assert_eq!(ended(&[], 0, &[1]), plain(&[0]));
    }

    #[test]
    fn much_of_what_is_small_is_stored_together_and_the_order_stays() {
        let mut gathered = Gathered::new(100);
        let text = json!("x".repeat(40_000));
        gathered.add(0, stored(9));
        let mut spread = 0;
        for round in 1..60 {
            gathered.add(round, Output::Here(text.clone()));
            if let Some(list) = gathered.heavy() {
                spread += list.len();
                gathered.spread(list.len(), stored(5));
            }
        }
        assert_eq!(spread, 54, "two parts of a megabyte each");
        let rest = gathered.rest().expect("what is left is large, too");
        assert_eq!(rest.len() + spread, 59);
        gathered.spread(rest.len(), stored(6));
        let Output::List(parts) = gathered.all() else { panic!("a list of what is stored") };
        assert_eq!(parts.iter().map(Output::stored).collect::<Vec<_>>(), [9, 5, 5, 6]);
    }
}
