//! An edit reaches clients that take a Reconfigure, without waiting for T1 (RFC 8415, sections 18.3.11 and
//! 20.4).

use dhcpd::core::v6::{Core, Event, Input, Keys, Outputs, Reconfigured};
use dhcpd::view::DhcpView;
use inventory_core::load::load_texts;
use md5::{Digest, Md5};

use super::lab::{INTERFACE, Lab, SERVER, STRANGER, WEB, WEB_HOST, link};
use super::packet::{Ask, Sent, duid_ll, link_local, relay};

const POOL: &str = "pool = [\"2001:db8:77::100-2001:db8:77::1ff\"]\n";
const RECONFIGURE: u8 = 10;

/// A lab whose server has keys.
fn lab(hosts: &str) -> Lab {
    let mut lab = Lab::on(&site(hosts), vec![link()]);
    lab.core = Core::new(SERVER).with_reconfigure(Some(Keys::new([7; 32], 1)), Vec::new());
    lab.give(&Input::Links(vec![link()]));
    lab
}

fn site(hosts: &str) -> String {
    let site = super::lab::SITE.replace("lease = \"1h\"\n", &format!("lease = \"1h\"\n{POOL}"));
    format!("{site}{hosts}")
}

/// Takes another inventory into service.
fn serve(lab: &mut Lab, text: &str) {
    let mut after = load_texts(&[("inventory.toml", text)]).unwrap();
    after.generation = lab.view.generation() + 1;
    lab.view = DhcpView::build(&after);
}

/// The same with these hosts; what is sent then.
fn edit(lab: &mut Lab, hosts: &str) -> Vec<Sent> {
    serve(lab, &site(hosts));
    pass(lab, 0)
}

/// What is sent when time has passed.
fn pass(lab: &mut Lab, milliseconds: u64) -> Vec<Sent> {
    let mut out = Outputs::default();
    lab.core.handle(&Input::Tick, lab.now, &lab.view, &mut out);
    lab.now.monotonic_ms += milliseconds + 10;
    lab.now.unix_ms += i64::try_from(milliseconds).unwrap() + 10;
    lab.core.handle(&Input::Tick, lab.now, &lab.view, &mut out);
    lab.journal.extend(out.take_records());
    out.replies().map(|(_, octets)| Sent { octets: octets.to_vec() }).collect()
}

fn request(mac: [u8; 6]) -> Ask {
    Ask::new(3, &duid_ll(mac)).with(2, SERVER).with(20, &[]).oro(&[23]).na(1, &[])
}

/// The client's key and the number of the message.
fn told(sent: &Sent) -> (Vec<u8>, u64) {
    let auth = sent.option(11).unwrap();
    assert_eq!((auth.len(), &auth[..3], auth[11]), (28, &[3, 1, 0][..], 1));
    (auth[12..].to_vec(), u64::from_be_bytes(auth[3..11].try_into().unwrap()))
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let pad = |octet: u8| (0..64).map(|at| key.get(at).copied().unwrap_or(0) ^ octet).collect::<Vec<u8>>();
    let inner = Md5::digest([pad(0x36), message.to_vec()].concat());
    Md5::digest([pad(0x5c), inner.to_vec()].concat()).to_vec()
}

/// Checks a Reconfigure as a client with this key does (RFC 8415, sections 16.11 and 20.4.3); returns what it
/// asks for, and its number.
fn checked(message: &Sent, key: &[u8]) -> (u8, u64) {
    let octets = &message.octets;
    assert_eq!(octets[..4], [RECONFIGURE, 0, 0, 0], "nobody has asked");
    assert_eq!(message.codes(), [1, 2, 19, 11]);
    assert_eq!(message.option(2).unwrap(), SERVER);
    let auth = message.option(11).unwrap();
    assert_eq!((auth.len(), &auth[..3], auth[11]), (28, &[3, 1, 0][..], 2));
    let mut zeroed = octets.clone();
    let at = zeroed.len() - 16;
    zeroed[at..].fill(0);
    assert_eq!(auth[12..], hmac(key, &zeroed));
    (message.option(19).unwrap()[0], u64::from_be_bytes(auth[3..11].try_into().unwrap()))
}

