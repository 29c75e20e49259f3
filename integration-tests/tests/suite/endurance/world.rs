//! A little world of machines: what its inventory says, and what is therefore the right answer to each
//! question.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

use hickory_proto::op::ResponseCode;
use hickory_proto::rr::RecordType;
use integration_tests::dns::{Answer, reverse};
use integration_tests::generate::mix;
use integration_tests::place::Place;

const MACHINES: usize = 40;
const ALIASES: usize = 5;
const FILES: usize = 5;
/// Addresses that a machine may have, in other worlds.
const CHOICES: u64 = 3;
const ZONE: &str = "lab.example.org.";

/// One state of the inventory.
#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) machines: Vec<Machine>,
    /// Which machine each alias is of.
    aliases: [usize; ALIASES],
}

/// One machine. Its hardware address and its file never change.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    number: usize,
    pub(super) present: bool,
    renamed: bool,
    pub(super) address: Ipv4Addr,
}

/// A question to the name server.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) name: String,
    pub(super) kind: RecordType,
    of: Of,
}

#[derive(Clone, Debug)]
enum Of {
    Machine { number: usize, renamed: bool },
    Alias(usize),
    Address(Ipv4Addr),
}

impl Machine {
    pub(super) fn mac(&self) -> [u8; 6] {
        [0x52, 0x54, 0, 0, 0, u8::try_from(self.number).unwrap()]
    }

    pub(super) fn file(&self) -> usize {
        self.number % FILES
    }

    pub(super) fn label(&self) -> String {
        label(self.number, self.renamed)
    }

    fn ipv6(&self) -> Ipv6Addr {
        let [_, _, high, low] = self.address.octets();
        Ipv6Addr::new(0x2001, 0xdb8, 0x20, 0, 0, 0, u16::from(high), u16::from(low))
    }

    pub(super) fn rename(&mut self) {
        self.renamed = !self.renamed;
    }
}

fn label(number: usize, renamed: bool) -> String {
    format!("{}{number}", if renamed { "new" } else { "old" })
}

fn choice(number: usize, choice: u64) -> Ipv4Addr {
    Ipv4Addr::new(10, 20, u8::try_from(choice + 1).unwrap(), u8::try_from(number + 10).unwrap())
}

impl World {
    pub(super) fn first() -> World {
        let machine = |number| Machine { number, present: true, renamed: false, address: choice(number, 0) };
        let aliases = std::array::from_fn(|alias| alias * 7);
        World { machines: (0..MACHINES).map(machine).collect(), aliases }
    }

    /// Writes all of it.
    pub(super) fn write(&self, place: &Place) {
        let site = "[site]\nnameservers = [\"ns1.lab.example.org\"]\ncontact = \"hostmaster@lab.example.org\"\n\n\
            [zone.\"lab.example.org\"]\nttl = \"1h\"\n\n[network.lan]\nzone = \"lab.example.org\"\n\
            ipv4 = \"10.20.0.0/16\"\nipv6 = \"2001:db8:20::/64\"\ngateway = \"10.20.0.1\"\n\n\
            [host.ns1]\nnetwork = \"lan\"\nip = \"10.20.0.2\"\n";
        place.save("site.toml", site);
        for file in 0..FILES {
            place.save(&path(file), &self.text(file));
        }
    }

    /// What a file says; nothing when no machine of it is there.
    pub(super) fn text(&self, file: usize) -> String {
        let mut text = String::new();
        for machine in self.machines.iter().filter(|machine| machine.present && machine.file() == file) {
            let [.., last] = machine.mac();
            let _ = write!(
                text,
                "[host.{}]\nnetwork = \"lan\"\nmac = \"52:54:00:00:00:{last:02x}\"\nip = [\"{}\", \"{}\"]\n",
                machine.label(),
                machine.address,
                machine.ipv6()
            );
            let aliases = (0..ALIASES).filter(|alias| self.aliases[*alias] == machine.number);
            let aliases: Vec<String> = aliases.map(|alias| format!("\"svc{alias}\"")).collect();
            let _ = write!(text, "alias = [{}]\n\n", aliases.join(", "));
        }
        text
    }

