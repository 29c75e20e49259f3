//! Random clients on the link and behind a relay agent, moves between the two, losses, duplicates, delays,
//! edits that move addresses between hosts, crashes, reboots and stepped clocks against the core. Whatever
//! happens: an address has one holder, every acknowledged lease is in what is durable, and when it calms
//! down each client ends with what the inventory says.
//!
//! A failing run prints the shortest sequence that fails; proptest keeps its seed beside this file. More of
//! them on request: `PROPTEST_CASES=20000 cargo test -p hostbook-dhcpd simulation`.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use dhcpd::core::{ClientKey, Core, Input, Link, Now, Outputs, Packet, Record};
use dhcpd::view::DhcpView;
use inventory_core::mac::MacAddr;
use inventory_core::model::Snapshot;
use proptest::prelude::*;

use super::lab::{INTERFACE, SERVER, SITE, cases_or, snapshot_of};
use super::packet::{Ask, Sent};

const CLIENTS: u8 = 6;
const LEASE_MS: i64 = 600_000;
const HOUR_MS: i64 = 3_600_000;
const YEAR_MS: i64 = 365 * 24 * HOUR_MS;
/// Inventories that the edits switch between.
const VARIANTS: usize = 10;
/// The relay agent, in the far network.
const AGENT: Ipv4Addr = Ipv4Addr::new(10, 78, 0, 254);

fn mac(n: u8) -> [u8; 6] {
    [2, 0, 0, 0, 7, n]
}

fn host(n: u8, keys: &str) -> String {
    host_in("lab", n, keys)
}

fn host_in(network: &str, n: u8, keys: &str) -> String {
    format!("[host.c{n}]\nnetwork = \"{network}\"\nmac = \"02:00:00:00:07:{n:02x}\"\n{keys}\n")
}

/// The inventories: all strangers; one reserved; one reserved to an address that was the pool's; one
/// planned and one without an address; a pool of two; the address of a host that goes to another one, on
/// the link and behind the relay agent; a port of the agent with two machines behind it; pools for some
/// clients alone, on the link by what they say, behind the agent by what it adds; both networks on one link. The
/// pools of the first and the fifth are too small for all, and so is the one for some on the link; those of the last
/// are just large enough.
fn inventory(variant: usize) -> String {
    let site = |pool: &str| {
        let site = SITE.replace("lease = \"1h\"", &format!("lease = \"10m\"\npool = [\"{pool}\"]"));
        site + "[network.far]\nzone = \"lab.test\"\nipv4 = \"10.78.0.0/24\"\nlease = \"10m\"\n\
                pool = [\"10.78.0.100-10.78.0.105\"]\n"
    };
    match variant {
        0 => site("10.77.0.100-10.77.0.102"),
        1 => site("10.77.0.100-10.77.0.105") + &host(0, "ip = \"10.77.0.10\""),
        2 => {
            site("10.77.0.102-10.77.0.105")
                + &host(0, "ip = \"10.77.0.100\"")
                + &host(1, "ip = \"10.77.0.11\"")
        }
        3 => {
            site("10.77.0.100-10.77.0.105")
                + &host(0, "state = \"planned\"\nip = \"10.77.0.10\"")
                + &host(2, "")
        }
        4 => site("10.77.0.104-10.77.0.105") + &host(3, "ip = \"10.77.0.13\""),
        5 => {
            site("10.77.0.100-10.77.0.105")
                + &host(0, "ip = \"10.77.0.12\"")
                + &host(1, "ip = \"10.77.0.10\"")
                + &host_in("far", 4, "ip = \"10.78.0.14\"")
        }
        6 => {
            site("10.77.0.100-10.77.0.105")
                + &host(2, "ip = \"10.77.0.10\"")
                + &host_in("far", 5, "ip = \"10.78.0.14\"")
        }
        7 => {
            site("10.77.0.100-10.77.0.105")
                + "[host.desk]\nnetwork = \"far\"\nport = \"7\"\nip = \"10.78.0.20\"\n"
        }
        8 => {
            let part = |network: &str, who: &str, second: u8| {
                format!(
                    "[network.{network}.match.some]\n{who}\npool = \"10.{second}.0.104-10.{second}.0.105\"\n"
                )
            };
            site("10.77.0.100-10.77.0.103").replace("10.78.0.105", "10.78.0.103")
                + &part("lab", "vendor-class = \"phone\"", 77)
                + &part("far", "circuit-id = \"7\"", 78)
        }
        _ => {
            let on_link = site("10.77.0.104-10.77.0.105").replace("ipv4 =", "link = \"floor\"\nipv4 =");
            on_link.replace("10.78.0.100-10.78.0.105", "10.78.0.100-10.78.0.101")
                + &host(1, "ip = \"10.77.0.10\"")
                + &host_in("far", 0, "ip = \"10.78.0.14\"")
        }
    }
}

