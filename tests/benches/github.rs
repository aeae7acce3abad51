//! The GitHub plugin in the whole engine against the fake GitHub on loopback: the first sync of
//! 10,000 threads, one that finds nothing new, and twenty accounts at once.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use devrig_core::SystemClock;
use devrig_engine::NoArgs;
use devrig_engine::api::inbox::InboxListArgs;
use devrig_engine::api::plugin::{
    AccountAddArgs, AccountConfigureArgs, AccountInfo, InstallArgs, SyncArgs,
};
use devrig_engine::api::secret::SecretSetArgs;
use devrig_tests::{GithubFake, Rig, watch};
use serde_json::json;

const THREADS: usize = 10_000;
const ACCOUNTS: usize = 20;
/// Of each of the twenty.
const THREADS_EACH: usize = 200;

#[tokio::main]
async fn main() {
    one_large_account().await;
    many_accounts().await;
}

async fn one_large_account() {
    let fake = GithubFake::start(&format!("inbox:{THREADS}"));
    let rig = Rig::start_online().await;
    let account = install(&rig).await;
    configure(&rig, &fake, &account).await;

    let (begun, cpu) = (Instant::now(), watch::core_cpu());
    rig.grant_all(&account).await;
    let screen = until(async || first_page(&rig).await >= 50).await;
    let screen_after = begun.elapsed();
    until(async || synced(&rig, &[&account], None).await).await;
    let all_after = begun.elapsed();
    let requests = fake.requests();
    println!(
        "first sync of {THREADS} threads: a screen of rows after {:.0} ms, all after {:.1} s; \
         {requests} requests, {} s of CPU in the core, {} s in the worker",
        ms(screen_after),
        all_after.as_secs_f64(),
        (watch::core_cpu() - cpu).as_secs_f64(),
        workers_cpu().as_secs_f64(),
    );
    assert!(screen, "rows came");

    let asked = SystemClock::shared().now();
    let (begun, cpu) = (Instant::now(), watch::core_cpu() + workers_cpu());
    let args = SyncArgs {
        account: Some(account.id.clone()),
        source: Some("github.notifications".to_owned()),
    };
    rig.api.sync_now(args).await.expect("the sync is taken");
    until(async || {
        let all = rig.api.sync_status(NoArgs {}).await.expect("the syncs");
        let source = all.iter().find(|status| status.source == "github.notifications");
        source.is_some_and(|status| status.is_over(asked))
    })
    .await;
    println!(
        "a sync with nothing new: {} request, {:.0} ms, {:.0} ms of CPU in all (steps of 10 ms)",
        fake.requests() - requests,
        ms(begun.elapsed()),
        ms(watch::core_cpu() + workers_cpu() - cpu),
    );
    rig.end().await;
}

async fn many_accounts() {
    let fake = GithubFake::start(&format!("inbox:{THREADS_EACH}"));
    let rig = Rig::start_online().await;
    let before = watch::core_memory();
    let mut accounts = vec![install(&rig).await];
    while accounts.len() < ACCOUNTS {
        let args = AccountAddArgs {
            plugin: "devrig-plugin-github".to_owned(),
            name: format!("account {}", accounts.len() + 1),
        };
        accounts.push(rig.api.account_add(args).await.expect("an account is added"));
    }
    for account in &accounts {
        configure(&rig, &fake, account).await;
    }
    let begun = Instant::now();
    for account in &accounts {
        rig.grant_all(account).await;
    }
    let all: Vec<&AccountInfo> = accounts.iter().collect();
    until(async || synced(&rig, &all, None).await).await;
    println!(
        "{ACCOUNTS} accounts at once, {THREADS_EACH} threads each, first sync: {:.1} s, {} requests",
        begun.elapsed().as_secs_f64(),
        fake.requests(),
    );
    let requests = fake.requests();
    let asked = SystemClock::shared().now();
    let (begun, cpu) = (Instant::now(), watch::core_cpu() + workers_cpu());
    rig.api.sync_now(SyncArgs { account: None, source: None }).await.expect("all sync");
    until(async || synced(&rig, &all, Some(asked)).await).await;
    println!(
        "{ACCOUNTS} accounts at once, nothing new, all four sources: {:.0} ms, {} requests, \
         {:.0} ms of CPU",
        ms(begun.elapsed()),
        fake.requests() - requests,
        ms(watch::core_cpu() + workers_cpu() - cpu),
    );
    // Workers at rest give back what the sync took.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let workers = watch::workers();
    let share: u64 = workers.keys().map(|pid| watch::share_of_memory(*pid)).sum();
    println!(
        "memory an account: {:.1} MB in its worker ({} workers), {:.1} MB in the core",
        share as f64 / workers.len().max(1) as f64 / 1e6,
        workers.len(),
        watch::core_memory().saturating_sub(before) as f64 / ACCOUNTS as f64 / 1e6,
    );
    rig.end().await;
}

async fn install(rig: &Rig) -> AccountInfo {
    let path = GithubFake::plugin().display().to_string();
    let plugin = rig.api.plugin_install(InstallArgs { path }).await.expect("it is installed");
    plugin.accounts.into_iter().next().expect("the first account")
}

async fn configure(rig: &Rig, fake: &GithubFake, account: &AccountInfo) {
    let settings = json!({ "baseUrl": fake.url, "backfillDays": 150 });
    let args = AccountConfigureArgs { id: account.id.clone(), settings };
    rig.api.account_configure(args).await.expect("settings");
    let args = SecretSetArgs {
        account: Some(account.id.clone()),
        name: "github_token".to_owned(),
        value: "ghp_good".to_owned(),
    };
    rig.api.secret_set(args).await.expect("the token is kept");
}

async fn first_page(rig: &Rig) -> usize {
    let args = InboxListArgs { query: "is:inbox".to_owned(), ..Default::default() };
    rig.api.inbox_list(args).await.expect("a page").items.len()
}

/// Whether every source of the accounts has ended a run, or one that was asked for at `asked`.
async fn synced(
    rig: &Rig,
    accounts: &[&AccountInfo],
    asked: Option<devrig_core::Timestamp>,
) -> bool {
    let all = rig.api.sync_status(NoArgs {}).await.expect("the syncs");
    let of = |status: &&devrig_engine::api::plugin::SyncStatus| {
        accounts.iter().any(|account| account.id == status.account)
    };
    all.iter().filter(of).all(|status| {
        assert!(status.error.is_none(), "{}: {:?}", status.source, status.error);
        match asked {
            Some(asked) => status.is_over(asked),
            None => status.last_sync_at.is_some(),
        }
    })
}

async fn until(probe: impl AsyncFn() -> bool) -> bool {
    let begun = Instant::now();
    while !probe().await {
        assert!(begun.elapsed() < Duration::from_secs(600), "waited too long");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    true
}

fn workers_cpu() -> Duration {
    watch::workers().values().sum()
}

fn ms(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
