//! What both files of journeys share.
#![allow(dead_code)]

use std::sync::Arc;

use async_compression::tokio::write::{BrotliEncoder, DeflateEncoder, GzipEncoder, ZlibEncoder};
use devrig_core::{Code, ManualClock, Result, Timestamp};
use devrig_net::testnet::TestNet;
use devrig_net::{CallerId, Egress, Grant, Hooks, Request, Response};
use tokio::io::AsyncWriteExt;

/// Two addresses that everybody can reach on the real internet, and nobody in these tests.
pub const PUBLIC: &str = "93.184.216.34";
pub const SECOND: &str = "151.101.1.140";

pub struct Rig {
    pub net: TestNet,
    pub clock: Arc<ManualClock>,
    pub egress: Egress,
    pub caller: CallerId,
}

impl Rig {
    pub fn new() -> Self {
        let net = TestNet::new();
        let clock = ManualClock::at(Timestamp::from_ms(1_800_000_000_000));
        let egress = Egress::new(net.parts(clock.clone())).unwrap();
        Self { net, clock, egress, caller: CallerId::from("plugin") }
    }

    pub async fn fetch(
        &self,
        request: Request,
        grants: &[&str],
        hooks: &dyn Hooks,
    ) -> Result<Response> {
        let grants: Vec<_> = grants.iter().map(|text| Grant::parse(text).unwrap()).collect();
        self.egress.fetch(&self.caller, request, &grants, hooks).await
    }

    pub async fn get(&self, url: &str, grants: &[&str]) -> Result<Response> {
        self.fetch(Request::get(url), grants, &()).await
    }

    pub async fn refused(&self, url: &str, grants: &[&str], rule: &str) {
        let error = self.get(url, grants).await.expect_err(url);
        assert_eq!(error.code, Code::Refused, "{url}: {error}");
        assert!(error.hint.is_some(), "{url}: a refusal names its remedy");
        assert_eq!(error.details.unwrap()["rule"], rule, "{url}: {}", error.message);
    }
}

pub async fn compressed(name: &str, bytes: &[u8]) -> Vec<u8> {
    macro_rules! by {
        ($encoder:ident) => {{
            let mut encoder = $encoder::new(Vec::new());
            encoder.write_all(bytes).await.unwrap();
            encoder.shutdown().await.unwrap();
            encoder.into_inner()
        }};
    }
    match name {
        "gzip" => by!(GzipEncoder),
        "deflate" => by!(ZlibEncoder),
        "raw-deflate" => by!(DeflateEncoder),
        "br" => by!(BrotliEncoder),
        other => panic!("no encoder for {other}"),
    }
}
