//! The engine against a model of a target, over random manifests.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::engine::{Engine, Mode, Outcome};
use super::model::{Call, Model, ObjectIndex};
use super::types::{Type, Types};

/// What one object of a random manifest is like.
#[derive(Clone, Debug)]
struct Spec {
    /// It requires these, by index; those at or above its own index would make cycles.
    requires: Vec<usize>,
    explorers: bool,
    /// Whether its code is not empty.
    changes: bool,
    /// Number of children that its type's manifest defines.
    children: usize,
    /// Whether its explorer fails as long as its requirements are not done.
    shy: bool,
    /// Whether it comes out the other way if its explorer runs after any code has run.
    moody: bool,
}

fn spec() -> impl Strategy<Value = Spec> {
    let bools = (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>());
    (proptest::collection::vec(0_usize..20, 0..3), bools, 0_usize..3).prop_map(
        |(requires, bools, children)| {
            let (explorers, changes, shy, moody) = bools;
            Spec { requires, explorers, changes, children, shy, moody }
        },
    )
}

fn types() -> Arc<Types> {
    let kind = |name: &str, files: &[&str]| {
        let files = files.iter().map(|file| ((*file).to_owned(), String::new())).collect();
        (name.to_owned(), Arc::new(Type::read(name, &files)))
    };
    Arc::new(Types::from([
        kind("__e", &["explorer/x", "manifest", "gencode-remote"]),
        kind("__p", &["manifest", "gencode-remote"]),
    ]))
}

/// Everything that happened, in order.
#[derive(Debug, Default, PartialEq, Eq)]
struct Trace {
    events: Vec<(&'static str, String)>,
    /// Number of batches sent to the target.
    batches: usize,
}

struct World {
    engine: Engine,
    specs: BTreeMap<String, Spec>,
    trace: Trace,
    /// Number of objects whose code has run.
    ran: usize,
    /// Objects whose explorers ran last after that.
    turned: BTreeSet<String>,
}

impl World {
    fn new(specs: &[Spec], mode: Mode) -> World {
        let mut world = World {
            engine: Engine::new(Model::new(types(), ".m"), mode),
            specs: BTreeMap::new(),
            trace: Trace::default(),
            ran: 0,
            turned: BTreeSet::new(),
        };
        let name = |at: usize| format!("{}/{at}", if specs[at].explorers { "__e" } else { "__p" });
        for (at, spec) in specs.iter().enumerate() {
            let require: Vec<String> = spec.requires.iter().filter(|r| **r < at).map(|r| name(*r)).collect();
            world.define(&name(at), spec.clone(), &require.join(" "), None);
        }
        world
    }

    fn define(&mut self, name: &str, spec: Spec, require: &str, parent: Option<&str>) {
        let (kind, id) = name.split_once('/').unwrap();
        let words = [id.as_bytes().to_vec()];
        let call = Call { kind, words: &words, require, parent, ..Call::default() };
        self.engine.define(&call).unwrap();
        self.specs.insert(name.to_owned(), spec);
    }

    fn name(&self, index: ObjectIndex) -> String {
        self.engine.model().object(index).name.to_string()
    }

    fn note(&mut self, what: &'static str, index: ObjectIndex) {
        let name = self.name(index);
        self.trace.events.push((what, name));
    }

    fn manifest(&mut self, index: ObjectIndex) {
        self.note("manifest", index);
        let parent = self.name(index);
        let spec = self.specs[&parent].clone();
        for child in 0..spec.children {
            let inner =
                Spec { requires: Vec::new(), children: 0, changes: self.has_code(&parent), ..spec.clone() };
            let id = parent.replace('/', "-");
            self.define(&format!("__e/{id}-{child}"), inner, "", Some(&parent));
        }
        self.engine.prepared(index);
    }

    fn has_code(&self, name: &str) -> bool {
        let spec = &self.specs[name];
        spec.changes != (spec.moody && self.turned.contains(name))
    }

    fn remote_batch(&mut self) -> bool {
        let runs = self.engine.runs();
        let explorations = self.engine.explorations(&runs);
        for index in &runs {
            self.note("run", *index);
            self.engine.ran(*index);
            self.ran += 1;
        }
        for index in &explorations {
            self.note("explore", *index);
            let requires = &self.engine.model().object(*index).requires;
            let turn = self.engine.model().defined(requires).all(|required| self.engine.is_done(required));
            if self.specs[&self.name(*index)].shy && !turn {
                self.engine.exploration_failed(*index, "too early".to_owned());
            } else {
                self.engine.explored(*index);
                if self.ran > 0 {
                    self.turned.insert(self.name(*index));
                }
            }
        }
        let any = !runs.is_empty() || !explorations.is_empty();
        self.trace.batches += usize::from(any);
        any
    }

