//! What a client sees of its streams.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use daemon::metrics::Registry;
use quinn::ReadError;
use quinn::crypto::rustls::QuicClientConfig;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};

use super::super::super::counters::DnsCounters;
use super::super::super::service::Service;
use super::super::{Certificate, Files, quic_config};
use super::*;
use crate::testing::{Ask, view};
use crate::view::rtype;

/// A client that believes everything.
#[derive(Debug)]
struct Believes;

impl ServerCertVerifier for Believes {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A new certificate; its files go away once they are read.
fn certificate() -> Arc<Certificate> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let directory: PathBuf = std::env::temp_dir().join(format!(
        "hostbook-quic-{}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    std::fs::create_dir_all(&directory).unwrap();
    let [chain, key] = ["chain.pem", "key.pem"].map(|file| directory.join(file));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ed25519", "-nodes", "-subj", "/CN=ns1.lab.example", "-keyout"])
        .args([&key, &PathBuf::from("-out"), &chain])
        .output()
        .expect("openssl is installed: integration-tests/setup.sh test");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let certificate = Certificate::open(Files { chain, key }).unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
    certificate
}

fn client() -> quinn::ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Believes))
        .with_no_client_auth();
    config.alpn_protocols = vec![b"doq".to_vec()];
    quinn::ClientConfig::new(Arc::new(QuicClientConfig::try_from(config).unwrap()))
}

/// What a stream with this query says.
async fn ask(connection: &Connection, ask: &Ask) -> Result<Vec<u8>, ReadError> {
    let mut query = ask.octets();
    query[..2].fill(0);
    let mut framed = Vec::new();
    append(&query, &mut framed);
    let (mut send, mut receive) = connection.open_bi().await.unwrap();
    send.write_all(&framed).await.unwrap();
    send.finish().unwrap();
    let mut said = Vec::new();
    loop {
        match receive.read_chunk(65_535, true).await {
            Ok(Some(chunk)) => said.extend_from_slice(&chunk.bytes),
            Ok(None) => return Ok(said),
            Err(error) => return Err(error),
        }
    }
}

/// A server of this inventory's view, and a connection to it.
struct Served {
    connections: Arc<Connections>,
    connection: Connection,
    _endpoint: Endpoint,
    _stop: watch::Sender<bool>,
}

async fn serving(inventory: &str) -> Served {
    let counters = DnsCounters::new(&mut Registry::default());
    let connections = Connections::new(Service::new(view(inventory), None), counters.connections());
    let socket = bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    let (stop, stopped) = watch::channel(false);
    let config = quic_config(&certificate());
    tokio::spawn(serve(socket, config, Arc::clone(&connections), stopped));
    let mut endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    endpoint.set_default_client_config(client());
    let connection = endpoint.connect(address, "ns1.lab.example").unwrap().await.unwrap();
    Served { connections, connection, _endpoint: endpoint, _stop: stop }
}

/// Asks for something that is there.
async fn goes_on(connection: &Connection) {
    let answer = ask(connection, &Ask::new("ns1.lab.example", rtype::A)).await.unwrap();
    assert!(next_message(&answer).is_some(), "the connection goes on");
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn a_transfer_that_fails_does_not_end_like_a_whole_one() {
    run(async {
        let served = serving("[zone.\"lab.example\"]\nsecondaries = [\"127.0.0.1\"]\n").await;
        let copy = Ask::new("lab.example", rtype::AXFR);
        let whole = ask(&served.connection, &copy).await.unwrap();
        assert!(next_message(&whole).is_some(), "{whole:?}");
        // Nobody gets a turn any more.
        served.connections.turns.close();
        let failed = ask(&served.connection, &copy).await;
        assert_eq!(failed, Err(ReadError::Reset(INTERNAL_ERROR)));
        goes_on(&served.connection).await;
    });
}

#[test]
fn a_question_without_an_answer_does_not_end_like_one_with_an_answer() {
    run(async {
        let served = serving("[zone.\"lab.example\"]\n").await;
        // A response is dropped.
        let mut response = Ask::new("ns1.lab.example", rtype::A);
        response.flags |= 0x8000;
        assert_eq!(ask(&served.connection, &response).await, Err(ReadError::Reset(INTERNAL_ERROR)));
        goes_on(&served.connection).await;
    });
}
