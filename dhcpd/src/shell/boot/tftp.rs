//! TFTP's sockets: one for requests, one for each transfer, which answers from the asked address.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use daemon::udp::{self, Datagram, MAX_BATCH, RecvBatch, Wait};
use nix::sys::socket::{getsockopt, sockopt};
use tokio::io::Interest;
use tokio::net::UdpSocket;
use tokio::time::Instant;
use tracing::debug;

use super::content::{Content, Shared};
use super::limits::{Full, Room};
use crate::boot::tftp::{
    BadRequest, DATA_HEADER, End, ErrorCode, FromClient, Mode, REQUEST_OCTETS_MAX, ReadRequest, Send, Terms,
    Transfer, to_netascii, write_data, write_error, write_oack,
};
use crate::boot::{BootEvent, Target, What};

/// Octets of a file that can be sent as text: it is translated in memory.
const NETASCII_OCTETS_MAX: u64 = 4 << 20;
/// Receive buffer of a transfer: acknowledgements are small.
const TRANSFER_BUFFER: usize = 64 << 10;
/// Pause after an error of the socket that may stay.
const PAUSE: Duration = Duration::from_millis(100);

/// Where requests come in.
#[derive(Clone)]
pub(super) struct Door {
    pub(super) device: String,
    pub(super) mtu: u32,
}

