//! Requests to a server and what it says, many at a time.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use daemon::secret::read_secret;
use inventory_core::model::{Key as ModelKey, Updates};

use crate::names::{Course, Ended, Key, Response, Sent};

/// How long answers are waited for before what is missing is sent again.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often a request is sent.
const TRIES: usize = 3;

/// An address and what the server is told of it.
type Telling = (IpAddr, Course);

/// Tells `server` of all; how each ended.
///
/// # Errors
/// Why nothing was sent, and what was to be.
#[expect(clippy::type_complexity, reason = "nobody else has these")]
pub(super) fn run(
    server: &Updates,
    key: Option<&ModelKey>,
    courses: Vec<Telling>,
) -> Result<Vec<(IpAddr, Course, Ended)>, (String, Vec<Telling>)> {
    let opened = key
        .ok_or_else(|| format!("key `{}` is not defined", server.key))
        .and_then(|key| Ok(Key::new(key, &read_secret(key)?.0)))
        .and_then(|key| Ok((key, connect(server).map_err(|error| format!("{}: {error}", server.server))?)));
    let (key, socket) = match opened {
        Ok(opened) => opened,
        Err(why) => return Err((why, courses)),
    };
    let (mut running, mut ended) = (courses, Vec::new());
    while !running.is_empty() {
        let now = unix_seconds();
        let first = u16::try_from(now & 0xff).unwrap_or(0) << 8;
        let sent: Vec<Option<Sent>> = (first..)
            .zip(&running)
            .map(|(id, (_, course))| Some(course.request()?.sign(id, &key, now)))
            .collect();
        let answers = ask(&socket, &key, &sent);
        let before = std::mem::take(&mut running);
        for (((address, mut course), sent), answer) in before.into_iter().zip(&sent).zip(answers) {
            let how = match sent {
                None => Some(Ended::Done),
                Some(_) => course.answered(answer.map_or(Response::Nothing, Response::Code)),
            };
            match how {
                Some(how) => ended.push((address, course, how)),
                None => running.push((address, course)),
            }
        }
    }
    Ok(ended)
}

/// Sends all and gathers the response codes.
fn ask(socket: &UdpSocket, key: &Key, sent: &[Option<Sent>]) -> Vec<Option<u8>> {
    let mut answers: Vec<Option<u8>> = vec![None; sent.len()];
    let mut buffer = [0; 4096];
    for _ in 0..TRIES {
        let missing = sent.iter().zip(&answers).filter(|(_, answer)| answer.is_none());
        for sent in missing.filter_map(|(sent, _)| sent.as_ref()) {
            // What is not sent is not answered, and tried again.
            let _ = socket.send(&sent.octets);
        }
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let waits = sent.iter().zip(&answers).any(|(sent, answer)| sent.is_some() && answer.is_none());
            if !waits {
                return answers;
            }
            if left.is_zero() || socket.set_read_timeout(Some(left)).is_err() {
                break;
            }
            let Ok(octets) = socket.recv(&mut buffer) else { continue };
            let message = buffer.get(..octets).unwrap_or_default();
            for (sent, answer) in sent.iter().zip(&mut answers) {
                let code = sent.as_ref().and_then(|sent| sent.answered_by(message, key, unix_seconds()));
                *answer = answer.or(code);
            }
        }
    }
    answers
}

fn connect(server: &Updates) -> io::Result<UdpSocket> {
    let any: IpAddr =
        if server.server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(server.server)?;
    Ok(socket)
}

fn unix_seconds() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
