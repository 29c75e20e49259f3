//! What is answered, for people: a fact a line, the place at its end.

use inventory_core::units::show_duration;

use super::Explained;
use super::dhcp::{ClientFact, Exchange, OptionFact};
use super::dhcp6::Exchange6;
use super::link::OnLink;
use crate::output;

/// Column that places start at, where the fact leaves room.
const PLACE: usize = 72;
/// Longest owner name that the column of names is made for.
const OWNER: usize = 40;
/// Characters that are left to a place on a narrow terminal.
const AT: usize = 26;

pub(super) fn print(explained: &Explained) {
    if !explained.dns.is_empty() {
        heading("DNS");
        let lengths = explained.dns.iter().map(|record| record.owner.len());
        let width = lengths.filter(|length| *length <= OWNER).max().unwrap_or(OWNER);
        for record in &explained.dns {
            let view = record.view.as_ref().map(|view| format!(" (view {view})")).unwrap_or_default();
            let fact = format!("{:<width$} {:<6} {}{view}", record.owner, record.rtype, record.data);
            fact_line(&fact, record.at.as_deref());
        }
        output::line("");
    }
    for exchange in &explained.dhcp {
        dhcp(exchange);
    }
    for exchange in &explained.dhcp6 {
        dhcp6(exchange);
    }
    for note in &explained.notes {
        output::line(&format!("note: {note}"));
    }
}

fn dhcp(exchange: &Exchange) {
    let arch = exchange.boot.as_ref().map(|boot| format!(", {} booting", boot.arch)).unwrap_or_default();
    heading(&format!("DHCP, {} in network {}{arch}", exchange.asks.client, exchange.asks.network));
    client(&exchange.asks);
    on_link(exchange.on_link.as_ref());
    if let Some(address) = &exchange.address {
        fact_line(&format!("address      {address}"), exchange.address_at.as_deref());
    }
    if let Some(reason) = &exchange.silence {
        fact_line(&format!("no answer    {reason}"), None);
    }
    options(&exchange.options);
    if let Some(boot) = &exchange.boot {
        fact_line(&format!("loads        {} from {}", boot.file, boot.server), boot.at.as_deref());
        for line in boot.script.iter().flat_map(|script| script.lines()) {
            output::line(&format!("    {line}"));
        }
    }
    output::line("");
}

/// What is given is of another network, which is on the same link.
fn on_link(other: Option<&OnLink>) {
    if let Some(OnLink { network, network_at, link, link_at }) = other {
        fact_line(&format!("link         {link}"), link_at.as_deref());
        fact_line(&format!("given from   {network}"), Some(network_at));
    }
}

fn dhcp6(exchange: &Exchange6) {
    heading(&format!("DHCPv6, {} in network {}", exchange.asks.client, exchange.asks.network));
    client(&exchange.asks);
    on_link(exchange.on_link.as_ref());
    for given in &exchange.given {
        let what = if given.address.contains('/') { "prefix" } else { "address" };
        let time = show_duration(given.seconds.into());
        fact_line(&format!("{what:<12} {} for {time}", given.address), given.at.as_deref());
    }
    if let Some(reason) = &exchange.silence {
        fact_line(&format!("no answer    {reason}"), None);
    } else if exchange.given.is_empty() {
        fact_line("address      none is there to be given", None);
    }
    options(&exchange.options);
    output::line("");
}

fn client(client: &ClientFact) {
    fact_line(&format!("network      {}", client.network), Some(&client.network_at));
    match &client.host {
        Some(host) => fact_line(&format!("host         {host}"), client.host_at.as_deref()),
        None => fact_line("host         none: nobody has written it down", None),
    }
}

fn options(options: &[OptionFact]) {
    for option in options {
        fact_line(&format!("{:<3} {:<22} {}", option.code, option.name, option.value), option.at.as_deref());
    }
}

fn fact_line(fact: &str, at: Option<&str>) {
    let Some(at) = at else { return output::line(&format!("  {fact}")) };
    let place = if output::colour() { format!("\x1b[2m{at}\x1b[0m") } else { at.to_owned() };
    let column = output::terminal_width().map_or(PLACE, |width| PLACE.min(width.saturating_sub(AT)));
    output::line(&format!("  {fact:<column$}  {place}"));
}

fn heading(text: &str) {
    output::line(&if output::colour() { format!("\x1b[1m{text}\x1b[0m") } else { text.to_owned() });
}