/// Serves requests until the task is dropped.
pub(super) async fn serve(socket: UdpSocket, door: Door, shared: Arc<Shared>) {
    let mut requests = RecvBatch::new(MAX_BATCH, REQUEST_OCTETS_MAX);
    loop {
        if socket.readable().await.is_err() {
            return;
        }
        let received = socket.try_io(Interest::READABLE, || match requests.receive(&socket, Wait::Never) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            other => other,
        });
        match received {
            Ok(_) => requests.iter().for_each(|request| begin(&request, &door, &shared)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => {
                debug!(%error, "receiving TFTP requests failed");
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}

/// Starts a transfer, or an answer that says why there is none.
fn begin(request: &Datagram<'_>, door: &Door, shared: &Arc<Shared>) {
    let (Some(local), peer) = (request.local, request.from) else { return };
    // RFC 1123, section 4.2.3.4: requests to everybody are not answered.
    if request.to != Some(local) || peer.port() == 0 {
        return shared.tally.count(BootEvent::BadRequest);
    }
    let asked = match ReadRequest::read(request.bytes) {
        // Whoever sends this speaks no TFTP.
        Err(BadRequest::Malformed) if !request.truncated => return shared.tally.count(BootEvent::BadRequest),
        asked => asked,
    };
    let full = |full: Full| match full {
        Full::Again => shared.tally.count(BootEvent::Repeated),
        Full::TooMany => shared.tally.count(BootEvent::TooMany),
    };
    if let Err(why) = shared.transfers.admits(peer) {
        return full(why);
    }
    let (content, options) = match asked {
        _ if request.truncated => (refusal(shared, BadRequest::Malformed), Vec::new()),
        Ok(request) => (open(&request, peer.ip(), local, shared), owned(&request.options)),
        Err(bad) => (refusal(shared, bad), Vec::new()),
    };
    let socket = match transfer_socket(local, peer, &door.device) {
        Ok(socket) => socket,
        Err(error) => {
            debug!(%error, %peer, "a transfer cannot have a socket");
            return shared.tally.count(BootEvent::NoSocket);
        }
    };
    // An answer that there is nothing takes nobody's place.
    let content = match content {
        Ok(content) => content,
        Err((code, why)) => {
            let mut packet = Vec::new();
            write_error(&mut packet, code, &why);
            let _ = socket.send(&packet);
            return;
        }
    };
    let room = match shared.transfers.enter(peer) {
        Ok(room) => room,
        Err(why) => return full(why),
    };
    let mtu = path_mtu(&socket, door.mtu);
    let options = options.iter().map(|(name, value)| (&**name, &**value));
    let terms = Terms::new(options, content.size(), mtu, peer.is_ipv6());
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        let Ok(socket) = UdpSocket::from_std(socket) else {
            return shared.tally.count(BootEvent::NoSocket);
        };
        tokio::select! {
            end = transfer(&socket, &content, terms, &room) => {
                shared.tally.count(event_of(end));
                debug!(%peer, ?end, "transfer");
            }
            () = room.taken() => shared.tally.count(BootEvent::MadeRoom),
        }
    });
}

/// What the client is told of a request that is none that can be met.
fn refusal(shared: &Shared, bad: BadRequest) -> Result<Content, (ErrorCode, String)> {
    let (code, event, why) = match bad {
        BadRequest::Write => (ErrorCode::Access, BootEvent::Write, "nothing can be written here"),
        BadRequest::Mode => (ErrorCode::Illegal, BootEvent::BadRequest, "modes are octet and netascii"),
        BadRequest::Malformed => (ErrorCode::Illegal, BootEvent::BadRequest, "too long"),
    };
    Err((code, refused(shared, event, why)))
}

fn owned(options: &[(&str, &str)]) -> Vec<(String, String)> {
    options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

/// What the client asks for.
fn open(
    request: &ReadRequest<'_>,
    peer: IpAddr,
    local: IpAddr,
    shared: &Shared,
) -> Result<Content, (ErrorCode, String)> {
    let target = Target::parse(request.file).map_err(|event| shared.refuse(event, "no such path".to_owned()));
    let found = target.and_then(|target| match target {
        // Whoever reads it by TFTP may be a loader that tries names, and cannot be told of a failure.
        Target::Made { what: What::Done(_), .. } => {
            Err(shared.refuse(BootEvent::NotReported, "report it by HTTP".to_owned()))
        }
        target => shared.find(&target, peer, local),
    });
    let found = found.map_err(|(event, why)| {
        let code = if event == BootEvent::NotFound { ErrorCode::NotFound } else { ErrorCode::Access };
        (code, why)
    })?;
    if request.mode == Mode::Octet {
        return Ok(found);
    }
    if found.size() > NETASCII_OCTETS_MAX {
        let why = refused(shared, BootEvent::BadRequest, "too long for mode netascii: use octet");
        return Err((ErrorCode::Illegal, why));
    }
    let mut octets = Vec::new();
    let size = usize::try_from(found.size()).unwrap_or(0);
    found.read(0, size, &mut octets).map_err(|error| (ErrorCode::Undefined, error.to_string()))?;
    Ok(Content::Made(to_netascii(&octets).into()))
}

fn refused(shared: &Shared, event: BootEvent, why: &str) -> String {
    shared.refuse(event, why.to_owned()).1
}

/// A socket with a port of its own, from the address that was asked, for this client alone: the kernel
/// keeps all others away.
fn transfer_socket(local: IpAddr, peer: SocketAddr, device: &str) -> io::Result<std::net::UdpSocket> {
    let mut options = udp::Options::new(SocketAddr::new(local, 0));
    options.device = Some(device.to_owned());
    options.receive_buffer = TRANSFER_BUFFER;
    let socket = udp::bind(&options).map_err(|error| io::Error::new(error.kind(), error.to_string()))?;
    socket.connect(peer)?;
    Ok(socket)
}

/// Largest packet that gets to the client whole, as far as is known.
fn path_mtu(socket: &std::net::UdpSocket, link: u32) -> u32 {
    let path = getsockopt(socket, sockopt::IpMtu).ok().and_then(|mtu| u32::try_from(mtu).ok());
    path.filter(|mtu| *mtu > 0).map_or(link, |mtu| mtu.min(link))
}

/// Runs a transfer to its end, or until its room is another's.
async fn transfer(socket: &UdpSocket, content: &Content, terms: Terms, room: &Room) -> End {
    let begin = Instant::now();
    let now = || u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut transfer = Transfer::new(terms, content.size());
    let (mut out, mut packet, mut buffer) = (Vec::new(), Vec::new(), [0; 64]);
    transfer.start(now(), &mut out);
    loop {
        for send in out.drain(..) {
            if let Err(end) = send_one(socket, content, transfer.terms(), send, &mut packet).await {
                return end;
            }
        }
        if let Some(end) = transfer.end() {
            return end;
        }
        let deadline = begin + Duration::from_millis(transfer.deadline_ms());
        tokio::select! {
            received = socket.recv(&mut buffer) => match received {
                Ok(octets) => {
                    room.answered();
                    let received = FromClient::read(buffer.get(..octets).unwrap_or_default());
                    transfer.packet(received, now(), &mut out);
                }
                // The client has closed its port, as loaders do after a look at the size.
                Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return End::Aborted(0),
                Err(_) => {}
            },
            () = tokio::time::sleep_until(deadline) => transfer.time(now(), &mut out),
        }
    }
}

async fn send_one(
    socket: &UdpSocket,
    content: &Content,
    terms: &Terms,
    send: Send,
    packet: &mut Vec<u8>,
) -> Result<(), End> {
    match send {
        Send::Answer => write_oack(packet, terms.answer()),
        Send::Block { number, offset, octets } => {
            write_data(packet, number);
            let read = content.read(offset, octets, packet);
            if read.is_err() || packet.len() != DATA_HEADER + octets {
                // It was changed or cut while it was sent: half of it is of no use.
                write_error(packet, ErrorCode::Undefined, "the file changed while it was sent");
                let _ = socket.send(packet).await;
                return Err(End::Aborted(0));
            }
        }
    }
    match socket.send(packet).await {
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Err(End::Aborted(0)),
        // What is lost here is lost as on the way: it is sent again.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn event_of(end: End) -> BootEvent {
    match end {
        End::Complete => BootEvent::Complete,
        End::Aborted(_) => BootEvent::Aborted,
        End::Silent => BootEvent::Silent,
    }
}
