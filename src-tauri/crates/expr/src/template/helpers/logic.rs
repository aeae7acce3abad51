//! Comparing and choosing.

use std::cmp::Ordering;

use super::{Args, Helper, MANY, Outcome};
use crate::template::budget::Budget;
use crate::view::View;

pub(super) const HELPERS: &[Helper] = &[
    two(
        "eq",
        "eq a b",
        "Whether both are the same, in kind too: `1` is not `\"1\"`.",
        ("{{eq pr.state \"open\"}}", "true"),
        |args, budget| equal(args, budget, true),
    ),
    two(
        "ne",
        "ne a b",
        "The opposite of `eq`.",
        ("{{ne pr.number 7}}", "false"),
        |args, budget| equal(args, budget, false),
    ),
    two(
        "gt",
        "gt a b",
        "Whether a is greater. Numbers are compared with numbers and text with text; anything \
         else is `false`.",
        ("{{gt pr.comments 3}}", "true"),
        |args, budget| order(args, budget, Ordering::is_gt),
    ),
    two(
        "gte",
        "gte a b",
        "Whether a is greater or equal.",
        ("{{gte pr.comments 5}}", "true"),
        |args, budget| order(args, budget, Ordering::is_ge),
    ),
    two("lt", "lt a b", "Whether a is less.", ("{{lt pr.comments 3}}", "false"), |args, budget| {
        order(args, budget, Ordering::is_lt)
    }),
    two(
        "lte",
        "lte a b",
        "Whether a is less or equal.",
        ("{{lte pr.comments 5}}", "true"),
        |args, budget| order(args, budget, Ordering::is_le),
    ),
    Helper {
        name: "and",
        usage: "and a b …",
        about: "Whether all are something, as `if` sees it.",
        example: ("{{and pr.title pr.draft}}", "false"),
        least: 1,
        most: MANY,
        hash: &[],
        run: |args, _| Ok(Some((0..args.values.len()).all(|at| something(args, at)).into())),
        check: None,
    },
    Helper {
        name: "or",
        usage: "or a b …",
        about: "Whether one of them is something, as `if` sees it.",
        example: ("{{or pr.draft pr.title}}", "true"),
        least: 1,
        most: MANY,
        hash: &[],
        run: |args, _| Ok(Some((0..args.values.len()).any(|at| something(args, at)).into())),
        check: None,
    },
    Helper {
        name: "not",
        usage: "not a",
        about: "Whether a is nothing, as `if` sees it.",
        example: ("{{not pr.draft}}", "true"),
        least: 1,
        most: 1,
        hash: &[],
        run: |args, _| Ok(Some((!something(args, 0)).into())),
        check: None,
    },
    Helper {
        name: "default",
        usage: "default a b …",
        about: "The first that is neither missing nor `null` nor empty text.",
        example: ("{{default pr.milestone \"none\"}}", "none"),
        least: 2,
        most: MANY,
        hash: &[],
        run: first_set,
        check: None,
    },
];

const fn two(
    name: &'static str,
    usage: &'static str,
    about: &'static str,
    example: (&'static str, &'static str),
    run: super::Run,
) -> Helper {
    Helper { name, usage, about, example, least: 2, most: 2, hash: &[], run, check: None }
}

fn something(args: &Args<'_>, index: usize) -> bool {
    args.or_null(index).is_something()
}

/// Missing is the same as null.
fn equal<'a>(args: &mut Args<'a>, budget: &mut Budget, expected: bool) -> Outcome<'a> {
    let (same, work) = args.or_null(0).same_counting(args.or_null(1));
    budget.work(work)?;
    Ok(Some((same == expected).into()))
}

fn order<'a>(args: &mut Args<'a>, budget: &mut Budget, holds: fn(Ordering) -> bool) -> Outcome<'a> {
    let order = match (args.or_null(0), args.or_null(1)) {
        (View::Number(a), View::Number(b)) => a.partial_cmp(&b),
        (a, b) => match a.text().zip(b.text()) {
            Some((a, b)) => {
                budget.read(a.len().min(b.len()))?;
                Some(a.cmp(b))
            }
            None => None,
        },
    };
    Ok(Some(order.is_some_and(holds).into()))
}

fn first_set<'a>(args: &mut Args<'a>, _: &mut Budget) -> Outcome<'a> {
    let set = |view: View<'_>| !matches!(view, View::Null) && view.text() != Some("");
    let found = (0..args.values.len()).find(|at| args.view(*at).is_some_and(set));
    // Where none is set the last stands, so that `default x ""` gives empty text.
    let last = args.values.len().saturating_sub(1);
    Ok(args.take(found.unwrap_or(last)))
}
