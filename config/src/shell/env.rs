//! The variables that scripts find in their environment: cdist's contract, and what hostbook adds.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::client::{HOST, SOCKET};
use super::rundir::HostDirs;
use super::script::LocalVariable;
use crate::core::batch::{HERE, Variable};
use crate::core::model::Object;

/// A target, as scripts see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// `__target_host`: the name that ssh gets.
    pub host: String,
    /// `__target_hostname`; empty if not known.
    pub hostname: String,
    /// `__target_fqdn`; empty if not known.
    pub fqdn: String,
    /// `__target_host_tags`, joined by commas.
    pub tags: String,
}

/// What the environment of a host's scripts is made of.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The target.
    pub target: Target,
    /// Directories of the host.
    pub dirs: HostDirs,
    /// The engine's socket.
    pub socket: PathBuf,
    /// Number of the host within the engine.
    pub number: usize,
    /// `$__remote_exec`.
    pub remote_exec: String,
    /// `$__remote_copy`.
    pub remote_copy: String,
    /// `__cdist_log_level` and its name.
    pub log_level: (u8, &'static str),
    /// Whether code is generated but not run.
    pub dry: bool,
}

impl Environment {
    /// For the initial manifest.
    pub fn initial_manifest(&self, manifest: &Path) -> Vec<LocalVariable> {
        let mut all = self.manifest(manifest);
        all.push(("__explorer", self.dirs.global().join("explorer").into()));
        all
    }

    /// For the manifest of an object's type.
    pub fn type_manifest(&self, object: &Object, manifest: &Path) -> Vec<LocalVariable> {
        let mut all = self.manifest(manifest);
        all.extend(self.of_object(object));
        all.push(("__type", self.type_directory(object).into()));
        all
    }

    /// For `gencode-local` and `gencode-remote`.
    pub fn gencode(&self, object: &Object) -> Vec<LocalVariable> {
        let mut all = self.local();
        all.extend(self.of_object(object));
        all.push(("__type", self.type_directory(object).into()));
        all
    }

    /// For `code-local`.
    pub fn code_local(&self, object: &Object) -> Vec<LocalVariable> {
        let mut all = self.local();
        all.extend(self.of_object(object));
        all
    }

    /// For global explorers.
    pub fn explorer(&self) -> Vec<Variable> {
        let mut all = self.remote();
        all.push(("__explorer", format!("{HERE}conf/explorer")));
        all
    }

    /// For the explorers of an object.
    pub fn type_explorer(&self, object: &Object) -> Vec<Variable> {
        let mut all = self.explorer();
        all.push(("__type_explorer", format!("{HERE}conf/type/{}/explorer", object.name.kind())));
        all.push(("__object", self.remote_object(object)));
        all.push(("__object_id", object.name.id().to_owned()));
        all.push(("__object_name", object.name.to_string()));
        all.push(("__object_fq", object.name.directory(self.dirs.marker())));
        all
    }

    /// For `code-remote`.
    pub fn code_remote(&self, object: &Object) -> Vec<Variable> {
        vec![("__object", self.remote_object(object)), ("__object_id", object.name.id().to_owned())]
    }

    /// Directory of an object on the target, relative to the run's.
    pub fn remote_object_path(&self, object: &Object) -> String {
        format!("object/{}", object.name.directory(self.dirs.marker()))
    }

    fn remote_object(&self, object: &Object) -> String {
        format!("{HERE}{}", self.remote_object_path(object))
    }

    /// Directory of an object's type.
    pub fn type_directory(&self, object: &Object) -> PathBuf {
        self.dirs.global().join("conf/type").join(object.name.kind())
    }

    fn manifest(&self, manifest: &Path) -> Vec<LocalVariable> {
        let mut all = self.local();
        let mut path = OsString::from(self.dirs.global().join("bin"));
        path.push(":");
        path.push(std::env::var_os("PATH").unwrap_or_default());
        all.push(("PATH", path));
        all.push(("__manifest", self.dirs.global().join("conf/manifest").into()));
        all.push(("__cdist_manifest", manifest.into()));
        all.push(("__cdist_type_base_path", self.dirs.global().join("conf/type").into()));
        all.push(("__cdist_colored_log", "false".into()));
        all
    }

    fn of_object(&self, object: &Object) -> Vec<LocalVariable> {
        vec![
            ("__object", self.dirs.object(&object.name).into()),
            ("__object_id", object.name.id().into()),
            ("__object_name", object.name.to_string().into()),
        ]
    }

    /// What every script on the source host gets.
    pub fn local(&self) -> Vec<LocalVariable> {
        let mut all: Vec<LocalVariable> =
            self.remote().into_iter().map(|(name, value)| (name, value.into())).collect();
        all.push(("__global", self.dirs.global().into()));
        all.push(("__files", self.dirs.global().join("conf/files").into()));
        all.push(("__inventory", self.dirs.global().join("inventory").into()));
        all.push(("__cdist_object_marker", self.dirs.marker().into()));
        all.push(("__remote_exec", self.remote_exec.clone().into()));
        all.push(("__remote_copy", self.remote_copy.clone().into()));
        all.push((SOCKET, self.socket.clone().into()));
        all.push((HOST, self.number.to_string().into()));
        all
    }

    /// What scripts on both sides get.
    fn remote(&self) -> Vec<Variable> {
        let (level, name) = self.log_level;
        let mut all = vec![
            ("__target_host", self.target.host.clone()),
            ("__target_hostname", self.target.hostname.clone()),
            ("__target_fqdn", self.target.fqdn.clone()),
            ("__target_host_tags", self.target.tags.clone()),
            ("__cdist_log_level", level.to_string()),
            ("__cdist_log_level_name", name.to_owned()),
        ];
        if self.dry {
            all.push(("__cdist_dry_run", "1".to_owned()));
        }
        all
    }
}
