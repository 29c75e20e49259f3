//! `hostbook-instructions [HOSTS]`: what one DNS answer of each kind costs at so many hosts, in instructions.
//!
//! valgrind counts them, since few machines let anybody at their counters: the same figures on any machine of an
//! architecture, whatever else it does. The program runs itself below valgrind. It fails if a hit, a name that
//! does not exist and an address of ip6.arpa differ by more than [`RATIO_MAX`].

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a tool for developers: it ends where it cannot measure"
)]

use std::fs;
use std::hint::black_box;
use std::net::IpAddr;
use std::process::{Command, ExitCode, Stdio};

use dnsd::core::{self, Answer, Outcome, QueryContext, Transport};
use dnsd::view::{DnsView, rtype};
use integration_tests::generate::{HOSTS_PER_FILE, Host, Plan};
use integration_tests::temp::TempDir;
use inventory_core::name::Name;

/// Questions of each kind that a figure is the mean of.
const QUESTIONS: usize = 5_000;
/// How much the dearest of the three may cost more than the cheapest.
const RATIO_MAX: f64 = 1.5;
/// Set in the process below valgrind.
const INSIDE: &str = "HOSTBOOK_COUNTED";

/// Kinds of question, the three that are compared first.
const KINDS: [&str; 7] = [
    "a hit (A)",
    "no such name",
    "an address of ip6.arpa",
    "no such address in ip6.arpa",
    "an address of in-addr.arpa",
    "no such type (NODATA)",
    "no such name, 20 labels deep",
];

fn main() -> ExitCode {
    let hosts = std::env::args().nth(1).map_or(Ok(100_000), |hosts| hosts.parse());
    let Some(hosts) = hosts.ok().filter(|hosts| (1_000..=1_000_000).contains(hosts)) else {
        eprintln!("usage: hostbook-instructions [HOSTS], from 1000 to 1000000");
        return ExitCode::from(2);
    };
    let plan = Plan { hosts, seed: 1 };
    if std::env::var_os(INSIDE).is_some() {
        ask_all(plan);
        return ExitCode::SUCCESS;
    }
    report(plan)
}

/// Runs the questions below valgrind and prints what each kind costs.
fn report(plan: Plan) -> ExitCode {
    let place = TempDir::new("instructions");
    let out = place.path().join("counted");
    let mut valgrind = Command::new("valgrind");
    // Each call of `counted_by_valgrind` makes a file of its own.
    valgrind.args([
        "--tool=callgrind",
        "--collect-atstart=no",
        "--toggle-collect=hostbook_instructions::counted_by_valgrind",
        "--dump-after=hostbook_instructions::counted_by_valgrind",
    ]);
    valgrind.arg(format!("--callgrind-out-file={}", out.display()));
    valgrind.arg(std::env::current_exe().unwrap()).arg(plan.hosts.to_string()).env(INSIDE, "1");
    let ended = valgrind.stdin(Stdio::null()).stderr(Stdio::null()).status();
    let ended =
        ended.unwrap_or_else(|error| panic!("valgrind cannot be started ({error}): install `valgrind`"));
    assert!(ended.success(), "valgrind ended: {ended}");
    println!("{} hosts: instructions of one DNS answer, mean of {QUESTIONS}", plan.hosts);
    let each: Vec<f64> = (1..=KINDS.len())
        .map(|number| {
            let text = fs::read_to_string(format!("{}.{number}", out.display())).unwrap();
            let total = text.lines().find_map(|line| line.strip_prefix("totals: ")).unwrap();
            total.trim().parse::<f64>().unwrap() / QUESTIONS as f64
        })
        .collect();
    for (kind, instructions) in KINDS.iter().zip(&each) {
        println!("{kind:<30} {instructions:>8.0}");
    }
    let compared = &each[..3];
    let dearest = compared.iter().copied().fold(0.0, f64::max);
    let ratio = dearest / compared.iter().copied().fold(f64::MAX, f64::min);
    println!("the first three differ by a factor of {ratio:.2}; {RATIO_MAX} is allowed");
    if ratio <= RATIO_MAX { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn ask_all(plan: Plan) {
    let view = view(plan);
    let hosts: Vec<Host> =
        (0..plan.hosts).map(|number| plan.host(number)).filter(|host| host.served).collect();
    // Far apart, so that no two share what is in a cache's line.
    let chosen: Vec<&Host> = (0..QUESTIONS).map(|n| &hosts[n * 7919 % hosts.len()]).collect();
    let ask = |question: &dyn Fn(&Host) -> (String, u16)| -> Vec<Vec<u8>> {
        chosen.iter().map(|host| question(host)).map(|(name, rtype)| query(&name, rtype)).collect()
    };
    let reverse = |address: IpAddr| Name::reverse(address).to_string();
    let below = "x.".repeat(16);
    let asked = [
        ask(&|host| (host.fqdn.clone(), rtype::A)),
        ask(&|host| (format!("no-{}", host.fqdn), rtype::A)),
        ask(&|host| (reverse(host.ipv6.into()), rtype::PTR)),
        ask(&|host| (reverse((host.ipv6.to_bits() + (1 << 40)).to_be_bytes().into()), rtype::PTR)),
        ask(&|host| (reverse(host.ipv4.into()), rtype::PTR)),
        ask(&|host| (host.fqdn.clone(), rtype::MX)),
        ask(&|host| (format!("{below}no-{}", host.fqdn), rtype::A)),
    ];
    let wanted =
        [Answer::Records, Answer::NoName, Answer::Records, Answer::NoName, Answer::Records, Answer::NoData];
    for (queries, wanted) in asked.iter().zip(wanted.into_iter().chain([Answer::NoName])) {
        let right = counted_by_valgrind(&view, queries, wanted);
        assert_eq!(right, QUESTIONS, "{wanted:?}");
    }
}

/// Answers the queries: what valgrind counts. Returns how many answers are of the kind wanted.
#[inline(never)]
fn counted_by_valgrind(view: &DnsView, queries: &[Vec<u8>], wanted: Answer) -> usize {
    let mut out = [0; 1232];
    let mut right = 0;
    for query in queries {
        let context = QueryContext::anonymous(Transport::Udp);
        let outcome = core::answer(view, black_box(query), context, &mut out);
        right += usize::from(matches!(outcome, Outcome::Answered { answer, .. } if answer == wanted));
        black_box(&out);
    }
    right
}

fn view(plan: Plan) -> DnsView {
    let names: Vec<String> = (0..plan.files()).map(|file| plan.path(file).display().to_string()).collect();
    let texts: Vec<String> = (0..plan.files()).map(|file| plan.file(file)).collect();
    let globals = plan.globals();
    let mut files: Vec<(&str, &str)> =
        names.iter().map(String::as_str).zip(texts.iter().map(String::as_str)).collect();
    files.push(("site.toml", &globals));
    let snapshot = inventory_core::load_texts(&files).unwrap_or_else(|all| panic!("{:#?}", all.first()));
    assert!(files.len() * HOSTS_PER_FILE >= plan.hosts, "every file is there");
    let mut view = DnsView::build(&snapshot);
    view.set_serials(|_| 2_024_010_100);
    view
}

/// A query with EDNS, as resolvers send it.
fn query(name: &str, rtype: u16) -> Vec<u8> {
    let mut octets = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    octets.extend_from_slice(Name::parse(name, None).unwrap().as_wire());
    octets.extend_from_slice(&rtype.to_be_bytes());
    octets.extend_from_slice(&[0, 1]);
    octets.extend_from_slice(&[0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0]);
    octets
}
