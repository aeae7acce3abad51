//! Items that look like five years of a developer's inbox, the same for every run: eight
//! languages, words by Zipf's law over tens of thousands of forms, log-normal bodies, repositories
//! and authors by Zipf, threads; and planted words whose number of items is known.

use devrig_core::Timestamp;
use devrig_inbox::{ItemInput, Priority};
use serde_json::json;

/// 2026-01-01, the end of the five years.
pub const END_MS: i64 = 1_767_225_600_000;
const SPAN_MS: i64 = 5 * 365 * 86_400_000;

/// A word that is in one item of so many.
pub const NEEDLES: [(&str, u64); 5] = [
    ("zqneedleone", 1_000_003),
    ("zqneedleten", 99_991),
    ("zqneedlehundred", 9_973),
    ("zqneedlethousand", 997),
    ("zqneedletenthousand", 101),
];
pub const PHRASE: (&str, u64) = ("copper lantern harbour", 4_999);

/// A language: its share, its most frequent words, and what more words are made of.
type Language = (u64, bool, &'static str, &'static str);

const LANGUAGES: [Language; 8] = [
    (
        62,
        true,
        "the of and to a in is it that for on this with be as we are not i you have from or an can but at if by was will when so all there has do no what which more one should they just would how some out up use also than get only need then like about into now any other new make our see think after want time because could been first two way work same here using your where its run still did please case even why change very before sure issue code test error file data build version problem server client value function request branch merge review update release fix add remove support feature config default option memory cache thread query table index column key token session timeout retry failed passes broken crash panic null empty missing wrong slow fast latency deploy deployment production staging rollback migration database schema backup restore customer report meeting",
        "ba ne ri to lu ka mi so de fa gre sta pla tri nor vel cun shi do pe ra zu wen",
    ),
    (
        9,
        true,
        "die der und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie fehler datei prüfen änderung anfrage besprechung morgen heute kunde bericht lösung server datenbank verbindung größe straße möglich",
        "ge ber schl tun kei mö rü dä zen wag fel stä hof pfe lin der",
    ),
    (
        7,
        true,
        "de la que el en y a los se del las un por con no una su para es al lo como más error archivo prueba cambio reunión mañana cliente informe solución problema servidor base datos conexión señal niño",
        "ca lo ño rre mi tá que ti su va nes po lla gui",
    ),
    (
        5,
        true,
        "de la le et les des en un du une que est pour qui dans a par plus pas au sur erreur fichier essai changement réunion demain client rapport solution serveur données connexion déjà façon garçon",
        "eau cha né fou ri mon ter bla veu jou sé pi",
    ),
    (
        4,
        true,
        "de a o que e do da em um para é com não uma os no se na por mais erro arquivo teste mudança reunião amanhã cliente solução servidor dados conexão ação coração",
        "ção nha lhe vi dor ma rio te ba gu pé sal",
    ),
    (
        4,
        true,
        "и в не на я быть он с что а по это она этот к но они мы весь который из у ошибка файл проверка изменение запрос встреча завтра сегодня клиент отчёт решение сервер база данных",
        "ка ро ше ни ту ва ле по жи мо да сто ре",
    ),
    (
        5,
        false,
        "の に は を た が で て と し れ さ ある いる も する から な こと として 修正 変更 確認 お願い 不具合 エラー ファイル テスト サーバー データベース 接続 会議 明日 顧客 報告 解決 問題",
        "ア イ カ サ タ ナ マ ラ ン 開 発 設 計 処 理 通 信 保 存 検 索 表 示 構 成 環 境 実 行",
    ),
    (
        4,
        false,
        "的 一 是 不 了 在 人 有 我 他 这 个 们 中 来 上 大 为 和 国 地 到 以 说 时 要 就 出 会 可 修复 更改 确认 错误 文件 测试 服务器 数据库 连接 内存 版本 分支 合并 审查 客户 报告 解决 问题",
        "开 发 设 计 处 理 通 信 保 存 检 索 显 示 构 成 环 境 执 行 运 维 系 统 网 络 编 译 调 试 部 署 监 控",
    ),
];

/// A small generator whose numbers never change between versions (SplitMix64).
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5851_f42d_4c95_7f2d)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    pub fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[self.below(list.len())]
    }

    fn normal(&mut self) -> f64 {
        (0..12).map(|_| self.unit()).sum::<f64>() - 6.0
    }
}

/// Things of which the first are frequent and most are rare.
struct Zipf {
    things: Vec<String>,
    cumulated: Vec<f64>,
}

impl Zipf {
    fn new(things: Vec<String>, offset: f64, power: f64) -> Self {
        let mut sum = 0.0;
        let cumulated = (0..things.len())
            .map(|rank| {
                sum += (rank as f64 + offset).powf(-power);
                sum
            })
            .collect();
        Self { things, cumulated }
    }

    fn pick(&self, dice: &mut Dice) -> &str {
        let at = dice.unit() * self.cumulated.last().unwrap();
        &self.things[self.cumulated.partition_point(|sum| *sum < at)]
    }
}

pub struct Generator {
    words: Vec<Zipf>,
    repos: Zipf,
    people: Zipf,
}

impl Generator {
    pub fn new() -> Self {
        let words: Vec<Zipf> = LANGUAGES
            .iter()
            .enumerate()
            .map(|(index, (_, spaced, frequent, parts))| {
                vocabulary(index as u64, *spaced, frequent, parts)
            })
            .collect();
        let mut dice = Dice::new(7);
        let mut name =
            |from: usize, to: usize| words[0].things[from + dice.below(to - from)].to_lowercase();
        let repos = (0..1_500).map(|_| format!("{}/{}", name(150, 3_800), name(150, 3_800)));
        let repos = Zipf::new(repos.collect(), 2.0, 1.0);
        let people = Zipf::new((0..8_000).map(|_| name(900, 9_000)).collect(), 4.0, 0.95);
        Self { words, repos, people }
    }

