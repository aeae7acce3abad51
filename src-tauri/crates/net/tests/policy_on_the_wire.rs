//! The network rows of the hostile plugins (D1 to D14), over TLS on the tests' own internet.
//! Where something must not be reached, a control request shows that it would have answered.

mod common;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use common::{PUBLIC, Rig, SECOND, compressed};
use devrig_core::{Code, Result};
use devrig_net::testnet::{Reply, Site};
use devrig_net::{Hooks, HopRequest, Method, Redirect, Request};

#[tokio::test]
async fn d1_without_a_grant_nothing_is_even_looked_up() {
    let rig = Rig::new();
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::ok("hi")).await;
    rig.refused("https://api.test/", &[], "host").await;
    assert!(rig.net.lookups().is_empty() && rig.net.dialed().is_empty());
    assert_eq!(rig.get("https://api.test/", &["api.test"]).await.unwrap().body, "hi");
}

#[tokio::test]
async fn d2_look_alikes_that_would_answer_are_refused() {
    let rig = Rig::new();
    let look_alikes = ["evilgithub.com", "github.com.evil.test", "evil.test", "xn--gthub-n4a.com"];
    for (n, name) in look_alikes.iter().enumerate() {
        rig.net.serve(Site::new(name, &format!("9.9.9.{}", n + 1)), |_| Reply::ok("evil")).await;
    }
    rig.net.serve(Site::new("github.com", PUBLIC), |_| Reply::ok("real")).await;
    for url in [
        "https://evilgithub.com/",
        "https://EVILGITHUB.com/",
        "https://github.com.evil.test/",
        "https://github.com@evil.test/",
        "https://github.com\\@evil.test/",
        "https://github.com%40evil.test/",
        "https://github.com./",
        "https://xn--gthub-n4a.com/",
        "https://g\u{456}thub.com/",
    ] {
        let error = rig.get(url, &["github.com", "*.github.com"]).await.expect_err(url);
        assert_eq!(error.code, Code::Refused, "{url}: {error}");
    }
    assert!(rig.net.lookups().is_empty());
    for name in look_alikes {
        let url = format!("https://{name}/");
        assert_eq!(rig.get(&url, &[name]).await.unwrap().body, "evil", "control: it answers");
    }
    assert_eq!(rig.get("https://GITHUB.com/", &["github.com"]).await.unwrap().body, "real");
}

#[tokio::test]
async fn d3_d4_d11_no_spelling_of_this_machine_is_reached_without_its_grant() {
    let rig = Rig::new();
    let port = rig.net.loopback(|_| Reply::ok("mine")).await;
    let other = format!("127.0.0.1:{}", if port == 1 { 2 } else { port - 1 });
    for host in [
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "0.0.0.0",
        "127.0.0.2",
    ] {
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://{host}:{port}/");
            let grants = ["*", &format!("*:{port}"), &other];
            let error = rig.get(&url, &grants).await.expect_err(&url);
            assert_eq!(error.code, Code::Refused, "{url}: {error}");
        }
    }
    assert!(rig.net.seen().is_empty() && rig.net.dialed().is_empty());
    for (host, grant) in
        [("127.0.0.1", "127.0.0.1"), ("127.1", "127.0.0.1"), ("localhost", "localhost")]
    {
        let url = format!("http://{host}:{port}/");
        let answer = rig.get(&url, &[&format!("{grant}:{port}")]).await.unwrap();
        assert_eq!(answer.body, "mine", "control: it answers");
    }
    assert!(rig.net.lookups().is_empty(), "localhost is not asked of a name server");
}

#[tokio::test]
async fn d3_names_that_lead_to_private_addresses_are_refused() {
    let rig = Rig::new();
    for ip in [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.7.7",
        "100.64.0.1",
        "224.0.0.1",
        "0.0.0.0",
        "::1",
        "::ffff:127.0.0.1",
        "fd00::1",
        "fe80::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::1",
        "192.0.2.1",
    ] {
        rig.net.dns("inner.test", &[&[ip]]);
        rig.refused("https://inner.test/", &["*", "inner.test"], "address").await;
    }
    assert!(rig.net.dialed().is_empty());
    rig.net.dns("inner.test", &[&["10.0.0.1"]]);
    rig.net.serve(Site::new("inner.test", "10.0.0.1"), |_| Reply::ok("inside")).await;
    let answer = rig.get("https://inner.test/", &["inner.test private"]).await.unwrap();
    assert_eq!(answer.body, "inside", "control: with its own grant it is reached");
}

