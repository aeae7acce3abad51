//! Who gets in, over the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use devrig_core::{Code, Error, Sensitive};
use devrig_net::listener::{Auth, Delivery, Encoding, Handler, Reply, Scheme};
use devrig_net::{HeaderName, StatusCode};

use crate::rig::{NOW, Recorder, Rig, post, request, route};

const HUB: &str = "X-Hub-Signature-256";
/// GitHub's own example.
const HUB_SECRET: &str = "It's a Secret to Everybody";
const HUB_BODY: &[u8] = b"Hello, World!";
const HUB_RIGHT: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

const STRIPE_SECRET: &str = "whsec_a quiet place";
const STRIPE_BODY: &[u8] = br#"{"id":"evt_1","paid":true}"#;
const STRIPE_RIGHT: &str = "214b6d2aaaadffdd2dfbff22bdfa7d4560a69a778b7d2f4d539ea9bbd1c82e4d";

fn signed(scheme: Scheme, secret: &'static str) -> Auth {
    Auth::signed(scheme, move || Ok(Sensitive::new(secret.as_bytes().to_vec())))
}

#[tokio::test]
async fn only_what_is_signed_reaches_the_handler() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let mut hub = route("/hooks/a", recorder.clone());
    hub.auth = signed(Scheme::GitHub, HUB_SECRET);
    let _route = rig.register(hub);
    let right = rig.ask(post("/hooks/a", &[(HUB, HUB_RIGHT)], HUB_BODY)).await;
    assert_eq!(right.status, 200);
    let tampered = rig.ask(post("/hooks/a", &[(HUB, HUB_RIGHT)], b"Hello, Wor1d!")).await;
    tampered.assert_error(401, "UNAUTHORIZED");
    let bare = rig.ask(post("/hooks/a", &[], HUB_BODY)).await;
    let json = bare.assert_error(401, "UNAUTHORIZED");
    assert!(json["error"]["message"].as_str().unwrap().contains("x-hub-signature-256"));
    assert_eq!(recorder.bodies(), [HUB_BODY]);
    let stored = recorder.seen()[0].storable_headers();
    assert_eq!(stored["x-hub-signature-256"], "[redacted]");
    let counts = rig.status("/hooks/a").counts;
    let refused: Vec<_> = counts.refused.iter().map(|(why, n)| (why.as_str(), *n)).collect();
    assert_eq!(refused, [("unsigned", 1), ("mismatch", 1)]);
}

#[tokio::test]
async fn the_body_is_kept_byte_for_byte_and_checked_as_it_came() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let mut plain = route("/hooks/a", recorder.clone());
    let header = HeaderName::from_static("x-signature");
    plain.auth = signed(Scheme::Plain { header, encoding: Encoding::Base64 }, "plain secret");
    let _route = rig.register(plain);
    let body: Vec<u8> = (0..=255).collect();
    let right = [
        ("X-Signature", "Kr+V6OiADzCLT4jQTntlHulfYx3iDwib43s69D+3ijI="),
        // Neither is believed: what was signed is what was sent.
        ("Content-Encoding", "gzip"),
        ("Content-Type", "application/json; charset=utf-16"),
    ];
    assert_eq!(rig.ask(post("/hooks/a", &right, &body)).await.status, 200);
    assert_eq!(recorder.bodies(), [body]);
}

#[tokio::test]
async fn an_unsigned_request_is_refused_before_its_body_is_asked_for() {
    let rig = Rig::new();
    let mut hub = route("/hooks/a", Recorder::shared());
    hub.auth = signed(Scheme::GitHub, HUB_SECRET);
    let _route = rig.register(hub);
    let head = "POST /hooks/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n";
    let bare = rig.ask(format!("{head}\r\n")).await;
    bare.assert_error(401, "UNAUTHORIZED");
    // Somebody who asks first is not told to go on.
    let polite = rig.ask(format!("{head}Expect: 100-continue\r\n\r\n")).await;
    polite.assert_error(401, "UNAUTHORIZED");
}

fn stripe_request(seconds: i64) -> Vec<u8> {
    let header = format!("t={seconds},v1={STRIPE_RIGHT}");
    post("/hooks/a", &[("Stripe-Signature", &header)], STRIPE_BODY)
}

