//! Both protocols over real sockets on the loopback, as a careful and as a careless client speaks them.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream, UdpSocket};
use std::time::Duration;

use super::testing::TempDir;
use super::*;
use running::Running;

mod reports;
mod running;

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
    // What it may not have is counted as too much, and not as what it is, too.
    sockets[0].send_to(b"\0\x02linux\0octet\0", running.tftp).unwrap();
    running.counted(BootEvent::Repeated, 2);
    assert_eq!(running.counters.get(BootEvent::Write), 0);
}

#[test]
fn grub_finds_the_length_in_the_one_way_that_it_knows_to_be_written() {
    let running = Running::new();
    let mut stream = TcpStream::connect(running.http).unwrap();
    stream.write_all(b"GET /linux HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut octets = Vec::new();
    stream.read_to_end(&mut octets).unwrap();
    let length = format!("\r\nContent-Length: {}\r\n", kernel().len());
    assert!(octets.windows(length.len()).any(|part| part == length.as_bytes()));
}

#[test]
fn requests_that_nobody_answers_for_keep_no_machine_from_booting() {
    let running = Running::new();
    let request = rrq("linux", &[]);
    let silent = (0..512).map(|n| UdpSocket::bind((Ipv4Addr::from_bits(0x7f00_0100 + n / 16), 0)).unwrap());
    let silent: Vec<UdpSocket> = silent.collect();
    for socket in &silent {
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        socket.send_to(&request, running.tftp).unwrap();
        socket.peek_from(&mut [0; 4]).expect("a reply; 1536 files are open by now (`ulimit -n`)");
    }
    silent[0].send_to(b"rubbish", running.tftp).unwrap();
    running.counted(BootEvent::BadRequest, 1);
    assert_eq!(running.tftp(&rrq("nothing", &[])).unwrap_err().0, 1);
    assert_eq!(running.counters.get(BootEvent::MadeRoom), 0);
    assert_eq!(running.tftp(&request).unwrap(), kernel());
    assert_eq!((running.counters.get(BootEvent::MadeRoom), running.counters.get(BootEvent::TooMany)), (1, 0));
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
    assert!(running.shared.memory.problem().unwrap().contains("cannot be written down"));
    assert_eq!(running.counters.get(BootEvent::NotDurable), 1);
    fs::remove_dir(&file).unwrap();
    assert_eq!(running.get(&done).1, b"done\n", "the installer tells again");
    assert_eq!(running.shared.memory.problem(), None);
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
