//! Plays sound files with what the system has.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use devrig_core::{Code, Result};
use devrig_process::{ChildSpec, RunLimits, find_program};
use tokio_util::sync::CancellationToken;

/// A sound that takes longer is ended.
const LONGEST: Duration = Duration::from_secs(10);
/// Programs that play a file, with what they are told before its name; the first that is there.
const PROGRAMS: [(&str, &[&str]); 5] = [
    ("pw-play", &[]),
    ("paplay", &[]),
    ("afplay", &[]),
    ("ffplay", &["-nodisp", "-autoexit", "-loglevel", "error"]),
    ("aplay", &["-q"]),
];
/// How they find the session's sound server.
const VARIABLES: [&str; 6] = [
    "DBUS_SESSION_BUS_ADDRESS",
    "HOME",
    "PIPEWIRE_REMOTE",
    "PULSE_SERVER",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
];

/// Where programs and sounds are looked for.
#[derive(Debug, Clone)]
pub struct Player {
    /// As `PATH` has it.
    pub programs: OsString,
    /// Folders of sounds by name.
    pub sounds: Vec<PathBuf>,
    /// What a sound may take.
    pub longest: Duration,
}

/// What became of a sound.
pub(super) enum Played {
    With(&'static str),
    Not(String),
}

impl Player {
    /// That of this machine.
    pub fn system() -> Self {
        let themes = std::env::var_os("XDG_DATA_DIRS").filter(|folders| !folders.is_empty());
        let themes = themes.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
        let sounds = std::env::split_paths(&themes)
            .filter(|folder| folder.is_absolute())
            .map(|folder| folder.join("sounds/freedesktop/stereo"));
        Self {
            programs: std::env::var_os("PATH").unwrap_or_default(),
            sounds: sounds.collect(),
            longest: LONGEST,
        }
    }

    /// The file of a sound in the theme.
    pub(super) fn named(&self, name: &str) -> Option<PathBuf> {
        let kinds = ["oga", "ogg", "wav"];
        let files = self
            .sounds
            .iter()
            .flat_map(|folder| kinds.iter().map(move |kind| folder.join(format!("{name}.{kind}"))));
        files.into_iter().find(|file| file.is_file())
    }

    /// Plays it to its end.
    ///
    /// # Errors
    /// `CANCELLED`.
    pub(super) async fn play(&self, file: &Path, cancel: &CancellationToken) -> Result<Played> {
        let found = PROGRAMS
            .iter()
            .find_map(|(name, args)| Some((*name, *args, find_program(name, &self.programs)?)));
        let Some((name, args, program)) = found else {
            let names: Vec<&str> = PROGRAMS.iter().map(|(name, _)| *name).collect();
            return Ok(Played::Not(format!("none of {} is installed", names.join(", "))));
        };
        let mut spec = ChildSpec::new(program).args(args.iter().copied()).arg(file);
        for variable in VARIABLES {
            if let Some(value) = std::env::var_os(variable) {
                spec = spec.env(variable, value);
            }
        }
        let limits = RunLimits { timeout: self.longest, ..RunLimits::default() };
        let ran = devrig_process::run(spec, limits, cancel).await;
        match ran.and_then(|output| output.checked(name)) {
            Ok(_) => Ok(Played::With(name)),
            Err(error) if error.code == Code::Timeout => Ok(Played::With(name)),
            Err(error) if error.code == Code::Cancelled => Err(error),
            Err(error) => Ok(Played::Not(error.message)),
        }
    }
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A machine whose only player is this script.
    fn machine(script: &str) -> (tempfile::TempDir, Player) {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("aplay");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        std::fs::write(folder.path().join("bell.oga"), "sound").unwrap();
        let player = Player {
            programs: folder.path().into(),
            sounds: vec!["/nowhere".into(), folder.path().into()],
            longest: Duration::from_millis(300),
        };
        (folder, player)
    }

    async fn played(player: &Player) -> Result<Played> {
        let file = player.named("bell").unwrap();
        player.play(&file, &CancellationToken::new()).await
    }

    #[tokio::test]
    async fn a_sound_is_played_by_what_is_there() {
        let (folder, player) = machine("echo \"$@\" > \"$(dirname \"$0\")/told\"");
        assert!(matches!(played(&player).await, Ok(Played::With("aplay"))));
        let told = std::fs::read_to_string(folder.path().join("told")).unwrap();
        assert_eq!(told.trim(), format!("-q {}", folder.path().join("bell.oga").display()));
        assert_eq!(player.named("no-such-sound"), None);
    }

    #[tokio::test]
    async fn one_that_does_not_end_is_ended_and_one_that_fails_says_why() {
        let (_folder, player) = machine("exec /bin/sleep 60");
        let begun = std::time::Instant::now();
        assert!(matches!(played(&player).await, Ok(Played::With(_))));
        assert!(begun.elapsed() < Duration::from_secs(10));
        let (_folder, player) = machine("echo no device >&2; exit 1");
        let Ok(Played::Not(why)) = played(&player).await else { panic!("it failed") };
        assert!(why.contains("no device"), "{why}");
    }

    #[tokio::test]
    async fn a_machine_without_a_player_says_so() {
        let (_folder, player) = machine("");
        let silent = Player { programs: "/nowhere".into(), ..player };
        let Ok(Played::Not(why)) = played(&silent).await else { panic!("nothing plays it") };
        assert!(why.contains("none of pw-play"), "{why}");
        let cancel = CancellationToken::new();
        cancel.cancel();
        let (_folder, player) = machine("");
        let file = player.named("bell").unwrap();
        assert!(player.play(&file, &cancel).await.is_err());
    }
}
