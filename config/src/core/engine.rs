//! What may run next on one host.
//!
//! An object passes through its stages as cdist's do: when all its requirements are done, its explorers
//! run, then its type's manifest; when what the manifest defined is done, its code is generated and run.
//! Among what may run, the order is that of the manifests, always.
//!
//! One thing differs, and it saves round trips: explorers run early, together with those of all other
//! objects. What they said counts only if nothing that the object requires has changed the target since;
//! else they run again when it is their turn. A clock that ticks with every change tells.
//!
//! The caller asks ([`Engine::manifest`], [`Engine::generations`], [`Engine::runs`],
//! [`Engine::explorations`]) and reports what happened. Nothing to ask for means the host is finished.

use std::collections::BTreeSet;

use super::cycle;
use super::foresight;
use super::model::{Call, DefineError, Defined, Model, ObjectIndex};
use super::name::ObjectName;

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// Code is generated but not run.
    pub dry: bool,
    /// Types for installation are meant, and only those.
    pub install: bool,
}

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Prepared,
    Generated,
    Done,
    Failed(String),
    Skipped,
}

#[derive(Clone, Debug)]
struct Progress {
    stage: Stage,
    manifest_ran: bool,
    /// Clock when its explorers ran.
    explored: Option<u64>,
    /// Whether they failed when it was not their turn yet.
    too_early: bool,
    /// Whether its code ran, or would in a dry run.
    changed: bool,
    /// Clock of the last change by it or by anything that it waited for.
    effect: Option<u64>,
}

/// How an object ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is as it should be.
    Unchanged,
    /// Its code ran; in a dry run: would run.
    Changed,
    /// Dry run: something that it requires would change first, and what that does to it is not known.
    MayChange,
    /// A script failed, with the reason.
    Failed(String),
    /// It requires something that did not get done.
    Blocked(String),
    /// It belongs to the other kind of run: installation or configuration.
    Skipped,
}

/// The objects of one host on their way.
#[derive(Debug)]
pub struct Engine {
    model: Model,
    mode: Mode,
    progress: Vec<Progress>,
    clock: u64,
}

impl Engine {
    /// A host without objects.
    pub fn new(model: Model, mode: Mode) -> Engine {
        Engine { model, mode, progress: Vec::new(), clock: 0 }
    }

    /// The objects.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Defines an object, see [`Model::define`].
    ///
    /// # Errors
    /// Those of [`Model::define`].
    pub fn define(&mut self, call: &Call<'_>) -> Result<Defined, DefineError> {
        let defined = self.model.define(call)?;
        if defined.object == self.progress.len() {
            let wanted = self.model.object(defined.object).kind.install == self.mode.install;
            self.progress.push(Progress {
                stage: if wanted { Stage::Waiting } else { Stage::Skipped },
                manifest_ran: false,
                explored: None,
                too_early: false,
                changed: false,
                effect: None,
            });
        } else if defined.written && self.progress[defined.object].stage == Stage::Waiting {
            self.progress[defined.object].explored = None;
        }
        Ok(defined)
    }

    /// Forgets what belongs to one manifest only. Call it when the manifest has ended.
    pub fn end_of_manifest(&mut self, parent: Option<ObjectIndex>) {
        let parent = parent.map(|parent| self.model.object(parent).name.to_string());
        self.model.end_of_manifest(parent.as_deref());
    }

    /// Objects that wait for each other in a circle, each for the next.
    pub fn cycle(&self) -> Option<Vec<ObjectIndex>> {
        let open = |index: &ObjectIndex| self.progress[*index].stage != Stage::Done;
        cycle::find(self.progress.len(), |index| {
            let all: Vec<ObjectIndex> =
                if open(&index) { self.waits_for(index).collect() } else { Vec::new() };
            all.into_iter().filter(open)
        })
    }

    /// The next object whose type's manifest is to run. Manifests run one at a time.
    pub fn manifest(&mut self) -> Option<ObjectIndex> {
        self.settle();
        self.first(|index| self.may_prepare(index))
    }