    /// Item `k`, the same whatever came before.
    pub fn item(&self, k: u64) -> ItemInput {
        let mut dice = Dice::new(k);
        let language = language(&mut dice);
        let (source, kind) = kind(&mut dice);
        let thread = (dice.unit() < 0.6).then(|| (dice.unit().powi(2) * 40_000.0) as u64);
        let created = created(&mut dice);
        let mut body = self.body(&mut dice, language);
        for (needle, every) in NEEDLES {
            if k % every == every / 2 {
                body = format!("{body} {needle}");
            }
        }
        if k % PHRASE.1 == PHRASE.1 / 3 {
            body = format!("{body} {}", PHRASE.0);
        }
        let length = 3 + dice.below(8);
        let repo = self.repos.pick(&mut dice).to_owned();
        let priority = match dice.below(60) {
            0 => Priority::Urgent,
            1 | 2 => Priority::High,
            3 => Priority::Low,
            _ => Priority::Normal,
        };
        let labels: Vec<String> =
            (0..dice.below(3)).map(|_| self.words[0].things[60 + dice.below(40)].clone()).collect();
        ItemInput {
            external_id: format!("{source}-{k}"),
            kind: kind.to_owned(),
            title: self.sentence(&mut dice, language, length),
            body: Some(body),
            preview: None,
            source_url: Some(format!("https://{source}.example/{repo}/{k}")),
            thread_key: thread.map(|thread| format!("t{thread}")),
            actor: Some(self.people.pick(&mut dice).to_owned()),
            repo: Some(repo),
            reason: Some(
                ["subscribed", "mention", "author", "review_requested"][dice.below(4)].into(),
            ),
            labels,
            priority: Some(priority),
            state: Some(["open", "closed", "merged"][dice.below(3)].into()),
            is_actionable: Some(dice.unit() < 0.22),
            metadata: Some(json!({ "number": k % 9_999, "language": language })),
            external_created_at: Some(Timestamp::from_ms(created)),
            external_updated_at: Some(Timestamp::from_ms(created)),
        }
    }

    /// A word of a language by its rank: low ranks are common, high ones rare.
    pub fn word(&self, language: usize, rank: usize) -> &str {
        let things = &self.words[language].things;
        &things[rank.min(things.len() - 1)]
    }

    pub fn repo(&self, rank: usize) -> &str {
        &self.repos.things[rank]
    }

    pub fn person(&self, rank: usize) -> &str {
        &self.people.things[rank]
    }

    fn sentence(&self, dice: &mut Dice, language: usize, words: usize) -> String {
        let spaced = LANGUAGES[language].1;
        let mut text = String::new();
        for index in 0..words {
            if spaced && index > 0 {
                text.push(' ');
            }
            text.push_str(self.words[language].pick(dice));
        }
        text.push_str(if spaced { "." } else { "。" });
        text
    }

    /// Median 49 words, some of a thousand.
    fn body(&self, dice: &mut Dice, language: usize) -> String {
        let mut left = ((3.9 + 0.95 * dice.normal()).exp() as usize).clamp(3, 1_500);
        let mut text = String::new();
        while left > 0 {
            let words = left.min(4 + dice.below(18));
            left -= words;
            text.push_str(&self.sentence(dice, language, words));
            text.push_str(if dice.below(3) == 0 { "\n\n" } else { " " });
        }
        match dice.below(10) {
            0 => text.push_str("\n```\nlogin::retry at src/cache.rs:412\n```\n"),
            1 => text.push_str(&format!("\nSee https://git.example/pull/{}.", dice.below(9_000))),
            2 => text.push_str("\n- [ ] first\n- [x] second 🎉\n"),
            _ => {}
        }
        text
    }
}

fn vocabulary(seed: u64, spaced: bool, frequent: &str, parts: &str) -> Zipf {
    let mut dice = Dice::new(1_000 + seed);
    let parts: Vec<&str> = parts.split(' ').collect();
    let mut words: Vec<String> = frequent.split(' ').map(str::to_owned).collect();
    let mut seen: std::collections::HashSet<String> = words.iter().cloned().collect();
    let size = if spaced { 60_000 } else { 14_000 };
    while words.len() < size {
        let count = if spaced { 2 + dice.below(3) } else { 2 + dice.below(2) };
        let mut word: String = (0..count).map(|_| *dice.pick(&parts)).collect();
        if spaced && dice.below(16) == 0 {
            word = format!("{word}_{}", dice.below(100));
        }
        if seen.insert(word.clone()) {
            words.push(word);
        }
    }
    Zipf::new(words, 2.7, 1.07)
}

fn language(dice: &mut Dice) -> usize {
    let mut at = dice.below(100) as u64;
    for (index, (share, ..)) in LANGUAGES.iter().enumerate() {
        if at < *share {
            return index;
        }
        at -= share;
    }
    0
}

fn kind(dice: &mut Dice) -> (&'static str, &'static str) {
    match dice.below(100) {
        0..45 => (
            "github",
            *dice.pick(&["pull_request", "pull_request", "issue", "issue", "mention", "release"]),
        ),
        45..70 => ("email", "message"),
        70..85 => ("slack", *dice.pick(&["message", "thread_reply", "mention"])),
        85..95 => ("linear", *dice.pick(&["issue", "comment"])),
        _ => ("ci", "run_failed"),
    }
}

/// Newer is denser; items come in no order.
fn created(dice: &mut Dice) -> i64 {
    let age = dice.unit().powf(1.6);
    END_MS - (SPAN_MS as f64 * age) as i64
}
