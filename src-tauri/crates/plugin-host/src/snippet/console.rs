//! What the console of one run has written.

use std::cell::{Cell, RefCell};

use devrig_core::protocol::LogLevel;
use devrig_core::snippet::{ConsoleLine, MAX_CONSOLE, MAX_CONSOLE_LINES};

/// Longest line, in bytes.
const LONGEST: usize = 8 * 1024;

#[derive(Default)]
pub struct Console {
    lines: RefCell<Vec<ConsoleLine>>,
    bytes: Cell<usize>,
    full: Cell<bool>,
}

impl Console {
    /// Keeps a line while there is room.
    pub fn write(&self, level: LogLevel, text: &str) {
        if self.full.get() {
            return;
        }
        let text = &text[..text.floor_char_boundary(LONGEST)];
        let mut lines = self.lines.borrow_mut();
        self.bytes.set(self.bytes.get() + text.len());
        if self.bytes.get() > MAX_CONSOLE || lines.len() >= MAX_CONSOLE_LINES - 1 {
            self.full.set(true);
            let text = "(the console is full; the rest is dropped)".to_owned();
            lines.push(ConsoleLine { level: LogLevel::Warn, text });
            return;
        }
        lines.push(ConsoleLine { level, text: text.to_owned() });
    }

    /// The lines as JSON, empty when there are none; forgets them.
    pub fn take(&self) -> String {
        self.full.set(false);
        self.bytes.set(0);
        let lines = self.lines.take();
        if lines.is_empty() {
            return String::new();
        }
        serde_json::to_string(&lines).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_console_says_so_and_the_next_run_has_an_empty_one() {
        let console = Console::default();
        for text in ["x".repeat(100_000), "y".repeat(10)] {
            (0..1000).for_each(|_| console.write(LogLevel::Info, &text));
            let lines: Vec<ConsoleLine> = serde_json::from_str(&console.take()).unwrap();
            assert!(lines.len() <= MAX_CONSOLE_LINES);
            assert!(lines.iter().map(|line| line.text.len()).sum::<usize>() <= MAX_CONSOLE + 100);
            assert!(lines.last().unwrap().text.contains("is full"));
            assert_eq!(console.take(), "");
        }
        console.write(LogLevel::Debug, "é\n");
        assert_eq!(console.take(), r#"[{"level":"debug","text":"é\n"}]"#);
    }
}