    /// Objects whose code may be generated now, at the same time.
    pub fn generations(&mut self) -> Vec<ObjectIndex> {
        self.settle();
        let mut alone = BTreeSet::new();
        let mut ready = self.ordered(|index| self.may_generate(index));
        ready.retain(|index| {
            let kind = &self.model.object(*index).kind;
            !kind.nonparallel || alone.insert(kind.name.clone())
        });
        ready
    }

    /// Objects whose code is to run, in this order.
    ///
    /// None as long as nothing has changed and there is more to explore: what does not depend on a change is
    /// seen as a plan sees it.
    pub fn runs(&self) -> Vec<ObjectIndex> {
        if self.clock == 0 && !self.explorations(&[]).is_empty() {
            return Vec::new();
        }
        self.ordered(|index| self.progress[index].stage == Stage::Generated)
    }

    /// Objects whose explorers are to run, after the code of `running`.
    pub fn explorations(&self, running: &[ObjectIndex]) -> Vec<ObjectIndex> {
        let after = |name: &ObjectName| {
            self.model.find(name).is_some_and(|index| self.is_done(index) || running.contains(&index))
        };
        self.ordered(|index| {
            let (object, progress) = (self.model.object(index), &self.progress[index]);
            if progress.stage != Stage::Waiting || object.kind.explorers.is_empty() {
                return false;
            }
            let turn = object.requires.iter().all(after);
            let stale = || self.model.defined(&object.requires).any(|required| running.contains(&required));
            match progress.explored {
                None => turn || !progress.too_early,
                Some(_) => turn && (!self.is_fresh(index) || stale()),
            }
        })
    }

    /// The explorers of `object` ran, after everything that has been reported so far.
    pub fn explored(&mut self, object: ObjectIndex) {
        self.progress[object].explored = Some(self.clock);
    }

    /// An explorer of `object` failed. That counts only if it was its turn.
    pub fn exploration_failed(&mut self, object: ObjectIndex, why: String) {
        if self.model.object(object).requires.iter().all(|name| self.is_done_name(name)) {
            self.failed(object, why);
        } else {
            self.progress[object].too_early = true;
        }
    }

    /// The manifest of the type of `object` ended well.
    pub fn prepared(&mut self, object: ObjectIndex) {
        self.progress[object].manifest_ran = true;
        self.progress[object].stage = Stage::Prepared;
        self.end_of_manifest(Some(object));
    }

    /// The code of `object` was generated; whether there is any.
    pub fn generated(&mut self, object: ObjectIndex, code: bool) {
        match (code, self.mode.dry) {
            (false, _) => self.done(object, false),
            (true, true) => self.done(object, true),
            (true, false) => self.progress[object].stage = Stage::Generated,
        }
    }

    /// The code of `object` ran and ended well.
    pub fn ran(&mut self, object: ObjectIndex) {
        self.clock += 1;
        self.done(object, true);
    }

    /// A script of `object` failed.
    pub fn failed(&mut self, object: ObjectIndex, why: String) {
        self.progress[object].stage = Stage::Failed(why);
    }

    /// It is not known how far the code of `object` came: it starts from the beginning.
    pub fn again(&mut self, object: ObjectIndex) {
        self.clock += 1;
        let progress = &mut self.progress[object];
        progress.stage = Stage::Waiting;
        progress.manifest_ran = false;
        progress.explored = None;
    }

    /// Whether `object` is done.
    pub fn is_done(&self, object: ObjectIndex) -> bool {
        self.progress[object].stage == Stage::Done
    }

    /// How every object ended, in the order of the manifests.
    pub fn outcomes(&self) -> Vec<(ObjectIndex, Outcome)> {
        let uncertain = if self.mode.dry {
            foresight::uncertain(&self.model, |index| self.progress[index].changed)
        } else {
            vec![false; self.progress.len()]
        };
        self.ordered(|_| true)
            .into_iter()
            .map(|index| (index, self.outcome(index, uncertain[index])))
            .collect()
    }

    fn outcome(&self, index: ObjectIndex, uncertain: bool) -> Outcome {
        let progress = &self.progress[index];
        match &progress.stage {
            Stage::Skipped => Outcome::Skipped,
            Stage::Done if progress.changed && !uncertain => Outcome::Changed,
            Stage::Done if uncertain => Outcome::MayChange,
            Stage::Done => Outcome::Unchanged,
            Stage::Failed(_) if uncertain => Outcome::MayChange,
            Stage::Failed(why) => Outcome::Failed(why.clone()),
            Stage::Waiting | Stage::Prepared | Stage::Generated if uncertain => Outcome::MayChange,
            Stage::Waiting | Stage::Prepared | Stage::Generated => Outcome::Blocked(self.why_blocked(index)),
        }
    }

