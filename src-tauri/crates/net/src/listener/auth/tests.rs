//! The vectors were computed with other implementations of HMAC.

use std::time::Duration;

use devrig_core::{Code, Error, Sensitive};
use http::HeaderValue;
use proptest::prelude::*;

use super::*;

/// A whole number of seconds, at which the timed vectors were signed.
const SIGNED: i64 = 1_800_000_000;

const STRIPE_BODY: &[u8] = br#"{"id":"evt_1","paid":true}"#;
const STRIPE_SECRET: &str = "whsec_a quiet place";
const STRIPE: &str = "214b6d2aaaadffdd2dfbff22bdfa7d4560a69a778b7d2f4d539ea9bbd1c82e4d";
const STRIPE_OTHER: &str = "499ae7c313d983ad63e9f8b50398633ad9678d26e4b061f9ea1df0c8e1208a7d";

const SLACK_BODY: &[u8] = b"command=%2Fdeploy&text=now";
const SLACK_SECRET: &str = "0123456789abcdef";
const SLACK: &str = "v0=3a020efe51189d56fb8b5fb4095441c06512e576bc77315f5f3b93350081a039";

const PLAIN_SECRET: &str = "plain secret";
const PLAIN_HEX: &str = "2abf95e8e8800f308b4f88d04e7b651ee95f631de20f089be37b3af43fb78a32";
const PLAIN_BASE64: &str = "Kr+V6OiADzCLT4jQTntlHulfYx3iDwib43s69D+3ijI=";

fn secret(text: &'static str) -> impl SecretSource + 'static {
    move || Ok(Sensitive::new(text.as_bytes().to_vec()))
}

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// Runs both checks, as the listener does.
fn check(
    auth: &Auth,
    pairs: &[(&str, &str)],
    body: &[u8],
    seconds: i64,
) -> Result<Option<replay::Key>, Refusal> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let now = Timestamp::from_ms(seconds * 1000 + 999);
        let claimed = auth.before_body(&headers(pairs), now).await?;
        auth.after_body(claimed, body).await
    })
}

fn assert_unsigned(auth: &Auth, pairs: &[(&str, &str)]) {
    match check(auth, pairs, b"", SIGNED) {
        Err(Refusal::Unsigned(what)) => assert!(what.starts_with("the header "), "{what}"),
        other => panic!("{pairs:?}: {other:?}"),
    }
}

#[test]
fn githubs_documented_example_is_accepted_and_nothing_near_it() {
    let auth = Auth::signed(Scheme::GitHub, secret("It's a Secret to Everybody"));
    let name = "X-Hub-Signature-256";
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert!(check(&auth, &[(name, right)], b"Hello, World!", SIGNED).unwrap().is_none());
    let differs = check(&auth, &[(name, right)], b"Hello, World?", SIGNED);
    assert!(matches!(differs, Err(Refusal::Mismatch)));
    let other = Auth::signed(Scheme::GitHub, secret("another secret"));
    let differs = check(&other, &[(name, right)], b"Hello, World!", SIGNED);
    assert!(matches!(differs, Err(Refusal::Mismatch)));
    assert_unsigned(&auth, &[]);
    assert_unsigned(&auth, &[(name, &right[7..])]);
    assert_unsigned(&auth, &[(name, &right[..70])]);
    assert_unsigned(&auth, &[(name, &format!("{right}00"))]);
    assert_unsigned(&auth, &[(name, &right.replace("sha256=", "sha1="))]);
    assert_unsigned(&auth, &[(name, right), (name, right)]);
}

#[test]
fn stripe_signs_the_time_and_may_sign_twice() {
    let auth = Auth::signed(Scheme::Stripe, secret(STRIPE_SECRET));
    let try_at =
        |text: &str, seconds| check(&auth, &[("Stripe-Signature", text)], STRIPE_BODY, seconds);
    let right = format!("t={SIGNED},v1={STRIPE}");
    assert!(try_at(&right, SIGNED).unwrap().is_some(), "it has a time, so it can be remembered");
    let rolling = format!("t={SIGNED},v1={STRIPE_OTHER},v1={STRIPE},v0={STRIPE_OTHER}");
    assert_eq!(try_at(&rolling, SIGNED).unwrap(), try_at(&right, SIGNED).unwrap());
    assert!(try_at(&format!("v1={STRIPE}, t={SIGNED}"), SIGNED).is_ok());
    let foreign = format!("t={SIGNED},v1={STRIPE_OTHER}");
    assert!(matches!(try_at(&foreign, SIGNED), Err(Refusal::Mismatch)));
    let moved = format!("t={},v1={STRIPE}", SIGNED + 1);
    assert!(matches!(try_at(&moved, SIGNED), Err(Refusal::Mismatch)));
    let only_old = format!("t={SIGNED},v0={STRIPE}");
    assert!(matches!(try_at(&only_old, SIGNED), Err(Refusal::Unsigned(_))));
}