/// What each client must end with in the end, on the link or behind the agent.
fn expected(variant: usize, client: u8, is_far: bool) -> Expected {
    match (variant, client) {
        (9, 0) => return Expected::Address([10, 78, 0, 14].into()),
        (9, 1) => return Expected::Address([10, 77, 0, 10].into()),
        (9, _) => return Expected::OnLink,
        _ => {}
    }
    if is_far {
        return match (variant, client) {
            (5, 4) | (6, 5) => Expected::Address([10, 78, 0, 14].into()),
            (7, 4 | 5) => Expected::AddressOrPool([10, 78, 0, 20].into(), 100, 105),
            (8, 4 | 5) => Expected::Pool(104, 105),
            (8, _) => Expected::Pool(100, 103),
            _ => Expected::Pool(100, 105),
        };
    }
    match (variant, client) {
        (1, 0) | (5, 1) | (6, 2) => Expected::Address([10, 77, 0, 10].into()),
        (2, 0) => Expected::Address([10, 77, 0, 100].into()),
        (2, 1) => Expected::Address([10, 77, 0, 11].into()),
        (3, 0) => Expected::Nothing,
        (4, 3) => Expected::Address([10, 77, 0, 13].into()),
        (5, 0) => Expected::Address([10, 77, 0, 12].into()),
        (0, _) => Expected::MaybePool(100, 102),
        (4, _) => Expected::MaybePool(104, 105),
        (2, _) => Expected::Pool(102, 105),
        (8, 1 | 3 | 5) => Expected::MaybePool(104, 105),
        (8, _) => Expected::Pool(100, 103),
        _ => Expected::Pool(100, 105),
    }
}

enum Expected {
    Address(Ipv4Addr),
    Pool(u8, u8),
    /// The former is for one of two.
    AddressOrPool(Ipv4Addr, u8, u8),
    /// If there is room.
    MaybePool(u8, u8),
    /// Of the pool of one network or of that of the other.
    OnLink,
    Nothing,
}

