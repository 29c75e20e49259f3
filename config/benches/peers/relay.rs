//! A relay in front of an sshd that counts connections and turns.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// A running relay. It lasts as long as the program.
pub(crate) struct Relay {
    /// Where it listens, on 127.0.0.1.
    pub(crate) port: u16,
    connections: Arc<AtomicUsize>,
    turns: Arc<AtomicUsize>,
}

impl Relay {
    /// A relay to a port of 127.0.0.1.
    pub(crate) fn start(to: u16) -> Relay {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (connections, turns) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let relay = Relay { port, connections: Arc::clone(&connections), turns: Arc::clone(&turns) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::Relaxed);
                let Ok(server) = TcpStream::connect(("127.0.0.1", to)) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                // Whether the target spoke last. It speaks first: that is no turn.
                let target_spoke = Arc::new(AtomicBool::new(true));
                let (back, mine) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let (spoke, turns) = (Arc::clone(&target_spoke), Arc::clone(&turns));
                std::thread::spawn(move || {
                    pass(client, mine, || {
                        if spoke.swap(false, Ordering::Relaxed) {
                            turns.fetch_add(1, Ordering::Relaxed);
                        }
                    });
                });
                std::thread::spawn(move || {
                    pass(server, back, || target_spoke.store(true, Ordering::Relaxed));
                });
            }
        });
        relay
    }

    /// Connections and turns so far.
    pub(crate) fn counts(&self) -> (usize, usize) {
        (self.connections.load(Ordering::Relaxed), self.turns.load(Ordering::Relaxed))
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, on_some: impl Fn()) {
    let mut octets = [0; 1 << 16];
    while let Ok(count @ 1..) = from.read(&mut octets) {
        on_some();
        if to.write_all(&octets[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}
