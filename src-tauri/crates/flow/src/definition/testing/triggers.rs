//! Random triggers.

use super::Choices;
use crate::definition::model::*;

pub(super) fn trigger(from: &mut Choices) -> Trigger {
    Trigger {
        id: TriggerId::from(from.name()),
        disabled: from.flag(),
        dedup_window_ms: from.maybe(|from| from.next().into()),
        kind: kind(from),
    }
}

fn kind(from: &mut Choices) -> TriggerKind {
    match from.below(8) {
        0 => TriggerKind::Manual { input_schema: from.maybe(Choices::object) },
        1 => TriggerKind::Cron(cron(from)),
        2 => TriggerKind::Webhook(webhook(from)),
        3 => TriggerKind::Filesystem(filesystem(from)),
        4 => TriggerKind::Polling(polling(from)),
        5 => TriggerKind::Event(event(from)),
        6 => TriggerKind::Inbox(Inbox { query: from.line(), on: from.word() }),
        _ => TriggerKind::Plugin(PluginTrigger {
            plugin_id: from.name(),
            account_id: from.maybe(Choices::name),
            trigger: from.line(),
            config: from.map(),
            interval_ms: from.maybe(|from| 5_000 + u64::from(from.next())),
        }),
    }
}

fn cron(from: &mut Choices) -> Cron {
    Cron {
        expression: from.line(),
        timezone: from.maybe(Choices::line),
        max_executions: from.maybe(|from| 1 + u32::from(from.next())),
        no_overlap: from.flag(),
        misfire: from.word(),
    }
}

fn webhook(from: &mut Choices) -> Webhook {
    let methods = [Method::Get, Method::Post, Method::Put, Method::Patch, Method::Delete];
    let (first, count) = (from.below(5), from.below(5));
    let last = methods.len().min(first + 1 + count);
    Webhook {
        path: from.maybe(|from| from.one(&["a", "ci/done", "x-1/y_2/z.3~"]).to_owned()),
        methods: methods[first..last].to_vec(),
        auth: from.maybe(auth).unwrap_or_default(),
        respond: from.word(),
        body_limit_bytes: 1 + u64::from(from.next()),
        rate_per_minute: from.maybe(|from| 1 + u32::from(from.next())),
        tunnel: from.flag(),
    }
}

fn auth(from: &mut Choices) -> WebhookAuth {
    WebhookAuth::Hmac(HmacAuth {
        scheme: from.word(),
        secret: from.name(),
        header: from.maybe(|_| "X-Signature".to_owned()),
        tolerance_seconds: from.maybe(|from| 1 + u32::from(from.next())),
    })
}

fn filesystem(from: &mut Choices) -> Filesystem {
    let usual = Filesystem::default();
    let count = 1 + from.below(4);
    Filesystem {
        paths: vec![from.line()],
        events: usual.events[..count].to_vec(),
        debounce_ms: from.next().into(),
        ignore_patterns: from
            .maybe(|from| from.list(2, Choices::line))
            .unwrap_or(usual.ignore_patterns),
        follow_symlinks: from.flag(),
        depth: from.maybe(|from| from.below(1_000) as u32),
    }
}

fn polling(from: &mut Choices) -> Polling {
    Polling {
        interval_ms: 5_000 + u64::from(from.next()),
        source: source(from),
        deduplication: match from.below(3) {
            0 => Deduplication::Hash,
            1 => Deduplication::Field(from.line()),
            _ => Deduplication::Timestamp(from.line()),
        },
        max_retries: from.below(10) as u32,
        fire_on_first: from.flag(),
    }
}

fn source(from: &mut Choices) -> PollingSource {
    if from.flag() {
        return PollingSource::Plugin {
            plugin_id: from.name(),
            account_id: from.maybe(Choices::name),
            function_name: from.name(),
            args: from.list(2, |from| from.json(2)),
        };
    }
    let mut headers = from.list(2, |from| (from.line(), from.any_text()));
    headers.dedup_by(|a, b| a.0 == b.0);
    PollingSource::Http {
        url: from.line(),
        method: from.one(&["GET", "POST"]).to_owned(),
        headers,
        body: from.maybe(|from| from.json(2)),
    }
}

fn event(from: &mut Choices) -> Event {
    Event {
        source: from.maybe(|from| SourceFlow::Flow(from.name().into())).unwrap_or_default(),
        event: from.word(),
        filter: from.maybe(Choices::object),
    }
}
