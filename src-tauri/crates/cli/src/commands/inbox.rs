//! Items.

use std::io::BufRead;
use std::path::Path;
use std::process::ExitCode;

use devrig_core::id::{ItemId, OperationId};
use devrig_core::{Clock, Error, Result, SystemClock};
use devrig_engine::api::inbox::{
    ActionArgs, HistoryArgs, ImportArgs, Imported, InboxListArgs, ItemArgs, OperateArgs,
    OperationDone, OperationKind, OutboxArgs, Page, Target, UndoArgs, WhenArgs,
};
use devrig_engine::{Api, NoArgs};
use devrig_inbox::{Item, ItemSummary};
use serde_json::json;

use crate::args::{GroupBy, Inbox, Items, Page as PageArgs};
use crate::output::{Output, facts, table};
use crate::time;

pub async fn run(command: Inbox, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Inbox::List { query, page, group } => list(query.join(" "), page, group, api, output).await,
        Inbox::Search { query, page } => {
            list(format!("is:any {}", query.join(" ")), page, None, api, output).await
        }
        Inbox::Show { item } => {
            let item = api.inbox_get(ItemArgs { id: ItemId(item) }).await?;
            output.show(&item, show)
        }
        Inbox::Read(items) => operate(OperationKind::Read, items, api, output).await,
        Inbox::Unread(items) => operate(OperationKind::Unread, items, api, output).await,
        Inbox::Done { items, not } => {
            let kind = if not { OperationKind::NotDone } else { OperationKind::Done };
            operate(kind, items, api, output).await
        }
        Inbox::Snooze { items, until, not } => {
            let kind = match until {
                Some(until) if !not => OperationKind::Snooze {
                    until: api.inbox_when(WhenArgs { text: until }).await?.until,
                },
                _ => OperationKind::Unsnooze,
            };
            operate(kind, items, api, output).await
        }
        Inbox::Star { items, not } => {
            let kind = if not { OperationKind::Unstar } else { OperationKind::Star };
            operate(kind, items, api, output).await
        }
        Inbox::Mute { items, not } => {
            let kind = if not { OperationKind::Unmute } else { OperationKind::Mute };
            operate(kind, items, api, output).await
        }
        Inbox::Label { items, add, remove } => label(items, add, remove, api, output).await,
        Inbox::Priority { items, set } => {
            let priority = match set.as_str() {
                "none" => None,
                text => Some(serde_json::from_value(json!(text)).map_err(|_| {
                    Error::invalid(format!("{text:?} is not a priority"))
                        .hint("Use urgent, high, normal, low, or none.")
                })?),
            };
            operate(OperationKind::SetPriority { priority }, items, api, output).await
        }
        Inbox::Undo { operation } => {
            let operation_id = operation.map(OperationId);
            output.show(&api.inbox_undo(UndoArgs { operation_id }).await?, done)
        }
        Inbox::Redo => output.show(&api.inbox_redo(NoArgs {}).await?, done),
        Inbox::History { page } => history(page, api, output).await,
        Inbox::Stats => {
            let stats = api.inbox_stats(NoArgs {}).await?;
            output.show(&stats, |stats| {
                facts(&[
                    ("inbox", stats.inbox.to_string()),
                    ("unread", stats.unread.to_string()),
                    ("starred", stats.starred.to_string()),
                    ("snoozed", stats.snoozed.to_string()),
                ])
            })
        }
        Inbox::Attention => output.show(&api.inbox_attention(NoArgs {}).await?, |attention| {
            let more = if attention.capped { "+" } else { "" };
            let titles = attention.items.iter().map(|item| format!("\n{}", item.title));
            format!("{}{more}{}", attention.count, titles.collect::<String>())
        }),
        Inbox::Action { item, action, input } => {
            let input = serde_json::from_str(&input).map_err(|error| {
                Error::invalid(format!("--input is not JSON: {error}"))
                    .hint("Write it as '{\"name\": \"value\"}'.")
            })?;
            let args = ActionArgs { item_id: Some(ItemId(item)), account: None, action, input };
            let row = api.inbox_action(args).await?;
            output.show(&row, |row| format!("{} is {} ({})", row.label, row.state.as_str(), row.id))
        }
        Inbox::Outbox { cancel: Some(id), .. } => {
            api.outbox_cancel(OutboxArgs { id }).await?;
            output.done("Cancelled; nothing was sent.")
        }
        Inbox::Outbox { retry: Some(id), .. } => {
            api.outbox_retry(OutboxArgs { id }).await?;
            output.done("It is being sent again.")
        }
        Inbox::Outbox { discard: Some(id), .. } => {
            api.outbox_discard(OutboxArgs { id }).await?;
            output.done("Taken off the list.")
        }
        Inbox::Outbox { .. } => outbox(api, output).await,
        Inbox::Import { file } => import(&file, api, output).await,
    }
}

