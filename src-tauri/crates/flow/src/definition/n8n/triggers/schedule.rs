//! Schedules as cron expressions.

use serde_json::Value;

use crate::definition::model::{Cron, TriggerKind};
use crate::definition::n8n::context::Context;
use crate::definition::n8n::workflow::{one_line, text};

/// The rules of a Schedule Trigger. Where n8n picks a minute or hour itself, it is 0 here.
pub(super) fn present(context: &mut Context<'_>) -> Vec<TriggerKind> {
    let mut rules: Vec<Value> = context.list("rule.interval").cloned().collect();
    if rules.is_empty() {
        rules.push(Value::Null);
    }
    let expressions: Vec<Option<String>> =
        rules.iter().map(|rule| expression(context, rule)).collect();
    expressions.into_iter().filter_map(|expression| cron(context, expression)).collect()
}

fn expression(context: &mut Context<'_>, rule: &Value) -> Option<String> {
    let number = |name: &str, usual: u64| rule.get(name).and_then(Value::as_u64).unwrap_or(usual);
    let (minute, hour) = (number("triggerAtMinute", 0), number("triggerAtHour", 0));
    Some(match text(rule, "field") {
        "seconds" => format!("*/{} * * * * *", number("secondsInterval", 30)),
        "minutes" => format!("*/{} * * * *", number("minutesInterval", 5)),
        "hours" => format!("{minute} */{} * * *", number("hoursInterval", 1)),
        "weeks" => {
            every(context, number("weeksInterval", 1), "week");
            format!("{minute} {hour} * * {}", weekdays(rule))
        }
        "months" => {
            let (months, day) = (number("monthsInterval", 1), number("triggerAtDayOfMonth", 1));
            let months = if months == 1 { "*".to_owned() } else { format!("*/{months}") };
            format!("{minute} {hour} {day} {months} *")
        }
        "cronExpression" => {
            let raw = text(rule, "expression");
            raw.strip_prefix('=').unwrap_or(raw).to_owned()
        }
        _ => {
            let days = number("daysInterval", 1);
            if days == 1 {
                return Some(format!("{minute} {hour} * * *"));
            }
            context.changed(format!(
                "every {days} days counts from the first of each month; it counted on from the last run"
            ));
            format!("{minute} {hour} */{days} * *")
        }
    })
}

fn every(context: &mut Context<'_>, count: u64, what: &str) {
    if count > 1 {
        context.not_mapped(
            format!("every {count} {what}s cannot be said in a cron expression"),
            format!("It runs every {what} now: leave runs out with an entry condition."),
        );
    }
}

fn weekdays(rule: &Value) -> String {
    let days = rule.get("triggerAtDay").and_then(Value::as_array).into_iter().flatten();
    let days: Vec<String> = days.filter_map(Value::as_u64).map(|day| day.to_string()).collect();
    match rule.get("triggerAtDay") {
        None => "0".to_owned(),
        Some(_) if days.is_empty() => "*".to_owned(),
        Some(_) => days.join(","),
    }
}

/// The times of a Cron node.
pub(super) fn older(context: &mut Context<'_>) -> Vec<TriggerKind> {
    let times: Vec<Value> = context.list("triggerTimes.item").cloned().collect();
    let expression = |time: &Value| {
        let number =
            |name: &str, usual: u64| time.get(name).and_then(Value::as_u64).unwrap_or(usual);
        let (minute, hour) = (number("minute", 0), number("hour", 14));
        Some(match text(time, "mode") {
            "everyMinute" => "* * * * *".to_owned(),
            "everyHour" => format!("{minute} * * * *"),
            "everyX" if text(time, "unit") == "minutes" => {
                format!("*/{} * * * *", number("value", 2))
            }
            "everyX" => format!("0 */{} * * *", number("value", 2)),
            "everyWeek" => {
                let day = text(time, "weekday");
                format!("{minute} {hour} * * {}", if day.is_empty() { "1" } else { day })
            }
            "everyMonth" => format!("{minute} {hour} {} * *", number("dayOfMonth", 1)),
            "custom" => text(time, "cronExpression").to_owned(),
            _ => format!("{minute} {hour} * * *"),
        })
    };
    times.iter().filter_map(|time| cron(context, expression(time))).collect()
}

pub(super) fn interval(context: &mut Context<'_>) -> Vec<TriggerKind> {
    let count = context.get("interval").and_then(Value::as_u64).unwrap_or(1);
    let expression = match context.text("unit") {
        "minutes" => format!("*/{count} * * * *"),
        "hours" => format!("0 */{count} * * *"),
        _ => format!("*/{count} * * * * *"),
    };
    cron(context, Some(expression)).into_iter().collect()
}

fn cron(context: &mut Context<'_>, expression: Option<String>) -> Option<TriggerKind> {
    let Some(expression) = one_line(&expression.unwrap_or_default(), 200) else {
        let remedy = "Add a trigger of type cron.";
        context.not_mapped("one of its rules has no expression", remedy);
        return None;
    };
    let zone = context.data.workflow.settings.get("timezone").and_then(Value::as_str);
    let timezone = zone.filter(|zone| *zone != "DEFAULT").and_then(|zone| one_line(zone, 64));
    Some(TriggerKind::Cron(Cron { expression, timezone, ..Cron::default() }))
}
