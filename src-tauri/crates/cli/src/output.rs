//! Tables and sentences for people, JSON for scripts.

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use comfy_table::{ContentArrangement, Table, presets};
use devrig_core::{Error, Result};
use serde::Serialize;

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
        let text = if self.json { serde_json::to_string_pretty(answer)? } else { people(answer) };
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
            eprintln!("devrig: {}", error.message);
            if let Some(hint) = &error.hint {
                eprintln!("{hint}");
            }
        }
        ExitCode::FAILURE
    }
}

/// A reader that has gone away, such as `head`, is no failure.
pub fn line(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// A table without lines, as wide as the terminal.
pub fn table<const N: usize>(
    head: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(head);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(row);
    }
    table.to_string().lines().map(str::trim_end).collect::<Vec<_>>().join("\n")
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
