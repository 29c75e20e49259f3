//! The end of the story: a branch of a bare repository as the source, and a hook that checks each push.

use std::fs;
use std::path::{Path, PathBuf};

use super::edit;
use super::lab::{Lab, git, sh, wait_for};
use super::story::{expect, explain, result, say, show, step};
use crate::exit::Failure;
use crate::output;

pub(super) fn deploy(lab: &mut Lab) -> Result<(), Failure> {
    say("Third act: git");
    step(11, "Push is deploy");
    explain(
        "The inventory goes into a bare repository that checks each push; the daemons follow its branch:",
    );
    let (work, bare) = (lab.inventory.clone(), lab.directory.join("site.git"));
    let program = std::env::current_exe()?.display().to_string();
    let branch = format!("{}#main", bare.display());
    show(&format!("git init --bare {0} && hostbook hook install {0}", bare.display()));
    git(&lab.directory, "init -q --bare -b main site.git")?;
    sh(&format!("{program} hook install {}", bare.display()))?;
    git(&work, "init -q -b main")?;
    git(&work, "add -A")?;
    git(&work, "commit -qm start")?;
    git(&work, &format!("remote add origin {}", bare.display()))?;
    git(&work, "push -q origin main")?;
    show(&format!("hostbook-dnsd -i {branch} …, and hostbook-dhcpd the same"));
    lab.follow(&[PathBuf::from(&branch)])?;

    let web = work.join("hosts/web.toml");
    edit::replace(&web, "\"10.20.0.77\"", "\"10.20.0.88\"")?;
    git(&work, "commit -qam 'web1 moves'")?;
    show("git push && hostbook apply --wait");
    git(&work, "push -q origin main")?;
    let controls =
        format!("--control {} --control {}", lab.socket("dhcpd").display(), lab.socket("dnsd").display());
    for line in sh(&format!("{program} apply --wait -i '{branch}' {controls}"))?.lines() {
        result(line);
    }
    let (answer, lease) = (lab.resolve("web1"), lab.dhcp()?);
    expect(&answer, "10.20.0.88")?;
    expect(&lease.address, "10.20.0.88/24")?;
    result(&format!("web1 is {answer}, and DHCP gives {}", lease.address));

    explain("A push with the slip of before is refused, with its line:");
    show("git push");
    edit::replace(&web, "52:54:00:aa:00:12", "52:54:00:aa:00:11")?;
    git(&work, "commit -qam 'a slip'")?;
    let refused = match git(&work, "push -q origin main") {
        Ok(_) => return Err(Failure::new("a bad push was accepted")),
        Err(refused) => refused.to_string(),
    };
    // Before the first of them stands which command failed.
    for line in refused.lines().filter_map(|line| line.find("remote: ").map(|at| &line[at..])) {
        output::line(&format!("      {}", line.trim_end()));
    }
    expect(&refused, "HB040")?;
    let answer = lab.resolve("web1");
    expect(&answer, "10.20.0.88")?;
    result(&format!("nothing of it is accepted, and web1 is {answer}"));
    git(&work, "reset -q --hard HEAD~1")?;
    customers(lab, &bare, &branch)
}

const CUSTOMER: &str = r#"[site]
nameservers = ["ns1.customer.example"]
contact     = "hostmaster@customer.example"

[zone."customer.example"]

[network.servers]
zone = "customer.example"
ipv4 = "10.30.0.0/24"

[host.ns1]
network = "servers"
ip      = "10.30.0.2"

[host.shop]
network = "servers"
ip      = "10.30.0.11"
"#;

/// A second branch beside the first, and what its mistakes do to whom.
fn customers(lab: &mut Lab, bare: &Path, first: &str) -> Result<(), Failure> {
    step(12, "Several customers, one repository");
    explain("Another customer pushes a branch of its own, with names that the first one uses, too:");
    let (work, second) = (lab.directory.join("customer"), format!("{}#customer", bare.display()));
    fs::create_dir_all(&work)?;
    let site = work.join("site.toml");
    fs::write(&site, CUSTOMER)?;
    git(&work, "init -q -b customer")?;
    git(&work, "add -A")?;
    git(&work, "commit -qm start")?;
    git(&work, &format!("push -q {} customer", bare.display()))?;
    show(&format!("hostbook-dnsd -i {first} -i {second} …, and hostbook-dhcpd the same"));
    lab.follow(&[PathBuf::from(first), PathBuf::from(&second)])?;
    let shop = lab.resolve("shop.customer.example");
    expect(&shop, "10.30.0.11")?;
    result(&format!("web1 is {}, and shop.customer.example is {shop}", lab.resolve("web1")));

    explain("Now the customer takes addresses that the first one has, and the first one goes on editing:");
    fs::write(&site, CUSTOMER.replace("10.30.0.", "10.20.0."))?;
    git(&work, "commit -qam 'other addresses'")?;
    show("git push                    # the customer");
    git(&work, &format!("push -q {} customer", bare.display()))?;
    let first_work = lab.inventory.clone();
    edit::replace(&first_work.join("hosts/web.toml"), "\"10.20.0.88\"", "\"10.20.0.89\"")?;
    git(&first_work, "commit -qam 'web1 moves again'")?;
    show("git push                    # the first one");
    git(&first_work, "push -q origin main")?;
    let source = |index: usize| lab.status("dnsd").unwrap_or_default()["inventory"]["sources"][index].clone();
    wait_for("the clash", || source(1)["ok"] == false && lab.resolve("web1") == "10.20.0.89")?;
    let error = source(1)["errors"]["first"][0].clone();
    let text = |key: &str| error[key].as_str().unwrap_or_default().to_owned();
    output::line(&format!("      {}:{} {} {}", text("path"), error["line"], text("code"), text("message")));
    expect(&text("code"), "HB045")?;
    let shop = lab.resolve("shop.customer.example");
    expect(&shop, "10.30.0.11")?;
    result(&format!("the customer's last good state stays, shop is {shop}; web1 is {}", lab.resolve("web1")));
    Ok(())
}