fn now() -> devrig_core::Timestamp {
    SystemClock::default().now()
}

async fn list(
    query: String,
    page: PageArgs,
    group: Option<GroupBy>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let args =
        InboxListArgs { query, cursor: page.cursor, limit: page.limit, ..Default::default() };
    let page = api.inbox_list(args).await?;
    output.show(&page, |page| rows(page, group))
}

fn rows(page: &Page, group: Option<GroupBy>) -> String {
    if page.items.is_empty() {
        return "Nothing here.".to_owned();
    }
    let mut text = match group {
        None => items(&page.items.iter().collect::<Vec<_>>()),
        Some(by) => {
            let section =
                |(name, of): (String, Vec<_>)| format!("{name} ({})\n{}", of.len(), items(&of));
            grouped(&page.items, by).into_iter().map(section).collect::<Vec<_>>().join("\n\n")
        }
    };
    if let Some(next) = &page.next {
        text.push_str(&format!("\nmore: --cursor {next}"));
    }
    text
}

/// The group of the newest item first, and its items in their order.
fn grouped(items: &[ItemSummary], by: GroupBy) -> Vec<(String, Vec<&ItemSummary>)> {
    let mut groups: Vec<(String, String, Vec<&ItemSummary>)> = Vec::new();
    for item in items {
        let (key, name) = match by {
            GroupBy::Day => (time::day(item.activity_at), time::day(item.activity_at)),
            GroupBy::Repository => {
                let name = item.repo.clone().unwrap_or_else(|| "No repository".to_owned());
                (name.clone(), name)
            }
            GroupBy::Source => (item.account_id.to_string(), item.plugin.clone()),
            // A thread belongs to its account; what has none is one by itself.
            GroupBy::Thread => {
                let thread = item.thread_key.as_ref().map_or_else(
                    || format!("item {}", item.id),
                    |key| format!("{} {key}", item.account_id),
                );
                (thread, item.title.clone())
            }
        };
        match groups.iter_mut().find(|(known, _, _)| *known == key) {
            Some((_, _, of)) => of.push(item),
            None => groups.push((key, name, vec![item])),
        }
    }
    groups.into_iter().map(|(_, name, of)| (name, of)).collect()
}

fn items(items: &[&ItemSummary]) -> String {
    let now = now();
    let rows = items.iter().map(|item| {
        let mark = if item.triage.read_at.is_none() { "●" } else { "" };
        let star = if item.triage.starred_at.is_some() { "★" } else { "" };
        [
            item.id.to_string(),
            format!("{mark}{star}"),
            item.repo.clone().unwrap_or_default(),
            item.title.clone(),
            item.state.clone().unwrap_or_default(),
            time::ago(item.activity_at, now),
        ]
    });
    table(["ITEM", "", "WHERE", "TITLE", "STATE", "WHEN"], rows)
}

fn show(item: &Item) -> String {
    let summary = &item.summary;
    let optional = |text: &Option<String>| text.clone().unwrap_or_default();
    let head = facts(&[
        ("item", summary.id.to_string()),
        ("from", summary.plugin.clone()),
        ("type", summary.kind.clone()),
        ("where", optional(&summary.repo)),
        ("who", optional(&summary.actor)),
        ("why", optional(&summary.reason)),
        ("state", optional(&summary.state)),
        ("labels", [summary.labels.clone(), summary.triage.labels.clone()].concat().join(", ")),
        ("activity", summary.activity_at.to_string()),
        ("page", optional(&summary.source_url)),
    ]);
    format!("{}\n\n{head}\n\n{}", summary.title, item.body)
}

fn target(items: Items) -> Target {
    match items.query {
        Some(query) => Target::Query(query),
        None => Target::Ids(items.ids.into_iter().map(ItemId).collect()),
    }
}

