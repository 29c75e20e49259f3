//! Telling secondaries of changes: sockets and clocks around [`crate::core::notify`].

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket as StdSocket};
use std::sync::Arc;
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout_at};
use tracing::{debug, info, warn};

use crate::core::notify::{Announcer, Moment};

use super::clock::wall_clock;
use super::service::Service;

/// How often files of secrets are looked at.
const LOOK: Duration = Duration::from_secs(5);
/// Pause between bursts of messages.
const BURST: Duration = Duration::from_millis(50);

/// Sockets that messages leave from, of IPv4 and of IPv6.
#[derive(Debug)]
pub(super) struct AnnounceSockets([Option<StdSocket>; 2]);

impl AnnounceSockets {
    /// Sockets on the addresses that secondaries know: the first of each family that is listened on.
    pub(super) fn open(listened: &[SocketAddr]) -> AnnounceSockets {
        let any: [IpAddr; 2] = [Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()];
        AnnounceSockets(any.map(|any| {
            let own = listened.iter().map(SocketAddr::ip).find(|ip| ip.is_ipv4() == any.is_ipv4())?;
            match bind(own) {
                Ok(socket) => Some(socket),
                Err(error) => {
                    warn!(%error, address = %own, "secondaries of this family cannot be told of changes");
                    None
                }
            }
        }))
    }
}

fn bind(address: IpAddr) -> io::Result<StdSocket> {
    let socket = StdSocket::bind((address, 0))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Tells secondaries of every change until `stop` turns true.
pub(super) async fn announce(
    service: Arc<Service>,
    sockets: AnnounceSockets,
    mut stop: watch::Receiver<bool>,
) {
    let sockets = sockets.0.map(|socket| socket.and_then(|socket| UdpSocket::from_std(socket).ok()));
    let started = Instant::now();
    let random = SystemRandom::new();
    let mut announcer = Announcer::default();
    let mut look = started + LOOK;
    announcer.update(&service.views.load(), moment(started));
    loop {
        let due = announcer.next_due().map_or(look, |due| (started + due).min(look));
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = service.changed.notified() => announcer.update(&service.views.load(), moment(started)),
            () = sleep_until(due) => {}
            heard = receive(&sockets) => {
                take(&service, &mut announcer, &heard.1, heard.0, moment(started));
            }
        }
        for (zone, peer, serial) in service.secondaries.take_copied() {
            announcer.copied(&zone, peer, serial);
        }
        if Instant::now() >= look {
            look = Instant::now() + LOOK;
            if service.keys.refresh() {
                info!("secrets were read again");
            }
        }
        send(&service, &sockets, &mut announcer, &random, started).await;
    }
}

/// Sends what is due, and takes the answers between the bursts.
async fn send(
    service: &Service,
    sockets: &[Option<UdpSocket>; 2],
    announcer: &mut Announcer,
    random: &SystemRandom,
    started: Instant,
) {
    loop {
        let (view, keys) = (service.views.load(), service.keys.load());
        let messages = announcer.due(&view, &keys, moment(started), || {
            let mut id = [0; 2];
            // Without randomness any id does: a change is then told once more than needed, at worst.
            let _ = random.fill(&mut id);
            u16::from_be_bytes(id)
        });
        drop((view, keys));
        if messages.is_empty() {
            return;
        }
        for message in messages {
            let Some(socket) = socket_for(sockets, message.to) else { continue };
            match socket.send_to(&message.octets, message.to).await {
                Ok(_) => debug!(zone = %message.zone, to = %message.to, "told of a change"),
                Err(error) => debug!(%error, to = %message.to, "cannot tell of a change"),
            }
        }
        let until = Instant::now() + BURST;
        while let Ok((from, octets)) = timeout_at(until, receive(sockets)).await {
            take(service, announcer, &octets, from, moment(started));
        }
    }
}

fn take(service: &Service, announcer: &mut Announcer, octets: &[u8], from: SocketAddr, now: Moment) {
    let Some(heard) = announcer.answered(from, octets, now) else { return };
    service.secondaries.told(&heard, from.ip(), now.wall);
    if heard.rcode == 0 {
        debug!(zone = %heard.zone, %from, serial = heard.serial, "a secondary has heard of the change");
    } else if heard.again {
        debug!(zone = %heard.zone, %from, rcode = heard.rcode, "a secondary still does not want to hear of a change");
    } else {
        warn!(zone = %heard.zone, %from, rcode = heard.rcode, "a secondary does not want to hear of a change: it is told again");
    }
}

/// The next datagram of any socket.
async fn receive(sockets: &[Option<UdpSocket>; 2]) -> (SocketAddr, Vec<u8>) {
    let [v4, v6] = sockets;
    tokio::select! {
        heard = receive_from(v4.as_ref()) => heard,
        heard = receive_from(v6.as_ref()) => heard,
    }
}

async fn receive_from(socket: Option<&UdpSocket>) -> (SocketAddr, Vec<u8>) {
    let Some(socket) = socket else { return std::future::pending().await };
    let mut octets = vec![0; 2048];
    loop {
        match socket.recv_from(&mut octets).await {
            Ok((length, from)) => {
                octets.truncate(length);
                return (from, octets);
            }
            // Such as "connection refused" from a secondary that is not there.
            Err(error) => {
                debug!(%error, "receiving from secondaries failed");
                tokio::time::sleep(BURST).await;
            }
        }
    }
}

fn socket_for(sockets: &[Option<UdpSocket>; 2], to: SocketAddr) -> Option<&UdpSocket> {
    let [v4, v6] = sockets;
    if to.is_ipv4() { v4.as_ref() } else { v6.as_ref() }
}

fn moment(started: Instant) -> Moment {
    Moment { elapsed: started.elapsed(), wall: wall_clock() }
}
