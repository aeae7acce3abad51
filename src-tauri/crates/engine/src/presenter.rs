//! Notifications through the desktop's own daemon, with or without a window.

use devrig_core::notify::{Notice, OnAnswer, Presenter};

/// Speaks to the notification daemon of the session; a session without one is logged once each.
#[derive(Debug, Default)]
pub struct DesktopPresenter;

impl Presenter for DesktopPresenter {
    fn show(&self, notice: Notice, on_answer: OnAnswer) {
        // The daemon may be slow or absent, and an answer comes when the person gives it.
        std::thread::spawn(move || {
            let title = notice.title.clone();
            if let Err(error) = show(&notice, on_answer) {
                tracing::info!(%error, title, "a notification could not be shown");
            }
        });
    }
}

#[cfg(all(unix, not(target_os = "macos")))]
fn show(notice: &Notice, on_answer: OnAnswer) -> notify_rust::error::Result<()> {
    use devrig_core::notify::{Answer, Urgency};

    let mut notification = plain(notice);
    // Some daemons never draw buttons, so a click on the whole opens.
    notification.action("default", "Open").hint(notify_rust::Hint::DesktopEntry("devrig".into()));
    notification.urgency(match notice.urgency {
        Urgency::Low => notify_rust::Urgency::Low,
        Urgency::Normal => notify_rust::Urgency::Normal,
        Urgency::Critical => notify_rust::Urgency::Critical,
    });
    if let Some(sound) = &notice.sound {
        notification.hint(notify_rust::Hint::SoundName(sound.clone()));
    }
    if notice.item.is_some() {
        notification.action("done", "Done").action("snooze", "Snooze 1 h");
    }
    notification.show()?.wait_for_action(|action| match action {
        "default" => on_answer(Answer::Open),
        "done" => on_answer(Answer::Done),
        "snooze" => on_answer(Answer::Snooze),
        _ => {}
    });
    Ok(())
}

/// Buttons are for daemons that speak the desktop's own protocol.
#[cfg(not(all(unix, not(target_os = "macos"))))]
fn show(notice: &Notice, _: OnAnswer) -> notify_rust::error::Result<()> {
    plain(notice).show().map(drop)
}

fn plain(notice: &Notice) -> notify_rust::Notification {
    let mut notification = notify_rust::Notification::new();
    notification.appname("DevRig").summary(&notice.title).body(&escape(&notice.body));
    notification
}

/// Some daemons render markup without saying so.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
