//! `hostbook-load`: a load for name servers and DHCP servers, in batches, that checks every answer against the
//! inventory. For operators who want to know what their own site bears, and for `make bench`.

#![allow(clippy::unwrap_used, reason = "a tool for developers: it ends where it cannot measure")]

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use integration_tests::bench::dhcp::load::{Load as DhcpLoad, Until, WINDOW as CLIENTS};
use integration_tests::bench::dns::load::{Load as DnsLoad, WINDOW};
use integration_tests::bench::site;
use integration_tests::load::{CABLE, Clients, INVENTORY, Load, Report};
use integration_tests::place::Place;
use integration_tests::programs::{Launch, core_seconds};
use integration_tests::run::sh;

const USAGE: &str = "usage: hostbook-load dns ADDR:PORT -i INVENTORY [--seconds N] [--window N] [--source ADDR]
       hostbook-load dhcp SERVER -i INVENTORY --agent ADDR… [--seconds N] [--window N]
       hostbook-load crowd CLIENTS LOSS

dns    asks for every host and address of the inventory, and for names that do not exist
dhcp   gets the address of every host as its relay agent: this machine has the addresses of the routers ADDR, and
       nothing else listens on their port 67
crowd  starts hostbook-dhcpd on a cable that loses and doubles LOSS of a hundred frames, with so many clients at once;
       in a network namespace (`unshare --net`)
N is 10 seconds, and so many messages on the way at any time. Ends with 1 if an answer is wrong.";

/// What the words say.
#[derive(Default)]
struct Words {
    plain: Vec<String>,
    inventory: Option<PathBuf>,
    agents: Vec<Ipv4Addr>,
    seconds: Option<u64>,
    window: Option<usize>,
    source: Option<IpAddr>,
}

fn main() -> ExitCode {
    let Some(words) = read() else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let plain: Vec<&str> = words.plain.iter().map(String::as_str).collect();
    let ran = match plain[..] {
        ["dns", server] => server.parse().ok().map(|server| dns(server, &words)),
        ["dhcp", server] => server.parse().ok().map(|server| dhcp(server, &words)),
        ["crowd", clients, loss] => {
            let numbers = clients.parse().ok().zip(loss.parse().ok());
            let within = numbers.filter(|(clients, loss)| (1..=200_000).contains(clients) && *loss <= 50);
            within.map(|(clients, loss)| {
                crowd(clients, loss);
                Ok(true)
            })
        }
        _ => None,
    };
    match ran {
        None => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(Ok(false)) => ExitCode::FAILURE,
        Some(Err(error)) => {
            eprintln!("hostbook-load: {error}");
            ExitCode::from(2)
        }
    }
}

fn read() -> Option<Words> {
    let mut words = Words::default();
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "-i" | "--inventory" => words.inventory = Some(given.next()?.into()),
            "--agent" => words.agents.push(given.next()?.parse().ok()?),
            "--seconds" => words.seconds = Some(given.next()?.parse().ok()?),
            "--window" => words.window = Some(given.next()?.parse().ok()?),
            "--source" => words.source = Some(given.next()?.parse().ok()?),
            option if option.starts_with('-') => return None,
            _ => words.plain.push(word),
        }
    }
    Some(words)
}

/// Asks a name server; whether all answers were right.
fn dns(server: SocketAddr, words: &Words) -> Result<bool, String> {
    let root = words.inventory.as_ref().ok_or("`-i INVENTORY` is missing: what are the answers?")?;
    let questions = site::questions(&site::read(root)?);
    if questions.is_empty() {
        return Err(format!("`{}` has no host with an address", root.display()));
    }
    let anywhere = if server.is_ipv4() { "0.0.0.0" } else { "::" }.parse().unwrap();
    let (source, window) = (words.source.unwrap_or(anywhere), words.window.unwrap_or(WINDOW));
    let mut load =
        DnsLoad::new(&questions, source, server, window).map_err(|error| format!("{source}: {error}"))?;
    let seconds = Duration::from_secs(words.seconds.unwrap_or(10));
    let tally = load.run(seconds).map_err(|error| format!("{server}: {error}"))?;
    let rate = tally.right as f64 / tally.took.as_secs_f64();
    let (right, wrong, lost) = (tally.right, tally.wrong, tally.lost);
    println!(
        "{} questions in turn: {rate:.0} answers/s; {right} right, {wrong} wrong, {lost} lost",
        questions.len()
    );
    if let Some((number, wrong)) = tally.first_wrong {
        println!("first wrong answer: {wrong}, to {:?}", questions[number].octets);
    }
    Ok(wrong == 0)
}

/// Gets addresses from a DHCP server; whether all were the right ones.
fn dhcp(server: Ipv4Addr, words: &Words) -> Result<bool, String> {
    let root = words.inventory.as_ref().ok_or("`-i INVENTORY` is missing: who has which address?")?;
    let clients = site::clients(&site::read(root)?, &words.agents);
    if clients.is_empty() {
        return Err(
            "no host has a hardware address and an address in a network whose `gateway` is an `--agent`"
                .to_owned(),
        );
    }
    let window = words.window.unwrap_or(CLIENTS);
    let mut load = DhcpLoad::new(&clients, &words.agents, server, window)
        .map_err(|error| format!("port 67 of {:?}: {error}", words.agents))?;
    let until = Until::time(Duration::from_secs(words.seconds.unwrap_or(10)));
    let tally = load.run(until).map_err(|error| format!("{server}: {error}"))?;
    let rate = tally.exchanges as f64 / tally.took.as_secs_f64();
    let (exchanges, wrong, lost) = (tally.exchanges, tally.wrong, tally.lost);
    println!(
        "{} clients in turn: {rate:.0} exchanges/s; {exchanges} right, {wrong} wrong, {lost} lost",
        clients.len()
    );
    if let Some(wrong) = tally.first_wrong {
        println!("first wrong reply: {wrong}");
    }
    Ok(wrong == 0)
}

/// So many clients at once lease an address of a pool over a bad cable, then start again with what they have.
fn crowd(clients: usize, loss: usize) {
    let place = Place::empty();
    place.save("site.toml", INVENTORY);
    sh(CABLE);
    let dhcpd = Launch::dhcpd(&place).args(&["--interface", "server"]).start();
    let mut crowd = Clients::new("clients", Load { clients, loss, seed: 1 });
    println!("{clients} clients at once, {loss} % of the frames lost and {loss} % doubled on each way");
    println!(
        "{:<26} {:>9} {:>11} {:>9} {:>9} {:>8} {:>14}",
        "", "seconds", "clients/s", "messages", "replies", "refused", "core seconds"
    );
    let mut row = |what, phase: fn(&mut Clients) -> Report| {
        let before = core_seconds(&dhcpd);
        let Report { took, sent, received, refused, .. } = phase(&mut crowd);
        let (seconds, used) = (took.as_secs_f64(), core_seconds(&dhcpd) - before);
        let rate = clients as f64 / seconds;
        println!("{what:<26} {seconds:>9.2} {rate:>11.0} {sent:>9} {received:>9} {refused:>8} {used:>14.2}");
    };
    row("lease an address", Clients::bind);
    row("start again with it", Clients::reboot);
}