async fn operate(
    operation: OperationKind,
    items: Items,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    let args = OperateArgs { operation, target: target(items) };
    output.show(&api.inbox_operate(args).await?, done)
}

fn done(done: &OperationDone) -> String {
    match &done.operation_id {
        Some(id) => format!("{}: {} changed (operation {id})", done.label, done.changed),
        None => "Nothing to change: every item is so already.".to_owned(),
    }
}

async fn label(
    items: Items,
    add: Vec<String>,
    remove: Vec<String>,
    api: &dyn Api,
    output: Output,
) -> Result<ExitCode> {
    if add.is_empty() && remove.is_empty() {
        return Err(Error::invalid("neither --add nor --remove names a label"));
    }
    let mut code = ExitCode::SUCCESS;
    if !add.is_empty() {
        let kind = OperationKind::AddLabels { labels: add };
        code = operate(kind, items.clone(), api, output).await?;
    }
    if !remove.is_empty() {
        code = operate(OperationKind::RemoveLabels { labels: remove }, items, api, output).await?;
    }
    Ok(code)
}

async fn history(page: PageArgs, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let before = page.cursor.map(OperationId);
    let rows = api.inbox_operations(HistoryArgs { before, limit: page.limit }).await?;
    output.show(&rows, |rows| {
        table(
            ["OPERATION", "WHEN", "WHO", "WHAT", "ITEMS", ""],
            rows.iter().map(|row| {
                [
                    row.id.to_string(),
                    time::ago(row.at, now()),
                    row.actor.as_str().to_owned(),
                    row.label.clone(),
                    row.count.to_string(),
                    if row.undone { "undone" } else { "" }.to_owned(),
                ]
            }),
        )
    })
}

async fn outbox(api: &dyn Api, output: Output) -> Result<ExitCode> {
    let rows = api.outbox_list(NoArgs {}).await?;
    output.show(&rows, |rows| {
        if rows.is_empty() {
            return "Nothing waits.".to_owned();
        }
        table(
            ["ID", "ACTION", "STATE", "ERROR"],
            rows.iter().map(|row| {
                let error = row.error.clone().unwrap_or_default();
                [row.id.clone(), row.label.clone(), row.state.as_str().to_owned(), error]
            }),
        )
    })
}

/// Lines sent in one call.
const BATCH: usize = 2_000;

/// Good lines are stored even when others are wrong; wrong ones are told by line and field.
async fn import(file: &Path, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let mut total = Imported::default();
    let mut wrong: Vec<String> = Vec::new();
    let mut items = Vec::new();
    let mut store = async |items: Vec<devrig_inbox::ItemInput>| -> Result<()> {
        let done = api.inbox_import(ImportArgs { items }).await?;
        total.created += done.created;
        total.updated += done.updated;
        total.unchanged += done.unchanged;
        Ok(())
    };
    for (number, line) in reader(file)?.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        match item(&line) {
            Ok(item) => items.push(item),
            Err(error) => wrong.push(format!("line {}: {}", number + 1, error.message)),
        }
        if items.len() == BATCH {
            store(std::mem::take(&mut items)).await?;
        }
    }
    if !items.is_empty() {
        store(items).await?;
    }
    let report = json!({
        "created": total.created, "updated": total.updated, "unchanged": total.unchanged,
        "wrong": wrong,
    });
    output.show(&report, |_| {
        let Imported { created, updated, unchanged } = total;
        format!("{created} created, {updated} updated, {unchanged} unchanged")
    })?;
    if wrong.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    if !output.json {
        wrong.iter().take(20).for_each(|line| eprintln!("{line}"));
    }
    Err(Error::invalid(format!("{} lines were not stored", wrong.len()))
        .hint("Mend them and import the file again; what is stored already stays as it is."))
}

fn item(line: &str) -> Result<devrig_inbox::ItemInput> {
    let item: devrig_inbox::ItemInput = serde_json::from_str(line)?;
    item.validate(0)?;
    Ok(item)
}

fn reader(file: &Path) -> Result<Box<dyn BufRead>> {
    use devrig_core::Context;
    if file == Path::new("-") {
        return Ok(Box::new(std::io::stdin().lock()));
    }
    let file = std::fs::File::open(file).context(format!("reading {}", file.display()))?;
    Ok(Box::new(std::io::BufReader::new(file)))
}
