//! What runs on the target: explorers and code, as many as possible in one round trip.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::{Host, HostError, OnStep, lock};
use crate::core::batch::{Batch, Kind};
use crate::core::model::{Object, ObjectIndex};
use crate::core::reply::Reply;
use crate::shell::script::with_stderr;
use crate::shell::transport::TransportError;

/// The target during one connection: what it has got already.
pub(super) struct Remote<'a> {
    host: &'a Host,
    types: HashSet<String>,
    values: HashSet<ObjectIndex>,
    retries: u32,
}

/// A script of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part<'a> {
    Code(ObjectIndex),
    Explorer(ObjectIndex, &'a str),
}

/// Scripts in one batch. More go into the next one, so that neither side holds too much at once.
const SCRIPTS_MAX: usize = 2000;

impl<'a> Remote<'a> {
    pub(super) fn new(host: &'a Host) -> Remote<'a> {
        Remote { host, types: HashSet::new(), values: HashSet::new(), retries: host.settings.retries }
    }

    /// Runs all global explorers.
    pub(super) fn global_explorers(&mut self) -> Result<(), HostError> {
        let explorers = self.host.settings.conf.part("explorer");
        let reply = loop {
            let mut batch = Batch::default();
            for (name, file) in explorers.iter().filter(|(_, file)| file.is_file()) {
                let path = format!("conf/explorer/{name}");
                batch.put_program(&path, &fs::read(file)?);
                batch.run(Kind::Explorer, &path, &self.host.env.explorer());
            }
            match self.send(&batch, &mut |_, _| {}) {
                Err(error) => self.again_after(error)?,
                Ok(reply) => break reply,
            }
        };
        let mut reply = whole(reply)?;
        let global = self.host.env.dirs.global();
        for (number, name) in
            explorers.iter().filter(|(_, file)| file.is_file()).map(|(name, _)| name).enumerate()
        {
            let ended = reply.take(number);
            fs::write(global.join("explorer").join(name), &ended.stdout)?;
            fs::write(global.join("stderr").join(format!("explorer-{name}")), &ended.stderr)?;
            if ended.code != Some(0) {
                let how = format!("explorer `{name}`: exit code {}", ended.code.unwrap_or(-1));
                return Err(HostError::Failed(with_stderr(&how, &ended.stderr)));
            }
        }
        Ok(())
    }

    /// Runs the code that is due and the explorers that are wanted after it. `false`: there was nothing.
    pub(super) fn step(&mut self, on_step: OnStep<'_>) -> Result<bool, HostError> {
        let due = lock(&self.host.engine).runs();
        let mut running = Vec::new();
        for index in &due {
            let object = self.host.object(*index);
            on_step(&format!("{} {}", self.host.done_of_all(), object.name));
            match self.host.code_local(&object)? {
                Some(why) => lock(&self.host.engine).failed(*index, format!("code-local: {why}")),
                None if self.code_remote(&object).is_file() => running.push(*index),
                None => lock(&self.host.engine).ran(*index),
            }
        }
        running.truncate(SCRIPTS_MAX);
        let explorations = lock(&self.host.engine).explorations(&running);
        if running.is_empty() && explorations.is_empty() {
            return Ok(!due.is_empty());
        }
        let objects: BTreeMap<ObjectIndex, Object> =
            running.iter().chain(&explorations).map(|index| (*index, self.host.object(*index))).collect();
        let (batch, parts) = self.batch(&running, &explorations, &objects)?;
        let mut ended: BTreeMap<usize, i32> = BTreeMap::new();
        let sent = self.send(&batch, &mut |number, code| {
            ended.insert(number, code);
            if let Some(Part::Code(index)) = parts.get(number) {
                on_step(&objects.get(index).map(|object| object.name.to_string()).unwrap_or_default());
            }
        });
        match sent {
            Ok(reply) => self.take(&parts, whole(reply)?, &objects)?,
            Err(error) => {
                self.again_after(error)?;
                self.sort_out(&parts, &ended)?;
            }
        }
        Ok(true)
    }

    fn batch<'b>(
        &mut self,
        running: &[ObjectIndex],
        explorations: &[ObjectIndex],
        objects: &'b BTreeMap<ObjectIndex, Object>,
    ) -> Result<(Batch, Vec<Part<'b>>), HostError> {
        let (mut batch, mut parts) = (Batch::default(), Vec::new());
        let env = &self.host.env;
        let of = |index: &ObjectIndex| objects.get(index).map(|object| (*index, object));
        for (index, object) in running.iter().filter_map(of) {
            self.put_values(&mut batch, index, object);
            let path = format!("{}/code-remote", env.remote_object_path(object));
            batch.put(&path, &fs::read(self.code_remote(object))?);
            for (name, file) in self.uploads(object)? {
                batch.put(&format!("{}/upload/{name}", env.remote_object_path(object)), &fs::read(file)?);
            }
            batch.run(Kind::Code, &path, &env.code_remote(object));
            parts.push(Part::Code(index));
        }
        for (index, object) in explorations.iter().filter_map(of) {
            if parts.len() > SCRIPTS_MAX {
                break;
            }
            self.put_explorers(&mut batch, object)?;
            self.put_values(&mut batch, index, object);
            let variables = env.type_explorer(object);
            for name in &object.kind.explorers {
                let path = format!("conf/type/{}/explorer/{name}", object.name.kind());
                batch.run(Kind::Explorer, &path, &variables);
                parts.push(Part::Explorer(index, name));
            }
        }
        Ok((batch, parts))
    }

