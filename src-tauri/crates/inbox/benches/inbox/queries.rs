//! Queries of every operator with common and rare words, fixed ones and random combinations.

use std::time::{Duration, Instant};

use devrig_inbox::{Inbox, ListQuery};

use crate::generate::{Dice, Generator, NEEDLES, PHRASE};
use crate::{cpu, ms, report};

const RUNS: usize = 5;
const RANDOM: usize = 600;

pub async fn measure(
    inbox: &Inbox,
    generator: &Generator,
    verbose: bool,
) -> devrig_core::Result<()> {
    let mut pages = Vec::new();
    for _ in 0..200 {
        pages.push(run(inbox, "").await?);
    }
    report("first page", &mut pages);
    let mut slow = Vec::new();
    let mut all = Vec::new();
    for query in fixed(generator) {
        let mut times = Vec::new();
        for _ in 0..RUNS {
            times.push(run(inbox, &query).await?);
            if times.last().is_some_and(|time| time.as_millis() > 1_000) {
                eprintln!("{:.0} ms  {query}", ms(times[times.len() - 1]));
                break;
            }
        }
        times.sort_unstable();
        all.extend(&times);
        slow.push((times[(times.len() - 1) * 95 / 100], query));
    }
    report("fixed queries", &mut all);
    let mut dice = Dice::new(2_026);
    let mut all = Vec::new();
    for _ in 0..RANDOM {
        let query = random(&mut dice, generator);
        let time = run(inbox, &query).await?;
        all.push(time);
        slow.push((time, query));
    }
    report("random queries", &mut all);
    let mut counts = Vec::new();
    let mut dice = Dice::new(2_027);
    for _ in 0..100 {
        let query = random(&mut dice, generator);
        let started = Instant::now();
        inbox.count(&query).await?;
        counts.push(started.elapsed());
    }
    report("counts of random queries", &mut counts);
    let mut typed = Vec::new();
    for word in ["deployment", "connection", "the", "server", "文件测试", "zqneedle"] {
        for end in 1..=word.chars().count() {
            let query = word.chars().take(end).collect();
            let ask = ListQuery { query, limit: 50, typing: true, ..ListQuery::default() };
            let time = ask_once(inbox, &ask).await?;
            typed.push(time);
            slow.push((time, format!("{} (typing)", ask.query)));
        }
    }
    report("typing, each letter", &mut typed);
    slow.sort_unstable_by(|a, b| b.cmp(a));
    for (time, query) in slow.iter().take(if verbose { 40 } else { 15 }) {
        println!("    {:>8.2} ms  {query}", ms(*time));
    }
    planted(inbox).await
}

/// Words whose number of items is known are found in exactly those.
async fn planted(inbox: &Inbox) -> devrig_core::Result<()> {
    let total = u64::from(inbox.stats().await?.total);
    let planted = NEEDLES.iter().map(|(word, every)| ((*word).to_owned(), *every, every / 2));
    let phrase = (format!("\"{}\"", PHRASE.0), PHRASE.1, PHRASE.1 / 3);
    for (word, every, first) in planted.chain([phrase]) {
        let expected = (total + every - 1 - first) / every;
        let found = inbox.count(&format!("is:any {word}")).await?;
        assert_eq!(u64::from(found.count), expected, "{word}");
    }
    Ok(())
}

async fn run(inbox: &Inbox, query: &str) -> devrig_core::Result<Duration> {
    let ask = ListQuery { query: query.to_owned(), limit: 50, ..ListQuery::default() };
    ask_once(inbox, &ask).await
}

async fn ask_once(inbox: &Inbox, ask: &ListQuery) -> devrig_core::Result<Duration> {
    let (started, before) = (Instant::now(), cpu());
    inbox.list(ask).await?;
    let (wall, cpu) = (started.elapsed(), cpu() - before);
    // For finding out what a query costs on a machine that others use.
    Ok(if std::env::var_os("INBOX_BENCH_CPU").is_some() { cpu } else { wall })
}