#[test]
fn slack_signs_version_time_and_body() {
    let auth = Auth::signed(Scheme::Slack, secret(SLACK_SECRET));
    let time = SIGNED.to_string();
    let (signature, timestamp) = ("X-Slack-Signature", "X-Slack-Request-Timestamp");
    let right = [(signature, SLACK), (timestamp, time.as_str())];
    assert!(check(&auth, &right, SLACK_BODY, SIGNED).unwrap().is_some());
    let differs = check(&auth, &right, b"command=%2Fdeploy&text=later", SIGNED);
    assert!(matches!(differs, Err(Refusal::Mismatch)));
    assert_unsigned(&auth, &[(signature, SLACK)]);
    assert_unsigned(&auth, &[(timestamp, &time)]);
    assert_unsigned(&auth, &[(signature, SLACK), (timestamp, "soon")]);
}

#[test]
fn signed_times_hold_for_five_minutes_both_ways() {
    let stripe = Auth::signed(Scheme::Stripe, secret(STRIPE_SECRET));
    let slack = Auth::signed(Scheme::Slack, secret(SLACK_SECRET));
    let (signature, time) = (format!("t={SIGNED},v1={STRIPE}"), SIGNED.to_string());
    let slack_headers = [("X-Slack-Signature", SLACK), ("X-Slack-Request-Timestamp", &time)];
    for (offset, fresh) in [(-301, false), (-300, true), (0, true), (300, true), (301, false)] {
        for verdict in [
            check(&stripe, &[("Stripe-Signature", &signature)], STRIPE_BODY, SIGNED + offset),
            check(&slack, &slack_headers, SLACK_BODY, SIGNED + offset),
        ] {
            match verdict {
                Ok(_) => assert!(fresh, "{offset}"),
                Err(Refusal::Stale { .. }) => assert!(!fresh, "{offset}"),
                other => panic!("{offset}: {other:?}"),
            }
        }
    }
}

#[test]
fn odd_times_are_no_times() {
    let auth = Auth::signed(Scheme::Stripe, secret(STRIPE_SECRET));
    for time in ["", "-1", "+1800000000", "1.8e9", "9223372036854775808", " 1800000000", "１８"] {
        let text = HeaderValue::from_bytes(format!("t={time},v1={STRIPE}").as_bytes()).unwrap();
        let mut map = HeaderMap::new();
        map.insert("stripe-signature", text);
        let Auth::Signed { scheme, .. } = &auth else { unreachable!("it was made above") };
        let verdict = scheme.claimed(&map, Timestamp::from_ms(SIGNED * 1000));
        assert!(matches!(verdict, Err(Refusal::Unsigned(_))), "{time}: {verdict:?}");
    }
    let far = format!("t=999999999999,v1={STRIPE}");
    let verdict = check(&auth, &[("stripe-signature", &far)], STRIPE_BODY, SIGNED);
    assert!(matches!(verdict, Err(Refusal::Stale { .. })));
}

