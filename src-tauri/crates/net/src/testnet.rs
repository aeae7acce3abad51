//! The tests' own internet: names with answers in sequence, public addresses that lead to TLS
//! servers on loopback, and a record of who was asked, dialed and reached.
//!
//! Nothing leaves the machine: an address without a server refuses, and only loopback addresses
//! are dialed for real, so that a missing check would be seen to reach them.

mod site;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use devrig_core::SharedClock;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{self, ServerConfig};
use tokio_util::sync::{CancellationToken, DropGuard};

pub use site::{Reply, Seen};

use crate::{Dialer, EgressParts, Resolver, Roots};

/// One server of the test internet.
#[derive(Debug, Clone)]
pub struct Site {
    name: String,
    address: SocketAddr,
    http1: bool,
}

impl Site {
    /// A TLS server for this name at this address, port 443, HTTP/2 and 1.1.
    pub fn new(name: &str, ip: &str) -> Self {
        let ip = ip.parse().expect("a test names a valid address");
        Self { name: name.to_owned(), address: SocketAddr::new(ip, 443), http1: false }
    }

    #[must_use]
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Speaks HTTP/1.1 only.
    #[must_use]
    pub fn http1(mut self) -> Self {
        self.http1 = true;
        self
    }
}

/// A running test internet. Dropping it stops its servers.
pub struct TestNet {
    shared: Arc<Shared>,
    authority: CertifiedIssuer<'static, KeyPair>,
    cancel: CancellationToken,
    _stop: DropGuard,
}

#[derive(Default)]
pub(crate) struct Shared {
    names: Mutex<HashMap<String, VecDeque<Vec<IpAddr>>>>,
    servers: Mutex<HashMap<SocketAddr, SocketAddr>>,
    black_holes: Mutex<HashSet<IpAddr>>,
    lookups: Mutex<Vec<String>>,
    dialed: Mutex<Vec<SocketAddr>>,
    seen: Mutex<Vec<Seen>>,
    connections: AtomicU64,
}

impl Default for TestNet {
    fn default() -> Self {
        Self::new()
    }
}

