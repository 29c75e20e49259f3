//! A whole zone copied to Knot by AXFR: from ours, and from Knot itself.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::dns::question::{Question, rtype};
use super::figures::Figures;
use super::report::Table;
use super::runs::Runs;
use super::server::Server;
use crate::place::Place;
use crate::programs::directory;

/// Records of the zone.
const RECORDS: usize = 300_000;
const APEX: &str = "big.example.net";
const PRIMARIES: [&str; 2] = ["10.255.2.1", "10.255.2.2"];
const SECONDARY: &str = "10.255.2.9";

/// How long it takes until the copy is served, and what it costs.
///
/// # Panics
/// A server does not start, or the zone does not arrive.
pub fn transfer(runs: Runs) -> Table {
    let place = Place::empty();
    fs::write(place.inventory().join("big.zone"), zone()).unwrap();
    let site = format!(
        "[site]\nnameservers = [\"ns1.example.net\"]\n[zone.\"{APEX}\"]\nfile = \"big.zone\"\n\
         secondaries = [\"{SECONDARY}\"]\n"
    );
    place.save("site.toml", &site);
    let primaries = [ours(&place), knot(place.path(), "Knot", PRIMARIES[1], None)];
    let mut seconds = [Figures::default(), Figures::default()];
    let mut cost = [Figures::default(), Figures::default()];
    let mut whole = [Figures::default(), Figures::default()];
    for round in 0..runs.rounds {
        for (number, primary) in primaries.iter().enumerate() {
            let before = primary.processor_time();
            let start = Instant::now();
            let name = format!("copy-{round}-{number}");
            let copy = knot(place.path(), &name, SECONDARY, Some(PRIMARIES[number]));
            seconds[number].0.push(start.elapsed().as_secs_f64());
            let used = (primary.processor_time() - before).as_secs_f64();
            cost[number].0.push(used);
            whole[number].0.push(used + copy.processor_time().as_secs_f64());
        }
    }
    let about = format!(
        "A zone of {RECORDS} records is copied to an empty Knot by AXFR, from its start until it answers for the last \
         record; {} rounds.",
        runs.rounds
    );
    let columns =
        ["primary", "core seconds of the primary", "hostbook is … times", "core seconds of both", "seconds"];
    let mut table = Table::new("Copying a zone", about, &columns);
    for (number, name) in ["hostbook", "Knot"].into_iter().enumerate() {
        table.row([
            name.to_owned(),
            format!("{:.3}", cost[number]),
            cost[number].over(&cost[0]).to_string(),
            whole[number].to_string(),
            seconds[number].to_string(),
        ]);
    }
    table
}

fn zone() -> String {
    let mut text = format!(
        "$ORIGIN {APEX}.\n$TTL 3600\n@ SOA ns1.example.net. hostmaster.example.net. 1 86400 900 3600000 3600\n\
         @ NS ns1.example.net.\n"
    );
    for number in 0..RECORDS - 2 {
        let [_, b, c, d] = u32::try_from(number).unwrap().to_be_bytes();
        let _ = writeln!(text, "host{number} A 10.{b}.{c}.{d}");
    }
    text
}

/// The question for the last record.
fn last() -> Question {
    let number = RECORDS - 3;
    let [_, b, c, d] = u32::try_from(number).unwrap().to_be_bytes();
    Question::new(&format!("host{number}.{APEX}"), rtype::A, Some(vec![10, b, c, d]))
}

fn ours(place: &Place) -> Server {
    let here = place.path().join("hostbook");
    let (inventory, state, control) = (place.inventory(), here.join("state"), here.join("control"));
    let args = ["-i", inventory.to_str().unwrap(), "--state", state.to_str().unwrap(), "--workers", "1"];
    let more = ["--control", control.to_str().unwrap(), "--listen", PRIMARIES[0]];
    let args: Vec<&str> = args.into_iter().chain(more).collect();
    let mut server = Server::start("hostbook", &here, &directory().join("hostbook-dnsd"), &args);
    server.wait(&here, || answers(PRIMARIES[0]));
    server
}

fn knot(place: &Path, name: &str, address: &str, primary: Option<&str>) -> Server {
    let here = place.join(name);
    fs::create_dir_all(&here).unwrap();
    let mut text = format!(
        "server:\n  listen: {address}@53\n  rundir: {0}\n  udp-workers: 1\n  tcp-workers: 1\n  background-workers: 1\n\
         log:\n  - target: stderr\n    any: warning\ndatabase:\n  storage: {0}\n\
         acl:\n  - id: all\n    address: 10.0.0.0/8\n    action: transfer\n",
        here.display()
    );
    let zone = match primary {
        Some(primary) => {
            let _ =
                write!(text, "remote:\n  - id: primary\n    address: {primary}@53\n    via: {SECONDARY}\n");
            format!(
                "    file: {}/copy.zone\n    master: primary\n    journal-content: none\n",
                here.display()
            )
        }
        None => format!("    file: {}/inventory/big.zone\n    acl: all\n", place.display()),
    };
    let _ = write!(text, "zone:\n  - domain: {APEX}\n    zonefile-sync: -1\n{zone}");
    let config = here.join("config");
    fs::write(&config, text).unwrap();
    let mut server = Server::start("Knot", &here, Path::new("knotd"), &["-c", config.to_str().unwrap()]);
    server.wait(&here, || answers(address));
    server
}

fn answers(address: &str) -> bool {
    let Ok(socket) = std::net::UdpSocket::bind((super::dns::servers::CLIENT, 0)) else { return false };
    let question = last();
    let mut reply = [0; 1500];
    let heard = socket
        .set_read_timeout(Some(Duration::from_millis(20)))
        .and_then(|()| socket.send_to(&question.octets, (address, 53)))
        .and_then(|_| socket.recv(&mut reply));
    heard.is_ok_and(|octets| question.check(&reply[..octets]) == Ok(()))
}