#[test]
fn a_plain_signature_is_hex_or_base64_over_the_raw_bytes() {
    let body: Vec<u8> = (0..=255).collect();
    let header = HeaderName::from_static("x-signature");
    let scheme = |encoding| Scheme::Plain { header: header.clone(), encoding };
    let by_hex = Auth::signed(scheme(Encoding::Hex), secret(PLAIN_SECRET));
    let by_base64 = Auth::signed(scheme(Encoding::Base64), secret(PLAIN_SECRET));
    let accepts = |auth: &Auth, text: &str| {
        assert!(check(auth, &[("x-signature", text)], &body, SIGNED).is_ok(), "{text}");
        let other = check(auth, &[("x-signature", text)], &body[1..], SIGNED);
        assert!(matches!(other, Err(Refusal::Mismatch)), "{text}");
    };
    accepts(&by_hex, PLAIN_HEX);
    accepts(&by_hex, &PLAIN_HEX.to_uppercase());
    accepts(&by_hex, &format!("sha256={PLAIN_HEX}"));
    accepts(&by_base64, PLAIN_BASE64);
    accepts(&by_base64, PLAIN_BASE64.trim_end_matches('='));
    for text in ["", "=", "AAAA", PLAIN_HEX] {
        assert_unsigned(&by_base64, &[("x-signature", text)]);
    }
    assert_unsigned(&by_hex, &[("x-signature", PLAIN_BASE64)]);
}

#[test]
fn a_token_is_compared_whole() {
    let own = Auth::token(HeaderName::from_static("x-gitlab-token"), secret("open sesame"));
    assert!(check(&own, &[("x-gitlab-token", "open sesame")], b"", SIGNED).is_ok());
    for wrong in ["open sesam", "open sesamee", "Open sesame", ""] {
        let verdict = check(&own, &[("x-gitlab-token", wrong)], b"", SIGNED);
        assert!(matches!(verdict, Err(Refusal::Mismatch)), "{wrong}");
    }
    assert_unsigned(&own, &[]);
    let bearer = Auth::token(AUTHORIZATION, secret("open-sesame"));
    assert!(check(&bearer, &[("authorization", "bearer open-sesame")], b"", SIGNED).is_ok());
    assert_unsigned(&bearer, &[("authorization", "open-sesame")]);
    assert_unsigned(&bearer, &[("authorization", "Basic b3Blbjpz")]);
}

#[test]
fn without_a_secret_nobody_gets_in() {
    let locked = || Err(Error::new(Code::KeychainLocked, "the keychain is locked"));
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    let signed = Auth::signed(Scheme::GitHub, locked);
    let verdict = check(&signed, &[("x-hub-signature-256", right)], b"Hello, World!", SIGNED);
    assert!(matches!(verdict, Err(Refusal::Secret(error)) if error.code == Code::KeychainLocked));
    // What the empty key signs, anybody can sign.
    let empty = Auth::token(HeaderName::from_static("x-token"), secret(""));
    let verdict = check(&empty, &[("x-token", "")], b"", SIGNED);
    assert!(matches!(verdict, Err(Refusal::Secret(_))));
}

proptest! {
    #[test]
    fn no_header_makes_the_checks_panic_or_pass(text in "\\PC{0,80}|[tv01=,0-9a-f]{0,200}") {
        let Ok(value) = HeaderValue::from_str(&text) else { return Ok(()) };
        let header = HeaderName::from_static("x-signature");
        for scheme in [
            Scheme::GitHub,
            Scheme::Stripe,
            Scheme::Slack,
            Scheme::Plain { header: header.clone(), encoding: Encoding::Hex },
            Scheme::Plain { header, encoding: Encoding::Base64 },
        ] {
            let mut map = HeaderMap::new();
            map.insert(scheme.header(), value.clone());
            map.insert("x-slack-request-timestamp", value.clone());
            let now = Timestamp::from_ms(SIGNED * 1000);
            if let Ok(claimed) = scheme.claimed(&map, now) {
                prop_assert!(claimed.verify(b"a secret", b"a body").is_none());
            }
        }
    }

    #[test]
    fn whatever_is_signed_with_the_secret_is_accepted(
        body in proptest::collection::vec(any::<u8>(), 0..200),
        key in proptest::collection::vec(any::<u8>(), 1..100),
    ) {
        let mac = keyed(&key).chain_update(&body).finalize().into_bytes();
        let mut map = HeaderMap::new();
        let text = format!("sha256={}", hex::encode(mac));
        map.insert("x-hub-signature-256", HeaderValue::from_str(&text).unwrap());
        let now = Timestamp::from_ms(SIGNED * 1000) + Duration::from_secs(1);
        let claimed = Scheme::GitHub.claimed(&map, now).unwrap();
        prop_assert!(claimed.verify(&key, &body).is_some());
        let mut other = body.clone();
        other.push(0);
        prop_assert!(claimed.verify(&key, &other).is_none());
    }
}
