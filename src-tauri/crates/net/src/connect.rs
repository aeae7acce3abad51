//! Names to addresses, addresses to connections. Everything here is given, nothing is found in
//! the environment.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use devrig_core::{Code, Error, Result, Sensitive};
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Asks for the addresses of a name. The answer is checked by whoever asked.
#[async_trait]
pub trait Resolver: Send + Sync {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// Opens a connection to an address that was checked.
#[async_trait]
pub trait Dialer: Send + Sync {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream>;
}

/// The operating system's resolver.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolver for SystemResolver {
    async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        Ok(tokio::net::lookup_host((host, 0)).await?.map(|address| address.ip()).collect())
    }
}

/// The operating system's sockets.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemDialer;

#[async_trait]
impl Dialer for SystemDialer {
    async fn dial(&self, address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }
}

/// Whose signature under a server's certificate is believed.
#[derive(Debug, Clone, Default)]
pub enum Roots {
    /// Mozilla's list, and on Linux what the administrator added to the system's own.
    #[default]
    System,
    /// These (DER) and no others.
    Only(Vec<Vec<u8>>),
}

/// Where Linux distributions keep their list. Read directly: the usual crate also obeys
/// `SSL_CERT_FILE`, and no environment variable may change whom we believe.
const SYSTEM_LISTS: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

impl Roots {
    fn store(&self) -> Result<RootCertStore> {
        let mut store = RootCertStore::empty();
        match self {
            Self::Only(list) => {
                for der in list {
                    store.add(CertificateDer::from(der.clone())).map_err(|error| {
                        Error::invalid(format!("a root certificate cannot be used: {error}"))
                    })?;
                }
            }
            Self::System => {
                store.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
                let found = SYSTEM_LISTS.iter().find_map(|path| std::fs::read(path).ok());
                let pem = found.unwrap_or_default();
                // A certificate that cannot be used is one root less, not a reason to stop.
                store.add_parsable_certificates(CertificateDer::pem_slice_iter(&pem).flatten());
            }
        }
        Ok(store)
    }
}

/// A proxy that the person set. Requests are checked before they go to it, and it is told the
/// address that was checked; loopback targets do not use it.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub host: String,
    pub port: u16,
    pub login: Option<(String, Sensitive<String>)>,
}

/// How long one address may take to answer, and when the next is tried beside it.
const CONNECT: Duration = Duration::from_secs(10);
const STAGGER: Duration = Duration::from_millis(250);
/// A name with more addresses than this is tried at the first few.
const MAX_ADDRESSES: usize = 8;

pub(crate) struct Connector {
    pub(crate) resolver: Arc<dyn Resolver>,
    dialer: Arc<dyn Dialer>,
    tls: TlsConnector,
    proxy: Option<Proxy>,
}

pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Connector {
    pub(crate) fn new(
        resolver: Arc<dyn Resolver>,
        dialer: Arc<dyn Dialer>,
        roots: &Roots,
        proxy: Option<Proxy>,
    ) -> Result<Self> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::internal(format!("TLS: {error}")))?
            .with_root_certificates(roots.store()?)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self { resolver, dialer, tls: TlsConnector::from(Arc::new(config)), proxy })
    }

    /// Connects to the first of these checked addresses that answers, and says which.
    pub(crate) async fn connect(
        &self,
        host: &str,
        https: bool,
        port: u16,
        addresses: &[IpAddr],
    ) -> Result<(Stream, IpAddr)> {
        let (tcp, ip) = self.race(host, port, addresses).await?;
        if !https {
            return Ok((Stream::Plain(tcp), ip));
        }
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())
            .map_err(|_| Error::invalid(format!("{host} is no name for TLS")))?;
        let shaken = tokio::time::timeout(CONNECT, self.tls.connect(name, tcp)).await;
        match shaken {
            Ok(Ok(stream)) => Ok((Stream::Tls(Box::new(stream)), ip)),
            Ok(Err(error)) => Err(tls_error(host, &error)),
            Err(_) => Err(Error::new(Code::Timeout, format!("{host} does not finish TLS"))),
        }
    }

    async fn race(&self, host: &str, port: u16, ips: &[IpAddr]) -> Result<(TcpStream, IpAddr)> {
        let mut waiting = ips.iter().copied().take(MAX_ADDRESSES);
        let mut dialing = FuturesUnordered::new();
        let mut last = io::Error::new(io::ErrorKind::NotFound, "no address");
        let mut more = true;
        loop {
            if more {
                match waiting.next() {
                    Some(ip) => dialing.push(async move { (self.dial(host, ip, port).await, ip) }),
                    None => more = false,
                }
            }
            if dialing.is_empty() && !more {
                return Err(Error::new(Code::Network, format!("{host} cannot be reached: {last}")));
            }
            tokio::select! {
                Some((result, ip)) = dialing.next() => match result {
                    Ok(stream) => {
                        // Without this HTTP/2's small frames wait 40 ms for an acknowledgement.
                        _ = stream.set_nodelay(true);
                        return Ok((stream, ip));
                    }
                    Err(error) => last = error,
                },
                () = tokio::time::sleep(STAGGER), if more => {}
            }
        }
    }

    async fn dial(&self, host: &str, ip: IpAddr, port: u16) -> io::Result<TcpStream> {
        let target = SocketAddr::new(ip, port);
        let dial = async {
            match &self.proxy {
                Some(proxy) if !ip.to_canonical().is_loopback() => {
                    self.tunnel(proxy, target).await.map_err(|error| {
                        io::Error::new(error.kind(), format!("proxy {}: {error}", proxy.host))
                    })
                }
                _ => self.dialer.dial(target).await,
            }
        };
        match tokio::time::timeout(CONNECT, dial).await {
            Ok(result) => result,
            Err(_) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, format!("{host} does not answer")))
            }
        }
    }

    async fn tunnel(&self, proxy: &Proxy, target: SocketAddr) -> io::Result<TcpStream> {
        let ips = match proxy.host.parse::<IpAddr>() {
            Ok(ip) => vec![ip],
            Err(_) => self.resolver.resolve(&proxy.host).await?,
        };
        let ip = ips.first().ok_or_else(|| io::Error::other("its name has no address"))?;
        let mut stream = self.dialer.dial(SocketAddr::new(*ip, proxy.port)).await?;
        let mut ask = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n");
        if let Some((user, password)) = &proxy.login {
            let pair = format!("{user}:{}", password.expose());
            let pair = base64::engine::general_purpose::STANDARD.encode(pair);
            ask.push_str(&format!("Proxy-Authorization: Basic {pair}\r\n"));
        }
        ask.push_str("\r\n");
        stream.write_all(ask.as_bytes()).await?;
        let mut head = Vec::new();
        // Byte by byte, as what follows the head already belongs to the target.
        while !head.ends_with(b"\r\n\r\n") {
            if head.len() > 8192 {
                return Err(io::Error::other("its answer is too long"));
            }
            head.push(stream.read_u8().await?);
        }
        let line = String::from_utf8_lossy(&head);
        let status = line.split(' ').nth(1).unwrap_or_default();
        match status {
            "200" => Ok(stream),
            other => Err(io::Error::other(format!("it answered {other}"))),
        }
    }
}

fn tls_error(host: &str, error: &io::Error) -> Error {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => Error::new(
            Code::Refused,
            format!("the certificate of {host} is not valid: {why}"),
        )
        .hint("If your company signs its own certificates, add its root to the system's list."),
        _ => Error::new(Code::Network, format!("TLS with {host} failed: {error}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_systems_roots_are_a_list_and_given_ones_are_checked() {
        assert!(Roots::System.store().unwrap().len() > 100);
        assert!(Roots::Only(Vec::new()).store().unwrap().is_empty());
        assert!(Roots::Only(vec![b"no certificate".to_vec()]).store().is_err());
    }
}