#[derive(Clone, Debug)]
enum Step {
    Discover(u8),
    Select(u8),
    Renew(u8),
    Rebind(u8),
    Reboot(u8),
    /// It says that it had this address of the network.
    Claim(u8, u8),
    Release(u8),
    Decline(u8),
    /// It is plugged in elsewhere: behind the agent, or on the link again.
    Move(u8),
    /// A message on its way arrives, the one in this place; it may arrive again later.
    Arrive {
        place: usize,
        again: bool,
    },
    /// A reply on its way arrives.
    Return {
        place: usize,
        again: bool,
    },
    LoseAll,
    /// Records become durable up to this part of those that wait.
    Commit(u8),
    Fail,
    Pass(i64),
    SetClock(i64),
    /// The process is killed; some records beyond the durable ones may have reached the disk.
    Kill(u8),
    /// The machine starts anew.
    Restart,
    Edit(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let client = 0..CLIENTS;
    let place = || (0..4_usize, any::<bool>());
    prop_oneof![
        8 => client.clone().prop_map(Step::Discover),
        10 => client.clone().prop_map(Step::Select),
        6 => client.clone().prop_map(Step::Renew),
        2 => client.clone().prop_map(Step::Rebind),
        3 => client.clone().prop_map(Step::Reboot),
        2 => (client.clone(), 100..106_u8).prop_map(|(client, number)| Step::Claim(client, number)),
        2 => client.clone().prop_map(Step::Release),
        1 => client.clone().prop_map(Step::Decline),
        2 => client.prop_map(Step::Move),
        40 => place().prop_map(|(place, again)| Step::Arrive { place, again: again && place == 0 }),
        30 => place().prop_map(|(place, again)| Step::Return { place, again: again && place == 0 }),
        1 => Just(Step::LoseAll),
        14 => (0..=4_u8).prop_map(Step::Commit),
        1 => Just(Step::Fail),
        14 => prop_oneof![1..1_000_i64, 1_000..60_000_i64, 60_000..LEASE_MS * 2].prop_map(Step::Pass),
        1 => prop::sample::select(vec![HOUR_MS, -HOUR_MS, 10 * YEAR_MS, -10 * YEAR_MS]).prop_map(Step::SetClock),
        2 => (0..=4_u8).prop_map(Step::Kill),
        1 => Just(Step::Restart),
        3 => (0..VARIANTS).prop_map(Step::Edit),
        3 => prop::sample::select(vec![1, 5, 6, 7, 8, 9]).prop_map(Step::Edit),
    ]
}

#[derive(Clone, Default)]
struct Client {
    xid: u32,
    /// When it asked for what, if it waits for the answer.
    asked: Option<(i64, Ipv4Addr)>,
    offered: Option<Ipv4Addr>,
    /// What it uses, and until when.
    holds: Option<(Ipv4Addr, i64)>,
    last: Option<Ipv4Addr>,
    is_far: bool,
}

/// A reply, and whether it gives an address that the inventory reserved when it was decided.
#[derive(Clone)]
struct Reply {
    sent: Sent,
    reserved: bool,
}

struct World {
    core: Core,
    snapshot: Snapshot,
    view: DhcpView,
    /// Real time, which nobody sees.
    real: i64,
    booted_at: i64,
    boot: u64,
    wall_skew: i64,
    journal: Vec<(u64, Record)>,
    /// Number of records that are durable.
    durable: usize,
    held: Vec<Reply>,
    /// On their way to the server: octets and destination.
    asks: Vec<Ask>,
    replies: Vec<Reply>,
    clients: Vec<Client>,
    /// Whether replies leave before their records are durable: a mistake that must be found.
    hasty: bool,
    /// Whether nobody's answer to a probe arrives: another one.
    deaf: bool,
}

impl World {
    fn new() -> World {
        let snapshot = snapshot_of(&inventory(0));
        let mut world = World {
            core: Core::new(),
            view: DhcpView::build(&snapshot),
            snapshot,
            real: 1_700_000_000_000,
            booted_at: 1_699_999_000_000,
            boot: 1,
            wall_skew: 0,
            journal: Vec::new(),
            durable: 0,
            held: Vec::new(),
            asks: Vec::new(),
            replies: Vec::new(),
            clients: vec![Client::default(); usize::from(CLIENTS)],
            hasty: false,
            deaf: false,
        };
        world.start();
        world
    }

    fn now(&self) -> Now {
        let monotonic_ms = u64::try_from(self.real - self.booted_at).unwrap();
        Now { monotonic_ms, unix_ms: self.real + self.wall_skew }
    }

    /// Starts the process on what is durable.
    fn start(&mut self) {
        self.journal.truncate(self.durable);
        self.held.clear();
        self.core = Core::recover(self.journal.clone(), Some(self.boot), self.now());
        self.input(&Input::Links(vec![Link { index: INTERFACE, addresses: vec![SERVER], mtu: 1500 }]));
    }

    fn input(&mut self, input: &Input<'_>) {
        let mut out = Outputs::default();
        self.core.handle(input, self.now(), &self.view, &mut out);
        self.journal.extend(out.records().iter().cloned());
        let replies = out.replies().map(|(reply, octets)| Sent::new(reply, octets));
        let view = &self.view;
        self.held.extend(replies.map(|sent| {
            let mac = MacAddr(sent.octets[28..34].try_into().unwrap());
            let mut nics = view.networks().filter_map(|network| view.by_mac(network.id, mac));
            let reserved = nics.any(|nic| nic.address() == Some(sent.yiaddr()));
            Reply { sent, reserved }
        }));
        self.send_held();
        for probe in out.probes().to_vec() {
            let user = (0..CLIENTS).find(|n| self.held_by(*n) == Some(probe.address));
            if let Some(user) = user.filter(|_| !self.deaf) {
                // Whoever answers an echo does not say which card it has.
                let mac = probe.link.map(|_| mac(user));
                self.input(&Input::InUse { address: probe.address, mac });
            }
        }
    }

