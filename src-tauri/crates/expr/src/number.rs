//! JSON's numbers: compared without losing a digit, written as JavaScript writes them.

use std::cmp::Ordering;
use std::fmt;

/// A number of JSON. Whole ones keep all their digits, as ids of other services need it.
#[derive(Debug, Clone, Copy)]
pub enum Number {
    Whole(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn of(number: &serde_json::Number) -> Self {
        if let Some(whole) = number.as_i64() {
            return Self::Whole(whole.into());
        }
        match number.as_u64() {
            Some(whole) => Self::Whole(whole.into()),
            None => Self::Float(number.as_f64().unwrap_or_default()),
        }
    }

    /// The same number in JSON.
    pub fn to_json(self) -> serde_json::Value {
        match self {
            Self::Whole(whole) => match (i64::try_from(whole), u64::try_from(whole)) {
                (Ok(whole), _) => whole.into(),
                (_, Ok(whole)) => whole.into(),
                _ => (whole as f64).into(),
            },
            Self::Float(float) => float.into(),
        }
    }

    /// The number as an index or a count, when it is one.
    pub fn to_index(self) -> Option<usize> {
        self.to_whole().and_then(|whole| usize::try_from(whole).ok())
    }

    /// The number when it has no fraction.
    pub fn to_whole(self) -> Option<i128> {
        match self {
            Self::Whole(whole) => Some(whole),
            Self::Float(float) if float.fract() == 0.0 && float.abs() < TWO_TO_63 => {
                Some(float as i128)
            }
            Self::Float(_) => None,
        }
    }

    pub(crate) fn is_zero(self) -> bool {
        match self {
            Self::Whole(whole) => whole == 0,
            Self::Float(float) => float == 0.0,
        }
    }
}

const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;

impl From<usize> for Number {
    fn from(count: usize) -> Self {
        Self::Whole(count as i128)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.partial_cmp(other) == Some(Ordering::Equal)
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match (*self, *other) {
            (Self::Whole(a), Self::Whole(b)) => Some(a.cmp(&b)),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b),
            (Self::Whole(a), Self::Float(b)) => compare(a, b),
            (Self::Float(a), Self::Whole(b)) => compare(b, a).map(Ordering::reverse),
        }
    }
}

/// Not by way of `whole as f64`: from 2^53 on that would make different numbers equal.
fn compare(whole: i128, float: f64) -> Option<Ordering> {
    if float.is_nan() {
        return None;
    }
    // Whole numbers of JSON are far from the ends of i128, where the cast stops.
    let below = float.floor();
    Some(whole.cmp(&(below as i128)).then(if float > below {
        Ordering::Less
    } else {
        Ordering::Equal
    }))
}

/// As `String(number)` in JavaScript.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Whole(whole) => write!(f, "{whole}"),
            Self::Float(float) => write_float(float, f),
        }
    }
}

fn write_float(float: f64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    if float == 0.0 || !float.is_finite() {
        return f.write_str("0");
    }
    if float < 0.0 {
        f.write_str("-")?;
    }
    // Rust gives the shortest digits that read back, as JavaScript does; only the layout differs.
    let text = format!("{:e}", float.abs());
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let point = exponent.parse::<i32>().unwrap_or_default() + 1;
    lay_out(&digits, point, f)
}

/// `point` is how many digits stand before the decimal point.
fn lay_out(digits: &str, point: i32, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let count = digits.len() as i32;
    if !(-5..=21).contains(&point) {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        write!(f, "{first}{dot}{rest}e{:+}", point - 1)
    } else if point >= count {
        write!(f, "{digits}{}", "0".repeat((point - count) as usize))
    } else if point > 0 {
        let (whole, fraction) = digits.split_at(point as usize);
        write!(f, "{whole}.{fraction}")
    } else {
        write!(f, "0.{}{digits}", "0".repeat(-point as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        Number::of(&serde_json::from_str(text).unwrap())
    }

    #[test]
    fn text_is_what_javascript_writes() {
        for (json, text) in [
            ("1.0", "1"),
            ("-0.0", "0"),
            ("0.1", "0.1"),
            ("-1.5", "-1.5"),
            ("1e20", "100000000000000000000"),
            ("1e21", "1e+21"),
            ("1.25e-6", "0.00000125"),
            ("1.25e-7", "1.25e-7"),
            ("123456789012345680000.0", "123456789012345680000"),
            ("5e-324", "5e-324"),
            ("1.7976931348623157e308", "1.7976931348623157e+308"),
            ("9007199254740993", "9007199254740993"),
            ("18446744073709551615", "18446744073709551615"),
        ] {
            assert_eq!(number(json).to_string(), text, "{json}");
        }
    }

    #[test]
    fn whole_numbers_and_floats_are_compared_exactly() {
        assert_eq!(number("1"), number("1.0"));
        assert_eq!(number("0"), number("-0.0"));
        assert_ne!(number("9007199254740993"), number("9007199254740992.0"));
        assert!(number("9007199254740993") > number("9007199254740992.0"));
        assert!(number("2") < number("2.5") && number("2.5") < number("3"));
        assert!(number("-3") < number("-2.5") && number("-2.5") < number("-2"));
        assert!(number("18446744073709551615") < number("1e300"));
        assert!(number("-9223372036854775808") > number("-1e300"));
    }

    #[test]
    fn only_what_counts_is_an_index() {
        assert_eq!(number("2.0").to_index(), Some(2));
        assert_eq!(number("-1").to_index(), None);
        assert_eq!(number("1.5").to_index(), None);
        assert_eq!(number("1e300").to_index(), None);
    }
}
