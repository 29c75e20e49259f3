//! The editor: changes the inventory in every way that operators do, and sees each change in both daemons.

use std::fs;
use std::net::SocketAddr;

use integration_tests::dhcp;
use integration_tests::dns;
use integration_tests::generate::mix;
use integration_tests::place::Place;
use integration_tests::programs::Daemon;
use inventory_core::load::{Loaded, Loader};
use inventory_core::source::Directory;

use super::askers::{may_go, offered};
use super::world::{Question, World, path};
use super::{EDITOR, History, SERVER};

pub(super) struct Editor<'a> {
    history: &'a History,
    place: &'a Place,
    daemons: [&'a Daemon; 2],
    /// Reads the inventory as the daemons do: their hash must be the one that it finds.
    loader: Loader,
    world: World,
    dhcp: dhcp::Client,
    dns: dns::Client,
    /// The file that the last edit broke.
    broken: Option<usize>,
}

/// How a change reaches the disk.
#[derive(Clone, Copy)]
enum How {
    /// Written beside and renamed over.
    Editor,
    /// Written over what is there.
    InPlace,
    /// Several files one after the other, while git holds its lock.
    Git,
}

impl<'a> Editor<'a> {
    pub(super) fn new(
        history: &'a History,
        place: &'a Place,
        dhcpd: &'a Daemon,
        dnsd: &'a Daemon,
    ) -> Editor<'a> {
        fs::create_dir(place.inventory().join(".git")).unwrap();
        let world = history.worlds()[0].clone();
        let server = SERVER.parse().unwrap();
        Editor {
            history,
            place,
            daemons: [dhcpd, dnsd],
            loader: Loader::new(Box::new(Directory::new(place.inventory()))),
            world,
            dhcp: dhcp::Client::new(EDITOR.parse().unwrap(), server),
            dns: dns::Client::new(SocketAddr::new(server.into(), 53)),
            broken: None,
        }
    }

    /// Makes one edit and waits until both daemons have seen it.
    pub(super) fn edit(&mut self, number: usize) {
        let random = mix(number as u64);
        match number % 8 {
            1 => self.change(&[self.some(random)], How::Editor, |world, it| world.move_on(it, random)),
            2 => self.change(&[self.some(random)], How::InPlace, |world, it| {
                world.machines[it].rename();
                world.move_on(it, random);
            }),
            3 => self
                .change(&self.leaving(random), How::Editor, |world, it| world.machines[it].present = false),
            4 => self.change(&self.absent(), How::InPlace, |world, it| world.machines[it].present = true),
            5 => self.move_alias(random),
            6 => self.swap(random),
            7 => self.break_file(random, number),
            _ => self.mend(random),
        }
    }

    /// A machine that is there in every world.
    fn some(&self, random: u64) -> usize {
        let count = self.world.machines.len();
        (usize::try_from(random >> 20).unwrap() % count) | 1
    }

    /// Machines to delete: one, or now and then all of a file that may go.
    fn leaving(&self, random: u64) -> Vec<usize> {
        let machines = self.world.machines.iter().enumerate();
        let may: Vec<usize> =
            machines.filter(|(at, it)| it.present && may_go(*at)).map(|(at, _)| at).collect();
        let first = may[usize::try_from(random >> 20).unwrap() % may.len()];
        let file = self.world.machines[first].file();
        let all = random.is_multiple_of(3);
        may.into_iter().filter(|at| *at == first || all && self.world.machines[*at].file() == file).collect()
    }

    fn absent(&self) -> Vec<usize> {
        let machines = self.world.machines.iter().enumerate();
        machines.filter(|(_, machine)| !machine.present).map(|(at, _)| at).collect()
    }

    /// An alias goes to another machine that moves at the same moment: an answer with the new owner and
    /// its old address, or the other way round, is a mixed one.
    fn move_alias(&mut self, random: u64) {
        let (old, new) = (self.world.owner(random), self.some(random));
        self.change(&[old, new], How::Git, |world, it| {
            if it == new {
                world.move_alias(random, new);
                world.move_on(new, random);
            }
        });
    }

    /// Two machines of different files swap addresses. Each file alone is a conflict.
    fn swap(&mut self, random: u64) {
        let (one, other) = (self.some(random), self.some(random + (1 << 20)));
        let other = if self.world.machines[one].file() == self.world.machines[other].file() {
            (other + 2) % self.world.machines.len()
        } else {
            other
        };
        let addresses = [one, other].map(|it| self.world.machines[it].address);
        self.change(&[one, other], How::Git, |world, it| {
            world.machines[it].address = addresses[usize::from(it == one)];
        });
    }

    /// Changes machines, writes their files, and sees the new world in both daemons.
    fn change(&mut self, machines: &[usize], how: How, change: impl Fn(&mut World, usize)) {
        let old = self.world.clone();
        for machine in machines {
            change(&mut self.world, *machine);
        }
        self.history.begin(self.world.clone());
        let mut files: Vec<usize> = machines.iter().map(|it| self.world.machines[*it].file()).collect();
        files.sort_unstable();
        files.dedup();
        self.write(&files, how);
        self.see(&old, machines);
    }

    fn write(&self, files: &[usize], how: How) {
        let lock = self.place.inventory().join(".git/index.lock");
        if matches!(how, How::Git) {
            fs::write(&lock, "").unwrap();
        }
        for file in files {
            let (path, text) = (path(*file), self.world.text(*file));
            match how {
                How::Editor => self.place.save(&path, &text),
                How::InPlace => fs::write(self.place.inventory().join(path), text).unwrap(),
                How::Git => {
                    let path = self.place.inventory().join(path);
                    fs::remove_file(&path).unwrap();
                    fs::write(path, text).unwrap();
                }
            }
        }
        if matches!(how, How::Git) {
            fs::remove_file(lock).unwrap();
        }
    }

    /// Both daemons serve what is on the disk, and the wire shows it.
    fn see(&mut self, old: &World, machines: &[usize]) {
        let hash = match self.loader.load() {
            Loaded::Good { snapshot, .. } => snapshot.hash.to_string(),
            other => panic!("{other:?}"),
        };
        for daemon in self.daemons {
            daemon.wait_status(&format!("content {hash}"), |status| {
                status["inventory"]["hash"] == *hash && status["inventory"]["ok"] == true
            });
        }
        self.history.confirm();
        for it in machines {
            let (before, now) = (&old.machines[*it], &self.world.machines[*it]);
            for question in [
                Question::of(before),
                Question::back(before.address),
                Question::of(now),
                Question::back(now.address),
            ] {
                let mut answer = self.dns.ask(&question.name, question.kind);
                answer.serial = None;
                assert_eq!(answer, self.world.answer(&question), "{question:?}");
            }
            match offered(&self.world, *it) {
                Some(offer) => assert_eq!(self.dhcp.discover(now.mac()), offer),
                None => assert!(self.dhcp.is_silence(now.mac()), "a deleted machine gets an offer"),
            }
        }
    }

    /// Breaks a file in one of several ways; the world stays as it is.
    fn break_file(&mut self, random: u64, number: usize) {
        let file = self.world.machines[self.some(random)].file();
        let text = self.world.text(file);
        let broken = match number / 8 % 4 {
            0 => text.replacen("network = \"lan\"", "network = \"lam\"", 1),
            1 => text.replacen("ip = [", "ip = ", 1),
            2 => text.replacen("mac = \"52:54:00:00:00:", "mac = \"52:54:00:00:00:0", 1),
            _ => text.replacen("[host.", "[hosts.", 1) + "[host.ns1]\n",
        };
        assert_ne!(text, broken);
        self.history.begin(self.world.clone());
        self.place.save(&path(file), &broken);
        assert!(matches!(self.loader.load(), Loaded::Broken { .. }));
        for daemon in self.daemons {
            daemon.wait_status("a broken inventory", |status| status["inventory"]["ok"] == false);
        }
        self.history.confirm();
        self.broken = Some(file);
    }

    /// Mends the broken file and changes a machine of it.
    fn mend(&mut self, random: u64) {
        let file = self.broken.take().unwrap();
        let machines = (0..self.world.machines.len()).filter(|it| !may_go(*it));
        let of_file: Vec<usize> = machines.filter(|it| self.world.machines[*it].file() == file).collect();
        let one = of_file[usize::try_from(random >> 20).unwrap() % of_file.len()];
        self.change(&[one], How::Editor, |world, it| world.move_on(it, random));
    }
}