    /// Gives a machine another of its addresses, one that nobody has.
    pub(super) fn move_on(&mut self, it: usize, random: u64) {
        let taken = |address: &Ipv4Addr| self.machines.iter().any(|machine| machine.address == *address);
        let free: Vec<Ipv4Addr> = (0..CHOICES).map(|of| choice(it, of)).filter(|one| !taken(one)).collect();
        self.machines[it].address = free[usize::try_from(random >> 40).unwrap() % free.len()];
    }

    /// Makes another machine of this world an alias's owner.
    pub(super) fn move_alias(&mut self, random: u64, owner: usize) {
        self.aliases[usize::try_from(random).unwrap_or(usize::MAX) % ALIASES] = owner;
    }

    /// The machine that the alias chosen by `random` is of.
    pub(super) fn owner(&self, random: u64) -> usize {
        self.aliases[usize::try_from(random).unwrap_or(usize::MAX) % ALIASES]
    }

    /// The right answer.
    pub(super) fn answer(&self, question: &Question) -> Answer {
        let present = |machine: &&Machine| machine.present;
        let records = match question.of {
            Of::Machine { number, renamed } => {
                let machine = self.machines.get(number).filter(present);
                machine
                    .filter(|machine| machine.renamed == renamed)
                    .map(|it| vec![address(it, question.kind)])
            }
            Of::Alias(alias) => self.machines.get(self.aliases[alias]).filter(present).map(|machine| {
                let cname = format!("svc{alias}.{ZONE} cname {}.{ZONE}", machine.label());
                vec![cname, address(machine, question.kind)]
            }),
            Of::Address(wanted) => {
                let machine = self.machines.iter().find(|it| it.present && it.address == wanted);
                machine.map(|it| vec![format!("{} ptr {}.{ZONE}", question.name, it.label())])
            }
        };
        let code = if records.is_some() { ResponseCode::NoError } else { ResponseCode::NXDomain };
        Answer { code, records: records.unwrap_or_default(), serial: None }
    }
}

fn address(machine: &Machine, kind: RecordType) -> String {
    let (label, kind_text) = (machine.label(), kind.to_string().to_lowercase());
    match kind {
        RecordType::AAAA => format!("{label}.{ZONE} {kind_text} {}", machine.ipv6()),
        _ => format!("{label}.{ZONE} {kind_text} {}", machine.address),
    }
}

impl Question {
    /// Any question that some world answers.
    pub(super) fn any(random: u64) -> Question {
        let random = mix(random);
        let number = usize::try_from(random >> 8 & 0xffff).unwrap() % MACHINES;
        let kind = if random >> 4 & 1 == 0 { RecordType::A } else { RecordType::AAAA };
        let forward = |of, label: String| Question { name: format!("{label}.{ZONE}"), kind, of };
        match random & 3 {
            0 => Question::back(choice(number, (random >> 24) % CHOICES)),
            1 => forward(Of::Alias(number % ALIASES), format!("svc{}", number % ALIASES)),
            _ => {
                let renamed = random >> 5 & 1 == 0;
                forward(Of::Machine { number, renamed }, label(number, renamed))
            }
        }
    }

    /// Whose an address is.
    pub(super) fn back(address: Ipv4Addr) -> Question {
        Question { name: reverse(address), kind: RecordType::PTR, of: Of::Address(address) }
    }

    /// The address of a machine by its name in its world.
    pub(super) fn of(machine: &Machine) -> Question {
        let (number, renamed) = (machine.number, machine.renamed);
        let name = format!("{}.{ZONE}", machine.label());
        Question { name, kind: RecordType::A, of: Of::Machine { number, renamed } }
    }
}

/// A file of machines, below the inventory's root.
pub(super) fn path(file: usize) -> String {
    format!("machines-{file}.toml")
}
