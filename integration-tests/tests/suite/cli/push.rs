//! Push is deploy: branches of bare repositories as the source, alone and beside each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use hickory_proto::rr::RecordType;
use integration_tests::dhcp;
use integration_tests::dns;
use integration_tests::isolated::isolated;
use integration_tests::net::Lan;
use integration_tests::place::Place;
use integration_tests::programs::{Daemon, Launch, program};
use integration_tests::run::{Ran, run, sh};
use serde_json::Value;

/// A work tree and the bare repository that it pushes to.
struct Repository {
    work: PathBuf,
    bare: PathBuf,
}

impl Repository {
    /// Both below `place`, with nothing pushed yet.
    fn new(place: &Place) -> Repository {
        let repository = Repository { work: place.path().join("work"), bare: place.path().join("site.git") };
        let (work, bare) = (repository.work.display(), repository.bare.display());
        sh(&format!("git init -q -b main {work}; git init -q --bare -b main {bare}"));
        repository.git(&["remote", "add", "origin", repository.bare.to_str().unwrap()]);
        repository
    }

    fn git(&self, args: &[&str]) -> Ran {
        let mut git = Command::new("git");
        git.current_dir(&self.work)
            .args(["-c", "user.name=anna", "-c", "user.email=anna@example.org"])
            .args(args);
        git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("HOME", &self.work);
        run(git)
    }

    /// Commits everything and pushes `branch`.
    fn push(&self, branch: &str) -> Ran {
        assert_eq!(self.git(&["add", "-A"]).code(), 0);
        self.git(&["commit", "-qm", "edit"]);
        self.git(&["push", "-q", "origin", branch])
    }

    fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"]).out.trim().to_owned()
    }

    fn place_of(&self, branch: &str) -> String {
        format!("{}#{branch}", self.bare.display())
    }
}

fn replace(file: &Path, old: &str, new: &str) {
    let text = fs::read_to_string(file).unwrap();
    assert_eq!(text.matches(old).count(), 1, "`{old}`");
    fs::write(file, text.replace(old, new)).unwrap();
}

fn hostbook(args: &[&str]) -> Ran {
    let mut command = program("hostbook");
    command.args(args).env_remove("HOSTBOOK_INVENTORY");
    run(command)
}

/// The addresses of `name`.
fn resolve(name: &str) -> Vec<String> {
    let answer = dns::Client::new(([10, 20, 0, 2], 53).into()).ask(name, RecordType::A);
    answer
        .records
        .iter()
        .filter_map(|record| record.split_once(" a "))
        .map(|(_, data)| data.to_owned())
        .collect()
}

fn source(daemon: &Daemon, index: usize) -> Value {
    daemon.status()["inventory"]["sources"][index].clone()
}

