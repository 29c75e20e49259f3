//! Scripts on the source host: manifests and the generation of code.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{Host, HostError, lock};
use crate::core::model::{Object, ObjectIndex};
use crate::shell::script::{self, LocalVariable, Script};
use crate::shell::typelist;

/// What generating an object's code brought.
struct Generated {
    /// Whether there is any.
    code: bool,
    /// Why it failed.
    failure: Option<String>,
    /// Lines for the message file, with the object's name in front.
    messages: Vec<u8>,
}

impl Host {
    /// Runs the initial manifest.
    pub(super) fn initial_manifest(&self) -> Result<(), HostError> {
        let manifest = &self.settings.manifest;
        let variables = self.env.initial_manifest(manifest);
        let global = self.env.dirs.global();
        let streams = (global.join("stdout/init"), global.join("stderr/init"));
        let (failure, messages) =
            self.with_messages("initialmanifest", "init", &variables, &[], |variables| {
                script::run(
                    &Script { path: manifest, variables, stdout: &streams.0, stderr: &streams.1 },
                    &self.settings.stop,
                )
            })?;
        self.keep_messages(&messages)?;
        lock(&self.engine).end_of_manifest(None);
        match failure {
            Some(why) => {
                let hint = self.unknown_type(&why);
                Err(HostError::Failed(format!("initial manifest {}: {why}{hint}", manifest.display())))
            }
            None => Ok(()),
        }
    }

    /// What is to be said beside what a shell said of a type's command that it has not found.
    fn unknown_type(&self, why: &str) -> String {
        let missing = |line: &str| {
            let parts: Vec<&str> = line.split(": ").collect();
            let at = parts.iter().position(|part| matches!(*part, "not found" | "command not found"))?;
            let name = *parts.get(at.checked_sub(1)?)?;
            (name.starts_with("__") && !self.settings.conf.types.contains_key(name)).then(|| name.to_owned())
        };
        let name = why.lines().find_map(missing);
        name.map(|name| format!("\n{}", typelist::no_such(&name, &self.settings.conf))).unwrap_or_default()
    }

    /// Runs the manifest of an object's type.
    pub(super) fn type_manifest(&self, index: ObjectIndex) -> Result<(), HostError> {
        let object = self.object(index);
        let manifest = self.env.type_directory(&object).join("manifest");
        let variables = self.env.type_manifest(&object, &manifest);
        let (failure, messages) = self.script_of(&object, &manifest, "manifest", &variables, &[])?;
        self.keep_messages(&messages)?;
        let mut engine = lock(&self.engine);
        match failure {
            Some(why) => engine.failed(index, format!("manifest: {why}{}", self.unknown_type(&why))),
            None => engine.prepared(index),
        }
        Ok(())
    }

