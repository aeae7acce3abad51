//! The colour that the window has before its page has painted.
//!
//! The chosen theme lives in the database, which opens later than the window; a small file keeps
//! the last choice so that a dark window never flashes white.

use devrig_core::{Context, Error, Result};
use devrig_engine::Home;
use serde::{Deserialize, Serialize};
use tauri::window::Color;
use tauri::{Theme, WebviewWindow};

/// What the person chose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, specta::Type)]
#[serde(rename_all = "lowercase")]
pub enum Choice {
    #[default]
    System,
    Light,
    Dark,
}

impl Choice {
    /// As the last run left it.
    pub fn last(home: &Home) -> Self {
        std::fs::read(file(home))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// `None` follows the system.
    pub fn theme(self) -> Option<Theme> {
        match self {
            Choice::System => None,
            Choice::Light => Some(Theme::Light),
            Choice::Dark => Some(Theme::Dark),
        }
    }

    /// The background of the shell, `bg0` of the page's tokens.
    pub fn color(self) -> Color {
        match self {
            Choice::Light => Color(0xF6, 0xF7, 0xF9, 0xFF),
            Choice::System | Choice::Dark => Color(0x0F, 0x12, 0x16, 0xFF),
        }
    }
}

fn file(home: &Home) -> std::path::PathBuf {
    home.data().join("theme.json")
}

/// Gives the window the theme now, and at its next start.
pub fn apply(window: &WebviewWindow, choice: Choice) -> Result<()> {
    let shown = window
        .set_theme(choice.theme())
        .and_then(|()| window.set_background_color(Some(choice.color())));
    if let Err(error) = shown {
        return Err(Error::internal(format!("the window could not change its theme: {error}")));
    }
    let home = Home::from_environment()?;
    std::fs::write(file(&home), serde_json::to_vec(&choice)?).context("keeping the theme")
}
