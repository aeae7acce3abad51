//! Adding numbers up: whole ones exactly, others with what rounding loses carried along.

use devrig_core::{Error, Result};
use devrig_expr::Number;
use serde_json::Value;

#[derive(Default)]
pub(super) struct Sum {
    whole: i128,
    float: f64,
    /// What the last additions to `float` rounded away.
    lost: f64,
    exact: bool,
    count: usize,
}

impl Sum {
    pub fn of(numbers: &[Number]) -> Self {
        let mut sum = Self { exact: true, ..Self::default() };
        numbers.iter().for_each(|number| sum.add(*number));
        sum
    }

    fn add(&mut self, number: Number) {
        self.count += 1;
        match number {
            // No list is long enough for numbers of 64 bits to leave the 128.
            Number::Whole(whole) => self.whole = self.whole.saturating_add(whole),
            Number::Float(float) => {
                self.exact = false;
                self.add_float(float);
            }
        }
    }

    fn add_float(&mut self, float: f64) {
        let sum = self.float + float;
        self.lost += if self.float.abs() >= float.abs() {
            (self.float - sum) + float
        } else {
            (float - sum) + self.float
        };
        self.float = sum;
    }

    fn as_float(&self) -> f64 {
        self.whole as f64 + (self.float + self.lost)
    }

    pub fn total(&self) -> Result<Value> {
        if self.exact { Ok(Number::Whole(self.whole).to_json()) } else { float(self.as_float()) }
    }

    /// Null of nothing.
    pub fn mean(&self) -> Result<Value> {
        if self.count == 0 { Ok(Value::Null) } else { float(self.as_float() / self.count as f64) }
    }
}

/// The middle one, or the mean of the two in the middle. Null of nothing.
pub(super) fn median(mut numbers: Vec<Number>) -> Result<Value> {
    numbers.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
    let middle = numbers.len() / 2;
    match numbers.get(middle) {
        None => Ok(Value::Null),
        Some(number) if numbers.len() % 2 == 1 => Ok(number.to_json()),
        Some(number) => Sum::of(&[numbers[middle - 1], *number]).mean(),
    }
}

/// A whole number is written as one where no digit is lost.
fn float(float: f64) -> Result<Value> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if !float.is_finite() {
        return Err(Error::invalid("the result is larger than a number can be"));
    }
    let whole = float.fract() == 0.0 && float.abs() <= EXACT;
    Ok(if whole { (float as i64).into() } else { float.into() })
}
