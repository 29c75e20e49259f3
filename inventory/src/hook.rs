//! `hostbook hook`: a repository refuses what does not pass the check.
//!
//! A push to a bare repository is checked before it is accepted (`pre-receive`): the commits are read as
//! the daemons would read them, and the pusher sees each mistake with its line. In a work tree the same
//! happens before a commit (`pre-commit`), with what is staged.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::{Args, Subcommand};
use inventory_core::diag::{self, Diagnostic, Locator};
use inventory_core::join::{Part, clashes};
use inventory_core::load::{Loaded, Loader};
use inventory_core::model::Snapshot;
use inventory_core::source::git::{GitBranch, GitTree, Location};

use crate::check::count;
use crate::exit::{Failure, Outcome};
use crate::output;

#[derive(Debug, Subcommand)]
pub(crate) enum Hook {
    /// Make a repository refuse what does not pass the check.
    Install(Install),
    /// Run programs of this host after each change that the daemons serve.
    Follow(crate::on_change::Follow),
    /// What the repository runs.
    #[command(subcommand, hide = true)]
    Run(Run),
}

#[derive(Debug, Args)]
pub(crate) struct Install {
    /// The repository: a bare one is checked at each push, a work tree at each commit.
    #[arg(value_name = "REPOSITORY", default_value = ".")]
    repository: PathBuf,
    #[command(flatten)]
    rules: Rules,
}

/// What is checked.
#[derive(Clone, Debug, Args)]
pub(crate) struct Rules {
    /// Folder of the inventory in the repository.
    #[arg(long, value_name = "FOLDER", default_value = "")]
    folder: String,
    /// Only this branch; repeated: these. Without it, every branch that has an inventory.
    #[arg(long, value_name = "BRANCH")]
    branch: Vec<String>,
    /// An inventory that the daemons follow, as on their command line; repeated, in their order: all of
    /// them. A push that clashes with one named before is refused, too.
    #[arg(long = "beside", value_name = "PATH.git#BRANCH")]
    beside: Vec<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Run {
    /// Refs that are pushed come on standard input.
    PreReceive(Rules),
    /// What is staged is checked.
    PreCommit(Rules),
}

pub(crate) fn run(hook: &Hook) -> Outcome {
    match hook {
        Hook::Install(args) => install(args),
        Hook::Follow(args) => crate::on_change::run(args),
        Hook::Run(Run::PreReceive(rules)) => {
            let mut refs = String::new();
            std::io::stdin().read_to_string(&mut refs)?;
            let repository = std::env::current_dir()?;
            pre_receive(&repository, &refs, rules)
        }
        Hook::Run(Run::PreCommit(rules)) => pre_commit(rules),
    }
}

/// Writes the hook, where none is that somebody else wrote.
fn install(args: &Install) -> Outcome {
    let ask = |question: &[&str]| {
        let answer =
            Command::new("git").arg("-C").arg(&args.repository).arg("rev-parse").args(question).output();
        let answer = answer.map_err(|error| Failure::new(format!("git cannot be run: {error}")))?;
        if !answer.status.success() {
            return Err(Failure::new(format!("`{}` is no git repository", args.repository.display())));
        }
        Ok(String::from_utf8_lossy(&answer.stdout).trim_end().to_owned())
    };
    let name = if ask(&["--is-bare-repository"])? == "true" { "pre-receive" } else { "pre-commit" };
    let hooks = args.repository.join(ask(&["--git-path", "hooks"])?);
    let path = hooks.join(name);
    let line = line(name, &args.rules)?;
    let script = format!("#!/bin/sh\n{MARK}\n{line}\n");
    match std::fs::read_to_string(&path) {
        Ok(old) if !old.contains(MARK) => {
            return Err(Failure::new(format!(
                "`{}` is there already and was written by somebody else; add this line to it:\n  {}",
                path.display(),
                line.replacen("exec ", "", 1)
            )));
        }
        _ => {}
    }
    std::fs::create_dir_all(&hooks)?;
    std::fs::write(&path, script)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    let what = if name == "pre-receive" { "each push" } else { "each commit" };
    output::line(&format!("{}: {what} is checked from now on", path.display()));
    Ok(ExitCode::SUCCESS)
}

/// Tells our hooks from others'.
const MARK: &str = "# Made by `hostbook hook install`; run that again to change it.";

/// The command of the hook.
fn line(name: &str, rules: &Rules) -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    let mut words = vec![program.display().to_string(), "hook".into(), "run".into(), name.into()];
    let mut flag = |flag: &str, value: String| words.extend([flag.to_owned(), value]);
    if !rules.folder.is_empty() {
        flag("--folder", rules.folder.clone());
    }
    for branch in &rules.branch {
        flag("--branch", branch.clone());
    }
    for beside in &rules.beside {
        flag("--beside", std::path::absolute(beside)?.display().to_string());
    }
    let quoted = words.iter().map(|word| format!("'{}'", word.replace('\'', "'\\''")));
    Ok(format!("exec {}", quoted.collect::<Vec<_>>().join(" ")))
}

/// A branch that is pushed.
struct Pushed<'r> {
    branch: &'r str,
    old: &'r str,
    new: &'r str,
}

/// No object has this name: it stands for a branch that is not there.
fn is_nothing(object: &str) -> bool {
    object.bytes().all(|digit| digit == b'0')
}