#[tokio::test]
async fn a_timed_signature_is_good_for_one_request() {
    let rig = Rig::new();
    let recorder = Recorder::shared();
    let mut stripe = route("/hooks/a", recorder.clone());
    stripe.auth = signed(Scheme::Stripe, STRIPE_SECRET);
    let _route = rig.register(stripe);
    assert_eq!(rig.ask(stripe_request(NOW)).await.status, 200);
    rig.ask(stripe_request(NOW)).await.assert_error(409, "CONFLICT");
    // The same signature among others is the same signature.
    let dressed = format!("t={NOW},v1={},v1={STRIPE_RIGHT}", "0".repeat(64));
    let dressed = post("/hooks/a", &[("Stripe-Signature", &dressed)], STRIPE_BODY);
    rig.ask(dressed).await.assert_error(409, "CONFLICT");
    rig.ask(stripe_request(NOW - 301)).await.assert_error(401, "UNAUTHORIZED");
    assert_eq!(recorder.seen().len(), 1);
}

struct FailsOnce(AtomicBool);

#[async_trait]
impl Handler for FailsOnce {
    async fn handle(&self, _: Delivery) -> Reply {
        let first = !self.0.swap(true, Ordering::SeqCst);
        Reply::new(if first { StatusCode::INTERNAL_SERVER_ERROR } else { StatusCode::OK })
    }
}

#[tokio::test]
async fn what_could_not_be_handled_may_be_sent_again_as_it_is() {
    let rig = Rig::new();
    let mut stripe = route("/hooks/a", Arc::new(FailsOnce(AtomicBool::new(false))));
    stripe.auth = signed(Scheme::Stripe, STRIPE_SECRET);
    let _route = rig.register(stripe);
    for expected in [500, 200, 409] {
        assert_eq!(rig.ask(stripe_request(NOW)).await.status, expected);
    }
}

#[tokio::test]
async fn a_locked_keychain_is_told_and_passes() {
    let rig = Rig::new();
    let unlocked = Arc::new(AtomicBool::new(false));
    let mut hub = route("/hooks/a", Recorder::shared());
    let keychain = Arc::clone(&unlocked);
    hub.auth = Auth::signed(Scheme::GitHub, move || {
        if keychain.load(Ordering::SeqCst) {
            Ok(Sensitive::new(HUB_SECRET.as_bytes().to_vec()))
        } else {
            Err(Error::new(Code::KeychainLocked, "the keychain is locked"))
        }
    });
    let _route = rig.register(hub);
    let send = || rig.ask(post("/hooks/a", &[(HUB, HUB_RIGHT)], HUB_BODY));
    let locked = send().await;
    let json = locked.assert_error(503, "KEYCHAIN_LOCKED");
    assert!(json["error"]["message"].as_str().unwrap().contains("the keychain is locked"));
    assert_eq!(locked.header("retry-after"), Some("60"));
    unlocked.store(true, Ordering::SeqCst);
    assert_eq!(send().await.status, 200);
}

#[tokio::test]
async fn a_slow_secret_holds_up_nobody_else() {
    struct Slow;
    #[async_trait]
    impl devrig_net::listener::SecretSource for Slow {
        async fn secret(&self) -> devrig_core::Result<Sensitive<Vec<u8>>> {
            tokio::time::sleep(Duration::from_secs(3600)).await;
            Err(Error::internal("it never comes"))
        }
    }
    let rig = Rig::new();
    let mut slow = route("/hooks/slow", Recorder::shared());
    slow.auth = Auth::token(HeaderName::from_static("x-token"), Slow);
    let _slow = rig.register(slow);
    let _other = rig.register(route("/hooks/a", Recorder::shared()));
    let mut waiting = rig.client().await;
    waiting.send(post("/hooks/slow", &[("X-Token", "t")], b"")).await;
    rig.assert_serving("/hooks/a").await;
}

#[tokio::test]
async fn a_token_opens_a_route_for_any_method() {
    let rig = Rig::new();
    let mut own = route("/hooks/a", Recorder::shared());
    own.methods.push(devrig_net::Method::GET);
    let secret = || Ok(Sensitive::new(b"open-sesame".to_vec()));
    own.auth = Auth::token(HeaderName::from_static("authorization"), secret);
    let _route = rig.register(own);
    let with = |token| request("GET", "/hooks/a", &[("Authorization", token)], b"");
    assert_eq!(rig.ask(with("Bearer open-sesame")).await.status, 200);
    rig.ask(with("Bearer open-sesamE")).await.assert_error(401, "UNAUTHORIZED");
    rig.ask(request("GET", "/hooks/a", &[], b"")).await.assert_error(401, "UNAUTHORIZED");
}
