//! A service at work, and how the tests ask it.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use arc_swap::ArcSwap;
use daemon::metrics::Counters;
use daemon::state::StateDir;
use inventory_core::load_texts;
use inventory_core::model::{Inventory, Shard};

use super::super::testing::TempDir;
use super::super::*;
use super::kernel;

const INVENTORY: &str = r#"
[site]
nameservers = ["ns1.lab.example.org"]
[zone."lab.example.org"]
[network.lo]
zone = "lab.example.org"
ipv4 = "10.20.0.0/24"
[boot.debian12]
kernel = "linux"
files = { "preseed.cfg" = "templates/preseed.cfg.j2" }
[host.ns1]
network = "lo"
ip = "10.20.0.53"
"#;

/// A running service. The host `web1` of its inventory has the address that the tests' clients have.
pub(super) struct Running {
    pub(super) temp: TempDir,
    pub(super) counters: Arc<Counters<BootEvent>>,
    pub(super) shared: Arc<Shared>,
    pub(super) tftp: SocketAddr,
    pub(super) http: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    pub(super) fn new() -> Running {
        Running::with(Patience::default())
    }

    pub(super) fn with(patience: Patience) -> Running {
        let temp = TempDir::new("service");
        fs::create_dir_all(temp.path().join("root/sub")).unwrap();
        fs::write(temp.path().join("root/linux"), kernel()).unwrap();
        fs::write(temp.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", temp.path().join("root/escape")).unwrap();
        Running::over(temp, patience)
    }

    pub(super) fn over(temp: TempDir, patience: Patience) -> Running {
        let web1 = "[host.web1]\nnetwork = \"lo\"\nip = \"10.20.0.11\"\nboot = \"debian12\"\n\
                    mac = \"02:00:00:00:00:01\"\nstate = \"install\"\n";
        let template = "host {{ host.name }}\n{{ done_url }}\n";
        let files = [("a.toml", INVENTORY), ("b.toml", web1), ("templates/preseed.cfg.j2", template)];
        let snapshot = on_loopback(load_texts(&files).unwrap_or_else(|errors| panic!("{errors:?}")));
        let counters = counters();
        let state = Arc::new(StateDir::open(&temp.path().join("state"), None).unwrap());
        let (memory, installs) = Memory::load(&state).unwrap();
        let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let requests = daemon::udp::bind(&daemon::udp::Options::new(any)).unwrap();
        let connections = daemon::tcp::listen(any).unwrap();
        let (tftp, http) = (requests.local_addr().unwrap(), connections.local_addr().unwrap());
        let shared = Arc::new(Shared {
            root: BootRoot::new(&temp.path().join("root")),
            service: Mutex::new(Service::new(installs)),
            snapshots: Arc::new(ArcSwap::from_pointee(snapshot)),
            memory,
            tally: counters.shared_tally(),
            transfers: Limits::default(),
            connections: Limits::default(),
            patience,
            http_port: http.port(),
        });
        let serving = Arc::clone(&shared);
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let door = tftp::Door { device: "lo".to_owned(), mtu: 1500 };
                let requests = tokio::net::UdpSocket::from_std(requests).unwrap();
                tokio::spawn(tftp::serve(requests, door, Arc::clone(&serving)));
                let connections = tokio::net::TcpListener::from_std(connections).unwrap();
                tokio::spawn(http::serve(connections, serving));
                let _ = stopped.await;
            });
        });
        Running { temp, counters, shared, tftp, http, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends `request` and reads until the service closes the connection.
    pub(super) fn http(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let body = octets.split_off(end);
        (String::from_utf8(octets).unwrap().to_ascii_lowercase(), body)
    }

    pub(super) fn get(&self, path: &str) -> (String, Vec<u8>) {
        self.http(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    /// Path of the URL by which web1's installation is reported.
    pub(super) fn done_url(&self) -> String {
        let (_, file) = self.get("/hostbook/web1.lab.example.org/file/preseed.cfg");
        let file = String::from_utf8(file).unwrap();
        assert!(file.starts_with("host web1\n"), "{file}");
        file.lines().nth(1).unwrap().split_once(&self.http.to_string()).unwrap().1.to_owned()
    }

    /// Web1's script.
    pub(super) fn script(&self) -> String {
        let (head, body) = self.get("/hostbook/web1.lab.example.org/boot.ipxe");
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        String::from_utf8(body).unwrap()
    }

    /// Fetches a file by TFTP; an error's code and text where there is one.
    pub(super) fn tftp(&self, request: &[u8]) -> Result<Vec<u8>, (u16, String)> {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.send_to(request, self.tftp).unwrap();
        let (mut got, mut buffer, mut expected, mut block_octets) = (Vec::new(), [0; 2000], 1u16, 512);
        loop {
            let (octets, from) = socket.recv_from(&mut buffer).unwrap();
            assert_eq!(from.ip(), self.tftp.ip(), "from the asked address");
            assert_ne!(from.port(), self.tftp.port(), "from a port of the transfer's own");
            let number = u16::from_be_bytes([buffer[2], buffer[3]]);
            match buffer[1] {
                6 => {
                    let text = String::from_utf8_lossy(&buffer[2..octets]).into_owned();
                    let words: Vec<&str> = text.split('\0').collect();
                    if let Some(at) = words.iter().position(|word| *word == "blksize") {
                        block_octets = words[at + 1].parse().unwrap();
                    }
                    socket.send_to(&[0, 4, 0, 0], from).unwrap();
                }
                3 if number == expected => {
                    got.extend_from_slice(&buffer[4..octets]);
                    socket.send_to(&[0, 4, buffer[2], buffer[3]], from).unwrap();
                    expected = expected.wrapping_add(1);
                    if octets - 4 < block_octets {
                        return Ok(got);
                    }
                }
                3 => {}
                5 => return Err((number, String::from_utf8_lossy(&buffer[4..octets - 1]).into_owned())),
                other => panic!("opcode {other}"),
            }
        }
    }

    /// Waits until an event was counted so often.
    pub(super) fn counted(&self, event: BootEvent, times: u64) {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while self.counters.get(event) < times {
            assert!(std::time::Instant::now() < deadline, "{event:?}: {:?}", self.counters.to_json());
            std::thread::yield_now();
        }
    }

    pub(super) fn stop(&mut self) {
        drop(self.stop.take());
        self.thread.take().map(JoinHandle::join);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// The snapshot with a loopback address, which no inventory has, for the host with a card.
fn on_loopback(snapshot: Snapshot) -> Snapshot {
    let on_loopback = |shard: &Arc<Shard>| {
        let mut hosts = shard.hosts().to_vec();
        for host in hosts.iter_mut().filter(|host| host.nics[0].mac.is_some()) {
            host.nics[0].addresses = vec![Ipv4Addr::LOCALHOST.into()].into();
        }
        Arc::new(Shard::new(Arc::clone(&shard.path), &hosts))
    };
    let mut inventory = Inventory::clone(&snapshot.inventory);
    inventory.shards = inventory.shards.iter().map(on_loopback).collect();
    Snapshot { inventory: Arc::new(inventory), ..snapshot }
}
