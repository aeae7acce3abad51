//! Text. Positions and lengths count characters, so that none is cut in half.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use devrig_core::Result;
use serde_json::Value;

use super::{Args, Helper, Outcome};
use crate::template::budget::Budget;
use crate::view::View;

pub(super) const HELPERS: &[Helper] = &[
    one("upper", "upper text", "In capitals.", ("{{upper pr.state}}", "OPEN"), |args, budget| {
        change(args, budget, str::to_uppercase)
    }),
    one(
        "lower",
        "lower text",
        "In small letters.",
        ("{{lower \"ABC\"}}", "abc"),
        |args, budget| change(args, budget, str::to_lowercase),
    ),
    one(
        "capitalize",
        "capitalize text",
        "With its first letter in capitals.",
        ("{{capitalize pr.state}}", "Open"),
        |args, budget| change(args, budget, capitalized),
    ),
    one(
        "trim",
        "trim text",
        "Without white space at both ends.",
        ("{{trim \"  a b \"}}", "a b"),
        |args, budget| change(args, budget, |text| text.trim().to_owned()),
    ),
    Helper {
        name: "replace",
        usage: "replace text from to",
        about: "With every `from` replaced.",
        example: ("{{replace pr.title \" \" \"-\"}}", "Fix-login"),
        least: 3,
        most: 3,
        hash: &[],
        run: replace,
        check: None,
    },
    Helper {
        name: "split",
        usage: "split text separator",
        about: "A list of the parts between the separators; of the characters, if it is empty.",
        example: ("{{json (split pr.repo \"/\")}}", "[\"acme\",\"shop\"]"),
        least: 2,
        most: 2,
        hash: &[],
        run: split,
        check: None,
    },
    two(
        "startsWith",
        "startsWith text part",
        "Whether the text begins so.",
        ("{{startsWith pr.title \"Fix\"}}", "true"),
        |args, budget| test(args, budget, |text, part| text.starts_with(part)),
    ),
    two(
        "endsWith",
        "endsWith text part",
        "Whether the text ends so.",
        ("{{endsWith pr.title \"x\"}}", "false"),
        |args, budget| test(args, budget, |text, part| text.ends_with(part)),
    ),
    Helper {
        name: "truncate",
        usage: "truncate text length suffix=\"…\"",
        about: "No longer than that many characters, the suffix included.",
        example: ("{{truncate pr.title 6}}", "Fix l…"),
        least: 2,
        most: 2,
        hash: &["suffix"],
        run: truncate,
        check: None,
    },
    Helper {
        name: "padStart",
        usage: "padStart text length fill",
        about: "Filled up from the left, with spaces if nothing else is given.",
        example: ("{{padStart pr.number 4 \"0\"}}", "0007"),
        least: 2,
        most: 3,
        hash: &[],
        run: pad_start,
        check: None,
    },
    one(
        "urlEncode",
        "urlEncode text",
        "For one part of a URL, such as a query's value.",
        ("{{urlEncode pr.title}}", "Fix%20login"),
        |args, budget| change(args, budget, url_encoded),
    ),
    one(
        "base64",
        "base64 text",
        "In Base64, with padding.",
        ("{{base64 \"user:pass\"}}", "dXNlcjpwYXNz"),
        |args, budget| change(args, budget, |text| STANDARD.encode(text)),
    ),
];

type Example = (&'static str, &'static str);

const fn one(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    example: Example,
    run: super::Run,
) -> Helper {
    Helper { name, usage, about, example, least: 1, most: 1, hash: &[], run, check: None }
}

const fn two(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    example: Example,
    run: super::Run,
) -> Helper {
    Helper { name, usage, about, example, least: 2, most: 2, hash: &[], run, check: None }
}

/// For what makes at most three bytes of one.
fn change<'a>(
    args: &mut Args<'a>,
    budget: &mut Budget,
    make: impl Fn(&str) -> String,
) -> Outcome<'a> {
    let text = args.text(0)?;
    budget.allow(text.len())?;
    Ok(Some(make(&text).into()))
}

fn test<'a>(
    args: &mut Args<'a>,
    budget: &mut Budget,
    holds: impl Fn(&str, &str) -> bool,
) -> Outcome<'a> {
    let (text, part) = (args.text(0)?, args.text(1)?);
    budget.read(part.len())?;
    Ok(Some(holds(&text, &part).into()))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

fn url_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => {
                out.push('%');
                let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or('0');
                out.push(digit(byte >> 4).to_ascii_uppercase());
                out.push(digit(byte & 15).to_ascii_uppercase());
            }
        }
    }
    out
}

fn replace<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let (text, from, to) = (args.text(0)?, args.text(1)?, args.text(2)?);
    budget.read(text.len())?;
    if from.is_empty() {
        return Ok(Some(text.into_owned().into()));
    }
    let found = text.matches(&*from).count();
    let length = text.len() - found * from.len() + found.saturating_mul(to.len());
    budget.allow(length)?;
    Ok(Some(text.replace(&*from, &to).into()))
}

fn split<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    if matches!(args.or_null(0), View::Null) {
        return Ok(Some(Value::Array(Vec::new()).into()));
    }
    let (text, separator) = (args.text(0)?, args.text(1)?);
    budget.read(text.len())?;
    let part = |part: &str| Value::String(part.to_owned());
    let parts: Vec<Value> = if separator.is_empty() {
        budget.work(text.len())?;
        text.chars().map(|c| Value::String(c.to_string())).collect()
    } else {
        text.split(&*separator).map(part).collect()
    };
    budget.work(parts.len())?;
    Ok(Some(Value::Array(parts).into()))
}

fn truncate<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let (text, length) = (args.text(0)?, args.count(1)?);
    budget.read(text.len())?;
    if text.chars().nth(length).is_none() {
        return Ok(Some(text.into_owned().into()));
    }
    let suffix = match args.option("suffix") {
        None => "…".into(),
        Some(view) => crate::template::text::scalar(view).unwrap_or_default(),
    };
    let kept = length.saturating_sub(suffix.chars().count());
    let cut: String = text.chars().take(kept).chain(suffix.chars()).take(length).collect();
    Ok(Some(cut.into()))
}

fn pad_start<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let (text, length) = (args.text(0)?, args.count(1)?);
    let fill = if args.values.len() > 2 { args.text(2)? } else { " ".into() };
    budget.read(text.len())?;
    let missing = length.saturating_sub(text.chars().count());
    if missing == 0 || fill.is_empty() {
        return Ok(Some(text.into_owned().into()));
    }
    allow_fill(budget, missing, &fill)?;
    let padded: String = fill.chars().cycle().take(missing).chain(text.chars()).collect();
    Ok(Some(padded.into()))
}

fn allow_fill(budget: &mut Budget, count: usize, fill: &str) -> Result<()> {
    let widest = fill.chars().map(char::len_utf8).max().unwrap_or(1);
    budget.allow(count.saturating_mul(widest))
}
