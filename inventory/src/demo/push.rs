//! The end of the story: a branch of a bare repository as the source, and a hook that checks each push.

use std::path::PathBuf;

use super::edit;
use super::lab::{Lab, git, sh};
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
    lab.follow(PathBuf::from(&branch))?;

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
    Ok(())
}