#[tokio::test]
async fn d5_metadata_is_out_of_reach_whatever_is_granted() {
    let rig = Rig::new();
    rig.net.serve(Site::new("meta.test", "169.254.169.254"), |_| Reply::ok("credentials")).await;
    for url in [
        "https://169.254.169.254/",
        "http://169.254.169.254/",
        "https://[fd00:ec2::254]/",
        "https://metadata.google.internal/",
        "https://2852039166/",
        "https://meta.test/",
    ] {
        rig.refused(url, &["*", "meta.test private"], "metadata").await;
    }
    assert!(rig.net.dialed().is_empty());
}

#[tokio::test]
async fn d6_rebinding_to_loopback_is_caught_at_the_second_answer() {
    let rig = Rig::new();
    rig.net.dns("rebind.test", &[&[PUBLIC], &["127.0.0.1"]]);
    let outside = Site::new("rebind.test", PUBLIC).http1();
    rig.net.serve(outside, |_| Reply::ok("outside").header("connection", "close")).await;
    rig.net.serve(Site::new("rebind.test", "127.0.0.1"), |_| Reply::ok("inside")).await;
    let grants = ["rebind.test"];
    assert_eq!(rig.get("https://rebind.test/", &grants).await.unwrap().body, "outside");
    assert_eq!(rig.net.lookups().len(), 1, "what was checked is what was connected to");
    rig.refused("https://rebind.test/", &grants, "address").await;
    assert!(rig.net.dialed().iter().all(|address| !address.ip().is_loopback()));
    let control = rig.get("https://127.0.0.1/", &["127.0.0.1:443"]).await.unwrap();
    assert_eq!(control.body, "inside", "control: it would have answered");
}

#[tokio::test]
async fn d6_of_a_mixed_answer_only_the_public_address_is_dialed() {
    let rig = Rig::new();
    rig.net.dns("mixed.test", &[&["127.0.0.1", "::1", "10.0.0.1", PUBLIC]]);
    rig.net.serve(Site::new("mixed.test", "127.0.0.1"), |_| Reply::ok("inside")).await;
    rig.net.serve(Site::new("mixed.test", PUBLIC), |_| Reply::ok("outside")).await;
    assert_eq!(rig.get("https://mixed.test/", &["mixed.test"]).await.unwrap().body, "outside");
    assert_eq!(rig.net.dialed(), [format!("{PUBLIC}:443").parse().unwrap()]);
}

#[tokio::test]
async fn d7_every_redirect_starts_from_the_beginning() {
    let rig = Rig::new();
    let port = rig.net.loopback(|_| Reply::ok("mine")).await;
    rig.net.serve(Site::new("other.test", SECOND), |_| Reply::ok("other")).await;
    rig.net.dns("inside.test", &[&["127.0.0.1"]]);
    rig.net
        .serve(Site::new("api.test", PUBLIC), move |seen| match seen.path.as_str() {
            "/loopback" => Reply::redirect(302, &format!("http://127.0.0.1:{port}/")),
            "/number" => Reply::redirect(302, &format!("http://0x7f.1:{port}/")),
            "/body" => Reply::redirect(307, &format!("http://127.0.0.1:{port}/")),
            "/other" => Reply::redirect(302, "https://other.test/"),
            "/relative-host" => Reply::redirect(302, "//other.test/"),
            "/backslash" => Reply::redirect(302, "\\\\other.test/"),
            "/userinfo" => Reply::redirect(302, "https://api.test@other.test/"),
            "/file" => Reply::redirect(302, "file:///etc/passwd"),
            "/data" => Reply::redirect(302, "data:text/plain,x"),
            "/plain" => Reply::redirect(302, "http://api.test/"),
            "/inside" => Reply::redirect(302, "https://inside.test/"),
            _ => Reply::ok("end"),
        })
        .await;
    for (path, rule) in [
        ("loopback", "host"),
        ("number", "host"),
        ("other", "host"),
        ("relative-host", "host"),
        ("backslash", "url"),
        ("userinfo", "user_info"),
        ("file", "scheme"),
        ("data", "scheme"),
        ("plain", "plain_http"),
        ("inside", "address"),
    ] {
        rig.refused(&format!("https://api.test/{path}"), &["api.test", "inside.test"], rule).await;
    }
    let post = Request::new(Method::POST, "https://api.test/body").body("stolen");
    let error = rig.fetch(post.clone(), &["api.test"], &()).await.unwrap_err();
    assert_eq!(error.code, Code::Refused);
    assert!(rig.net.seen().iter().all(|seen| seen.host() == "api.test"), "nobody else was reached");

    let local = format!("127.0.0.1:{port}");
    let control = rig.fetch(post, &["api.test", &local], &()).await.unwrap();
    assert_eq!(control.body, "mine", "control: it would have answered");
    assert_eq!(rig.net.seen().last().unwrap().body, "stolen");
    let control = rig.get("https://api.test/other", &["api.test", "other.test"]).await.unwrap();
    assert_eq!((control.body.as_ref(), control.redirected), (b"other".as_ref(), true));
    assert_eq!(control.hops.len(), 2);
}

