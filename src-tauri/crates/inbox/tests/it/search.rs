//! What queries find, against a plain model that looks at every item.

use std::collections::BTreeSet;

use devrig_core::Code;
use devrig_inbox::{ItemInput, ListQuery, OperationKind, Priority};
use proptest::prelude::*;

use crate::rig::{Rig, day, item};

fn text(id: &str, title: &str, body: &str) -> ItemInput {
    ItemInput { title: title.into(), body: Some(body.into()), ..item(id, id.parse().unwrap_or(0)) }
}

#[tokio::test]
async fn words_prefixes_and_phrases_are_found_in_eight_languages() {
    let rig = Rig::new().await;
    rig.store(vec![
        text("1", "Fix: deployment fails", "The quick-brown fox"),
        text("2", "修复文件测试", "会议明天"),
        text("3", "テストサーバーの不具合", "確認お願いします"),
        text("4", "배포 실패했습니다", ""),
        text("5", "Größe der Änderung", "naïve café"),
        text("6", "Ошибка: файл не найден", "срочно"),
        text("7", "la réunion de demain", "¿mañana? São Paulo"),
        text("8", "brown quick", "fails"),
    ])
    .await;
    let cases: [(&str, &[&str]); 24] = [
        ("deployment", &["1"]),
        ("deplo", &[]),
        ("deplo*", &["1"]),
        ("DEPLOYMENT FAILS", &["1"]),
        ("\"quick brown\"", &["1"]),
        ("quick-brown", &["1"]),
        ("quick brown", &["8", "1"]),
        ("\"deployment fails the\"", &[]),
        ("文件", &["2"]),
        ("文件测试", &["2"]),
        ("件", &["2"]),
        ("试", &["2"]),
        ("测文", &[]),
        ("サーバー", &["3"]),
        ("テスト サーバー", &["3"]),
        ("ｻｰﾊﾞｰ", &["3"]),
        ("실패", &["4"]),
        ("실패했", &["4"]),
        ("änderung GROSSE", &[]),
        ("anderung größe", &["5"]),
        ("naive CAFÉ", &["5"]),
        ("файл", &["6"]),
        ("reunion manana", &["7"]),
        ("sao -demain", &[]),
    ];
    for (query, expected) in cases {
        assert_eq!(rig.find(query).await, expected, "{query}");
    }
    let typing = ListQuery { query: "deplo".into(), typing: true, ..ListQuery::default() };
    assert_eq!(rig.inbox.list(&typing).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn no_text_is_syntax_for_the_database() {
    let rig = Rig::new().await;
    rig.store(vec![text("1", "\"quoted\" AND OR NOT NEAR( *", "'; DROP TABLE item; --")]).await;
    for query in [
        "NEAR",
        "AND",
        "NOT",
        "\"DROP TABLE\"",
        "quoted*",
        "';",
        "drop",
        "\"title : x\" or quoted",
        "^quoted",
        "{title}",
        "quoted + and",
        "%",
        "\\",
    ] {
        assert!(rig.inbox.count(query).await.is_ok(), "{query}");
    }
    assert_eq!(rig.find("\"drop table item\"").await, ["1"]);
    assert_eq!(rig.find("=all").await.len(), 0, "terms are no words");
}

#[tokio::test]
async fn attributes_are_compared_whole_and_without_case() {
    let rig = Rig::new().await;
    rig.store(vec![ItemInput {
        kind: "pull_request".into(),
        repo: Some("Acme/API".into()),
        actor: Some("dependabot[bot]".into()),
        reason: Some("review_requested".into()),
        labels: vec!["Good First Issue".into()],
        state: Some("open".into()),
        thread_key: Some("T/1".into()),
        priority: Some(Priority::High),
        is_actionable: Some(true),
        source_url: Some("https://example.com".into()),
        ..item("1", 900)
    }])
    .await;
    for query in [
        "repo:acme/api",
        "repo:api",
        "org:ACME",
        "author:dependabot[bot]",
        "type:pull_request",
        "reason:review_requested",
        "label:\"good first issue\"",
        "state:open,closed",
        "priority:high",
        "is:actionable",
        "has:link",
        "has:label",
        "-has:body",
        "thread:T/1",
        "from:github",
        "from:devrig-plugin-github",
        "from:acc",
        "older:99d",
        "newer:101d",
        "newer:2026-01-01",
        "is:any older:2027-01-01",
    ] {
        assert_eq!(rig.find(query).await, ["1"], "{query}");
    }
    for query in
        ["repo:ac", "author:dependabot", "label:good", "has:draft", "from:git", "older:101d"]
    {
        assert!(rig.find(query).await.is_empty(), "{query}");
    }
    let error = rig.inbox.count("is:unred").await.unwrap_err();
    assert_eq!(
        (error.code, error.details.unwrap()["column"].as_u64()),
        (Code::InvalidQuery, Some(4))
    );
}

/// One of the things a query can ask, and whether an item fulfils it.
#[derive(Debug, Clone)]
enum Ask {
    Word(usize),
    Phrase(usize, usize),
    Repo(usize),
    State(&'static str),
    Older(u8),
    Newer(u8),
    Actionable,
    Not(Box<Ask>),
    All(Vec<Ask>),
    Any(Vec<Ask>),
}

#[derive(Debug, Clone)]
struct Plain {
    words: Vec<usize>,
    repo: usize,
    state: u8,
    at: u8,
    actionable: bool,
}

const WORDS: [&str; 4] = ["alpha", "文件测", "beta", "件测"];

impl Ask {
    fn write(&self) -> String {
        let list = |list: &[Ask], between: &str| {
            format!("({})", list.iter().map(Ask::write).collect::<Vec<_>>().join(between))
        };
        match self {
            Ask::Word(n) => WORDS[*n].to_owned(),
            Ask::Phrase(a, b) => format!("\"{} {}\"", WORDS[*a], WORDS[*b]),
            Ask::Repo(n) => format!("repo:r{n}"),
            Ask::State(name) => format!("is:{name}"),
            Ask::Older(days) => format!("older:{days}d"),
            Ask::Newer(days) => format!("newer:{days}d"),
            Ask::Actionable => "is:actionable".to_owned(),
            Ask::Not(inner) => format!("-{}", inner.write()),
            Ask::All(inner) => list(inner, " "),
            Ask::Any(inner) => list(inner, " or "),
        }
    }

    fn holds(&self, item: &Plain) -> bool {
        let bit = |bit: u8| item.state & bit != 0;
        let text = || {
            let words: Vec<&str> = item.words.iter().map(|n| WORDS[*n]).collect();
            format!(" {} ", words.join(" "))
        };
        match self {
            // A run of Han is found anywhere in a longer one.
            Ask::Word(n) if *n % 2 == 1 => text().contains(WORDS[*n]),
            Ask::Word(n) => item.words.contains(n),
            Ask::Phrase(a, b) => {
                let left = if *a % 2 == 1 { "" } else { " " };
                let right = if *b % 2 == 1 { "" } else { " " };
                text().contains(&format!("{left}{} {}{right}", WORDS[*a], WORDS[*b]))
            }
            Ask::Repo(n) => item.repo == *n,
            Ask::State("read") => bit(1),
            Ask::State("unread") => !bit(1),
            Ask::State("done") => bit(2),
            Ask::State("starred") => bit(4),
            Ask::State("inbox") => !bit(2),
            Ask::State(_) => true,
            Ask::Older(days) => item.at > *days,
            Ask::Newer(days) => item.at <= *days,
            Ask::Actionable => item.actionable,
            Ask::Not(inner) => !inner.holds(item),
            Ask::All(inner) => inner.iter().all(|ask| ask.holds(item)),
            Ask::Any(inner) => inner.iter().any(|ask| ask.holds(item)),
        }
    }
}

fn asks() -> impl Strategy<Value = Ask> {
    let leaf = prop_oneof![
        (0usize..4).prop_map(Ask::Word),
        (0usize..4, 0usize..4).prop_map(|(a, b)| Ask::Phrase(a, b)),
        (0usize..3).prop_map(Ask::Repo),
        prop::sample::select(vec!["read", "unread", "done", "starred", "inbox", "any"])
            .prop_map(Ask::State),
        (0u8..40).prop_map(Ask::Older),
        (0u8..40).prop_map(Ask::Newer),
        Just(Ask::Actionable),
    ];
    leaf.prop_recursive(3, 10, 3, |inner| {
        prop_oneof![
            inner.clone().prop_map(|ask| Ask::Not(Box::new(ask))),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Ask::All),
            prop::collection::vec(inner, 1..4).prop_map(Ask::Any),
        ]
    })
}

fn plain() -> impl Strategy<Value = Plain> {
    (prop::collection::vec(0usize..4, 0..4), 0usize..3, 0u8..8, 0u8..40, any::<bool>()).prop_map(
        |(words, repo, state, at, actionable)| Plain { words, repo, state, at, actionable },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn queries_find_what_looking_at_every_item_finds(
        items in prop::collection::vec(plain(), 1..40),
        asks in prop::collection::vec(asks(), 60),
    ) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            let rig = Rig::new().await;
            let inputs = items.iter().enumerate().map(|(n, plain)| {
                let words: Vec<&str> = plain.words.iter().map(|n| WORDS[*n]).collect();
                ItemInput {
                    title: "x".into(),
                    body: Some(words.join(" ")),
                    repo: Some(format!("r{}", plain.repo)),
                    is_actionable: Some(plain.actionable),
                    // An hour beside the borders that queries draw.
                    external_updated_at: Some(
                        day(1_000 - i64::from(plain.at)) + std::time::Duration::from_secs(3_600),
                    ),
                    ..item(&n.to_string(), 0)
                }
            });
            let ids = rig.store(inputs.collect()).await.ids;
            for (id, plain) in ids.iter().zip(&items) {
                for (bit, kind) in
                    [(1, OperationKind::Read), (2, OperationKind::Done), (4, OperationKind::Star)]
                {
                    if plain.state & bit != 0 {
                        rig.inbox
                            .operate(
                                devrig_inbox::Operation {
                                    kind,
                                    target: devrig_inbox::Target::Ids(vec![id.clone()]),
                                },
                                devrig_core::Origin::person(),
                            )
                            .await
                            .unwrap();
                    }
                }
            }
            for ask in asks {
                let query = format!("is:any {}", ask.write());
                let expected: BTreeSet<String> = items
                    .iter()
                    .enumerate()
                    .filter(|(_, plain)| ask.holds(plain))
                    .map(|(n, _)| n.to_string())
                    .collect();
                let page = ListQuery { query: query.clone(), limit: 500, ..Default::default() };
                let Ok(_) = rig.inbox.list(&page).await else { continue };
                let found = rig.find(&query).await;
                let set: BTreeSet<String> = found.iter().cloned().collect();
                assert_eq!(set, expected, "{query}");
                let matching = rig.inbox.matching(&query, &ids).await.unwrap();
                let single: BTreeSet<String> = matching
                    .iter()
                    .filter_map(|id| ids.iter().position(|known| known == id))
                    .map(|n| n.to_string())
                    .collect();
                assert_eq!(single, expected, "each by itself: {query}");
                assert_eq!(set.len(), found.len(), "{query}: each once");
                let counted = rig.inbox.count(&query).await.unwrap();
                assert_eq!(counted.count as usize, expected.len(), "{query}");
            }
            rig.inbox.store().close().await;
        });
    }
}
