//! Both protocols over real sockets on the loopback, as a careful and as a careless client speaks them.

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

use super::testing::TempDir;
use super::*;

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
struct Running {
    temp: TempDir,
    counters: Arc<Counters<BootEvent>>,
    memory: Memory,
    tftp: SocketAddr,
    http: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    fn new() -> Running {
        Running::with(Patience::default())
    }

    fn with(patience: Patience) -> Running {
        let temp = TempDir::new("service");
        fs::create_dir_all(temp.path().join("root/sub")).unwrap();
        fs::write(temp.path().join("root/linux"), kernel()).unwrap();
        fs::write(temp.path().join("secret"), "secret").unwrap();
        std::os::unix::fs::symlink("../secret", temp.path().join("root/escape")).unwrap();
        Running::over(temp, patience)
    }

    fn over(temp: TempDir, patience: Patience) -> Running {
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
            memory: memory.clone(),
            tally: counters.shared_tally(),
            transfers: Limits::default(),
            connections: Limits::default(),
            patience,
            http_port: http.port(),
        });
        let (stop, stopped) = oneshot::channel::<()>();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let door = tftp::Door { device: "lo".to_owned(), mtu: 1500 };
                let requests = tokio::net::UdpSocket::from_std(requests).unwrap();
                tokio::spawn(tftp::serve(requests, door, Arc::clone(&shared)));
                let connections = tokio::net::TcpListener::from_std(connections).unwrap();
                tokio::spawn(http::serve(connections, shared));
                let _ = stopped.await;
            });
        });
        Running { temp, counters, memory, tftp, http, stop: Some(stop), thread: Some(thread) }
    }

    /// Sends `request` and reads until the service closes the connection.
    fn http(&self, request: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut octets = Vec::new();
        stream.read_to_end(&mut octets).unwrap();
        let end = octets.windows(4).position(|four| four == b"\r\n\r\n").expect("a head") + 4;
        let body = octets.split_off(end);
        (String::from_utf8(octets).unwrap().to_ascii_lowercase(), body)
    }

    fn get(&self, path: &str) -> (String, Vec<u8>) {
        self.http(&format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
    }

    /// Path of the URL by which web1's installation is reported.
    fn done_url(&self) -> String {
        let (_, file) = self.get("/hostbook/web1.lab.example.org/file/preseed.cfg");
        let file = String::from_utf8(file).unwrap();
        assert!(file.starts_with("host web1\n"), "{file}");
        file.lines().nth(1).unwrap().split_once(&self.http.to_string()).unwrap().1.to_owned()
    }

    /// Web1's script.
    fn script(&self) -> String {
        let (head, body) = self.get("/hostbook/web1.lab.example.org/boot.ipxe");
        assert!(head.starts_with("http/1.1 200 "), "{head}");
        String::from_utf8(body).unwrap()
    }

    /// Fetches a file by TFTP; an error's code and text where there is one.
    fn tftp(&self, request: &[u8]) -> Result<Vec<u8>, (u16, String)> {
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
    fn counted(&self, event: BootEvent, times: u64) {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while self.counters.get(event) < times {
            assert!(std::time::Instant::now() < deadline, "{event:?}: {:?}", self.counters.to_json());
            std::thread::yield_now();
        }
    }

    fn stop(&mut self) {
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
        let mut hosts = shard.hosts.clone();
        for host in hosts.iter_mut().filter(|host| host.nics[0].mac.is_some()) {
            host.nics[0].addresses = [Ipv4Addr::LOCALHOST.into()].into();
        }
        Arc::new(Shard { path: Arc::clone(&shard.path), hosts })
    };
    let mut inventory = Inventory::clone(&snapshot.inventory);
    inventory.shards = inventory.shards.iter().map(on_loopback).collect();
    Snapshot { inventory: Arc::new(inventory), ..snapshot }
}

fn kernel() -> Vec<u8> {
    (0..300_000u32).flat_map(u32::to_le_bytes).collect()
}

fn rrq(path: &str, options: &[(&str, &str)]) -> Vec<u8> {
    let mut request = vec![0, 1];
    let words = [path, "octet"].into_iter().chain(options.iter().flat_map(|(name, value)| [*name, *value]));
    words.for_each(|word| {
        request.extend_from_slice(word.as_bytes());
        request.push(0);
    });
    request
}

#[test]
fn a_file_is_fetched_whole_by_both_protocols() {
    let running = Running::new();
    assert!(running.tftp(&rrq("/linux", &[])).unwrap() == kernel());
    let options = [("blksize", "1468"), ("tsize", "0"), ("timeout", "5")];
    assert!(running.tftp(&rrq("linux", &options)).unwrap() == kernel());
    let (head, body) = running.get("/linux");
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(head.contains(&format!("content-length: {}\r\n", kernel().len())), "{head}");
    assert!(!head.contains("chunked") && body == kernel());
    running.counted(BootEvent::Complete, 2);
    assert_eq!(running.counters.get(BootEvent::File), 3);
}

#[test]
fn fact_8_a_head_request_gets_the_length_and_a_get_the_same_octets_in_no_chunks() {
    let running = Running::new();
    let (head, body) = running.http("HEAD /linux HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.contains(&format!("content-length: {}\r\n", kernel().len())), "{head}");
    assert_eq!(body.len(), 0);
    let (head, body) = running.http("GET /linux HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(head.contains(&format!("content-length: {}\r\n", kernel().len())), "{head}");
    assert!(!head.contains("transfer-encoding") && body == kernel(), "{head}");
}

#[test]
fn http_1_0_is_answered_and_the_connection_closed() {
    let running = Running::new();
    let (head, body) = running.http("GET /linux HTTP/1.0\r\n\r\n");
    assert!(head.starts_with("http/1.0 200 ok\r\n"), "{head}");
    assert!(head.contains("content-length: 1200000\r\n") && !head.contains("transfer-encoding"), "{head}");
    assert!(body == kernel());
}

#[test]
fn a_connection_serves_one_request_after_the_other() {
    let running = Running::new();
    let one = "HEAD /linux HTTP/1.1\r\nHost: x\r\n\r\n";
    let last = "GET /linux HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (head, rest) = running.http(&format!("{one}{one}{last}"));
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(rest.ends_with(&kernel()));
}

#[test]
fn parts_of_a_file_are_served() {
    let running = Running::new();
    let part = |range: &str| {
        running
            .http(&format!("GET /linux HTTP/1.1\r\nHost: x\r\nRange: {range}\r\nConnection: close\r\n\r\n"))
    };
    let (head, body) = part("bytes=1000000-1000003");
    assert!(head.starts_with("http/1.1 206 "), "{head}");
    assert!(head.contains("content-range: bytes 1000000-1000003/1200000\r\n"), "{head}");
    assert_eq!(body, kernel()[1_000_000..1_000_004]);
    let (head, body) = part("bytes=-2");
    assert!(head.starts_with("http/1.1 206 ") && body == kernel()[1_199_998..], "{head}");
    let (head, body) = part("bytes=1200000-");
    assert!(head.starts_with("http/1.1 416 "), "{head}");
    assert!(head.contains("content-range: bytes */1200000\r\n") && body.is_empty(), "{head}");
}

#[test]
fn nothing_outside_the_boot_root_is_served_by_either_protocol() {
    let running = Running::new();
    for path in ["../secret", "/sub/../../secret", "\\..\\secret", "escape"] {
        let (code, _) = running.tftp(&rrq(path, &[])).unwrap_err();
        assert_eq!(code, 2, "{path}");
    }
    assert_eq!(running.tftp(&rrq("none", &[])).unwrap_err().0, 1);
    assert_eq!(running.tftp(&rrq("sub", &[])).unwrap_err().0, 2, "a directory is no file");
    for path in ["/../secret", "/%2e%2e/secret", "/sub/..%2f..%2fsecret", "/escape", "/%2e%2e%2fsecret"] {
        let (head, body) = running.get(path);
        assert!(head.starts_with("http/1.1 403 "), "{path}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains("secret"), "{path}");
    }
    assert!(running.get("/none").0.starts_with("http/1.1 404 "));
    assert_eq!(running.counters.get(BootEvent::OutsideRoot), 9);
}

#[test]
fn nothing_can_be_written() {
    let running = Running::new();
    assert_eq!(running.tftp(b"\0\x02linux\0octet\0").unwrap_err().0, 2);
    let (head, _) =
        running.http("PUT /linux HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
    assert!(head.starts_with("http/1.1 405 ") && head.contains("allow: get, head\r\n"), "{head}");
    assert_eq!(running.counters.get(BootEvent::Write), 2);
}

#[test]
fn text_is_translated_for_clients_that_want_text() {
    let running = Running::new();
    fs::write(running.temp.path().join("root/text"), "a\nb\n").unwrap();
    assert_eq!(running.tftp(b"\0\x01text\0netascii\0").unwrap(), b"a\r\nb\r\n");
}

#[test]
fn an_installation_that_is_done_is_remembered_across_a_restart() {
    let mut running = Running::new();
    let first = running.script();
    assert!(first.contains(&format!("\nkernel http://{}/linux\n", running.http)), "{first}");
    let by_tftp = running.tftp(&rrq("hostbook/web1.lab.example.org/boot.ipxe", &[])).unwrap();
    assert_eq!(String::from_utf8(by_tftp).unwrap(), first, "both protocols serve the same");

    let done = running.done_url();
    assert!(running.get(&format!("{done}0")).0.starts_with("http/1.1 403 "));
    let post = format!("POST {done} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(running.http(&post).1, b"done\n");
    assert!(running.script().contains("web1.lab.example.org is installed"));

    running.stop();
    let temp = std::mem::replace(&mut running.temp, TempDir::new("empty"));
    drop(running);
    let running = Running::over(temp, Patience::default());
    assert!(running.script().contains("web1.lab.example.org is installed"));
}

#[test]
fn a_client_that_never_ends_its_request_or_never_takes_its_answer_loses_its_place() {
    let short = Duration::from_millis(200);
    let running = Running::with(Patience { head: short, window: short * 2 });
    let mut slow = TcpStream::connect(running.http).unwrap();
    slow.write_all(b"GET /linux HTTP/1.1\r\nX").unwrap();
    running.counted(BootEvent::Slow, 1);
    assert_eq!(slow.read(&mut [0; 16]).unwrap_or(0), 0, "closed");

    fs::write(running.temp.path().join("root/large"), vec![1; 64 << 20]).unwrap();
    let mut deaf = TcpStream::connect(running.http).unwrap();
    deaf.write_all(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    running.counted(BootEvent::Slow, 2);

    // A connection without a request is closed, too, but nobody is to blame.
    let mut idle = TcpStream::connect(running.http).unwrap();
    idle.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    assert_eq!(idle.read(&mut [0; 16]).unwrap(), 0, "closed");
    assert_eq!(running.counters.get(BootEvent::Slow), 2);
}

#[test]
fn a_client_has_no_more_connections_and_transfers_than_its_share() {
    let running = Running::new();
    let many: Vec<TcpStream> = (0..20).map(|_| TcpStream::connect(running.http).unwrap()).collect();
    running.counted(BootEvent::TooMany, 4);
    drop(many);
    let sockets: Vec<UdpSocket> =
        (0..20).map(|_| UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
    for socket in &sockets {
        socket.send_to(&rrq("linux", &[]), running.tftp).unwrap();
    }
    running.counted(BootEvent::TooMany, 8);
    sockets[0].send_to(&rrq("linux", &[]), running.tftp).unwrap();
    running.counted(BootEvent::Repeated, 1);
}

#[test]
fn a_look_at_the_url_of_a_report_reports_nothing() {
    let running = Running::new();
    let done = running.done_url();
    for method in ["HEAD", "PUT", "OPTIONS"] {
        let request = format!("{method} {done} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let (head, _) = running.http(&request);
        assert!(head.starts_with("http/1.1 405 ") && head.contains("allow: get, post\r\n"), "{head}");
    }
    assert_eq!(running.tftp(&rrq(&done, &[])).unwrap_err(), (2, "report it by HTTP".to_owned()));
    assert_eq!(running.counters.get(BootEvent::NotReported), 2);
    assert!(!running.script().contains("is installed"));
    assert_eq!(running.get(&done).1, b"done\n");
    assert!(running.script().contains("is installed"));
}

#[test]
fn a_report_that_cannot_be_written_down_is_an_error_to_the_installer_and_a_problem_until_it_can() {
    let running = Running::new();
    let file = running.temp.path().join("state/installs.json");
    fs::remove_file(&file).unwrap();
    // A directory in its place, so that even root cannot write it.
    fs::create_dir(&file).unwrap();
    let done = running.done_url();
    assert!(running.get(&done).0.starts_with("http/1.1 503 "));
    assert!(running.memory.problem().unwrap().contains("cannot be written down"));
    assert_eq!(running.counters.get(BootEvent::NotDurable), 1);
    fs::remove_dir(&file).unwrap();
    assert_eq!(running.get(&done).1, b"done\n", "the installer tells again");
    assert_eq!(running.memory.problem(), None);
    assert!(fs::read_to_string(&file).unwrap().contains("web1.lab.example.org"));
}

#[test]
fn rubbish_is_counted_and_does_not_stop_the_service() {
    let running = Running::new();
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let whole = rrq("linux", &[("blksize", "1468")]);
    for len in 0..8 {
        socket.send_to(&whole[..len], running.tftp).unwrap();
    }
    running.counted(BootEvent::BadRequest, 8);
    for garbage in ["\r\n\r\n\r\n", "GET\r\n\r\n", "\u{16}\u{3}\u{1}", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n"]
    {
        let mut stream = TcpStream::connect(running.http).unwrap();
        stream.write_all(garbage.as_bytes()).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    }
    assert!(running.tftp(&rrq("linux", &[])).unwrap() == kernel());
}