    fn durable_position(&self) -> u64 {
        self.durable.checked_sub(1).map_or(0, |last| self.journal[last].0)
    }

    /// Sends the replies whose records are durable.
    fn send_held(&mut self) {
        let durable = self.durable_position();
        let may_go = |reply: &Reply| self.hasty || reply.sent.after.is_none_or(|after| after <= durable);
        let (go, stay) = std::mem::take(&mut self.held).into_iter().partition(may_go);
        self.held = stay;
        let go: Vec<Reply> = go;
        self.replies.extend(go);
    }

    fn commit(&mut self, part: u8) {
        let waiting = self.journal.len() - self.durable;
        self.durable += waiting * usize::from(part) / 4;
        self.input(&Input::Committed(self.durable_position()));
    }

    fn held_by(&self, client: u8) -> Option<Ipv4Addr> {
        let holds = self.clients[usize::from(client)].holds;
        holds.filter(|(_, until)| self.real < *until).map(|(address, _)| address)
    }

    fn ask(&mut self, n: u8, ask: Ask, wants: Option<Ipv4Addr>) {
        let real = self.real;
        let client = &mut self.clients[usize::from(n)];
        client.xid += 1;
        client.asked = wants.map(|wants| (real, wants));
        // The agent hears what goes to everybody; the rest is routed.
        let relayed = client.is_far && ask.to.is_broadcast();
        // Every other client is a phone.
        let ask = if n % 2 == 1 { ask.option(60, b"phone") } else { ask };
        // The last two clients are behind one port.
        let ask = if relayed && n >= CLIENTS - 2 { ask.option(82, &[1, 1, b'7']) } else { ask };
        let ask = if relayed { ask.relayed(AGENT, SERVER) } else { ask };
        self.asks.push(ask.xid(u32::from(n) << 16 | client.xid));
    }

    fn arrive(&mut self, place: usize, again: bool) {
        if place >= self.asks.len() {
            return;
        }
        let ask = if again { self.asks[place].clone() } else { self.asks.remove(place) };
        let from = ask.from;
        let packet =
            Packet { bytes: ask.octets().into(), interface: INTERFACE, from, destination: Some(ask.to) };
        self.input(&Input::Packet(packet));
    }

    fn come_back(&mut self, place: usize, again: bool) {
        if place >= self.replies.len() {
            return;
        }
        let reply = if again { self.replies[place].clone() } else { self.replies.remove(place) };
        let Reply { sent, reserved } = reply;
        let xid = u32::from_be_bytes(sent.octets[4..8].try_into().unwrap());
        let n = u8::try_from(xid >> 16).unwrap();
        let client = &mut self.clients[usize::from(n)];
        if client.xid != xid & 0xffff {
            return;
        }
        match (sent.kind(), client.asked) {
            (2, None) => client.offered = Some(sent.yiaddr()),
            (5, Some((at, wanted))) if sent.yiaddr() == wanted => {
                client.asked = None;
                client.last = Some(wanted);
                let until = at + i64::from(sent.number(51).unwrap()) * 1000;
                client.holds = Some((wanted, until)).filter(|(_, until)| self.real < *until);
                self.check(n, reserved);
            }
            (6, Some(_)) => {
                client.asked = None;
                client.holds = None;
                client.last = None;
            }
            _ => {}
        }
    }

    /// What must hold when a client begins to use an address.
    fn check(&self, n: u8, reserved: bool) {
        let Some(address) = self.held_by(n) else { return };
        for other in (0..CLIENTS).filter(|other| *other != n) {
            assert_ne!(self.held_by(other), Some(address), "clients {other} and {n} both hold {address}");
        }
        if reserved {
            return;
        }
        let recovered = Core::recover(self.journal[..self.durable].to_vec(), Some(self.boot), self.now());
        let lease = recovered.leases().find(|(other, _)| *other == address).map(|(_, lease)| lease.clone());
        let lease = lease.unwrap_or_else(|| panic!("the lease of {address} is lost"));
        assert_eq!(lease.client, ClientKey::of_mac(MacAddr(mac(n))), "{address} is another client's");
        let until = self.clients[usize::from(n)].holds.unwrap().1;
        assert!(lease.ends >= until - self.booted_at, "the lease of {address} ends too early");
    }

