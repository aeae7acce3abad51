//! The page that says everything that flows can be made of, written from what DevRig itself tells.

use std::fmt::Write;

use devrig_core::Result;
use devrig_engine::api::expr::{ExprHelper, ExprTerm};
use devrig_engine::api::flow::{Effect, Field, FlowAction, Part, fields};
use devrig_engine::{Api, NoArgs};
use serde_json::Value;

const HEAD: &str = "\
# What flows are made of

This page is generated; [flows](flows.md) and [expressions](expressions.md) tell how to use what is listed here.
`devrig flow triggers`, `devrig flow actions` and `devrig expr helpers` print the same.

- [Triggers](#triggers)
- [Nodes and edges](#nodes-and-edges)
- [Actions](#actions)
- [Settings of a flow](#settings-of-a-flow)
- [Templates](#templates)
- [Conditions](#conditions)
";

/// The page as it should be.
///
/// # Errors
/// What the calls meet.
pub async fn page(api: &dyn Api) -> Result<String> {
    let format = api.flow_format(NoArgs {}).await?;
    let mut page = Page(HEAD.to_owned());
    page.section("Triggers", "Every trigger has these fields:");
    page.fields(&format.every_trigger);
    format.triggers.iter().for_each(|part| page.part(part));
    page.section("Nodes and edges", "Every node has these fields:");
    page.fields(&format.every_node);
    format.nodes.iter().for_each(|part| page.part(part));
    page.line("### Edges");
    page.fields(&format.edge);
    page.section(
        "Actions",
        "The texts of a `config` are templates, unless it is said that a field is not. An action that \
         writes is done again after a crash where that is the same as once; otherwise the run asks.",
    );
    api.flow_actions(NoArgs {}).await?.iter().for_each(|action| page.action(action));
    page.section("Settings of a flow", "In the field `settings`:");
    page.fields(&format.settings);
    let expressions = api.expr_reference(NoArgs {}).await?;
    page.section("Templates", "Blocks:");
    page.helpers(&expressions.blocks);
    page.line("Helpers, which can stand in each other between parentheses:");
    page.helpers(&expressions.helpers);
    page.section("Conditions", "Types of conditions:");
    page.terms(&expressions.conditions);
    for (title, terms) in [
        ("Values that they look at:", &expressions.values),
        ("Operators of `compare`:", &expressions.operators),
        ("What `cast` makes of a value:", &expressions.casts),
    ] {
        page.line(title);
        page.terms(terms);
    }
    Ok(page.0)
}

struct Page(String);

impl Page {
    fn line(&mut self, text: &str) {
        // Writing into a text cannot fail.
        let _ = write!(self.0, "\n{text}\n");
    }

    fn section(&mut self, title: &str, text: &str) {
        self.line(&format!("## {title}"));
        self.line(text);
    }

    fn part(&mut self, part: &Part) {
        self.line(&format!("### {}: `{}`", part.title, part.name));
        if !part.about.is_empty() {
            self.line(&part.about);
        }
        self.fields(&part.fields);
    }

    fn action(&mut self, action: &FlowAction) {
        self.line(&format!("### {}: `{}`", action.title, action.name));
        self.line(&action.text);
        self.line(&format!("Effect: {}.", effect(action)));
        self.fields(&fields::of(&action.input));
        self.line(&format!("Gives {}.", output(&action.output)));
        self.fields(&fields::of(&action.output));
        self.line("```json");
        self.0.truncate(self.0.trim_end().len());
        let _ = write!(self.0, "\n{:#}\n```\n", action.example);
    }

    fn fields(&mut self, fields: &[Field]) {
        let rows = fields.iter().map(|field| {
            let need = match (&field.default, field.required) {
                (_, true) => "needed".to_owned(),
                (Some(default), _) => format!("`{default}`"),
                (None, _) => String::new(),
            };
            [format!("`{}`", field.name), field.kind.clone(), need, field.about.clone()]
        });
        self.table(["field", "is", "default", ""], rows);
    }

    fn helpers(&mut self, helpers: &[ExprHelper]) {
        let rows = helpers.iter().map(|helper| {
            let (template, gives) = &helper.example;
            let example = format!("`{template}` gives `{gives}`");
            [format!("`{}`", helper.usage), helper.about.clone(), example]
        });
        self.table(["written", "gives", "example"], rows);
    }

    fn terms(&mut self, terms: &[ExprTerm]) {
        let rows = terms.iter().map(|term| {
            let fields: Vec<String> =
                term.fields.iter().map(|field| format!("`{field}`")).collect();
            [format!("`{}`", term.name), fields.join(", "), term.about.clone()]
        });
        self.table(["name", "fields", ""], rows);
    }

    fn table<const N: usize>(&mut self, head: [&str; N], rows: impl Iterator<Item = [String; N]>) {
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            return;
        }
        let _ = write!(self.0, "\n| {} |\n|{}\n", head.join(" | "), "---|".repeat(N));
        for row in rows {
            let cells = row.map(|cell| cell.replace('|', "\\|").replace('\n', " "));
            let _ = writeln!(self.0, "| {} |", cells.join(" | "));
        }
    }
}

fn effect(action: &FlowAction) -> &'static str {
    match action.effect {
        Effect::Pure => "none",
        Effect::Read => "reads",
        Effect::Write if action.idempotent => "writes; may be repeated",
        Effect::Write => "writes",
    }
}

/// In words; its fields follow.
fn output(schema: &Value) -> String {
    let whole = serde_json::json!({ "properties": { "output": schema }, "$defs": schema["$defs"] });
    let kind = fields::of(&whole).into_iter().next().map(|field| field.kind);
    match schema["description"].as_str() {
        Some(about) => {
            format!("{}: {about}", kind.unwrap_or_default()).trim_end_matches('.').into()
        }
        None => kind.unwrap_or_default(),
    }
}