#[test]
fn a_push_is_served_by_both_daemons_and_a_bad_one_is_refused_with_its_lines() {
    isolated(|| {
        let lan = Lan::new("lan0", &["10.20.0.2/24"]);
        let relay = lan.attach("relay", "52:54:00:ff:00:01");
        relay.add_address("10.20.0.3/24");
        let place = Place::lab();
        let repository = Repository::new(&place);
        sh(&format!("cp -r {}/. {}", place.inventory().display(), repository.work.display()));
        let installed = hostbook(&["hook", "install", repository.bare.to_str().unwrap()]);
        assert!(installed.code() == 0 && installed.out.contains("each push is checked"), "{installed:?}");
        let first = repository.push("main");
        assert_eq!(first.code(), 0, "{first:?}");

        let on = [repository.place_of("main")];
        let dhcpd = Launch::dhcpd(&place).on(&on).args(&["--interface", "lan0"]).start();
        let dnsd = Launch::dnsd(&place).on(&on).args(&["--listen", "10.20.0.2"]).start();
        let controls = [place.control("dhcpd"), place.control("dnsd")].map(|path| path.display().to_string());
        let apply = || {
            hostbook(&["apply", "--wait", "-i", &on[0], "--control", &controls[0], "--control", &controls[1]])
        };
        let served = |address: [u8; 4]| {
            assert_eq!(resolve("web1.lab.example.org."), [std::net::Ipv4Addr::from(address).to_string()]);
            let offer = relay.on(|| {
                let mut client = dhcp::Client::new([10, 20, 0, 3].into(), [10, 20, 0, 2].into());
                client.discover([0x52, 0x54, 0, 0xaa, 0, 0x11])
            });
            assert_eq!(offer.address.octets(), address);
            for daemon in [&dhcpd, &dnsd] {
                let status = daemon.status();
                assert_eq!(status["inventory"]["ok"], true);
                assert_eq!(status["inventory"]["commit"], *repository.head());
            }
        };
        served([10, 20, 0, 11]);

        let web = repository.work.join("hosts/web.toml");
        replace(&web, "\"10.20.0.11\"", "\"10.20.0.77\"");
        assert_eq!(repository.push("main").code(), 0);
        let applied = apply();
        assert_eq!(applied.code(), 0, "{applied:?}");
        let commit = format!("dnsd serves commit {:.12}", repository.head());
        assert!(applied.out.contains(&commit), "{applied:?}");
        served([10, 20, 0, 77]);
        let status = hostbook(&["status", "--control", &controls[1]]);
        assert!(status.out.contains(&format!("commit {:.12}", repository.head())), "{status:?}");

        let good = repository.head();
        replace(&web, "52:54:00:aa:00:12", "52:54:00:aa:00:11");
        let refused = repository.push("main");
        assert_ne!(refused.code(), 0);
        for part in [
            "remote: ",
            "hosts/web.toml:12:10",
            "HB040",
            "nothing of this push is accepted",
            "pre-receive hook declined",
        ] {
            assert!(refused.err.contains(part), "no `{part}` in {}", refused.err);
        }
        assert_eq!(repository.git(&["ls-remote", "origin", "main"]).out.split('\t').next(), Some(&*good));
        assert_eq!(repository.git(&["reset", "-q", "--hard", &good]).code(), 0);
        served([10, 20, 0, 77]);

        // A commit that changes nothing that counts is served, too.
        fs::write(repository.work.join("README.md"), "The lab.\n").unwrap();
        assert_eq!(repository.push("main").code(), 0);
        assert_eq!(apply().code(), 0);
        dnsd.wait_status("the new commit", |status| status["inventory"]["commit"] == *repository.head());
        // An empty tree is no inventory, and is not accepted for one.
        assert_eq!(repository.git(&["rm", "-rq", "."]).code(), 0);
        let emptied = repository.push("main");
        assert!(emptied.code() != 0 && emptied.err.contains("HB003"), "{emptied:?}");
    });
}

/// A customer's inventory as the only content of the work tree.
fn customer(repository: &Repository, branch: &str, zone: &str, net: &str) {
    repository.git(&["checkout", "-q", "--orphan", branch]);
    sh(&format!("cd {} && rm -rf *", repository.work.display()));
    let text = format!(
        "[site]\nnameservers = [\"ns1.{zone}\"]\ncontact = \"hostmaster@{zone}\"\n\n[zone.\"{zone}\"]\n\n[network.servers]\nzone = \"{zone}\"\nipv4 = \"{net}.0/24\"\n\n[host.ns1]\nnetwork = \"servers\"\nip = \"{net}.2\"\n\n[host.web]\nnetwork = \"servers\"\nmac = \"52:54:00:00:00:01\"\nip = \"{net}.3\"\n"
    );
    fs::write(repository.work.join("site.toml"), text).unwrap();
    // Its own configuration tree, with a type that has its name.
    let manifest = repository.work.join(format!("config/type/__of_{branch}/manifest"));
    fs::create_dir_all(manifest.parent().unwrap()).unwrap();
    fs::write(&manifest, "#!/bin/sh\n").unwrap();
}

/// The types that hostbook-config finds with the inventory of this branch and no other directory.
fn types(repository: &Repository, branch: &str) -> String {
    let mut command = program("hostbook-config");
    command.args(["types", "-i", &repository.place_of(branch)]).env("HOME", &repository.work);
    let ran = run(command);
    assert_eq!(ran.code(), 0, "{ran:?}");
    ran.out
}

