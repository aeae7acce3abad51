//! How each kind of sender signs.

use std::time::Duration;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use devrig_core::Timestamp;
use hmac::Mac;
use hmac::digest::CtOutput;
use http::header::{HeaderMap, HeaderName};

use super::{keyed, only, unsigned};
use crate::listener::refusal::Refusal;

/// How far a signed time may be from ours, as Stripe and Slack advise.
pub(super) const TOLERANCE: Duration = Duration::from_secs(300);
/// Stripe signs with two secrets while one is being replaced.
const MOST_SIGNATURES: usize = 8;
/// Senders differ in whether they pad.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

static HUB_SIGNATURE: HeaderName = HeaderName::from_static("x-hub-signature-256");
static STRIPE_SIGNATURE: HeaderName = HeaderName::from_static("stripe-signature");
static SLACK_SIGNATURE: HeaderName = HeaderName::from_static("x-slack-signature");
static SLACK_TIMESTAMP: HeaderName = HeaderName::from_static("x-slack-request-timestamp");

type Digest = [u8; 32];

/// Whose way of signing. All are HMAC-SHA256.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scheme {
    /// `X-Hub-Signature-256: sha256=<hex>` over the body. Has no time, so it can be replayed.
    GitHub,
    /// `Stripe-Signature: t=<seconds>,v1=<hex>` over `<seconds>.<body>`.
    Stripe,
    /// `X-Slack-Signature: v0=<hex>` over `v0:<seconds>:<body>`.
    Slack,
    /// A header of choice over the body, `sha256=` in front or not. Has no time.
    Plain { header: HeaderName, encoding: Encoding },
}

/// How a plain signature is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    Hex,
    Base64,
}

/// What a request says about itself, before it is believed.
#[derive(Debug)]
pub(in crate::listener) struct Claimed {
    /// Signed before the body.
    preamble: String,
    /// Any one of them suffices.
    signatures: Vec<Digest>,
    /// In seconds, as the sender wrote it.
    pub(super) signed_at: Option<i64>,
}

impl Scheme {
    pub(super) fn header(&self) -> &HeaderName {
        match self {
            Scheme::GitHub => &HUB_SIGNATURE,
            Scheme::Stripe => &STRIPE_SIGNATURE,
            Scheme::Slack => &SLACK_SIGNATURE,
            Scheme::Plain { header, .. } => header,
        }
    }

    pub(super) fn claimed(&self, headers: &HeaderMap, now: Timestamp) -> Result<Claimed, Refusal> {
        let header = self.header();
        let text = only(headers, header)?;
        let timeless = |signature: Option<Digest>| {
            let signature = signature.ok_or_else(|| garbled(header))?;
            Ok(Claimed { preamble: String::new(), signatures: vec![signature], signed_at: None })
        };
        match self {
            Scheme::GitHub => timeless(text.strip_prefix("sha256=").and_then(from_hex)),
            Scheme::Plain { encoding, .. } => {
                let digits = text.strip_prefix("sha256=").unwrap_or(text);
                timeless(encoding.read(digits))
            }
            Scheme::Stripe => stripe(text, now),
            Scheme::Slack => slack(text, only(headers, &SLACK_TIMESTAMP)?, now),
        }
    }
}

impl Encoding {
    fn read(self, text: &str) -> Option<Digest> {
        match self {
            Encoding::Hex => from_hex(text),
            Encoding::Base64 => BASE64.decode(text).ok()?.try_into().ok(),
        }
    }
}

impl Claimed {
    /// The signature of this body, if it is among those claimed. The comparison takes the same
    /// time wherever they differ.
    pub(super) fn verify(&self, secret: &[u8], body: &[u8]) -> Option<Digest> {
        let mac = keyed(secret).chain_update(&self.preamble).chain_update(body);
        let right = mac.finalize();
        let matches = |claimed: &Digest| CtOutput::new((*claimed).into()) == right;
        self.signatures.iter().any(matches).then(|| right.into_bytes().into())
    }
}

/// Other versions than v1 are signatures of other kinds, and not looked at.
fn stripe(text: &str, now: Timestamp) -> Result<Claimed, Refusal> {
    let (mut time, mut signatures) = (None, Vec::new());
    for part in text.split(',') {
        match part.trim().split_once('=') {
            Some(("t", seconds)) if time.is_none() => time = Some(seconds),
            Some(("v1", digits)) => signatures.extend(from_hex(digits)),
            Some((name, _)) if name != "t" => {}
            _ => return Err(garbled(&STRIPE_SIGNATURE)),
        }
    }
    match time {
        Some(time) if (1..=MOST_SIGNATURES).contains(&signatures.len()) => {
            let at = recent(time, now).ok_or_else(|| garbled(&STRIPE_SIGNATURE))??;
            Ok(Claimed { preamble: format!("{time}."), signatures, signed_at: Some(at) })
        }
        _ => Err(garbled(&STRIPE_SIGNATURE)),
    }
}

fn slack(text: &str, time: &str, now: Timestamp) -> Result<Claimed, Refusal> {
    let signature = text.strip_prefix("v0=").and_then(from_hex);
    let signature = signature.ok_or_else(|| garbled(&SLACK_SIGNATURE))?;
    let at = recent(time, now).ok_or_else(|| garbled(&SLACK_TIMESTAMP))??;
    let preamble = format!("v0:{time}:");
    Ok(Claimed { preamble, signatures: vec![signature], signed_at: Some(at) })
}

/// The time in seconds; `None` when it is no time.
fn recent(text: &str, now: Timestamp) -> Option<Result<i64, Refusal>> {
    if text.is_empty() || text.len() > 12 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let at: i64 = text.parse().ok()?;
    // A sender's clock may be ahead of ours as well as behind it.
    let distance = Duration::from_secs((now.as_ms() / 1000).abs_diff(at));
    Some(if distance <= TOLERANCE { Ok(at) } else { Err(Refusal::Stale { tolerance: TOLERANCE }) })
}

fn from_hex(text: &str) -> Option<Digest> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok()?;
    Some(digest)
}

fn garbled(header: &HeaderName) -> Refusal {
    unsigned(header, "is not written as this webhook expects")
}
