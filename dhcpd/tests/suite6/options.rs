//! Options that clients ask for.

use dhcpd::core::v6::Event;

use super::lab::{Lab, WEB, WEB_HOST};
use super::packet::{Ask, duid_ll};

fn ask(codes: &[u16]) -> Ask {
    Ask::new(1, &duid_ll(WEB)).oro(codes).na(1, &[])
}

const NETWORK: &str = r#"
options6 = { ntp-server = ["2001:db8:77::3", "ntp.lab.test"], bootfile-url = "http://[2001:db8:77::1]/net", sol-max-rt = "1h", captive-portal = "https://portal.lab.test/", 4711 = "0x0a0b" }
"#;

fn lab(host: &str) -> Lab {
    let site = super::lab::SITE.replace("lease = \"1h\"\n", &format!("lease = \"1h\"\n{NETWORK}"));
    Lab::on(&format!("{site}{WEB_HOST}{host}"), vec![super::lab::link()])
}

#[test]
fn only_what_is_asked_for_is_told_once_and_in_the_order_of_asking() {
    let codes = |asked: &[u16]| lab("").ask(WEB, &ask(asked)).one().codes()[4..].to_vec();
    assert!(codes(&[]).is_empty());
    assert_eq!(codes(&[24, 23, 24, 82, 999, 4711]), [24, 23, 82, 4711]);
    assert_eq!(codes(&[56]), [56, 56], "one option for each server");
    assert!(
        codes(&[1, 2, 3, 5, 13, 25]).is_empty(),
        "what the server writes by itself is not to be asked for"
    );
}

#[test]
fn the_search_list_is_the_zone_and_names_are_in_wire_format() {
    let sent = lab("").ask(WEB, &ask(&[24, 103, 4711])).one().clone();
    assert_eq!(sent.option(24).unwrap(), b"\x03lab\x04test\x00");
    assert_eq!(sent.option(103).unwrap(), b"https://portal.lab.test/");
    assert_eq!(sent.option(4711).unwrap(), [10, 11]);
}

#[test]
fn a_hosts_options_go_before_its_networks_all_of_a_code_together() {
    let host =
        "options6 = { ntp-server = \"2001:db8:77::4\", bootfile-url = \"http://[2001:db8:77::1]/own\" }\n";
    let sent = lab(host).ask(WEB, &ask(&[56, 59])).one().clone();
    assert_eq!(sent.codes()[4..], [56, 59]);
    assert_eq!(sent.option(59).unwrap(), b"http://[2001:db8:77::1]/own");
}

#[test]
fn a_host_whose_name_is_in_another_zone_searches_there() {
    let text = "[zone.\"other.test\"]\n[host.\"db.other.test\"]\nnetwork = \"lab\"\nmac = \"02:00:00:00:00:05\"\n\
                ip = \"2001:db8:77::15\"\n";
    let mut lab = Lab::new(text);
    let ask = Ask::new(1, &duid_ll([2, 0, 0, 0, 0, 5])).oro(&[24, 39]).na(1, &[]);
    let sent = lab.ask([2, 0, 0, 0, 0, 5], &ask).one().clone();
    assert_eq!(sent.option(24).unwrap(), b"\x05other\x04test\x00");
    assert_eq!(sent.option(39).unwrap(), b"\x01\x02db\x05other\x04test\x00");
}

/// RFC 4704, section 6.
#[test]
fn a_client_that_would_keep_its_own_records_is_told_that_the_server_does() {
    let flags = |sent: u8| {
        let ask = ask(&[]).with(39, &[&[sent][..], b"\x05wrong"].concat());
        lab("").ask(WEB, &ask).one().option(39).unwrap()
    };
    assert_eq!(flags(1), b"\x01\x03web\x03lab\x04test\x00");
    assert_eq!(flags(0), b"\x03\x03web\x03lab\x04test\x00");
    assert_eq!(lab("").ask(WEB, &ask(&[])).one().option(39), None, "nobody asked");
}

#[test]
fn a_stranger_is_told_the_name_that_its_address_has() {
    let pool = "pool = [\"2001:db8:77::100-2001:db8:77::102\"]\nlease =";
    let mut lab = Lab::on(&super::lab::SITE.replace("lease =", pool), vec![super::lab::link()]);
    let ask = Ask::new(1, &duid_ll([2, 0, 0, 0, 0, 9])).oro(&[39]).na(1, &[]);
    let sent = lab.ask([2, 0, 0, 0, 0, 9], &ask).one().clone();
    let lease = sent.ias()[0].leases[0].0;
    let label = format!("dhcp-{}", lease.addr().to_string().replace(':', "-"));
    let length = u8::try_from(label.len()).unwrap();
    let name = [&[1, length], label.as_bytes(), b"\x03lab\x04test\0"].concat();
    assert_eq!(sent.option(39).unwrap(), name);
}

#[test]
fn options_that_do_not_fit_are_left_out_and_the_rest_is_told() {
    let long = "x".repeat(1100);
    let host =
        format!("options6 = {{ 5001 = \"text:{long}\", 5002 = \"text:{long}\", 5003 = \"text:y\" }}\n");
    let answer = lab(&host).ask(WEB, &ask(&[5001, 5002, 5003]));
    assert_eq!(answer.one().codes()[4..], [5001, 5003]);
    assert!(answer.one().octets.len() <= 1452);
    assert!(answer.events.contains(&Event::OptionsLeftOut));
}
