//! Generated inventories are fit to be served.

use integration_tests::generate::Plan;
use integration_tests::temp::TempDir;
use inventory_core::load::{Loaded, Loader};
use inventory_core::source::Directory;
use inventory_core::source::Memory;

#[test]
fn a_generated_inventory_passes_every_check_without_a_warning() {
    let directory = TempDir::new("generate");
    let plan = Plan { hosts: 1_050, seed: 7 };
    plan.write(directory.path()).unwrap();
    match Loader::new(Box::new(Directory::new(directory.path()))).load() {
        Loaded::Good { snapshot, warnings } => {
            assert_eq!(warnings, []);
            assert_eq!(snapshot.inventory.host_count(), 1_050);
            assert_eq!(snapshot.inventory.globals.networks.len(), 4);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_plan_gives_the_same_octets_and_another_seed_others() {
    let file = |seed| Plan { hosts: 1_000, seed }.file(3);
    assert_eq!(file(1), file(1));
    assert_ne!(file(1), file(2));
}

/// The largest one, all in memory. Takes a while and a few gigabytes.
#[test]
#[ignore = "a million hosts: `make test-long`"]
fn a_million_hosts_pass_every_check() {
    let plan = Plan { hosts: 1_000_000, seed: 1 };
    let mut memory = Memory::default();
    memory.write("site.toml", plan.globals());
    for file in 0..plan.files() {
        memory.write(plan.path(file).to_str().unwrap(), plan.file(file));
    }
    match Loader::new(Box::new(memory)).load() {
        Loaded::Good { snapshot, warnings } => {
            assert_eq!((warnings.len(), snapshot.inventory.host_count()), (0, 1_000_000));
        }
        Loaded::Broken { diagnostics } => panic!("{:?}", &diagnostics[..10.min(diagnostics.len())]),
        Loaded::Unchanged => panic!("nothing was loaded"),
    }
}
