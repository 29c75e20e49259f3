//! The second act: the life of a machine that nobody has written down.

use std::fs;
use std::process::Command;

use serde_json::Value;

use super::lab::{Lab, wait_for};
use super::machine::{FROM_DISK, Machine, missing};
use super::story::{explain, result, say, show, step};
use crate::exit::Failure;
use crate::output;

const MAC: &str = "52:54:00:de:ad:01";
const PROFILE: &str = "\
[boot.demo]
script = \"templates/demo.ipxe\"
files  = { \"answers\" = \"templates/answers.j2\" }
";
/// An installer in seven lines. A real one is a kernel and what it fetches: see examples/boot.
const SCRIPT: &str = "\
#!ipxe
echo installer: this is {{ host.fqdn }} with {{ host.ip }}
imgfetch --name answers {{ boot_url }}/file/answers
echo installer: its answers were fetched
imgfetch --name done {{ done_url }}
echo installer: the installation is reported done
sleep 1
reboot
";
const ANSWERS: &str = "hostname={{ host.name }}\nresolver={{ network.dns4[0] }}\n";

/// Tells it, if there is a machine to tell it with.
pub(super) fn tell(lab: &Lab) -> Result<(), Failure> {
    say("Second act: the life of a machine");
    if let Some(packages) = missing() {
        explain(&format!("It needs a machine: apt-get install {packages}. Left out."));
        return Ok(());
    }
    let machine = Machine::new(lab, MAC)?;
    seen(lab, &machine)?;
    installed(lab, &machine)?;
    from_disk(lab, &machine)?;
    retired(lab, &machine)?;
    virtual_machines(lab)
}

fn seen(lab: &Lab, machine: &Machine) -> Result<(), Failure> {
    step(6, "A machine is switched on that nobody has written down");
    explain("QEMU's, without help of the processor; its network card boots as that of any PC does.");
    let _running = machine.start()?;
    let list = || hostbook(lab, &["status", "--seen"]);
    wait_for("the machine to be seen", || list().is_ok_and(|list| list.contains(MAC)))?;
    show("hostbook status --seen");
    print(&list()?);
    result("it is on a list; it boots nothing");
    Ok(())
}

fn installed(lab: &Lab, machine: &Machine) -> Result<(), Failure> {
    step(7, "One command, and it installs");
    fs::write(lab.inventory.join("boot-demo.toml"), PROFILE)?;
    fs::write(lab.inventory.join("templates/demo.ipxe"), SCRIPT)?;
    fs::write(lab.inventory.join("templates/answers.j2"), ANSWERS)?;
    explain("What it is to boot, in boot-demo.toml: a script and a file that are made for each host:");
    print(PROFILE);
    show(&format!("hostbook adopt {MAC} web3 --boot demo --state install"));
    hostbook(lab, &["adopt", MAC, "web3", "--boot", "demo", "--state", "install"])?;
    wait_for("both daemons to serve it", || lab.serves_one_content() && !lab.resolve("web3").is_empty())?;
    let address = lab.resolve("web3");
    let running = machine.start()?;
    let lines = running.wait_console("reported done", "installer:")?;
    print(&lines.join("\n"));
    wait_for("the installation to be done", || counted(lab, "boot", "done") == 1)?;
    result(&format!("web3 is {address}, in DNS and on its console, and its installation is remembered"));
    Ok(())
}

fn from_disk(lab: &Lab, machine: &Machine) -> Result<(), Failure> {
    step(8, "It starts again, from the network first, as before");
    let running = machine.start()?;
    let lines = running.wait_console(FROM_DISK, "hostbook:")?;
    print(&lines.join("\n"));
    result(&format!("its disk says: {FROM_DISK}"));
    if counted(lab, "boot", "script") != 1 {
        return Err(Failure::new("it was installed twice"));
    }
    Ok(())
}

fn retired(lab: &Lab, machine: &Machine) -> Result<(), Failure> {
    step(9, "It is retired");
    show("hostbook retire web3");
    hostbook(lab, &["retire", "web3"])?;
    wait_for("both daemons to serve it", || lab.serves_one_content() && lab.resolve("web3").is_empty())?;
    let answers = || counted(lab, "messages", "offer") + counted(lab, "messages", "ack");
    let before = answers();
    let _running = machine.start()?;
    wait_for("the machine to ask", || counted(lab, "unanswered", "not-served") > 0)?;
    if answers() != before {
        return Err(Failure::new("a retired machine got an answer"));
    }
    result("it asks, and nobody answers; its name is gone; its address stays taken until the entry goes");
    Ok(())
}

fn virtual_machines(lab: &Lab) -> Result<(), Failure> {
    step(10, "A virtual machine is a host like any other");
    show("hostbook vm web1 --as libvirt | virsh define /dev/stdin");
    let domain = hostbook(lab, &["vm", "web1", "--as", "libvirt"])?;
    let lines: Vec<&str> = domain.lines().take(5).collect();
    print(&lines.join("\n"));
    result("its memory, processors, disks and cards are those of its entry");
    Ok(())
}

/// How often dhcpd has counted something.
fn counted(lab: &Lab, group: &str, name: &str) -> u64 {
    let status = lab.status("dhcpd").unwrap_or(Value::Null);
    status["counters"][group][name].as_u64().unwrap_or(0)
}

/// Runs this very program on the demo's inventory and daemons.
fn hostbook(lab: &Lab, args: &[&str]) -> Result<String, Failure> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(args).env("NO_COLOR", "1");
    if args[0] != "status" {
        command.arg("-i").arg(&lab.inventory);
    }
    if args[0] != "vm" {
        command.arg("--control").arg(lab.socket("dhcpd"));
    }
    super::lab::output(command, &format!("hostbook {}", args.join(" ")))
}

fn print(text: &str) {
    for line in text.lines().filter(|line| !line.is_empty()) {
        output::line(&format!("      {line}"));
    }
}