/// Puts a secret in where the host is bound, as the broker does.
struct Bound;

impl Hooks for Bound {
    fn before_hop(&self, hop: &mut HopRequest<'_>) -> Result<()> {
        if hop.confidential && hop.url.host_str() == Some("api.test") {
            for (_, value) in &mut hop.headers {
                *value = value.replace("{{token}}", "s3cret");
            }
        }
        Ok(())
    }
}

#[tokio::test]
async fn d7_secrets_and_credentials_do_not_cross_to_another_host() {
    let rig = Rig::new();
    rig.net
        .serve(Site::new("other.test", SECOND), |_| Reply::redirect(302, "https://api.test/back"))
        .await;
    rig.net
        .serve(Site::new("api.test", PUBLIC), |seen| match seen.path.as_str() {
            "/away" => Reply::redirect(307, "https://other.test/"),
            _ => Reply::ok("end"),
        })
        .await;
    let request = Request::get("https://api.test/away")
        .header("Authorization", "Bearer {{token}}")
        .header("X-Key", "{{token}}");
    let answer = rig.fetch(request, &["api.test", "other.test"], &Bound).await.unwrap();
    assert_eq!(answer.hops.len(), 3);
    let seen = rig.net.seen();
    let sent: Vec<_> =
        seen.iter().map(|s| (s.header("authorization"), s.header("x-key"))).collect();
    let expected = [("Bearer s3cret", "s3cret"), ("", "{{token}}"), ("", "s3cret")];
    assert_eq!(sent, expected, "credentials stay behind for good, placeholders are worthless");
}

#[tokio::test]
async fn d8_redirects_end_at_five() {
    let rig = Rig::new();
    rig.net
        .serve(Site::new("api.test", PUBLIC), |seen| {
            match seen.path.trim_start_matches('/').parse::<u32>() {
                Ok(0) => Reply::ok("end"),
                Ok(left) => Reply::redirect(302, &format!("/{}", left - 1)),
                Err(_) => Reply::redirect(302, "/loop"),
            }
        })
        .await;
    assert_eq!(rig.get("https://api.test/5", &["api.test"]).await.unwrap().body, "end");
    for path in ["6", "30", "loop"] {
        let before = rig.net.seen().len();
        rig.refused(&format!("https://api.test/{path}"), &["api.test"], "redirect").await;
        assert_eq!(rig.net.seen().len() - before, 6);
    }
    let mut request = Request::get("https://api.test/1");
    request.redirect = Redirect::Manual;
    assert_eq!(rig.fetch(request.clone(), &["api.test"], &()).await.unwrap().status, 302);
    request.redirect = Redirect::Error;
    assert_eq!(rig.fetch(request, &["api.test"], &()).await.unwrap_err().code, Code::Refused);
}

