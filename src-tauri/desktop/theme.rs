//! The colour that the window has before its page has painted.
//!
//! The chosen theme lives in the database, which opens later than the window; a small file keeps
//! the last choice so that a dark window never flashes white.

use devrig_engine::Home;
use tauri::Theme;
use tauri::window::Color;

/// The background of the shell, `bg0` of the window's tokens.
#[derive(Debug, Clone, Copy)]
pub struct Background {
    /// `None` follows the system.
    pub theme: Option<Theme>,
}

/// As the last run left it.
pub fn background(home: &Home) -> Background {
    let theme = match std::fs::read_to_string(home.data().join("theme")).as_deref() {
        Ok("dark") => Some(Theme::Dark),
        Ok("light") => Some(Theme::Light),
        _ => None,
    };
    Background { theme }
}

impl Background {
    pub fn color(self) -> Color {
        match self.theme {
            Some(Theme::Light) => Color(0xF6, 0xF7, 0xF9, 0xFF),
            _ => Color(0x0F, 0x12, 0x16, 0xFF),
        }
    }

    /// Tells the page which theme to begin with, before its first script.
    pub fn script(self) -> String {
        let theme = match self.theme {
            Some(Theme::Light) => "light",
            Some(Theme::Dark) => "dark",
            _ => "system",
        };
        format!("window.__DEVRIG_THEME__ = {theme:?};")
    }
}
