//! Lists, objects and JSON.

use std::borrow::Cow;

use devrig_core::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use serde_json::ser::{PrettyFormatter, Serializer};

use super::{Args, Helper, Outcome};
use crate::path::Step;
use crate::template::budget::Budget;
use crate::template::text::{self, Escape, scalar};
use crate::view::View;

pub(super) const HELPERS: &[Helper] = &[
    Helper {
        name: "lookup",
        usage: "lookup x key",
        about: "The field or element whose name or number is known only when the flow runs.",
        example: ("{{lookup pr.labels 1}}", "ui"),
        least: 2,
        most: 2,
        hash: &[],
        run: lookup,
        check: None,
    },
    Helper {
        name: "json",
        usage: "json x indent=0",
        about: "x as JSON, over several lines with an indent of 1 to 8.",
        example: ("{{json pr.labels}}", "[\"bug\",\"ui\"]"),
        least: 1,
        most: 1,
        hash: &["indent"],
        run: json,
        check: None,
    },
    Helper {
        name: "join",
        usage: "join list separator",
        about: "The elements as one text, with `, ` between them if nothing else is given.",
        example: ("{{join pr.labels \" + \"}}", "bug + ui"),
        least: 1,
        most: 2,
        hash: &[],
        run: join,
        check: None,
    },
    Helper {
        name: "length",
        usage: "length x",
        about: "How many elements, fields or characters; 0 for what is missing.",
        example: ("{{length pr.labels}}", "2"),
        least: 1,
        most: 1,
        hash: &[],
        run: length,
        check: None,
    },
    Helper {
        name: "slice",
        usage: "slice x from to",
        about: "Part of a list or text, from one position to before another; negative ones count \
                from the end, and `to` may be left out.",
        example: ("{{slice pr.sha 0 7}}", "9fceb02"),
        least: 2,
        most: 3,
        hash: &[],
        run: slice,
        check: None,
    },
    Helper {
        name: "contains",
        usage: "contains x part",
        about: "Whether a list has that element, or a text that part.",
        example: ("{{contains pr.labels \"bug\"}}", "true"),
        least: 2,
        most: 2,
        hash: &[],
        run: contains,
        check: None,
    },
];

fn lookup<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let is_list = matches!(args.view(0), Some(View::List(_)));
    // handlebars.js gives back what is nothing, such as 0.
    if !is_list && !args.or_null(0).is_something() {
        return Ok(args.take(0));
    }
    // As JavaScript names a field that is asked for so.
    let key = match args.view(1) {
        None => Some(Cow::Borrowed("undefined")),
        Some(View::Null) => Some(Cow::Borrowed("null")),
        Some(view) => scalar(view),
    };
    let Some(key) = key else { return Ok(None) };
    budget.read(key.len())?;
    let step = Step::new(&key);
    let mut bytes = 0;
    let found =
        args.take(0).and_then(|data| data.project(|view| step.get_counting(view, &mut bytes)));
    budget.read(bytes)?;
    Ok(found)
}

fn json<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let indent = match args.option("indent") {
        None => 0,
        Some(View::Number(number)) => number.to_index().filter(|indent| *indent <= 8).unwrap_or(9),
        Some(_) => 9,
    };
    let view = args.or_null(0);
    let text = match indent {
        0 => text::json(view),
        1..=8 => pretty(&view.to_masked_value(), indent)?,
        _ => {
            return Err(Error::invalid("the indent of json is a number from 0 to 8")
                .hint("Write {{json x indent=2}}."));
        }
    };
    budget.allow(text.len())?;
    Ok(Some(text.into()))
}

fn pretty(value: &Value, indent: usize) -> Result<String> {
    let mut out = Vec::new();
    let indent = " ".repeat(indent);
    let formatter = PrettyFormatter::with_indent(indent.as_bytes());
    value.serialize(&mut Serializer::with_formatter(&mut out, formatter))?;
    String::from_utf8(out).map_err(|_| Error::internal("JSON is always UTF-8"))
}

fn join<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let View::List(list) = args.or_null(0) else {
        return Ok(Some(args.text(0)?.into_owned().into()));
    };
    let separator = if args.values.len() > 1 { args.text(1)? } else { Cow::Borrowed(", ") };
    let mut joined = String::new();
    // Its own account: what is made here may be cut or never written.
    let mut making = budget.fork();
    for (index, value) in list.iter().enumerate() {
        making.step()?;
        if index > 0 {
            making.write(separator.len())?;
            joined.push_str(&separator);
        }
        text::write(View::of(value), Escape::None, &mut joined, &mut making)?;
    }
    budget.merge(&making);
    Ok(Some(joined.into()))
}

fn length<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let count = match args.or_null(0) {
        View::Null => 0,
        View::List(list) => list.len(),
        View::Map(map) => map.len(),
        View::Object(object) => object.len(),
        view => match view.text() {
            Some(text) => {
                budget.read(text.len())?;
                text.chars().count()
            }
            None => {
                return Err(Error::invalid(format!("{} has no length", view.kind()))
                    .hint("Give a list, an object or text."));
            }
        },
    };
    Ok(Some(count.into()))
}

fn slice<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let from = args.whole(1)?;
    let to = if args.values.len() > 2 { args.whole(2)? } else { i64::MAX };
    if let View::List(list) = args.or_null(0) {
        let (from, to) = bounds(from, to, list.len());
        let part = args.take(0).and_then(|list| {
            list.project(|view| match view {
                View::List(list) => list.get(from..to).map(View::List),
                _ => None,
            })
        });
        return Ok(part);
    }
    let text = args.text(0)?;
    budget.read(text.len())?;
    let (from, to) = bounds(from, to, text.chars().count());
    let part: String = text.chars().skip(from).take(to - from).collect();
    Ok(Some(part.into()))
}

/// Both within the length and in order.
fn bounds(from: i64, to: i64, length: usize) -> (usize, usize) {
    let place = |at: i64| {
        let distance = usize::try_from(at.unsigned_abs()).unwrap_or(usize::MAX);
        if at < 0 { length.saturating_sub(distance) } else { distance.min(length) }
    };
    let (from, to) = (place(from), place(to));
    (from, to.max(from))
}

fn contains<'a>(args: &mut Args<'a>, budget: &mut Budget) -> Outcome<'a> {
    let View::List(list) = args.or_null(0) else {
        let (whole, part) = (args.text(0)?, args.text(1)?);
        budget.read(whole.len())?;
        return Ok(Some(whole.contains(&*part).into()));
    };
    let wanted = args.or_null(1);
    for value in list {
        let (same, work) = View::of(value).same_counting(wanted);
        budget.work(work)?;
        if same {
            return Ok(Some(true.into()));
        }
    }
    Ok(Some(false.into()))
}
