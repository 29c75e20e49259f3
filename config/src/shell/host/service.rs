//! What a host's scripts get when they call `__type`, `$__remote_exec` and `$__remote_copy`.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::{Host, Reach, lock};
use crate::core::batch::Batch;
use crate::core::model::{Call, ObjectIndex};
use crate::shell::server::{Answer, Definition, Service};
use crate::shell::transport::{TransportError, Upload};

impl Service for Host {
    fn define(&self, definition: Definition) -> Answer {
        let Ok(kind) = std::str::from_utf8(&definition.kind) else {
            return Answer::failure("the type is not UTF-8");
        };
        let [require, in_order, replace, parent, manifest] = &definition.context;
        let text = |value: &Option<Vec<u8>>| {
            value.as_deref().map(|octets| String::from_utf8_lossy(octets).into_owned())
        };
        let (require, parent) = (text(require).unwrap_or_default(), text(parent));
        let Some(manifest) = text(manifest) else {
            return Answer::failure(&format!(
                "{kind}: the environment variable `__cdist_manifest` is missing"
            ));
        };
        let words = definition.words.into_iter().map(|word| self.settings.secrets.resolve(word));
        let words: Vec<Vec<u8>> = match words.collect() {
            Ok(words) => words,
            Err(why) => return Answer::failure(&format!("{kind}: error: {why}")),
        };
        let call = Call {
            kind,
            words: &words,
            parent: parent.as_deref(),
            manifest: &manifest,
            require: &require,
            in_order: in_order.is_some(),
            replace: replace.is_some(),
        };
        let mut engine = lock(&self.engine);
        let defined = match engine.define(&call) {
            Ok(defined) => defined,
            Err(error) => {
                let stderr = format!("{kind}: error: {error}\n").into_bytes();
                return Answer::End { code: error.exit_code(), stdout: Vec::new(), stderr };
            }
        };
        let mut stderr = String::new();
        for warning in defined.warnings {
            stderr.push_str(&format!("{kind}: warning: {warning}\n"));
            self.warn(warning);
        }
        let written = self.write(&engine, defined.object, defined.written, definition.stdin.as_deref());
        match written {
            Ok(()) => Answer::End { code: 0, stdout: Vec::new(), stderr: stderr.into_bytes() },
            Err(error) => Answer::failure(&format!("{kind}: error: cannot write the object: {error}")),
        }
    }

    fn remote_exec(&self, words: &[Vec<u8>], input: Option<Vec<u8>>) -> Answer {
        let Reach::Ssh(ssh) = &self.reach else { return Answer::failure("there is no target") };
        let plain = words.len() > 1 && words.first().is_some_and(|host| !host.starts_with(b"-"));
        let (true, Some(input)) = (plain, input) else {
            let mut command = ssh.command(false);
            command.extend(words.iter().cloned().map(OsString::from_vec));
            return Answer::Run(command);
        };
        let line = words.get(1..).unwrap_or_default().join(&b' ');
        let mut batch = Batch::default();
        let size = input.len() as u64;
        batch.command(&line, (size > 0).then_some(size));
        let upload = self.spool(&input).map_err(|error| error.to_string());
        match upload.and_then(|content| self.exchange(&batch, Upload { content, size })) {
            Ok(answer) => answer,
            Err(why) => {
                Answer::End { code: 255, stdout: Vec::new(), stderr: format!("{why}\n").into_bytes() }
            }
        }
    }

    fn secret(&self, words: &[Vec<u8>]) -> Answer {
        let [name] = words else { return Answer::failure("usage: hostbook-secret NAME") };
        match self.settings.secrets.get(&String::from_utf8_lossy(name)) {
            Ok(value) => {
                Answer::End { code: 0, stdout: format!("{value}\n").into_bytes(), stderr: Vec::new() }
            }
            Err(why) => Answer::failure(&why),
        }
    }

