//! Tunnels with real programs: shell scripts that print what the real ones print.
#![cfg(unix)]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use devrig_core::{Code, Error, SystemClock};
use devrig_net::listener::{
    Auth, Delivery, Handler, Listener, ListenerOptions, Reply, Route, RouteLimits,
};
use devrig_net::tunnel::{EXPOSES, Tunnel, TunnelKind, TunnelOptions, TunnelState};
use devrig_net::{Method, StatusCode};
use devrig_process::Identity;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const SOON: Duration = Duration::from_secs(10);

/// What cloudflared prints to its standard error, and two processes that stay.
const CLOUDFLARED: &str = r#"#!/bin/sh
echo "$@" > arguments
echo "2026-11-20T09:30:00Z INF Requesting new quick Tunnel on trycloudflare.com..." >&2
echo "2026-11-20T09:30:00Z INF See https://developers.cloudflare.com/tunnel or https://api.trycloudflare.com/tunnel" >&2
echo "2026-11-20T09:30:01Z INF +------------------------------------------+" >&2
echo "2026-11-20T09:30:01Z INF |  https://quiet-place-by-night.trycloudflare.com  |" >&2
echo "2026-11-20T09:30:01Z INF +------------------------------------------+" >&2
sleep 600 &
echo $! > child
echo $$ > leader
while [ ! -e end ]; do sleep 0.02; done
echo "2026-11-20T09:31:00Z ERR Lost connection with the edge" >&2
exit 3
"#;

/// A folder with a program of this name in it, which starts there.
fn program(name: &str, script: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let script = script.replacen('\n', &format!("\ncd {}\n", folder.path().display()), 1);
    // Another process writes it: a file that this one had open for writing might still be so in
    // a child that another test is starting, and then it cannot be run.
    let file = folder.path().join(name);
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$1\" && chmod 700 \"$1\"", "sh"])
        .arg(&file)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    writer.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    assert!(writer.wait().unwrap().success());
    folder
}

fn options(folder: &Path) -> TunnelOptions {
    let path = format!("{}:/usr/bin:/bin", folder.display());
    TunnelOptions { environment: vec![("PATH".into(), path.into())], patience: SOON }
}

fn words(words: &[&str]) -> TunnelKind {
    TunnelKind::Command(words.iter().map(|word| (*word).to_owned()).collect())
}

fn shell(script: &str) -> TunnelKind {
    words(&["sh", "-c", script, "{port}"])
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < SOON, "{what} did not come about");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn process(folder: &Path, note: &str) -> Option<Identity> {
    let text = std::fs::read_to_string(folder.join(note)).ok()?;
    Some(Identity::of(text.trim().parse().ok()?))
}

/// The two processes of the script, once they have told their numbers.
async fn tree(folder: &Path) -> [Identity; 2] {
    let both = || Some([process(folder, "leader")?, process(folder, "child")?]);
    until("both processes", || both().is_some()).await;
    let tree = both().unwrap();
    assert!(tree.iter().all(|process| process.exists()), "they run");
    tree
}

#[cfg(target_os = "linux")]
async fn gone(tree: &[Identity]) {
    let running = |process: &Identity| {
        process.exists()
            && std::fs::read_to_string(format!("/proc/{}/stat", process.pid))
                .is_ok_and(|stat| !stat.contains(") Z "))
    };
    until("the end of the tree", || !tree.iter().any(running)).await;
}

#[cfg(not(target_os = "linux"))]
async fn gone(_: &[Identity]) {}

async fn failure(kind: &TunnelKind, options: &TunnelOptions) -> Error {
    let error = Tunnel::start(kind, 4747, options).await.expect_err("it does not start");
    assert!(error.hint.is_some(), "{error}");
    error
}

#[tokio::test]
async fn the_address_is_the_one_that_cloudflared_prints() {
    let folder = program("cloudflared", CLOUDFLARED);
    let tunnel =
        Tunnel::start(&TunnelKind::Cloudflared, 4747, &options(folder.path())).await.unwrap();
    let url = tunnel.public_url().unwrap().as_str().to_owned();
    assert_eq!(url, "https://quiet-place-by-night.trycloudflare.com/");
    let tree = tree(folder.path()).await;
    let arguments = std::fs::read_to_string(folder.path().join("arguments")).unwrap();
    assert_eq!(arguments, "tunnel --no-autoupdate --url http://127.0.0.1:4747\n");
    tunnel.stop().await;
    gone(&tree).await;
    assert!(tunnel.public_url().is_none());
    match tunnel.state() {
        TunnelState::Ended(error) => assert_eq!(error.code, Code::Cancelled),
        TunnelState::Open(url) => panic!("{url} is still open"),
    }
}

#[tokio::test]
async fn the_address_is_lost_when_the_program_ends() {
    let folder = program("cloudflared", CLOUDFLARED);
    let tunnel =
        Tunnel::start(&TunnelKind::Cloudflared, 4747, &options(folder.path())).await.unwrap();
    let tree = tree(folder.path()).await;
    std::fs::write(folder.path().join("end"), "").unwrap();
    let error = tokio::time::timeout(SOON, tunnel.ended()).await.expect("it is told");
    assert_eq!(error.code, Code::Io);
    assert!(error.message.contains("exit code 3"), "{error}");
    assert!(error.message.contains("Lost connection with the edge"), "{error}");
    assert!(tunnel.public_url().is_none());
    gone(&tree).await;
}

#[tokio::test]
async fn dropping_the_tunnel_ends_the_program() {
    let folder = program("cloudflared", CLOUDFLARED);
    let tunnel =
        Tunnel::start(&TunnelKind::Cloudflared, 4747, &options(folder.path())).await.unwrap();
    let tree = tree(folder.path()).await;
    drop(tunnel);
    gone(&tree).await;
}