#[test]
fn a_client_that_takes_one_is_told_its_key_in_replies_alone() {
    let mut lab = lab(WEB_HOST);
    let solicit = Ask::new(1, &duid_ll(WEB)).with(20, &[]).na(1, &[]);
    let advertise = lab.ask(WEB, &solicit).one().clone();
    assert_eq!((advertise.option(20), advertise.option(11)), (Some(Vec::new()), None));
    let (key, number) = told(lab.ask(WEB, &request(WEB)).one());
    let (same, later) = told(lab.ask(WEB, &request(WEB)).one());
    assert!(key == same && later > number);
    let plain = Ask::new(3, &duid_ll(WEB)).with(2, SERVER).na(1, &[]);
    assert_eq!(lab.ask(WEB, &plain).one().option(11), None);
    assert_ne!(told(lab.ask(STRANGER, &request(STRANGER)).one()).0, key, "another client's");
}

#[test]
fn an_edit_of_a_host_reaches_it_and_its_renewal_brings_the_new_address() {
    let mut lab = lab(WEB_HOST);
    let (key, number) = told(lab.ask(WEB, &request(WEB)).one());
    let sent = edit(&mut lab, &WEB_HOST.replace("::11\"", "::12\""));
    let [message] = &*sent else { panic!("{sent:?}") };
    let (wanted, later) = checked(message, &key);
    assert!(wanted == 5 && later > number);
    let renew = Ask::new(5, &duid_ll(WEB)).with(2, SERVER).with(20, &[]).oro(&[23]);
    let renew = renew.na(1, &[super::packet::address("2001:db8:77::11")]);
    assert_eq!(lab.ask(WEB, &renew).address().to_string(), "2001:db8:77::12");
    assert!(pass(&mut lab, 60_000).is_empty(), "it has heard of it");
}

#[test]
fn an_edit_that_does_not_concern_a_client_sends_it_nothing() {
    let mut lab = lab(WEB_HOST);
    lab.ask(WEB, &request(WEB));
    lab.ask(STRANGER, &request(STRANGER));
    let other = "[host.other]\nnetwork = \"lab\"\nip = \"2001:db8:77::99\"\n";
    assert!(edit(&mut lab, &format!("{WEB_HOST}{other}")).is_empty());
}

#[test]
fn an_edit_of_a_network_reaches_all_clients_of_it() {
    let mut lab = lab(WEB_HOST);
    lab.ask(WEB, &request(WEB));
    lab.ask(STRANGER, &request(STRANGER));
    serve(&mut lab, &site(WEB_HOST).replace("\"2001:db8:77::1\"]\nlease", "\"2001:db8:77::2\"]\nlease"));
    assert_eq!(pass(&mut lab, 0).len(), 2);
}

#[test]
fn a_client_that_asked_for_options_only_asks_for_options_again() {
    let mut lab = lab(WEB_HOST);
    let inform = Ask::new(11, &duid_ll(WEB)).with(20, &[]).oro(&[23]);
    let (key, _) = told(lab.ask(WEB, &inform).one());
    let host = WEB_HOST.to_owned() + "options6 = { dns-servers = \"2001:db8::99\" }\n";
    let sent = edit(&mut lab, &host);
    assert_eq!(checked(&sent[0], &key).0, 11);
}