fn pre_receive(repository: &Path, refs: &str, rules: &Rules) -> Outcome {
    let pushed = refs.lines().filter_map(|line| {
        let mut words = line.split_whitespace();
        let (old, new, name) = (words.next()?, words.next()?, words.next()?);
        let branch = name.strip_prefix("refs/heads/")?;
        let counts = rules.branch.is_empty() || rules.branch.iter().any(|only| only == branch);
        counts.then_some(Pushed { branch, old, new })
    });
    let pushed: Vec<Pushed<'_>> = pushed.collect();
    let mut refused = 0;
    for one in &pushed {
        if is_nothing(one.new) {
            if rules.branch.iter().any(|only| only == one.branch) {
                eprintln!("hostbook: branch `{}` is served, and so cannot be deleted", one.branch);
                refused += 1;
            }
            continue;
        }
        let at = |revision: &str| load(&place(repository, revision, &rules.folder));
        match at(one.new) {
            Ok(_) => {}
            Err(diagnostics) if is_absent(&diagnostics) && !had_inventory(one, rules, &at) => {}
            Err(diagnostics) => {
                refused += 1;
                show(&diagnostics, &format!("branch `{}` would have", one.branch));
            }
        }
    }
    if refused == 0 {
        refused += beside(repository, &pushed, rules)?;
    }
    if refused > 0 {
        eprintln!("hostbook: refused; nothing of this push is accepted, and what is served stays");
        return Err(Failure::silent());
    }
    Ok(ExitCode::SUCCESS)
}

/// Whether the branch is one that must have an inventory: it is named, or it had one.
fn had_inventory(pushed: &Pushed<'_>, rules: &Rules, at: &dyn Fn(&str) -> Judged) -> bool {
    let named = rules.branch.iter().any(|only| only == pushed.branch);
    named || (!is_nothing(pushed.old) && !at(pushed.old).is_err_and(|found| is_absent(&found)))
}

/// Whether there is nothing that could be an inventory.
fn is_absent(diagnostics: &[Diagnostic]) -> bool {
    diagnostics
        .iter()
        .all(|diagnostic| diagnostic.code == "HB003" || diagnostic.message.contains("no folder"))
}

/// Judges what is pushed beside the other inventories that the daemons follow. Returns how many clash with
/// one that is named before them.
fn beside(repository: &Path, pushed: &[Pushed<'_>], rules: &Rules) -> Result<usize, Failure> {
    let own = std::fs::canonicalize(repository)?;
    let mut loaded: Vec<(String, Snapshot)> = Vec::new();
    let mut refused = 0;
    for followed in &rules.beside {
        let label = followed.display().to_string();
        let location = Location::parse(followed);
        let of_push = location.as_ref().and_then(|location| {
            let here = std::fs::canonicalize(&location.repository).is_ok_and(|there| there == own);
            pushed.iter().find(|pushed| here && pushed.branch == location.branch && !is_nothing(pushed.new))
        });
        let at = match (location, of_push) {
            (Some(location), Some(pushed)) => {
                Ok(Location { branch: pushed.new.to_owned(), repository: own.clone(), ..location })
            }
            (Some(location), None) => Ok(location),
            (None, _) => Err(followed),
        };
        let state = match at {
            Ok(location) => load(&location),
            Err(directory) => load_from(Loader::new(inventory_core::source::open(directory))),
        };
        // What is broken already is not served, and no reason to refuse others.
        let Ok((snapshot, loader)) = state else { continue };
        let parts: Vec<Part<'_>> = loaded.iter().map(|(label, snapshot)| Part { label, snapshot }).collect();
        let findings = clashes(&parts, &snapshot.inventory);
        if findings.is_empty() {
            loaded.push((label, snapshot));
            continue;
        }
        let diagnostics = Locator::new(&loader.texts()).diagnostics(&findings);
        match of_push {
            Some(pushed) => {
                refused += 1;
                show(&diagnostics, &format!("branch `{}` would have", pushed.branch));
            }
            None => show(&diagnostics, &format!("accepted, but beside this push `{label}` has")),
        }
    }
    Ok(refused)
}

fn pre_commit(rules: &Rules) -> Outcome {
    let tree = GitTree::staged(&Path::new(".").join(&rules.folder)).map_err(Failure::new)?;
    match load_from(Loader::new(Box::new(tree))) {
        Ok(_) => Ok(ExitCode::SUCCESS),
        Err(diagnostics) => {
            show(&diagnostics, "the commit would have");
            Err(Failure::silent())
        }
    }
}

fn place(repository: &Path, revision: &str, folder: &str) -> Location {
    let folder = folder.trim_matches('/');
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    Location { repository: repository.to_owned(), branch: revision.to_owned(), prefix }
}

/// A state and what loaded it; or every mistake.
type Judged = Result<(Snapshot, Loader), Vec<Diagnostic>>;

fn load(location: &Location) -> Judged {
    load_from(Loader::new(Box::new(GitBranch::new(location.clone()))))
}

fn load_from(mut loader: Loader) -> Judged {
    match loader.load() {
        Loaded::Good { snapshot, .. } => Ok((snapshot, loader)),
        Loaded::Broken { diagnostics } => Err(diagnostics),
        Loaded::Unchanged => Err(Vec::new()),
    }
}

/// Shows every mistake to whoever pushes or commits.
fn show(diagnostics: &[Diagnostic], what: &str) {
    let errors: Vec<&Diagnostic> = diagnostics.iter().filter(|diagnostic| diagnostic.is_error()).collect();
    for error in &errors {
        eprintln!("{}\n", diag::terminal(error, output::colour_of_errors()));
    }
    eprintln!("hostbook: {what} {}", count(errors.len(), "error"));
}
