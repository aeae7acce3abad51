//! What starts flows by itself.

use std::process::ExitCode;

use devrig_core::{Error, Result, SystemClock, Timestamp};
use devrig_engine::api::trigger::{
    Standing, TriggerArgs, TriggerDetail, TriggerEvent, TriggerEventArgs, TriggerEventDetail,
    TriggerEventsArgs, TriggerFireArgs, TriggerFired, TriggerInfo, TriggerPauseArgs,
};
use devrig_engine::{Api, NoArgs};

use super::flow::find;
use crate::args::{Page, Trigger};
use crate::output::{Output, facts, one_line, table};
use crate::{input, time};

pub async fn run(command: Trigger, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Trigger::List => {
            output.show(&api.trigger_list(NoArgs {}).await?, |triggers| list(triggers))
        }
        Trigger::Show { flow, trigger } => {
            let flow = find(&flow, api).await?.id;
            output.show(&api.trigger_get(TriggerArgs { flow, trigger }).await?, detail)
        }
        Trigger::Fire { flow, trigger, payload, event } => {
            let flow = find(&flow, api).await?.id;
            let payload = payload.as_deref().map(input::json_in).transpose()?;
            let args = TriggerFireArgs { flow, trigger, payload, event };
            output.show(&api.trigger_fire(args).await?, fired)
        }
        Trigger::Pause { flow, trigger } => pause(&flow, trigger, true, api, output).await,
        Trigger::Resume { flow, trigger } => pause(&flow, trigger, false, api, output).await,
        Trigger::Events { flow, event: Some(number), .. } => {
            let flow = find(&flow, api).await?.id;
            let event = api.trigger_event(TriggerEventArgs { flow, number }).await?;
            output.show(&event, whole)
        }
        Trigger::Events { flow, trigger, event: None, page } => {
            let args = wanted(find(&flow, api).await?.id, trigger, page)?;
            output.show(&api.trigger_events(args).await?, |told| events(told))
        }
    }
}

async fn pause(
    flow: &str,
    trigger: String,
    paused: bool,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let flow = find(flow, api).await?.id;
    let how = if paused { "is paused" } else { "goes on" };
    let said = format!("{trigger} {how}.");
    api.trigger_pause(TriggerPauseArgs { flow, trigger, paused }).await?;
    output.done(&said)
}

fn wanted(flow: String, trigger: Option<String>, page: Page) -> Result<TriggerEventsArgs> {
    let after = page.cursor.map(|cursor| {
        cursor.parse().map_err(|_| {
            Error::invalid(format!("{cursor:?} is no number of an event"))
                .hint("Give the number of the last event of the page before.")
        })
    });
    Ok(TriggerEventsArgs { flow, trigger, after: after.transpose()?, limit: page.limit })
}

fn list(triggers: &[TriggerInfo]) -> String {
    if triggers.is_empty() {
        return "No flow that is enabled has a trigger.".to_owned();
    }
    let now = SystemClock::shared().now();
    let rows = triggers.iter().map(|trigger| row(trigger, now));
    table(["FLOW", "TRIGGER", "TYPE", "STATE", "FIRED", "LAST", "NEXT", "MISSED", "NOTE"], rows)
}

fn row(trigger: &TriggerInfo, now: Timestamp) -> [String; 9] {
    [
        trigger.flow_name.clone(),
        trigger.trigger.clone(),
        trigger.kind.clone(),
        trigger.state.as_str().to_owned(),
        trigger.fired.to_string(),
        trigger.fired_at.map(|at| time::ago(at, now)).unwrap_or_default(),
        at(trigger.next),
        if trigger.missed > 0.0 { trigger.missed.to_string() } else { String::new() },
        note(trigger),
    ]
}

/// What is wrong now, with the trigger or with what it starts, else where it listens, else what was
/// wrong since it last fired.
fn note(trigger: &TriggerInfo) -> String {
    if let Some(error) = &trigger.error {
        return one_line(&error.message);
    }
    if let Some(lost) = trigger.degraded.first() {
        return format!("its flow is degraded: {}", one_line(&lost.why.message));
    }
    let is_news = trigger.last_error_at >= trigger.fired_at;
    match (&trigger.url, &trigger.last_error) {
        (_, Some(error)) if is_news => one_line(&error.message),
        (Some(url), _) => url.clone(),
        _ => String::new(),
    }
}

fn at(time: Option<Timestamp>) -> String {
    time.map(|time| time.to_string()).unwrap_or_default()
}

fn detail(trigger: &TriggerDetail) -> String {
    let info = &trigger.info;
    let now = info.error.as_ref().map(|error| one_line(&error.message)).unwrap_or_default();
    let last = match (&info.last_error, info.last_error_at) {
        (Some(error), Some(when)) => format!("{when}: {}", one_line(&error.message)),
        _ => String::new(),
    };
    let lost = info.degraded.first().map(|lost| &lost.why);
    let hint = info.error.as_ref().or(lost).or(info.last_error.as_ref());
    let upcoming: Vec<_> = trigger.upcoming.iter().map(ToString::to_string).collect();
    let missed = if info.missed > 0.0 { info.missed.to_string() } else { String::new() };
    let head = facts(&[
        ("flow", info.flow_name.clone()),
        ("trigger", format!("{} ({})", info.trigger, info.kind)),
        ("state", info.state.as_str().to_owned()),
        ("error", now),
        ("degraded", lost.map(|why| one_line(&why.message)).unwrap_or_default()),
        ("url", info.url.clone().unwrap_or_default()),
        ("fired", info.fired.to_string()),
        ("last fired", at(info.fired_at)),
        ("next", upcoming.join("\n            ")),
        ("missed", missed),
        ("last error", last),
        ("remedy", hint.and_then(|error| error.hint.clone()).unwrap_or_default()),
    ]);
    let definition = serde_json::to_string_pretty(&trigger.definition).unwrap_or_default();
    match info.state {
        Standing::Off => {
            format!("{head}\n\nIts flow is not enabled, or not this trigger.\n{definition}")
        }
        _ => format!("{head}\n\n{definition}"),
    }
}

fn fired(fired: &TriggerFired) -> String {
    let version = fired.version;
    match &fired.run {
        Some(run) => format!("Version {version} runs: devrig run show {run}"),
        None => format!("The entry conditions of version {version} do not hold, so nothing runs."),
    }
}

fn events(told: &[TriggerEvent]) -> String {
    if told.is_empty() {
        return "Nothing was told.".to_owned();
    }
    let rows = told.iter().map(|event| {
        [
            event.number.to_string(),
            event.trigger.clone(),
            event.at.to_string(),
            event.verdict.clone(),
            event.run.clone().unwrap_or_default(),
            one_line(&event.preview).chars().take(80).collect(),
        ]
    });
    table(["EVENT", "TRIGGER", "WHEN", "VERDICT", "RUN", "TOLD"], rows)
}

fn whole(event: &TriggerEventDetail) -> String {
    let TriggerEventDetail { event, payload } = event;
    let head = facts(&[
        ("event", event.number.to_string()),
        ("trigger", event.trigger.clone()),
        ("when", event.at.to_string()),
        ("verdict", event.verdict.clone()),
        ("run", event.run.clone().unwrap_or_default()),
        ("key", event.key.clone().map(|key| one_line(&key)).unwrap_or_default()),
    ]);
    let payload = serde_json::to_string_pretty(payload).unwrap_or_default();
    format!("{head}\n\n{payload}")
}