    /// Generates the code of objects, several at the same time. Their messages are kept in the order of
    /// `ready`, however long each took.
    pub(super) fn generate(&self, ready: &[ObjectIndex]) -> Result<(), HostError> {
        for some in ready.chunks(self.settings.jobs.max(1)) {
            let results: Vec<io::Result<Generated>> = std::thread::scope(|scope| {
                let threads: Vec<_> =
                    some.iter().map(|index| scope.spawn(|| self.generate_one(*index))).collect();
                let panicked = || Err(io::Error::other("a thread of the engine panicked"));
                threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| panicked())).collect()
            });
            for (index, result) in some.iter().zip(results) {
                let generated = result?;
                self.keep_messages(&generated.messages)?;
                let mut engine = lock(&self.engine);
                match generated.failure {
                    Some(why) => engine.failed(*index, why),
                    None => engine.generated(*index, generated.code),
                }
            }
        }
        Ok(())
    }

    fn generate_one(&self, index: ObjectIndex) -> io::Result<Generated> {
        let object = self.object(index);
        let variables = self.env.gencode(&object);
        let mut generated = Generated { code: false, failure: None, messages: Vec::new() };
        let scripts = object.kind.scripts;
        let both = [
            ("gencode-local", "code-local", scripts.gencode_local),
            ("gencode-remote", "code-remote", scripts.gencode_remote),
        ];
        for (generator, code, _) in both.into_iter().filter(|(_, _, exists)| *exists) {
            let path = self.env.type_directory(&object).join(generator);
            let (failure, messages) =
                self.script_of(&object, &path, generator, &variables, &generated.messages)?;
            generated.messages.extend_from_slice(&messages);
            if let Some(why) = failure {
                generated.failure = Some(format!("{generator}: {why}"));
                return Ok(generated);
            }
            let directory = self.env.dirs.object(&object.name);
            let text = fs::read(directory.join("stdout").join(generator))?;
            let end = text.iter().rposition(|octet| *octet != b'\n').map_or(0, |last| last + 1);
            let file = directory.join(code);
            if end > 0 {
                let text = [text.get(..end).unwrap_or_default(), b"\n"].concat();
                fs::write(file, text)?;
                generated.code = true;
            } else if file.exists() {
                fs::remove_file(file)?;
            }
        }
        Ok(generated)
    }

    /// Runs `code-local` of an object, if it has some.
    pub(super) fn code_local(&self, object: &Object) -> io::Result<Option<String>> {
        let directory = self.env.dirs.object(&object.name);
        let path = directory.join("code-local");
        if !path.is_file() {
            return Ok(None);
        }
        let variables = self.env.code_local(object);
        let (stdout, stderr) = (directory.join("stdout/code-local"), directory.join("stderr/code-local"));
        let script = Script { path: &path, variables: &variables, stdout: &stdout, stderr: &stderr };
        script::run(&script, &self.settings.stop)
    }

    /// Runs a script of an object's type with messages. `before` are messages that are not kept yet.
    fn script_of(
        &self,
        object: &Object,
        path: &Path,
        name: &str,
        variables: &[LocalVariable],
        before: &[u8],
    ) -> io::Result<(Option<String>, Vec<u8>)> {
        let directory = self.env.dirs.object(&object.name);
        let (stdout, stderr) = (directory.join("stdout").join(name), directory.join("stderr").join(name));
        let own = format!("{}-{name}", object.place.last().copied().unwrap_or_default());
        self.with_messages(&object.name.to_string(), &own, variables, before, |variables| {
            script::run(&Script { path, variables, stdout: &stdout, stderr: &stderr }, &self.settings.stop)
        })
    }

    /// Gives a script the messages so far, and returns those that it wrote, marked with its name.
    fn with_messages<T>(
        &self,
        sender: &str,
        own: &str,
        variables: &[LocalVariable],
        before: &[u8],
        run: impl FnOnce(&[LocalVariable]) -> io::Result<T>,
    ) -> io::Result<(T, Vec<u8>)> {
        let (incoming, outgoing) =
            (self.env.dirs.own(&format!("{own}.in")), self.env.dirs.own(&format!("{own}.out")));
        let mut messages = fs::read(self.messages())?;
        messages.extend_from_slice(before);
        fs::write(&incoming, messages)?;
        fs::write(&outgoing, "")?;
        let mut all = variables.to_vec();
        all.push(("__messages_in", incoming.clone().into()));
        all.push(("__messages_out", outgoing.clone().into()));
        let result = run(&all)?;
        let written = fs::read(&outgoing)?;
        fs::remove_file(incoming)?;
        fs::remove_file(outgoing)?;
        let lines = written.split(|octet| *octet == b'\n').filter(|line| !line.is_empty());
        let mark = |line: &[u8]| [sender.as_bytes(), b":", line, b"\n"].concat();
        Ok((result, lines.flat_map(mark).collect()))
    }

    fn keep_messages(&self, messages: &[u8]) -> io::Result<()> {
        if messages.is_empty() { Ok(()) } else { self.env.dirs.append(&self.messages(), messages) }
    }

    fn messages(&self) -> PathBuf {
        self.env.dirs.global().join("messages")
    }
}
