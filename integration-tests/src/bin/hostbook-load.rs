//! `hostbook-load [CLIENTS] [LOSS]`: so many DHCP clients at once lease an address of a pool over a cable
//! that loses and doubles LOSS of a hundred frames on each way, then start again with what they have.
//! Every reply is checked. `make bench` runs it in a network namespace, on the release build.

#![allow(clippy::unwrap_used, reason = "a tool for developers: it ends where it cannot measure")]

use std::process::ExitCode;

use integration_tests::load::{CABLE, Clients, INVENTORY, Load, Report};
use integration_tests::place::Place;
use integration_tests::programs::{Launch, core_seconds};
use integration_tests::run::sh;

fn main() -> ExitCode {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse::<usize>());
    let clients = numbers.next().unwrap_or(Ok(10_000));
    let loss = numbers.next().unwrap_or(Ok(10));
    let (Ok(clients @ 1..=200_000), Ok(loss @ 0..=50), None) = (clients, loss, numbers.next()) else {
        eprintln!("usage: hostbook-load [CLIENTS] [LOSS], up to 200000 clients and 50 of a hundred frames");
        return ExitCode::from(2);
    };
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
    ExitCode::SUCCESS
}
