//! Answers that nobody on the way can read: DNS over TLS, HTTPS and QUIC, on request.
//!
//! Connections are counted with those by TCP, so that all kinds together have bounds. hickory-server's listeners
//! are not used: they bound neither connections nor clients, agree on keys with one QUIC client at a time, log lines
//! for strangers, and take replies apart into records.

mod certificate;
mod https;
mod quic;
mod tls;

pub use certificate::{Certificate, CertificateError, Files};

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::sync::Arc;

use daemon::ListenError;
use quinn::crypto::rustls::QuicServerConfig;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};
use tokio_rustls::TlsAcceptor;

use super::connections::Connections;

/// Open sockets, and what clients are shown.
#[derive(Debug)]
pub struct Encrypted {
    certificate: Arc<Certificate>,
    tls: Vec<TcpListener>,
    https: Vec<TcpListener>,
    quic: Vec<UdpSocket>,
}

impl Encrypted {
    /// Opens a socket on each address.
    ///
    /// # Errors
    /// The address that cannot be listened on, and why.
    pub fn open(
        certificate: Arc<Certificate>,
        tls: &[SocketAddr],
        https: &[SocketAddr],
        quic: &[SocketAddr],
    ) -> Result<Encrypted, ListenError> {
        let listen = |addresses: &[SocketAddr]| -> Result<Vec<_>, _> {
            addresses.iter().copied().map(daemon::tcp::listen).collect()
        };
        let bind = |address: &SocketAddr| {
            let explain = |error| daemon::udp::explain(&daemon::udp::Options::new(*address), error);
            quic::bind(*address).map_err(explain)
        };
        Ok(Encrypted {
            certificate,
            tls: listen(tls)?,
            https: listen(https)?,
            quic: quic.iter().map(bind).collect::<Result<_, _>>()?,
        })
    }

    /// The addresses listened on, each with what is spoken there.
    pub fn addresses(&self) -> Vec<String> {
        let tcp = |listener: &TcpListener| listener.local_addr().ok();
        let listeners = [("tls", &self.tls), ("https", &self.https)]
            .into_iter()
            .flat_map(|(name, listeners)| listeners.iter().filter_map(move |at| Some((name, tcp(at)?))));
        let quic = self.quic.iter().filter_map(|socket| Some(("quic", socket.local_addr().ok()?)));
        listeners.chain(quic).map(|(name, address)| format!("{name}://{address}")).collect()
    }

    /// What clients are shown.
    pub fn certificate(&self) -> Arc<Certificate> {
        Arc::clone(&self.certificate)
    }

    /// Answers until `stop` turns true.
    pub(super) async fn serve(self, connections: Arc<Connections>, stop: watch::Receiver<bool>) {
        let certificate = self.certificate;
        let mut serving = JoinSet::new();
        let dot = acceptor(&certificate, &[b"dot"]);
        for listener in self.tls {
            serving.spawn(tls::serve(listener, dot.clone(), Arc::clone(&connections), stop.clone()));
        }
        let doh = acceptor(&certificate, &[b"h2", b"http/1.1"]);
        for listener in self.https {
            serving.spawn(https::serve(listener, doh.clone(), Arc::clone(&connections), stop.clone()));
        }
        for socket in self.quic {
            serving.spawn(quic::serve(
                socket,
                quic_config(&certificate),
                Arc::clone(&connections),
                stop.clone(),
            ));
        }
        let renewing = async {
            let mut looks = interval(certificate::INTERVAL);
            looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                looks.tick().await;
                certificate.look();
            }
        };
        tokio::select! {
            () = renewing => {}
            () = async { while serving.join_next().await.is_some() {} } => {}
        }
    }
}

/// What is agreed on with clients that speak one of `protocols` (RFC 7301).
fn config(certificate: &Arc<Certificate>, protocols: &[&[u8]]) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("ring has what TLS 1.2 and 1.3 need")
        .with_no_client_auth()
        .with_cert_resolver(Arc::clone(certificate) as Arc<dyn ResolvesServerCert>);
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    if let Ok(ticketer) = ring::Ticketer::new() {
        config.ticketer = ticketer;
    }
    config
}

fn acceptor(certificate: &Arc<Certificate>, protocols: &[&[u8]]) -> TlsAcceptor {
    Arc::new(config(certificate, protocols)).into()
}

fn quic_config(certificate: &Arc<Certificate>) -> quinn::ServerConfig {
    let config = QuicServerConfig::try_from(config(certificate, &[b"doq"]));
    let config = config.expect("ring has the cipher suite that QUIC begins with");
    let mut config = quinn::ServerConfig::with_crypto(Arc::new(config));
    config.transport_config(Arc::new(quic::limits()));
    config
}