#[tokio::test]
async fn giving_up_the_start_ends_the_program() {
    let folder =
        program("mute", "#!/bin/sh\nsleep 600 & echo $! > child; echo $$ > leader; wait\n");
    let kind = words(&["mute", "{port}"]);
    let tree = {
        let options = options(folder.path());
        let start = Tunnel::start(&kind, 4747, &options);
        tokio::select! {
            _ = start => panic!("it prints nothing"),
            tree = tree(folder.path()) => tree,
        }
    };
    gone(&tree).await;
}

#[tokio::test]
async fn a_program_without_an_address_is_ended_in_time() {
    let folder = program(
        "mute",
        "#!/bin/sh\necho http://plain.example.net\necho see https://localhost/ and https://127.0.0.1/ >&2\nsleep 600 & echo $! > child; echo $$ > leader; wait\n",
    );
    let patience = Duration::from_millis(300);
    let options = TunnelOptions { patience, ..options(folder.path()) };
    let error = failure(&words(&["mute", "{port}"]), &options).await;
    assert_eq!(error.code, Code::Timeout);
    assert!(error.message.starts_with("mute told no https address within 0.3 s: see "), "{error}");
    let tree = ["leader", "child"].map(|note| process(folder.path(), note).unwrap());
    gone(&tree).await;
}

#[tokio::test]
async fn what_the_program_says_when_it_fails_is_quoted() {
    let script = "#!/bin/sh\n\
        echo 'INF Requesting new quick Tunnel on trycloudflare.com...' >&2\n\
        echo 'failed to request quick Tunnel: Post \"https://api.trycloudflare.com/tunnel\": no such host' >&2\n\
        exit 1\n";
    let folder = program("cloudflared", script);
    let error = failure(&TunnelKind::Cloudflared, &options(folder.path())).await;
    assert_eq!(error.code, Code::Io);
    assert!(error.message.contains("exit code 1"), "{error}");
    assert!(error.message.contains("no such host"), "{error}");
}

#[tokio::test]
async fn a_missing_cloudflared_comes_with_the_way_to_install_it() {
    let empty = tempfile::tempdir().unwrap();
    let path = empty.path().as_os_str().to_owned();
    let options = TunnelOptions { environment: vec![("PATH".into(), path)], patience: SOON };
    let error = failure(&TunnelKind::Cloudflared, &options).await;
    assert_eq!(error.code, Code::NotFound);
    let hint = error.hint.unwrap();
    assert!(hint.contains("brew install cloudflared") && hint.contains("Linux"), "{hint}");
    let bare = TunnelOptions { environment: Vec::new(), patience: SOON };
    assert_eq!(failure(&TunnelKind::Cloudflared, &bare).await.code, Code::NotFound);
}

#[tokio::test]
async fn a_command_of_the_persons_own_is_given_the_port() {
    let folder = tempfile::tempdir().unwrap();
    let script = "printf '\\033[32myour url is: https://port-%s.' $0; sleep 0.2; \
                  printf 'example.net/.\\033[0m\\n'; exec sleep 600";
    let tunnel = Tunnel::start(&shell(script), 4747, &options(folder.path())).await.unwrap();
    let url = tunnel.public_url().unwrap();
    assert_eq!(url.as_str(), "https://port-4747.example.net/", "it is read when it is whole");
    tunnel.stop().await;
}

#[tokio::test]
async fn a_command_that_cannot_work_is_refused_before_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let options = options(folder.path());
    for (kind, code, word) in [
        (words(&[]), Code::InvalidInput, "empty"),
        (words(&["sh", "-c", "true"]), Code::InvalidInput, "{port}"),
        (words(&["{port}"]), Code::InvalidInput, "{port}"),
        (words(&["no-such-tunnel", "{port}"]), Code::NotFound, "no-such-tunnel"),
    ] {
        let error = failure(&kind, &options).await;
        assert_eq!(error.code, code, "{error}");
        assert!(error.message.contains(word), "{error}");
    }
}

struct Accepts;

#[async_trait]
impl Handler for Accepts {
    async fn handle(&self, _: Delivery) -> Reply {
        Reply::new(StatusCode::ACCEPTED)
    }
}

async fn asked(listener: &Listener, host: &str) -> String {
    let address = listener.address().unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let request = format!("POST /hooks/a HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer.lines().next().unwrap_or_default().to_owned()
}

#[tokio::test]
async fn the_listener_answers_to_the_tunnels_name_while_it_is_told_to() {
    let listener = Listener::new(ListenerOptions::default(), SystemClock::shared());
    let route = Route {
        path: "/hooks/a".into(),
        owner: "a test".into(),
        methods: vec![Method::POST],
        auth: Auth::None,
        limits: RouteLimits::default(),
        handler: Arc::new(Accepts),
    };
    let _route = listener.register(route).unwrap();
    let port = listener.address().unwrap().port();
    let folder = tempfile::tempdir().unwrap();
    let script = "echo https://quiet.example.net; exec sleep 600";
    let tunnel = Tunnel::start(&shell(script), port, &options(folder.path())).await.unwrap();
    assert!(asked(&listener, "quiet.example.net").await.contains(" 421 "));
    listener.set_public_host(tunnel.public_url().and_then(|url| url.host_str()));
    assert!(asked(&listener, "quiet.example.net").await.contains(" 202 "));
    tunnel.stop().await;
    listener.set_public_host(tunnel.public_url().and_then(|url| url.host_str()));
    assert!(asked(&listener, "quiet.example.net").await.contains(" 421 "));
    assert!(EXPOSES.contains("every webhook path"));
}