#[tokio::test]
async fn d9_endless_inflating_and_dripping_bodies_are_cut() {
    let rig = Rig::new();
    let zeros = vec![0; 12_000_000];
    let bombs: Vec<_> = ["gzip", "deflate", "br"]
        .into_iter()
        .map(|name| {
            (name, bytes::Bytes::from(futures::executor::block_on(compressed(name, &zeros))))
        })
        .collect();
    assert!(bombs.iter().all(|(_, bomb)| bomb.len() < 20_000));
    drop(zeros);
    rig.net
        .serve(Site::new("api.test", PUBLIC), move |seen| match seen.path.as_str() {
            "/endless" => Reply::ok(vec![b'x'; 65536]).repeat(1 << 40, Duration::ZERO),
            "/announced" => Reply::ok("x")
                .header("content-length", "10000000000")
                .repeat(1 << 40, Duration::ZERO),
            "/drip" => Reply::ok("x").repeat(1000, Duration::from_secs(60)),
            "/silent" => Reply::ok("x").after(Duration::from_secs(600)),
            path => {
                let (name, bomb) = bombs.iter().find(|(name, _)| path.ends_with(name)).unwrap();
                Reply::ok(bomb.clone()).header("content-encoding", name)
            }
        })
        .await;
    for path in ["endless", "announced", "gzip", "deflate", "br"] {
        let error =
            rig.get(&format!("https://api.test/{path}"), &["api.test"]).await.expect_err(path);
        assert_eq!(error.code, Code::TooLarge, "{path}: {error}");
    }
    for path in ["drip", "silent"] {
        let mut request = Request::get(format!("https://api.test/{path}"));
        request.timeout = Duration::from_millis(300);
        let start = Instant::now();
        let error = rig.fetch(request, &["api.test"], &()).await.expect_err(path);
        assert_eq!(error.code, Code::Timeout, "{path}: {error}");
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[tokio::test]
async fn d10_injected_and_forbidden_headers_never_leave() {
    let rig = Rig::new();
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::ok("hi")).await;
    for (name, value) in [
        ("X-A", "b\r\nHost: evil.test"),
        ("X-A", "b\nc"),
        ("X\r\nA", "b"),
        ("Host", "evil.test"),
        ("Cookie", "a=b"),
        ("Proxy-Authorization", "x"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "upgrade"),
        ("Content-Length", "5"),
        ("Upgrade", "h2c"),
    ] {
        let request = Request::get("https://api.test/").header(name, value);
        let error = rig.fetch(request, &["api.test"], &()).await.expect_err(name);
        assert_eq!(error.details.unwrap()["rule"], "header", "{name}");
    }
    assert!(rig.net.lookups().is_empty());
    let request = Request::get("https://api.test/").header("X-A", "b");
    rig.fetch(request, &["api.test"], &()).await.unwrap();
    assert_eq!(rig.net.seen()[0].header("x-a"), "b");
}

#[tokio::test]
async fn d10_a_hook_cannot_be_used_to_inject_either() {
    struct Broken;
    impl Hooks for Broken {
        fn before_hop(&self, hop: &mut HopRequest<'_>) -> Result<()> {
            hop.headers[0].1 = "hunter2\r\nX-Evil: 1".to_owned();
            Ok(())
        }
    }
    let rig = Rig::new();
    rig.net.serve(Site::new("api.test", PUBLIC), |_| Reply::ok("hi")).await;
    let request = Request::get("https://api.test/").header("X-A", "{{token}}");
    let error = rig.fetch(request, &["api.test"], &Broken).await.unwrap_err();
    assert!(!format!("{error:?}").contains("hunter2"), "no value in an error");
    assert!(rig.net.seen().is_empty());
}

#[tokio::test]
async fn d14_names_outside_the_grant_are_never_looked_up() {
    #[derive(Default)]
    struct Audit(Mutex<Vec<String>>);
    impl Hooks for Audit {
        fn resolved(&self, host: &str) {
            self.0.lock().unwrap().push(host.to_owned());
        }
    }
    let rig = Rig::new();
    let audit = Audit::default();
    for n in 0..20 {
        for host in [format!("s3cret{n}.evil.test"), format!("s3cret{n}.good.test.evil.test")] {
            let request = Request::get(format!("https://{host}/"));
            rig.fetch(request, &["*.good.test"], &audit).await.expect_err(&host);
        }
    }
    assert!(rig.net.lookups().is_empty());
    for n in 0..3 {
        let request = Request::get(format!("https://s3cret{n}.good.test/"));
        rig.fetch(request, &["*.good.test"], &audit).await.expect_err("it has no answer");
    }
    assert_eq!(rig.net.lookups().len(), 3);
    assert_eq!(audit.0.lock().unwrap().len(), 3, "the audit can count distinct hosts");
}
