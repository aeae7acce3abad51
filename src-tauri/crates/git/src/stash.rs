//! Work that was put aside.

use crate::branches::text;
use crate::files::one_line;
use crate::model::Stash;
use crate::walk::timestamp;

const MOST_STASHES: usize = 100;

/// The newest first. An unreadable log counts as none: git itself would list none.
pub(crate) fn stashes(repo: &gix::Repository) -> Vec<Stash> {
    let Some(reference) = repo.try_find_reference("refs/stash").ok().flatten() else {
        return Vec::new();
    };
    let mut log = reference.log_iter();
    let Some(lines) = log.rev().ok().flatten() else {
        return Vec::new();
    };
    lines
        .map_while(Result::ok)
        .take(MOST_STASHES)
        .zip(0..)
        .map(|(line, index)| {
            let message = one_line(&text(&line.message), 200);
            let branch = branch(&message);
            let time = timestamp(line.signature.time.seconds);
            Stash { index, message, time, branch }
        })
        .collect()
}

/// The branch in `WIP on main: 1234567 subject` or `On main: message`.
fn branch(message: &str) -> Option<String> {
    let rest = message.strip_prefix("WIP on ").or_else(|| message.strip_prefix("On "))?;
    let (name, _) = rest.split_once(": ")?;
    (name != "(no branch)" && !name.contains(' ')).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stash_tells_its_branch() {
        for (message, expected) in [
            ("WIP on main: 1234567 fix", Some("main")),
            ("On feature/x: half of it: done", Some("feature/x")),
            ("WIP on (no branch): 1234567 fix", None),
            ("by hand", None),
        ] {
            assert_eq!(branch(message).as_deref(), expected, "{message}");
        }
    }
}