    fn put_explorers(&mut self, batch: &mut Batch, object: &Object) -> Result<(), HostError> {
        let kind = object.name.kind();
        if self.types.insert(kind.to_owned()) {
            for name in &object.kind.explorers {
                let file = self.host.env.type_directory(object).join("explorer").join(name);
                batch.put_program(&format!("conf/type/{kind}/explorer/{name}"), &fs::read(file)?);
            }
        }
        Ok(())
    }

    fn put_values(&mut self, batch: &mut Batch, index: ObjectIndex, object: &Object) {
        if self.values.insert(index) {
            let directory = self.host.env.remote_object_path(object);
            for (name, value) in &object.values {
                batch.put(&format!("{directory}/parameter/{name}"), &value.file());
            }
        }
    }

    /// Notes what the scripts of a batch brought: code first, so that what explorers said counts as newer.
    fn take(
        &mut self,
        parts: &[Part<'_>],
        mut reply: Reply,
        objects: &BTreeMap<ObjectIndex, Object>,
    ) -> Result<(), HostError> {
        let mut failed: BTreeMap<ObjectIndex, String> = BTreeMap::new();
        let mut explored: BTreeSet<ObjectIndex> = BTreeSet::new();
        for (number, part) in parts.iter().enumerate() {
            let ended = reply.take(number);
            let (index, stdout, stderr) = match part {
                Part::Code(index) => {
                    (*index, "stdout/code-remote".to_owned(), "stderr/code-remote".to_owned())
                }
                Part::Explorer(index, name) => {
                    (*index, format!("explorer/{name}"), format!("stderr/explorer-{name}"))
                }
            };
            let Some(object) = objects.get(&index) else { continue };
            let directory = self.host.env.dirs.object(&object.name);
            fs::write(directory.join(stdout), &ended.stdout)?;
            fs::write(directory.join(stderr), &ended.stderr)?;
            let how = |what: &str| {
                with_stderr(&format!("{what}: exit code {}", ended.code.unwrap_or(-1)), &ended.stderr)
            };
            let good = ended.code == Some(0);
            match part {
                Part::Code(index) if good => lock(&self.host.engine).ran(*index),
                Part::Code(index) => lock(&self.host.engine).failed(*index, how("code-remote")),
                Part::Explorer(index, _) if good => drop(explored.insert(*index)),
                Part::Explorer(index, name) => {
                    failed.entry(*index).or_insert_with(|| how(&format!("explorer `{name}`")));
                }
            }
        }
        let mut engine = lock(&self.host.engine);
        explored
            .into_iter()
            .filter(|index| !failed.contains_key(index))
            .for_each(|index| engine.explored(index));
        failed.into_iter().for_each(|(index, why)| engine.exploration_failed(index, why));
        Ok(())
    }

    /// After a lost connection: code that is known to have ended has; the rest starts again.
    fn sort_out(&mut self, parts: &[Part<'_>], ended: &BTreeMap<usize, i32>) -> Result<(), HostError> {
        for (number, part) in parts.iter().enumerate() {
            let Part::Code(index) = part else { continue };
            match ended.get(&number) {
                Some(0) => lock(&self.host.engine).ran(*index),
                Some(code) => {
                    lock(&self.host.engine).failed(*index, format!("code-remote: exit code {code}"));
                }
                None => {
                    lock(&self.host.engine).again(*index);
                    self.host.env.dirs.forget_generated(&self.host.object(*index).name)?;
                }
            }
        }
        Ok(())
    }

    fn send(&self, batch: &Batch, on_end: &mut dyn FnMut(usize, i32)) -> Result<Reply, TransportError> {
        match lock(&self.host.link).as_mut() {
            Some(link) => link.run(batch, on_end),
            None => Err(TransportError::Lost("it was closed".to_owned())),
        }
    }

    /// Connects again after a lost connection, as often as the settings allow; other errors are final.
    fn again_after(&mut self, error: TransportError) -> Result<(), HostError> {
        let lost = matches!(error, TransportError::Lost(_));
        if !lost || self.retries == 0 {
            return Err(error.into());
        }
        self.retries -= 1;
        self.host.warn(format!("{error}; connecting again"));
        self.host.hang_up();
        self.types.clear();
        self.values.clear();
        self.host.connect()
    }

    /// Files that code generation left for the target to find in `$__object/upload`.
    fn uploads(&self, object: &Object) -> Result<Vec<(String, PathBuf)>, HostError> {
        let Ok(listing) = fs::read_dir(self.host.env.dirs.object(&object.name).join("upload")) else {
            return Ok(Vec::new());
        };
        let mut files = Vec::new();
        for entry in listing {
            let path = entry?.path();
            if path.is_file() {
                files.push((path.file_name().unwrap_or_default().to_string_lossy().into_owned(), path));
            }
        }
        Ok(files)
    }

    /// What files hold now that objects would change, by the number of the path in `paths`. Larger ones than
    /// a megabyte count as empty.
    pub(super) fn contents(&mut self, paths: &[String]) -> Result<Vec<Vec<u8>>, HostError> {
        const READ: &[u8] =
            b"[ ! -f \"$hostbook_path\" ] || [ \"$(wc -c <\"$hostbook_path\")\" -gt 1048576 ] || cat \"$hostbook_path\"\n";
        let mut batch = Batch::default();
        batch.put("plan/read", READ);
        for path in paths {
            batch.run(Kind::Explorer, "plan/read", &[("hostbook_path", path.clone())]);
        }
        let mut reply = whole(self.send(&batch, &mut |_, _| {})?)?;
        Ok((0..paths.len()).map(|number| reply.take(number).stdout).collect())
    }

    fn code_remote(&self, object: &Object) -> PathBuf {
        self.host.env.dirs.object(&object.name).join(Path::new("code-remote"))
    }
}

/// A reply without trouble on the target.
fn whole(reply: Reply) -> Result<Reply, HostError> {
    match reply.trouble() {
        Some(trouble) => Err(HostError::Failed(format!("on the target: {trouble}"))),
        None => Ok(reply),
    }
}