#[test]
fn a_client_that_does_not_ask_is_told_eight_times_at_growing_intervals() {
    let mut lab = lab(WEB_HOST);
    let (key, _) = told(lab.ask(WEB, &request(WEB)).one());
    let mut sent = edit(&mut lab, &WEB_HOST.replace("::11\"", "::12\""));
    let mut times = Vec::new();
    for second in 0..1000 {
        let more = pass(&mut lab, 990);
        times.extend(more.iter().map(|_| second));
        sent.extend(more);
    }
    assert_eq!(sent.len(), 8);
    assert!(times.windows(3).all(|three| three[2] - three[1] > three[1] - three[0]), "{times:?}");
    let numbers: Vec<u64> = sent.iter().map(|message| checked(message, &key).1).collect();
    assert!(numbers.is_sorted_by(|one, other| one < other), "{numbers:?}");
}

#[test]
fn a_client_that_releases_or_does_not_take_one_any_more_is_left_alone() {
    for last in
        [Ask::new(8, &duid_ll(WEB)).with(2, SERVER).with(20, &[]), Ask::new(5, &duid_ll(WEB)).with(2, SERVER)]
    {
        let mut lab = lab(WEB_HOST);
        lab.ask(WEB, &request(WEB));
        lab.ask(WEB, &last.na(1, &[super::packet::address("2001:db8:77::11")]));
        assert!(edit(&mut lab, &WEB_HOST.replace("::11\"", "::12\"")).is_empty());
    }
}

/// The server is killed, and the inventory edited meanwhile.
#[test]
fn clients_keys_and_numbers_outlive_a_restart() {
    let mut lab = lab(WEB_HOST);
    let (key, number) = told(lab.ask(WEB, &request(WEB)).one());
    let text = serde_json::to_string(&lab.core.reconfigured().collect::<Vec<_>>()).unwrap();
    let clients: Vec<Reconfigured> = serde_json::from_str(&text).unwrap();
    lab.core = Core::new(SERVER).with_reconfigure(Some(Keys::new([7; 32], 2)), clients);
    let mut out = Outputs::default();
    lab.core.handle(&Input::Links(vec![link()]), lab.now, &lab.view, &mut out);
    assert_eq!(out.replies().count(), 0, "nothing has changed");
    let sent = edit(&mut lab, &WEB_HOST.replace("::11\"", "::12\""));
    let (_, later) = checked(&sent[0], &key);
    assert!(later > number, "{later} {number}");
}

#[test]
fn a_client_behind_relay_agents_is_reached_through_them() {
    let mut lab = lab(WEB_HOST);
    let inner = relay(0, "2001:db8:77::fe", link_local(WEB), b"\0\x12\0\x04port", &request(WEB).octets());
    let octets = relay(1, "::", "2001:db8:77::fe".parse().unwrap(), &[], &inner);
    let answer = lab.hear(&octets, "2001:db8:77::fd".parse().unwrap(), super::lab::everybody());
    let (key, _) = told(&answer.one().relayed().inner.relayed().inner);
    let sent = edit(&mut lab, &WEB_HOST.replace("::11\"", "::12\""));
    let outer = sent[0].relayed();
    let inner = outer.inner.relayed();
    assert_eq!((outer.hops, inner.hops, inner.peer), (1, 0, link_local(WEB)));
    assert_eq!(inner.options, [(18, b"port".to_vec())]);
    checked(&inner.inner, &key);
}

#[test]
fn a_reconfigure_goes_to_the_client_where_it_was_heard() {
    let mut lab = lab(WEB_HOST);
    lab.ask(WEB, &request(WEB));
    serve(&mut lab, &site(&WEB_HOST.replace("::11\"", "::12\"")));
    let mut out = Outputs::default();
    lab.core.handle(&Input::Tick, lab.now, &lab.view, &mut out);
    lab.now.monotonic_ms += 10;
    lab.core.handle(&Input::Tick, lab.now, &lab.view, &mut out);
    let (reply, _) = out.replies().next().unwrap();
    assert_eq!((reply.interface, *reply.to.ip(), reply.to.port()), (INTERFACE, link_local(WEB), 546));
    assert!(out.events().contains(&Event::Reconfigure));
    assert!(lab.core.deadline().is_some(), "it is told again");
}