    fn remote_copy(&self, here: &[u8], words: &[Vec<u8>]) -> Answer {
        let Reach::Ssh(ssh) = &self.reach else { return Answer::failure("there is no target") };
        let paths: Vec<&Vec<u8>> = words.iter().filter(|word| *word != b"-q").collect();
        let Some((files, path)) = simple_copy(here, &paths) else {
            let mut command = ssh.copy_command();
            command.extend(words.iter().cloned().map(OsString::from_vec));
            return Answer::Run(command);
        };
        for file in files {
            match self.upload(&file, &path) {
                Ok(Answer::End { code: 0, .. }) => {}
                Ok(answer) => return answer,
                Err(why) => return Answer::failure(&format!("{}: {why}", file.display())),
            }
        }
        Answer::End { code: 0, stdout: Vec::new(), stderr: Vec::new() }
    }
}

impl Host {
    /// Writes a defined object into the run's directory.
    fn write(
        &self,
        engine: &crate::core::engine::Engine,
        index: ObjectIndex,
        anew: bool,
        stdin: Option<&[u8]>,
    ) -> io::Result<()> {
        let object = engine.model().object(index);
        let directory = self.env.dirs.object(&object.name);
        if anew {
            self.env.dirs.write_values(object)?;
        }
        if let Some(stdin) = stdin.filter(|stdin| anew || !stdin.is_empty()) {
            fs::write(directory.join("stdin"), stdin)?;
        }
        self.env.dirs.write_ties(object)?;
        for parent in engine.model().defined(&object.parents) {
            self.env.dirs.write_ties(engine.model().object(parent))?;
        }
        self.env
            .dirs
            .append(&self.env.dirs.global().join("typeorder"), format!("{}\n", object.name).as_bytes())
    }

    fn upload(&self, file: &Path, path: &str) -> Result<Answer, String> {
        let content = File::open(file).map_err(|error| error.to_string())?;
        let metadata = content.metadata().map_err(|error| error.to_string())?;
        let base = file.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let size = metadata.len();
        let mut batch = Batch::default();
        batch.receive(path, &base, size, metadata.permissions().mode() & 0o777);
        self.exchange(&batch, Upload { content, size })
    }

    fn exchange(&self, batch: &Batch, upload: Upload) -> Result<Answer, String> {
        let lost = TransportError::Lost("it was closed".to_owned());
        let mut link = lock(&self.link);
        let reply = link.as_mut().ok_or(lost).and_then(|link| link.run_with(batch, upload));
        let mut reply = reply.map_err(|error| error.to_string())?;
        let ended = reply.take(0);
        match (ended.code, reply.trouble()) {
            (Some(code), _) => {
                let code = u8::try_from(code).unwrap_or(255);
                Ok(Answer::End { code, stdout: ended.stdout, stderr: ended.stderr })
            }
            (None, trouble) => Err(trouble.unwrap_or("the command did not run").to_owned()),
        }
    }

    /// A file with this content, without a name.
    fn spool(&self, content: &[u8]) -> io::Result<File> {
        let path = self.env.dirs.own(&format!("input-{:?}", std::thread::current().id()));
        fs::write(&path, content)?;
        let file = File::open(&path)?;
        fs::remove_file(&path)?;
        Ok(file)
    }
}

/// The files and the target path of `SRC… HOST:PATH`, if all sources are files and nothing else is asked for.
fn simple_copy(here: &[u8], paths: &[&Vec<u8>]) -> Option<(Vec<PathBuf>, String)> {
    let (destination, sources) = paths.split_last()?;
    let destination = std::str::from_utf8(destination).ok()?;
    let path = match destination.strip_prefix('[') {
        Some(bracketed) => bracketed.split_once("]:")?.1,
        None => destination.split_once(':')?.1,
    };
    let here = Path::new(std::ffi::OsStr::from_bytes(here));
    let files: Vec<PathBuf> =
        sources.iter().map(|source| here.join(std::ffi::OsStr::from_bytes(source))).collect();
    let plain = !files.is_empty() && files.iter().all(|file| file.is_file());
    plain.then(|| (files, path.to_owned()))
}