    fn run(&mut self, step: &Step) {
        match *step {
            Step::Discover(n) => {
                let client = &mut self.clients[usize::from(n)];
                (client.holds, client.offered) = (None, None);
                let hint = client.last;
                let ask = Ask::discover(mac(n));
                self.ask(n, hint.into_iter().fold(ask, |ask, hint| ask.address(50, hint)), None);
            }
            Step::Select(n) => {
                let Some(offered) = self.clients[usize::from(n)].offered.take() else { return };
                self.ask(n, Ask::selecting(mac(n), offered, SERVER), Some(offered));
            }
            Step::Renew(n) => {
                let Some(address) = self.held_by(n) else { return };
                self.ask(n, Ask::renewing(mac(n), address, SERVER), Some(address));
            }
            Step::Rebind(n) => {
                let Some(address) = self.held_by(n) else { return };
                self.ask(n, Ask::rebinding(mac(n), address), Some(address));
            }
            Step::Reboot(n) => {
                let Some(address) = self.clients[usize::from(n)].last else { return };
                self.clients[usize::from(n)].holds = None;
                self.ask(n, Ask::init_reboot(mac(n), address), Some(address));
            }
            Step::Claim(n, number) => {
                let address = Ipv4Addr::new(10, 77, 0, number);
                self.clients[usize::from(n)].holds = None;
                self.ask(n, Ask::init_reboot(mac(n), address), Some(address));
            }
            Step::Release(n) => {
                let Some(address) = self.held_by(n) else { return };
                self.clients[usize::from(n)].holds = None;
                self.ask(n, Ask::releasing(mac(n), address, SERVER), None);
            }
            Step::Decline(n) => {
                let Some(address) = self.held_by(n) else { return };
                self.clients[usize::from(n)].holds = None;
                self.ask(n, Ask::new(4, mac(n)).address(50, address).address(54, SERVER), None);
            }
            Step::Move(n) => {
                let client = &mut self.clients[usize::from(n)];
                client.is_far = !client.is_far;
                (client.holds, client.offered, client.asked) = (None, None, None);
                client.xid += 1;
            }
            Step::Arrive { place, again } => self.arrive(place, again),
            Step::Return { place, again } => self.come_back(place, again),
            Step::LoseAll => {
                self.asks.clear();
                self.replies.clear();
            }
            Step::Commit(part) => self.commit(part),
            Step::Fail => {
                self.held.clear();
                self.input(&Input::StoreFailing);
            }
            Step::Pass(ms) => {
                self.real += ms;
                // Packets do not live for long.
                if ms > 10_000 {
                    self.run(&Step::LoseAll);
                }
                self.input(&Input::Tick);
            }
            Step::SetClock(by) => {
                self.wall_skew += by;
                self.input(&Input::Tick);
            }
            Step::Kill(part) => {
                let waiting = self.journal.len() - self.durable;
                self.durable += waiting * usize::from(part) / 4;
                self.start();
            }
            Step::Restart => {
                self.commit(4);
                self.boot += 1;
                self.booted_at = self.real - 5_000;
                self.start();
                self.commit(4);
            }
            Step::Edit(variant) => {
                // Nobody can know of an acknowledgement that is still on its way when its address moves.
                self.replies.retain(|reply| !reply.reserved);
                let mut snapshot = snapshot_of(&inventory(variant));
                snapshot.generation = self.snapshot.generation + 1;
                self.view = self.view.updated(&self.snapshot.inventory, &snapshot);
                self.snapshot = snapshot;
                self.input(&Input::Tick);
            }
        }
    }

    /// Clients as they should be, on a network that loses nothing, until nothing changes any more.
    fn calm_down(&mut self, variant: usize) {
        self.run(&Step::LoseAll);
        self.wall_skew = 0;
        self.run(&Step::Edit(variant));
        for _round in 0..12 {
            for n in 0..CLIENTS {
                if self.held_by(n).is_some() {
                    self.exchange(&Step::Renew(n));
                }
                if self.held_by(n).is_none() {
                    self.exchange(&Step::Discover(n));
                    self.exchange(&Step::Select(n));
                }
            }
            self.run(&Step::Pass(LEASE_MS / 4));
        }
    }

