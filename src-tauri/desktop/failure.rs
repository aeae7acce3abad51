//! What a person sees when DevRig cannot start: there is no engine then, and so no page.

use devrig_core::Error;
use tauri::AppHandle;
use tauri_plugin_dialog::{DialogExt, MessageDialogKind};

/// Says what failed and what helps, and ends the app when that was read.
pub fn tell(app: &AppHandle, error: &Error, home: &std::path::Path) {
    tracing::error!(%error, "DevRig did not start");
    let ending = app.clone();
    app.dialog()
        .message(words(error, home))
        .title("DevRig could not start")
        .kind(MessageDialogKind::Error)
        .show(move |_| ending.exit(1));
}

fn words(error: &Error, home: &std::path::Path) -> String {
    let sentence = |text: &str| {
        let mut letters = text.trim_end_matches('.').chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).chain(['.']).collect())
    };
    let parts: [Option<String>; 3] = [
        sentence(&error.message),
        error.hint.as_deref().and_then(sentence),
        Some(format!("Everything that DevRig keeps is in {}.", home.display())),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_failed_what_helps_and_where_things_are() {
        let error = Error::invalid("the database is damaged").hint("Restore a backup.");
        assert_eq!(
            words(&error, std::path::Path::new("/home/kim/.devrig")),
            "The database is damaged.\n\nRestore a backup.\n\nEverything that DevRig keeps is in /home/kim/.devrig."
        );
    }
}