    fn why_blocked(&self, index: ObjectIndex) -> String {
        let object = self.model.object(index);
        let all = object.requires.iter().chain(&object.autorequires);
        let reasons = all.filter(|name| !self.is_done_name(name)).map(|name| {
            let stage = self.model.find(name).map(|index| &self.progress[index].stage);
            match stage {
                None => format!("`{name}`, which nothing defines"),
                Some(Stage::Failed(_)) => format!("`{name}`, which failed"),
                Some(Stage::Skipped) => format!("`{name}`, which is not for this kind of run"),
                Some(_) => format!("`{name}`, which is not done"),
            }
        });
        let reasons: Vec<String> = reasons.collect();
        if reasons.is_empty() {
            "the run ended early".to_owned()
        } else {
            format!("requires {}", reasons.join(", "))
        }
    }

    /// Moves on objects that have nothing to run.
    fn settle(&mut self) {
        loop {
            let bare = |index: ObjectIndex| {
                let kind = &self.model.object(index).kind;
                !kind.scripts.manifest || self.progress[index].manifest_ran
            };
            if let Some(index) = self.first(|index| self.may_prepare(index) && bare(index)) {
                self.progress[index].stage = Stage::Prepared;
                continue;
            }
            let codeless = |index: ObjectIndex| {
                let scripts = self.model.object(index).kind.scripts;
                !scripts.gencode_local && !scripts.gencode_remote
            };
            let Some(index) = self.first(|index| self.may_generate(index) && codeless(index)) else { return };
            self.done(index, false);
        }
    }

    fn may_prepare(&self, index: ObjectIndex) -> bool {
        let object = self.model.object(index);
        self.progress[index].stage == Stage::Waiting
            && object.requires.iter().all(|name| self.is_done_name(name))
            && self.is_fresh(index)
    }

    fn may_generate(&self, index: ObjectIndex) -> bool {
        let object = self.model.object(index);
        self.progress[index].stage == Stage::Prepared
            && object.autorequires.iter().all(|name| self.is_done_name(name))
    }

    /// Whether what the explorers of `index` said still holds, as far as its requirements go.
    fn is_fresh(&self, index: ObjectIndex) -> bool {
        let object = self.model.object(index);
        if object.kind.explorers.is_empty() {
            return true;
        }
        let effects =
            self.model.defined(&object.requires).filter_map(|required| self.progress[required].effect);
        self.progress[index].explored.is_some_and(|at| effects.max().is_none_or(|effect| effect <= at))
    }

    fn done(&mut self, index: ObjectIndex, changed: bool) {
        let own = changed.then_some(self.clock);
        let of_others = self.waits_for(index).filter_map(|required| self.progress[required].effect).max();
        let progress = &mut self.progress[index];
        progress.effect = own.max(of_others);
        progress.changed = changed;
        progress.stage = Stage::Done;
    }

    fn is_done_name(&self, name: &ObjectName) -> bool {
        self.model.find(name).is_some_and(|index| self.is_done(index))
    }

    fn waits_for(&self, index: ObjectIndex) -> impl Iterator<Item = ObjectIndex> + '_ {
        let object = self.model.object(index);
        self.model.defined(&object.requires).chain(self.model.defined(&object.autorequires))
    }

    fn first(&self, wanted: impl Fn(ObjectIndex) -> bool) -> Option<ObjectIndex> {
        let all = (0..self.progress.len()).filter(|index| wanted(*index));
        all.min_by(|a, b| self.model.object(*a).place.cmp(&self.model.object(*b).place))
    }

    fn ordered(&self, wanted: impl Fn(ObjectIndex) -> bool) -> Vec<ObjectIndex> {
        let mut all: Vec<ObjectIndex> = (0..self.progress.len()).filter(|index| wanted(*index)).collect();
        all.sort_by(|a, b| self.model.object(*a).place.cmp(&self.model.object(*b).place));
        all
    }
}