impl TestNet {
    /// An empty internet with its own certificate authority.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names to be wrong");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key for the test authority");
        let authority = CertifiedIssuer::self_signed(params, key).expect("a test authority");
        let cancel = CancellationToken::new();
        let _stop = cancel.clone().drop_guard();
        Self { shared: Arc::default(), authority, cancel, _stop }
    }

    /// What an [`crate::Egress`] needs to live in this internet.
    pub fn parts(&self, clock: SharedClock) -> EgressParts {
        EgressParts {
            resolver: Arc::new(Names(Arc::clone(&self.shared))),
            dialer: Arc::new(Wires(Arc::clone(&self.shared))),
            roots: Roots::Only(vec![self.authority_der()]),
            proxy: None,
            clock,
        }
    }

    /// The certificate of the test authority.
    pub fn authority_der(&self) -> Vec<u8> {
        self.authority.der().to_vec()
    }

    /// Sets the answers for a name, one for each lookup; the last one repeats.
    pub fn dns(&self, name: &str, answers: &[&[&str]]) {
        let parse = |ip: &&str| ip.parse().expect("a test names a valid address");
        let answers = answers.iter().map(|ips| ips.iter().map(parse).collect()).collect();
        lock(&self.shared.names).insert(name.to_owned(), answers);
    }

    /// Starts a server, and points its name at it unless the name has answers already.
    pub async fn serve(
        &self,
        site: Site,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) {
        let Site { name, address, http1 } = site;
        lock(&self.shared.names)
            .entry(name.clone())
            .or_insert_with(|| VecDeque::from([vec![address.ip()]]));
        let listener = self.listen().await;
        let local = listener.local_addr().expect("a bound listener has an address");
        lock(&self.shared.servers).insert(address, local);
        let tls = Some(self.acceptor(vec![name, address.ip().to_string()], http1));
        self.run(listener, address, tls, handler);
    }

    /// Starts a plain server on a real loopback port, and gives the port.
    pub async fn loopback(&self, handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> u16 {
        let listener = self.listen().await;
        let local = listener.local_addr().expect("a bound listener has an address");
        self.run(listener, local, None, handler);
        local.port()
    }

    /// An address that never answers, not even with a refusal.
    pub fn black_hole(&self, ip: &str) {
        let ip = ip.parse().expect("a test names a valid address");
        lock(&self.shared.black_holes).insert(ip);
    }

    /// The loopback address behind a server's address, for a test's own proxy.
    pub fn local_address(&self, address: &str) -> SocketAddr {
        let address = address.parse().expect("a test names a valid address");
        lock(&self.shared.servers)[&address]
    }

    /// Every request that reached a server, in order.
    pub fn seen(&self) -> Vec<Seen> {
        lock(&self.shared.seen).clone()
    }

    /// The requests that reached a server for this host.
    pub fn seen_by(&self, host: &str) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| seen.host() == host).collect()
    }

    /// Every name that was looked up, in order.
    pub fn lookups(&self) -> Vec<String> {
        lock(&self.shared.lookups).clone()
    }

    /// Every address that was dialed, in order.
    pub fn dialed(&self) -> Vec<SocketAddr> {
        lock(&self.shared.dialed).clone()
    }

    async fn listen(&self) -> TcpListener {
        TcpListener::bind("127.0.0.1:0").await.expect("a free loopback port")
    }

    fn run(
        &self,
        listener: TcpListener,
        address: SocketAddr,
        tls: Option<TlsAcceptor>,
        handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static,
    ) {
        let (shared, cancel) = (Arc::clone(&self.shared), self.cancel.clone());
        let handler: site::Handler = Arc::new(handler);
        tokio::spawn(async move {
            while let Some(Ok((stream, _))) = cancel.run_until_cancelled(listener.accept()).await {
                _ = stream.set_nodelay(true);
                let connection = shared.connections.fetch_add(1, Ordering::Relaxed);
                let visit = site::Visit {
                    shared: Arc::clone(&shared),
                    handler: Arc::clone(&handler),
                    address,
                    connection,
                };
                let (tls, cancel) = (tls.clone(), cancel.clone());
                tokio::spawn(async move {
                    cancel.run_until_cancelled(visit.serve(stream, tls)).await;
                });
            }
        });
    }

    fn acceptor(&self, names: Vec<String>, http1: bool) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key for a test server");
        let params = CertificateParams::new(names).expect("names that a certificate can hold");
        let certificate = params.signed_by(&key, &self.authority).expect("a signed certificate");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider's own versions")
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                rustls_pki_types::PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
            )
            .expect("a key that fits its certificate");
        config.alpn_protocols = match http1 {
            true => vec![b"http/1.1".to_vec()],
            false => vec![b"h2".to_vec(), b"http/1.1".to_vec()],
        };
        TlsAcceptor::from(Arc::new(config))
    }
}

struct Names(Arc<Shared>);

#[async_trait]
impl Resolver for Names {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        lock(&self.0.lookups).push(host.to_owned());
        let mut names = lock(&self.0.names);
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such name");
        let answers = names.get_mut(host).ok_or_else(unknown)?;
        match answers.len() {
            0 => Err(unknown()),
            1 => Ok(answers[0].clone()),
            _ => Ok(answers.pop_front().unwrap_or_default()),
        }
    }
}

struct Wires(Arc<Shared>);

#[async_trait]
impl Dialer for Wires {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        lock(&self.0.dialed).push(address);
        if lock(&self.0.black_holes).contains(&address.ip()) {
            std::future::pending::<()>().await;
        }
        let server = lock(&self.0.servers).get(&address).copied();
        match server {
            Some(local) => TcpStream::connect(local).await,
            None if address.ip().to_canonical().is_loopback() => TcpStream::connect(address).await,
            None => Err(io::ErrorKind::ConnectionRefused.into()),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
