//! Rules.

use std::process::ExitCode;

use devrig_core::{Error, Result, SystemClock};
use devrig_engine::api::inbox::OperationKind;
use devrig_engine::api::rule::{DryRun, Rule, RuleArgs, RuleDraft, RuleSaveArgs, RuleTryArgs};
use devrig_engine::{Api, NoArgs};

use crate::args::{Rule as Command, RuleSays};
use crate::output::{Output, table};
use crate::time;

pub async fn run(command: Command, api: &dyn Api, output: Output) -> Result<ExitCode> {
    match command {
        Command::List => output.show(&api.rule_list(NoArgs {}).await?, |rules| list(rules)),
        Command::Add { name, says } => {
            let rule = draft(name, &says)?;
            let rule = api.rule_save(RuleSaveArgs { id: None, rule }).await?;
            output.show(&rule, |rule| format!("{} is made: {}", rule.draft.name, rule.words))
        }
        Command::Try { says } => {
            let rule = draft("a trial".to_owned(), &says)?;
            output.show(&api.rule_try(RuleTryArgs { rule }).await?, trial)
        }
        Command::Enable { rule } => toggle(&rule, true, api, output).await,
        Command::Disable { rule } => toggle(&rule, false, api, output).await,
        Command::Delete { rule } => {
            let rule = find(&rule, api).await?;
            api.rule_delete(RuleArgs { id: rule.id }).await?;
            output.done(&format!("{} is deleted.", rule.draft.name))
        }
    }
}

async fn find(wanted: &str, api: &dyn Api) -> Result<Rule> {
    let rules = api.rule_list(NoArgs {}).await?;
    rules.into_iter().find(|rule| rule.id == wanted || rule.draft.name == wanted).ok_or_else(|| {
        Error::not_found(format!("the rule {wanted:?}")).hint("`devrig rule list` shows them.")
    })
}

async fn toggle(wanted: &str, enabled: bool, api: &dyn Api, output: Output) -> Result<ExitCode> {
    let Rule { id, draft, .. } = find(wanted, api).await?;
    let rule = RuleDraft {
        name: draft.name,
        query: draft.query,
        operations: draft.operations,
        snooze: draft.snooze,
        notify: draft.notify,
        enabled,
    };
    let rule = api.rule_save(RuleSaveArgs { id: Some(id), rule }).await?;
    output.show(&rule, |rule| {
        format!("{} is {}.", rule.draft.name, if enabled { "on" } else { "off" })
    })
}

fn draft(name: String, says: &RuleSays) -> Result<RuleDraft> {
    let mut draft = RuleDraft {
        name,
        query: says.query.clone(),
        operations: Vec::new(),
        snooze: None,
        notify: false,
        enabled: true,
    };
    for step in &says.steps {
        let (what, value) = step.split_once('=').unwrap_or((step, ""));
        match (what, value) {
            ("done", "") => draft.operations.push(OperationKind::Done),
            ("read", "") => draft.operations.push(OperationKind::Read),
            ("star", "") => draft.operations.push(OperationKind::Star),
            ("mute", "") => draft.operations.push(OperationKind::Mute),
            ("notify", "") => draft.notify = true,
            ("label", label) if !label.is_empty() => {
                draft.operations.push(OperationKind::AddLabels { labels: vec![label.to_owned()] });
            }
            ("priority", name) => {
                let priority = serde_json::from_value(name.into()).map_err(|_| {
                    Error::invalid(format!("{name:?} is no priority"))
                        .hint("It is urgent, high, normal or low.")
                })?;
                draft.operations.push(OperationKind::SetPriority { priority: Some(priority) });
            }
            ("snooze", when) if !when.is_empty() => draft.snooze = Some(when.to_owned()),
            _ => {
                return Err(Error::invalid(format!("{step:?} is nothing that a rule can do"))
                    .hint(
                        "It can: done, read, star, mute, notify, label=NAME, priority=LEVEL, snooze=WHEN.",
                    ));
            }
        }
    }
    Ok(draft)
}

fn list(rules: &[Rule]) -> String {
    if rules.is_empty() {
        return "There are no rules.".to_owned();
    }
    let now = SystemClock::shared().now();
    let rows = rules.iter().map(|rule| {
        [
            rule.draft.name.clone(),
            if rule.draft.enabled { "on" } else { "off" }.to_owned(),
            rule.words.clone(),
            rule.applied.to_string(),
            rule.applied_at.map(|at| time::ago(at, now)).unwrap_or_default(),
            rule.draft.query.clone(),
        ]
    });
    table(["RULE", "", "DOES", "ITEMS", "LAST", "WHEN"], rows)
}

fn trial(run: &DryRun) -> String {
    let mut text =
        format!("{} of {} matching items would change: {}", run.changing, run.matching, run.words);
    for item in &run.items {
        text.push_str(&format!("\n  {}  {}", item.id, item.title));
    }
    text
}
