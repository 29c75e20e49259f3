//! Reports that an installation is done, with the host keys of what was installed.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::boot::host_keys::tests::key;

/// Reports web1's installation with this body; the answer.
fn report(running: &Running, body: &str) -> String {
    let done = running.done_url();
    let head = format!("POST {done} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    let (_, answer) = running.http(&format!("{head}Content-Length: {}\r\n\r\n{body}", body.len()));
    String::from_utf8(answer).unwrap()
}

#[test]
fn host_keys_come_with_a_report_and_others_do_not_take_their_place() {
    let mut running = Running::new();
    assert_eq!(running.shared.installed(), json!([]));
    let body = format!("{} root@web1\n{} root@web1\n", key(1), key(2));
    assert_eq!(report(&running, &body), "done\n");
    let installed = json!([{
        "host": "web1.lab.example.org", "reinstall": "", "done": true,
        "host_keys": [key(1).to_string(), key(2).to_string()],
    }]);
    assert_eq!(running.shared.installed(), installed);
    assert_eq!(report(&running, &body), "done\n", "told again");
    let stays = "done, but other host keys were reported before, and stay\n";
    assert_eq!(report(&running, &key(3).to_string()), stays);
    assert_eq!(running.shared.installed(), installed);

    running.stop();
    let temp = std::mem::replace(&mut running.temp, TempDir::new("empty"));
    drop(running);
    assert_eq!(Running::over(temp, Patience::default()).shared.installed(), installed, "after a restart");
}

#[test]
fn a_report_counts_whatever_is_in_its_body() {
    for body in ["", "rubbish", &"x".repeat(100 << 10)] {
        let running = Running::new();
        assert_eq!(report(&running, body), "done\n");
        assert_eq!(running.shared.installed()[0]["host_keys"], json!([]));
    }
}

#[test]
fn a_report_that_breaks_off_or_never_ends_reports_nothing() {
    let patience = Patience { head: Duration::from_millis(200), ..Patience::default() };
    let running = Running::with(patience);
    let done = running.done_url();
    let begin = || {
        let mut stream = TcpStream::connect(running.http).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let head = format!("POST {done} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{}", key(1));
        stream.write_all(head.as_bytes()).unwrap();
        stream
    };
    let mut answer = String::new();
    begin().read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    running.counted(BootEvent::Slow, 1);
    let broken = begin();
    broken.shutdown(std::net::Shutdown::Write).unwrap();
    running.counted(BootEvent::BadRequest, 1);
    assert_eq!(running.shared.installed(), json!([]));
    assert!(!running.script().contains("is installed"));
}
