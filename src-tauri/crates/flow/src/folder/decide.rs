//! Which way to go for a file and its flow: a plain function of what both were when they were the
//! same, and what they are now.

use super::FileState;

/// What is known of a file from before.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Known {
    pub state: Option<FileState>,
    /// Whether it ever was a flow.
    pub linked: bool,
    /// When both were the same.
    pub version: Option<i64>,
    pub digest: Option<String>,
    /// What was last read, right or wrong.
    pub seen: Option<String>,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Nothing,
    /// The file is read, and what it says saved.
    Read,
    /// The same, and the flow was changed here, too.
    ReadBoth,
    /// The flow is written into the file.
    Write,
    /// It is said that the file is gone.
    TellGone,
    /// It is said that the flow was deleted here.
    TellForgotten,
    /// Neither is there.
    Drop,
}

/// `file` is the digest of the file as it is, `latest` the newest version of its flow.
pub(super) fn decide(known: &Known, file: Option<&str>, latest: Option<i64>) -> Step {
    let Some(file) = file else {
        return match (latest, known.state) {
            (None, _) => Step::Drop,
            (Some(_), Some(FileState::Gone)) => Step::Nothing,
            (Some(_), _) => Step::TellGone,
        };
    };
    let unread = known.seen.as_deref() != Some(file);
    let edited = known.digest.as_deref() != Some(file);
    match (latest, edited) {
        (None, _) if unread => Step::Read,
        (None, _) if known.linked && known.state != Some(FileState::Forgotten) => {
            Step::TellForgotten
        }
        (None, _) => Step::Nothing,
        // Broken, and told: the person's text is not written over.
        (Some(_), true) if !unread => Step::Nothing,
        (Some(latest), true) if known.digest.is_some() && known.version != Some(latest) => {
            Step::ReadBoth
        }
        (Some(_), true) => Step::Read,
        (Some(latest), false) if known.version != Some(latest) => Step::Write,
        // It is back, as it was.
        (Some(_), false) if known.state == Some(FileState::Gone) => Step::Read,
        (Some(_), false) => Step::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn same(version: i64, digest: &str) -> Known {
        Known {
            state: Some(FileState::Same),
            linked: true,
            version: Some(version),
            digest: Some(digest.to_owned()),
            seen: Some(digest.to_owned()),
        }
    }

    #[test]
    fn what_changed_since_both_were_the_same_says_which_way_to_go() {
        let known = same(3, "a");
        for (file, latest, step) in [
            (Some("a"), Some(3), Step::Nothing),
            (Some("b"), Some(3), Step::Read),
            (Some("a"), Some(4), Step::Write),
            (Some("b"), Some(4), Step::ReadBoth),
            (None, Some(3), Step::TellGone),
            (None, Some(4), Step::TellGone),
            (Some("a"), None, Step::TellForgotten),
            (Some("b"), None, Step::Read),
            (None, None, Step::Drop),
        ] {
            assert_eq!(decide(&known, file, latest), step, "{file:?} {latest:?}");
        }
    }

    #[test]
    fn a_new_file_is_read_whether_its_flow_is_there_or_not() {
        let unknown = Known::default();
        assert_eq!(decide(&unknown, Some("a"), None), Step::Read);
        assert_eq!(decide(&unknown, Some("a"), Some(7)), Step::Read);
    }

    #[test]
    fn a_broken_file_is_not_written_over_and_read_once() {
        let broken =
            Known { state: Some(FileState::Broken), seen: Some("b".into()), ..same(3, "a") };
        assert_eq!(decide(&broken, Some("b"), Some(3)), Step::Nothing);
        assert_eq!(decide(&broken, Some("b"), Some(4)), Step::Nothing);
        assert_eq!(decide(&broken, Some("c"), Some(4)), Step::ReadBoth);
        // Put back to what it was.
        assert_eq!(decide(&broken, Some("a"), Some(4)), Step::Write);
        let never = Known { seen: Some("b".into()), ..Known::default() };
        assert_eq!(decide(&never, Some("b"), None), Step::Nothing);
        assert_eq!(decide(&never, Some("c"), None), Step::Read);
    }

    #[test]
    fn what_is_gone_or_forgotten_is_told_once_and_can_come_back() {
        let gone = Known { state: Some(FileState::Gone), ..same(3, "a") };
        assert_eq!(decide(&gone, None, Some(5)), Step::Nothing);
        assert_eq!(decide(&gone, Some("a"), Some(3)), Step::Read);
        assert_eq!(decide(&gone, Some("a"), Some(5)), Step::Write);
        let forgotten = Known { state: Some(FileState::Forgotten), ..same(3, "a") };
        assert_eq!(decide(&forgotten, Some("a"), None), Step::Nothing);
        assert_eq!(decide(&forgotten, Some("b"), None), Step::Read);
    }
}
