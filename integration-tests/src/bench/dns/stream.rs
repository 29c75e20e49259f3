//! A load of DNS questions over one connection, by TCP or TLS: so many on the way at any time (pipelining, RFC 7766,
//! section 6.2.1.1), every answer checked.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::os::fd::AsRawFd;

use super::load::Tally;
use super::question::Question;

/// Questions on the way at any time.
const WINDOW: usize = 48;
/// When no answer comes for longer, those on the way are lost, and the connection is at its end: nothing drops a single
/// one.
const LOST_AFTER: Duration = Duration::from_secs(20);

/// Octets in both directions.
pub trait Stream: Read + Write + Send {}

impl<S: Read + Write + Send> Stream for S {}

/// A client that trusts the certificate in the file `certificate`.
///
/// # Panics
/// It is none.
pub fn trusting(certificate: &Path) -> Arc<ClientConfig> {
    let mut trusted = RootCertStore::empty();
    trusted.add(CertificateDer::from_pem_file(certificate).unwrap()).unwrap();
    Arc::new(ClientConfig::builder().with_root_certificates(trusted).with_no_client_auth())
}

/// A connection from `source` to `server`, by TLS with a client's settings.
///
/// # Errors
/// Nobody listens there.
pub fn open(
    source: IpAddr,
    server: SocketAddr,
    tls: Option<&Arc<ClientConfig>>,
) -> io::Result<Box<dyn Stream>> {
    let family = if server.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?;
    bind(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(source, 0)))?;
    connect(socket.as_raw_fd(), &SockaddrStorage::from(server))?;
    let socket = TcpStream::from(socket);
    socket.set_nodelay(true)?;
    socket.set_read_timeout(Some(LOST_AFTER))?;
    let Some(tls) = tls else { return Ok(Box::new(socket)) };
    let name = ServerName::from(server.ip());
    let client = ClientConnection::new(Arc::clone(tls), name).map_err(io::Error::other)?;
    Ok(Box::new(StreamOwned::new(client, socket)))
}

/// Asks for as long as `wanted`, from the question `first` on, then waits for the answers that are on their way.
///
/// # Errors
/// The connection fails.
pub fn run(
    stream: &mut dyn Stream,
    questions: &[Question],
    first: usize,
    wanted: Duration,
) -> io::Result<Tally> {
    let mut tally = Tally::default();
    let start = Instant::now();
    let mut next = first;
    let mut asked = [0; WINDOW];
    let mut out = Vec::new();
    let mut ask = |place: usize, out: &mut Vec<u8>| {
        let octets = &questions[next % questions.len()].octets;
        out.extend_from_slice(&u16::try_from(octets.len()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&u16::try_from(place).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(&octets[2..]);
        next += 1;
        (next - 1) % questions.len()
    };
    for (place, asked) in asked.iter_mut().enumerate() {
        *asked = ask(place, &mut out);
    }
    let mut waiting = WINDOW;
    let (mut heard, mut more) = (Vec::new(), vec![0; 65_536]);
    while waiting > 0 {
        stream.write_all(&out)?;
        stream.flush()?;
        out.clear();
        let octets = match stream.read(&mut more) {
            Ok(0) => break,
            Ok(octets) => octets,
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                break;
            }
            Err(error) => return Err(error),
        };
        heard.extend_from_slice(&more[..octets]);
        let mut rest = &heard[..];
        while let Some((reply, after)) = framed(rest) {
            rest = after;
            let Some(place) = reply.first_chunk().map(|id| usize::from(u16::from_be_bytes(*id))) else {
                break;
            };
            let number = *asked.get(place).ok_or_else(|| io::Error::other("a reply to nothing"))?;
            match questions[number].check(reply) {
                Ok(()) => tally.right += 1,
                Err(wrong) => {
                    tally.wrong += 1;
                    tally.first_wrong.get_or_insert((number, wrong));
                }
            }
            if start.elapsed() < wanted {
                asked[place] = ask(place, &mut out);
            } else {
                waiting -= 1;
            }
        }
        heard.drain(..heard.len() - rest.len());
    }
    tally.lost = waiting as u64;
    tally.took = start.elapsed();
    Ok(tally)
}

/// The message that `octets` begin with (RFC 1035, section 4.2.2), if it is there as a whole, and what follows it.
fn framed(octets: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = octets.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}
