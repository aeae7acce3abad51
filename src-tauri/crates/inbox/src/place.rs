//! An item's place in the order: its newest activity, then the order of arrival.

use devrig_core::{Error, Result};

const LOW_BITS: u32 = 20;
/// The year 2248; later activity cannot happen, as it is never later than now.
const LAST_MS: i64 = 1 << 43;

pub(crate) const FIRST: i64 = 0;
pub(crate) const LAST: i64 = i64::MAX;

/// The place of item `no` whose newest activity was at `ms`.
pub(crate) fn position(ms: i64, no: i64) -> i64 {
    first_at(ms) | (no & ((1 << LOW_BITS) - 1))
}

/// The first place of that millisecond.
pub(crate) fn first_at(ms: i64) -> i64 {
    ms.clamp(0, LAST_MS - 1) << LOW_BITS
}

pub(crate) fn activity_ms(position: i64) -> i64 {
    position >> LOW_BITS
}

/// As cursors and rows show it; text order is position order.
pub(crate) fn to_text(position: i64) -> String {
    format!("{position:016x}")
}

/// # Errors
/// `INVALID_INPUT` for anything that [`to_text`] did not write.
pub(crate) fn from_text(text: &str) -> Result<i64> {
    let plain = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
    i64::from_str_radix(text, 16).ok().filter(|_| plain).ok_or_else(|| {
        Error::invalid("this cursor is not one that a list gave").hint("Begin at the first page.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_activity_comes_later_whatever_the_item() {
        assert!(position(5, 0) > position(4, (1 << 20) - 1));
        assert_eq!(activity_ms(position(1_763_630_999_123, 7_654_321)), 1_763_630_999_123);
        assert!(position(i64::MAX, -1) > 0);
    }

    #[test]
    fn cursors_sort_as_positions_and_others_are_refused() {
        let (a, b) = (position(1, 9), position(1 << 40, 1));
        assert!(to_text(a) < to_text(b));
        assert_eq!(from_text(&to_text(b)).unwrap(), b);
        for text in ["", "1", "zzzzzzzzzzzzzzzz", "ffffffffffffffff", "+000000000000001"] {
            assert!(from_text(text).is_err(), "{text}");
        }
    }
}