#[test]
fn customers_are_served_beside_each_other_and_a_clash_hurts_the_later_one_alone() {
    isolated(|| {
        Lan::new("lan0", &["10.20.0.2/24"]);
        let place = Place::empty();
        let repository = Repository::new(&place);
        customer(&repository, "a", "a.example", "10.20.0");
        assert_eq!(repository.push("a").code(), 0);
        customer(&repository, "b", "b.example", "10.30.0");
        assert_eq!(repository.push("b").code(), 0);
        let on = ["a", "b"].map(|branch| repository.place_of(branch));
        for (own, other) in [("a", "b"), ("b", "a")] {
            let types = types(&repository, own);
            assert!(
                types.contains(&format!("__of_{own}")) && !types.contains(&format!("__of_{other}")),
                "{types}"
            );
        }
        let dnsd = Launch::dnsd(&place).on(&on).args(&["--listen", "10.20.0.2"]).start();
        let dhcpd = Launch::dhcpd(&place).on(&on).args(&["--interface", "lan0"]).start();
        let answers = |a: &str, b: &str| {
            assert_eq!(
                (resolve("web.a.example."), resolve("web.b.example.")),
                (vec![a.to_owned()], vec![b.to_owned()])
            );
        };
        answers("10.20.0.3", "10.30.0.3");

        // b takes addresses of a: its last good state stays, and a goes on.
        let site = repository.work.join("site.toml");
        let text = fs::read_to_string(&site).unwrap();
        fs::write(&site, text.replace("10.30.0", "10.20.0")).unwrap();
        assert_eq!(repository.push("b").code(), 0);
        for daemon in [&dnsd, &dhcpd] {
            daemon.wait_status("the clash", |status| status["inventory"]["sources"][1]["ok"] == false);
            assert_eq!(
                (source(daemon, 0)["ok"].clone(), source(daemon, 1)["in_service"].clone()),
                (true.into(), true.into())
            );
        }
        let error = source(&dnsd, 1)["errors"]["first"][0].clone();
        assert_eq!((&error["code"], &error["line"]), (&"HB045".into(), &7.into()), "{error}");
        answers("10.20.0.3", "10.30.0.3");
        repository.git(&["checkout", "-q", "a"]);
        replace(&site, "ip = \"10.20.0.3\"", "ip = \"10.20.0.4\"");
        assert_eq!(repository.push("a").code(), 0);
        dnsd.wait_status("a's edit", |status| {
            status["inventory"]["sources"][0]["commit"] == *repository.head()
        });
        answers("10.20.0.4", "10.30.0.3");

        // A repository that knows of both refuses the clash at once.
        let (bare, [a, b]) = (repository.bare.to_str().unwrap(), &on);
        let installed = hostbook(&["hook", "install", bare, "--beside", a, "--beside", b]);
        assert_eq!(installed.code(), 0, "{installed:?}");
        repository.git(&["checkout", "-q", "b"]);
        fs::write(repository.work.join("more.toml"), "# more\n").unwrap();
        let refused = repository.push("b");
        assert!(
            refused.code() != 0 && refused.err.contains("site.toml:7") && refused.err.contains("HB045"),
            "{refused:?}"
        );
        // Mended, both are as they say.
        fs::write(&site, text.replace("10.30.0.3", "10.30.0.9")).unwrap();
        let mended = repository.push("b");
        assert_eq!(mended.code(), 0, "{mended:?}");
        for daemon in [&dnsd, &dhcpd] {
            daemon.wait_status("b mended", |status| status["inventory"]["ok"] == true);
        }
        assert_eq!(dnsd.status()["inventory"]["hash"], dhcpd.status()["inventory"]["hash"]);
        answers("10.20.0.4", "10.30.0.9");
    });
}

#[test]
fn a_commit_that_does_not_pass_the_check_is_refused_in_the_work_tree() {
    let place = Place::lab();
    let repository = Repository::new(&place);
    sh(&format!(
        "mkdir {0}/lab && cp -r {1}/. {0}/lab",
        repository.work.display(),
        place.inventory().display()
    ));
    let installed = hostbook(&["hook", "install", repository.work.to_str().unwrap(), "--folder", "lab"]);
    assert!(installed.code() == 0 && installed.out.contains("each commit is checked"), "{installed:?}");
    let commit = || {
        repository.git(&["add", "-A"]);
        repository.git(&["commit", "-qm", "edit"])
    };
    assert_eq!(commit().code(), 0);
    let web = repository.work.join("lab/hosts/web.toml");
    replace(&web, "52:54:00:aa:00:12", "52:54:00:aa:00:11");
    let refused = commit();
    assert!(refused.code() == 1 && refused.err.contains("hosts/web.toml:12:10"), "{refused:?}");
    // What is not staged does not count.
    repository.git(&["reset", "-q"]);
    fs::write(repository.work.join("README"), "").unwrap();
    repository.git(&["add", "README"]);
    assert_eq!(repository.git(&["commit", "-qm", "readme"]).code(), 0);
    // Somebody else's hook stays.
    let hook = repository.work.join(".git/hooks/pre-commit");
    fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    let kept = hostbook(&["hook", "install", repository.work.to_str().unwrap()]);
    assert!(kept.code() == 1 && kept.err.contains("add this line to it"), "{kept:?}");
    assert_eq!(fs::read_to_string(&hook).unwrap(), "#!/bin/sh\nexit 0\n");
}
