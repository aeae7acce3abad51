//! The times that three other cron libraries give, in seven time zones and around their changes of
//! the clock.

use devrig_core::Timestamp;
use devrig_expr::Schedule;

struct Vector<'t> {
    pattern: &'t str,
    zone: &'t str,
    start: Timestamp,
    next: Vec<Timestamp>,
}

fn vectors(text: &str) -> Vec<Vector<'_>> {
    text.lines().filter(|line| !line.starts_with('#')).map(vector).collect()
}

fn vector(line: &str) -> Vector<'_> {
    let parts: Vec<&str> = line.split(';').collect();
    let [pattern, zone, start, seconds] = parts[..] else { panic!("{line} has four parts") };
    let start: Timestamp = start.parse().unwrap();
    let mut last = start.as_ms();
    let mut later = |seconds: &str| {
        last += seconds.parse::<i64>().unwrap() * 1_000;
        Timestamp::from_ms(last)
    };
    Vector { pattern, zone, start, next: seconds.split(' ').map(&mut later).collect() }
}

fn check(vectors: &[Vector<'_>]) {
    for vector in vectors {
        let Vector { pattern, zone, start, next } = vector;
        let schedule = Schedule::parse(pattern, zone).unwrap();
        assert_eq!(
            &schedule.upcoming(*start, next.len()),
            next,
            "{pattern} in {zone} from {start}"
        );
    }
}

#[test]
fn every_time_that_the_others_agree_on_is_ours() {
    let agreed = vectors(include_str!("cron/agreed.txt"));
    assert_eq!(agreed.len(), 1_543);
    check(&agreed);
}

/// Where they differ we are on croner's side, which is the rule that `Schedule` documents:
///
/// - A time of day in a gap fires when the gap ends. croniter says so too; cron-parser keeps the
///   minutes (02:30 becomes 03:30), so that a job of 02:15 would come after one of 03:00.
/// - Times that repeat do not fire in a gap. croniter fires once at its end, cron-parser an hour
///   later for each.
/// - A time of day that comes twice fires the first time. cron-parser says so too; croniter fires
///   twice, which would send a daily report twice.
/// - Times that repeat fire in both passes. croniter says so too; cron-parser leaves the second
///   out, so that an hour of work would be missing.
/// - In the zone of Lord Howe, whose gap is half an hour, cron-parser gives up with an error.
#[test]
fn where_the_others_differ_a_time_of_day_fires_once_and_the_rest_by_the_clock() {
    let disputed = vectors(include_str!("cron/disputed.txt"));
    assert_eq!(disputed.len(), 25);
    check(&disputed);
}
