//! Tables and sentences for people, JSON for scripts.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::{Attribute, Cell, Color, ContentArrangement, Table, presets};
use devrig_core::{Error, Result};
use indicatif::ProgressBar;
use serde::Serialize;
use serde_json::Value;

use crate::problems;

/// How answers are printed.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    pub json: bool,
}

impl Output {
    /// The answer as JSON, or what `people` makes of it.
    pub fn show<T: Serialize>(
        self,
        answer: &T,
        people: impl FnOnce(&T) -> String,
    ) -> Result<ExitCode> {
        let text = match self.json {
            true => serde_json::to_string_pretty(&whole(serde_json::to_value(answer)?))?,
            false => people(answer),
        };
        line(&text);
        Ok(ExitCode::SUCCESS)
    }

    /// A sentence, or `{"ok": true}`.
    pub fn done(self, sentence: &str) -> Result<ExitCode> {
        self.show(&serde_json::json!({"ok": true}), |_| sentence.to_owned())
    }

    /// The error on standard error; as JSON where that was asked for.
    pub fn failed(self, error: &Error) -> ExitCode {
        if self.json {
            let text = serde_json::to_string_pretty(&serde_json::json!({"error": error}));
            eprintln!("{}", text.unwrap_or_else(|_| error.message.clone()));
        } else {
            eprintln!("devrig: {}", problems::told(error));
        }
        ExitCode::FAILURE
    }
}

/// Counts and spans without a fraction: the window's numbers are floats, as JavaScript has them.
fn whole(value: Value) -> Value {
    /// Beyond it a float skips integers.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < EXACT => {
                Value::from(float as i64)
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(whole).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, field)| (name, whole(field))).collect()
        }
        other => other,
    }
}

/// A reader that has gone away, such as `head`, is no failure.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Text of unknown origin as one line, without anything that a terminal would obey.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// A value as one short line.
pub fn brief(value: &Value) -> String {
    const MOST: usize = 80;
    let text = value.to_string();
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", one_line(&text[..end])),
        None => one_line(&text),
    }
}

/// A table without lines, as wide as the terminal.
pub fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    let colours = colours();
    let bold = |name: &str| match colours {
        true => Cell::new(name).add_attribute(Attribute::Bold),
        false => Cell::new(name),
    };
    table.load_style(presets::NOTHING).set_header(head.map(bold));
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        let cells =
            row.into_iter().zip(head).map(|(text, name)| match (tone(name, &text), colours) {
                (Some(tone), true) => Cell::new(text).fg(tone),
                _ => Cell::new(text),
            });
        table.add_row(cells);
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
}

/// People get colours on a terminal, unless they said otherwise (no-color.org).
fn colours() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty())
}

/// States that are worth a second look stand out; the word says the same without the colour.
fn tone(column: &str, text: &str) -> Option<Color> {
    if !matches!(column, "STATE" | "STATUS") {
        return None;
    }
    match text {
        "active" | "completed" | "sent" | "merged" | "open" => Some(Color::Green),
        "error" | "failed" | "dead" | "quarantined" | "needs_decision" => Some(Color::Red),
        "waiting" | "queued" | "running" | "pending" | "installed" | "sending" | "syncing" => {
            Some(Color::Yellow)
        }
        _ => None,
    }
}

/// Shown on a terminal while something takes long; nothing where nobody watches.
pub struct Progress(Option<ProgressBar>);

impl Progress {
    pub fn start(output: Output, what: &str) -> Self {
        if output.json || !std::io::stderr().is_terminal() {
            return Self(None);
        }
        let bar = ProgressBar::new_spinner();
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(std::time::Duration::from_millis(120));
        Self(Some(bar))
    }

    pub fn say(&self, what: String) {
        if let Some(bar) = &self.0 {
            bar.set_message(what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// One fact a line, names aligned.
pub fn facts(facts: &[(&str, String)]) -> String {
    let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    facts
        .iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name:width$}  {value}"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::whole;

    #[test]
    fn whole_numbers_are_printed_without_a_fraction() {
        let told = whole(json!({"count": 3.0, "rate": 0.5, "far": 1e300, "n": [7, -2.0]}));
        assert_eq!(told.to_string(), r#"{"count":3,"rate":0.5,"far":1e+300,"n":[7,-2]}"#);
    }
}