fn fixed(generator: &Generator) -> Vec<String> {
    let words = [
        "the",
        "deploy",
        "zqneedleone",
        "zqneedlehundred",
        "zqneedletenthousand",
        "文件",
        "文",
        "データベース",
        "\"of the\"",
        "\"copper lantern harbour\"",
        "deplo*",
        "größe",
        "修复文件",
        "\"the the the\"",
        "absentword",
    ];
    let mut operators = vec![String::new()];
    operators.extend(
        [
            "is:any",
            "is:unread",
            "is:read",
            "is:done",
            "is:snoozed",
            "is:starred",
            "is:muted",
            "is:actionable",
            "is:starred is:unread",
            "is:done is:unread",
            "-is:done -is:snoozed",
            "from:github",
            "from:ci,linear",
            "type:pull_request",
            "type:release is:any",
            "reason:mention",
            "label:server",
            "-label:server",
            "priority:urgent",
            "priority:normal is:any",
            "state:open",
            "older:2y",
            "newer:1y",
            "newer:2d",
            "older:4y is:any",
            "older:3y newer:4y",
            "has:link",
            "has:draft",
            "-has:link",
            "type:pull_request from:email",
            "from:ci type:message is:any",
            "is:snoozed older:3y",
            "(is:starred or from:ci)",
            "(is:snoozed or priority:urgent) is:any",
            "-from:github -from:email",
            "is:any -state:open -state:closed",
        ]
        .map(str::to_owned),
    );
    operators.push(format!("repo:{}", generator.repo(0)));
    operators.push(format!("repo:{} is:any", generator.repo(1_400)));
    operators.push(format!("author:{} is:any", generator.person(0)));
    operators.push(format!("-author:{}", generator.person(0)));
    operators.push(format!("author:{} is:done", generator.person(7_000)));
    operators.push("thread:t17".to_owned());
    operators
        .iter()
        .flat_map(|operator| {
            words.iter().map(move |word| format!("{operator} {word}")).chain([operator.clone()])
        })
        .collect()
}

fn random(dice: &mut Dice, generator: &Generator) -> String {
    let mut parts = Vec::new();
    for _ in 0..=dice.below(4) {
        let rank = [3, 30, 300, 3_000, 30_000][dice.below(5)];
        let language = dice.below(8);
        let part = match dice.below(14) {
            0..4 => generator.word(language, dice.below(rank)).to_owned(),
            4 => (*dice.pick(&[
                "is:unread",
                "is:read",
                "is:done",
                "is:any",
                "is:snoozed",
                "is:starred",
            ]))
            .to_owned(),
            5 => (*dice.pick(&["from:github", "from:email", "from:ci", "from:slack,linear"]))
                .to_owned(),
            6 => format!("repo:{}", generator.repo(dice.below(rank.min(1_500)))),
            7 => format!("author:{}", generator.person(dice.below(rank.min(8_000)))),
            8 => (*dice.pick(&["type:issue", "type:message", "type:release", "type:comment"]))
                .to_owned(),
            9 => (*dice.pick(&[
                "priority:high",
                "priority:low,urgent",
                "state:open",
                "reason:author",
            ]))
            .to_owned(),
            10 => format!("older:{}d", 1 + dice.below(1_800)),
            11 => format!("newer:{}d", 1 + dice.below(1_800)),
            12 => format!(
                "\"{} {}\"",
                generator.word(language, dice.below(rank)),
                generator.word(language, dice.below(rank))
            ),
            _ => (*dice.pick(&["is:actionable", "has:label", "label:server,client", "has:link"]))
                .to_owned(),
        };
        let part = if dice.below(6) == 0 { format!("-{part}") } else { part };
        parts.push(part);
    }
    let between = if dice.below(8) == 0 { " or " } else { " " };
    parts.join(between)
}
