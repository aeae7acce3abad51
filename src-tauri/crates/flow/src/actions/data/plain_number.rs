//! Texts that are nothing but a number.

use serde_json::Value;

/// As many as every number keeps.
const MOST_DIGITS: usize = 15;

/// The number that a text is, unless it could be a name: a leading zero or plus, an exponent, or
/// more digits than a fraction keeps leave it a text.
pub(super) fn plain_number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) || (whole.len() > 1 && whole.starts_with('0')) {
        return None;
    }
    if digits.contains('.') {
        let short = whole.len() + fraction.len() <= MOST_DIGITS;
        return text.parse::<f64>().ok().filter(|_| short).map(Value::from);
    }
    let negative_zero = text == "-0";
    text.parse::<i64>().ok().filter(|_| !negative_zero).map(Value::from)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_cannot_be_a_name_is_a_number() {
        for (text, number) in
            [("0", json!(0)), ("-12", json!(-12)), ("1.50", json!(1.5)), ("-0.25", json!(-0.25))]
        {
            assert_eq!(plain_number(text), Some(number), "{text}");
        }
        for text in [
            "",
            "-",
            "007",
            "+1",
            "1e5",
            "1.",
            ".5",
            " 1",
            "1 ",
            "1,5",
            "0x1",
            "-0",
            "NaN",
            "1.2.3",
            "12345678901234567890",
            "0.1234567890123456",
            "١",
        ] {
            assert_eq!(plain_number(text), None, "{text}");
        }
    }
}