    fn exchange(&mut self, step: &Step) {
        self.run(step);
        self.arrive(0, false);
        for _ in 0..8 {
            self.real += 200;
            self.input(&Input::Tick);
        }
        self.commit(4);
        while !self.replies.is_empty() {
            self.come_back(0, false);
        }
    }

    fn check_end(&self, variant: usize) {
        let mut holders: BTreeMap<Ipv4Addr, u8> = BTreeMap::new();
        for n in 0..CLIENTS {
            let has = self.held_by(n);
            if let Some(address) = has {
                assert_eq!(holders.insert(address, n), None, "{address} has two holders");
            }
            let is_far = self.clients[usize::from(n)].is_far;
            let second = if is_far { 78 } else { 77 };
            let of_pool = |first, last| {
                has.is_some_and(|has| has.octets()[1] == second && (first..=last).contains(&has.octets()[3]))
            };
            let right = match expected(variant, n, is_far) {
                Expected::Address(address) => has == Some(address),
                Expected::Pool(first, last) => of_pool(first, last),
                Expected::AddressOrPool(address, first, last) => has == Some(address) || of_pool(first, last),
                Expected::MaybePool(first, last) => has.is_none() || of_pool(first, last),
                Expected::OnLink => has.is_some_and(|has| {
                    [(77, 104..=105), (78, 100..=101)]
                        .iter()
                        .any(|(second, hosts)| has.octets()[1] == *second && hosts.contains(&has.octets()[3]))
                }),
                Expected::Nothing => has.is_none(),
            };
            assert!(right, "client {n} ends with {has:?} in inventory {variant}");
        }
        let near = self.clients.iter().filter(|client| !client.is_far).count();
        let from_pool =
            holders.keys().filter(|address| address.octets()[1] == 77 && address.octets()[3] >= 100);
        match variant {
            0 => assert_eq!(from_pool.count(), near.min(3), "the pool is used up"),
            8 => {
                let phones = [1, 3, 5].into_iter().filter(|n| !self.clients[*n].is_far).count();
                let given = from_pool.filter(|address| address.octets()[3] >= 104).count();
                assert_eq!(given, phones.min(2), "their pool is used up");
            }
            4 => {
                let reserved = usize::from(!self.clients[3].is_far);
                assert_eq!(from_pool.count(), (near - reserved).min(2), "the pool is used up");
            }
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases_or(300), max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn an_address_has_one_holder_every_lease_is_durable_and_the_inventory_wins(
        steps in prop::collection::vec(step(), 50..400),
        last in 0..VARIANTS,
    ) {
        let mut world = World::new();
        for step in &steps {
            world.run(step);
        }
        // Declined addresses are on probation for an hour.
        world.run(&Step::Pass(2 * HOUR_MS));
        world.calm_down(last);
        world.check_end(last);
    }
}

#[test]
fn a_server_that_does_not_wait_for_the_disk_is_found_out() {
    let mut world = World::new();
    world.hasty = true;
    let steps = [
        Step::Discover(0),
        Step::Arrive { place: 0, again: false },
        Step::Pass(200),
        Step::Return { place: 0, again: false },
        Step::Select(0),
        Step::Arrive { place: 0, again: false },
    ];
    for step in &steps {
        world.run(step);
    }
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.come_back(0, false)));
    assert!(found.is_err(), "an acknowledgement without a record on disk was not noticed");
}

/// The address of one host goes to another one while it is in use.
fn an_address_moves(world: &mut World) {
    for (edit, n) in [(1, 0), (5, 1)] {
        world.run(&Step::Edit(edit));
        world.exchange(&Step::Discover(n));
        world.exchange(&Step::Select(n));
    }
}

#[test]
fn a_server_that_does_not_look_who_uses_an_address_that_moves_is_found_out() {
    let mut world = World::new();
    an_address_moves(&mut world);
    let has = [0, 1].map(|n| world.held_by(n).map(|address| address.octets()));
    assert_eq!(has[0], Some([10, 77, 0, 10]));
    assert!(has[1].is_some_and(|has| has[3] >= 100), "{has:?}");

    let mut world = World { deaf: true, ..World::new() };
    let found = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| an_address_moves(&mut world)));
    assert!(found.is_err(), "two holders of an address were not noticed");
}