    fn run(mut self) -> (Engine, Trace, BTreeMap<String, Spec>) {
        for _ in 0..10_000 {
            if let Some(index) = self.engine.manifest() {
                self.manifest(index);
                continue;
            }
            let ready = self.engine.generations();
            for index in &ready {
                self.note("generate", *index);
                let code = self.has_code(&self.name(*index));
                self.engine.generated(*index, code);
            }
            if ready.is_empty() && !self.remote_batch() {
                return (self.engine, self.trace, self.specs);
            }
        }
        panic!("the run does not end");
    }
}

fn position(trace: &Trace, what: &str, name: &str) -> Option<usize> {
    trace.events.iter().rposition(|(event, of)| *event == what && of == name)
}

proptest! {
    #[test]
    fn every_object_gets_done_and_sees_what_it_requires(specs in proptest::collection::vec(spec(), 1..20)) {
        let (engine, trace, _) = World::new(&specs, Mode::default()).run();
        for object in engine.model().objects() {
            let name = object.name.to_string();
            let generated = position(&trace, "generate", &name).unwrap();
            for required in object.requires.iter().map(ToString::to_string) {
                let end = |what| position(&trace, what, &required);
                let done = end("run").or(end("generate")).unwrap();
                prop_assert!(done < position(&trace, "manifest", &name).unwrap());
                if let (Some(explored), Some(ran)) = (position(&trace, "explore", &name), end("run")) {
                    prop_assert!(ran < explored, "explorers of {} are older than what {} did", name, required);
                }
            }
            for child in object.autorequires.iter().map(ToString::to_string) {
                let done = position(&trace, "run", &child).or(position(&trace, "generate", &child)).unwrap();
                prop_assert!(done < generated);
            }
        }
        for (_, outcome) in engine.outcomes() {
            prop_assert!(matches!(outcome, Outcome::Changed | Outcome::Unchanged));
        }
    }

    #[test]
    fn the_same_manifest_runs_in_the_same_order(specs in proptest::collection::vec(spec(), 1..20)) {
        let first = World::new(&specs, Mode::default()).run().1;
        prop_assert_eq!(first, World::new(&specs, Mode::default()).run().1);
    }

    #[test]
    fn with_nothing_to_change_one_batch_per_level_of_nesting_is_enough(specs in proptest::collection::vec(spec(), 1..20)) {
        let still: Vec<Spec> = specs.iter().map(|s| Spec { changes: false, shy: false, moody: false, ..s.clone() }).collect();
        let (_, trace, _) = World::new(&still, Mode::default()).run();
        let nested = still.iter().filter(|spec| spec.children > 0).count();
        prop_assert!(trace.batches <= 1 + nested, "{} batches", trace.batches);
    }

    #[test]
    fn a_dry_run_is_exact_where_it_is_sure_and_misses_no_change(specs in proptest::collection::vec(spec(), 1..20)) {
        let (dry, trace, _) = World::new(&specs, Mode { dry: true, install: false }).run();
        prop_assert!(trace.events.iter().all(|(what, _)| *what != "run"));
        let told: BTreeMap<String, Outcome> = dry.outcomes().into_iter().map(|(index, outcome)| (dry.model().object(index).name.to_string(), outcome)).collect();
        let (real, _, _) = World::new(&specs, Mode::default()).run();
        for (index, outcome) in real.outcomes() {
            let object = real.model().object(index);
            let name = object.name.to_string();
            match told.get(&name) {
                Some(Outcome::MayChange) => {}
                Some(sure) => prop_assert_eq!(&outcome, sure, "{}", name),
                None => {
                    let by_parent = object.parents.iter().any(|parent| told.get(&parent.to_string()) == Some(&Outcome::MayChange));
                    prop_assert!(by_parent, "{} is there, and the plan did not know of it", name);
                }
            }
        }
    }
}

#[test]
fn a_failure_stops_what_requires_it_and_nothing_else() {
    let still =
        Spec { requires: vec![], explorers: false, changes: false, children: 0, shy: false, moody: false };
    let specs = [still.clone(), Spec { requires: vec![0], ..still.clone() }, still];
    let mut world = World::new(&specs, Mode::default());
    world.engine.failed(0, "exit code 1".to_owned());
    let (engine, _, _) = world.run();
    let outcomes: Vec<Outcome> = engine.outcomes().into_iter().map(|(_, outcome)| outcome).collect();
    let blocked = Outcome::Blocked("requires `__p/0`, which failed".to_owned());
    assert_eq!(outcomes, [Outcome::Failed("exit code 1".to_owned()), blocked, Outcome::Unchanged]);
}

#[test]
fn a_requirement_that_nothing_defines_is_told() {
    let mut world = World::new(&[], Mode::default());
    let spec =
        Spec { requires: vec![], explorers: true, changes: true, children: 0, shy: false, moody: false };
    world.define("__e/a", spec, "__p/ghost", None);
    let (engine, _, _) = world.run();
    let told = Outcome::Blocked("requires `__p/ghost`, which nothing defines".to_owned());
    assert_eq!(engine.outcomes(), [(0, told)]);
}
