//! cdist's configuration file: what it says counts where the command line and the environment say nothing.
//!
//! Read in cdist's order, the later one wins: `/etc/cdist.cfg`, the user's, the one that `CDIST_CONFIG_FILE`
//! names, the one of `-g`. Keys about things that hostbook-config does in another way are accepted and mean
//! nothing; unknown ones are errors, as cdist has it.

use std::io;
use std::path::{Path, PathBuf};

use super::args::Push;
use super::confdir::split_path;

/// What the files say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CdistConfig {
    /// Configuration directories, least important first.
    pub conf_dirs: Vec<PathBuf>,
    /// The initial manifest.
    pub init_manifest: Option<PathBuf>,
    /// Directory of the run on this side.
    pub out_path: Option<PathBuf>,
    /// Directory of the run on the target.
    pub remote_out_path: Option<String>,
    /// Program instead of ssh.
    pub remote_exec: Option<String>,
    /// Program instead of scp.
    pub remote_copy: Option<String>,
    /// Scripts at the same time.
    pub jobs: Option<usize>,
    /// Hosts at the same time.
    pub parallel: Option<u16>,
}

/// Keys that cdist has and that mean nothing here.
const WITHOUT_MEANING: [&str; 10] = [
    "beta",
    "local_shell",
    "remote_shell",
    "cache_path_pattern",
    "colored_output",
    "inventory_dir",
    "verbosity",
    "archiving",
    "save_output_streams",
    "timestamp",
];

impl CdistConfig {
    /// Reads the files that there are. `named` is one that must be there.
    ///
    /// # Errors
    /// A file cannot be read or understood: with its path and line.
    pub fn read(named: Option<&Path>) -> io::Result<CdistConfig> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let home = variable("HOME");
        let old = home.as_ref().map(|home| home.join(".cdist.cfg")).filter(|path| path.is_file());
        let own = || {
            let place = variable("XDG_CONFIG_HOME").or_else(|| Some(home.as_ref()?.join(".config")))?;
            Some(place.join("cdist/cdist.cfg")).filter(|path| path.is_file())
        };
        let system = Some(PathBuf::from("/etc/cdist.cfg")).filter(|path| path.is_file());
        let files = [system, old.or_else(own), variable("CDIST_CONFIG_FILE"), named.map(Path::to_owned)];
        let mut config = CdistConfig::default();
        for file in files.into_iter().flatten() {
            let text = std::fs::read_to_string(&file)
                .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", file.display())))?;
            config.take(&text).map_err(|(line, why)| {
                let what = format!("{}:{line}: {why}", file.display());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?;
        }
        Ok(config)
    }

    /// Arguments with what they leave open. One of the two programs alone is refused, in words.
    ///
    /// # Errors
    /// See above.
    pub fn fill(&self, mut args: Push) -> Result<Push, String> {
        args.manifest = args.manifest.or_else(|| self.init_manifest.clone());
        if args.secret_command.is_none() {
            args.out_path = args.out_path.or_else(|| self.out_path.clone());
        }
        args.jobs = args.jobs.or(self.jobs);
        args.hosts_parallel = args.hosts_parallel.or(self.parallel);
        let reach = &mut args.reach;
        reach.remote_out_path = reach.remote_out_path.take().or_else(|| self.remote_out_path.clone());
        reach.remote_exec = reach.remote_exec.take().or_else(|| self.remote_exec.clone());
        reach.remote_copy = reach.remote_copy.take().or_else(|| self.remote_copy.clone());
        if reach.remote_exec.is_some() == reach.remote_copy.is_some() {
            Ok(args)
        } else {
            Err("`remote_exec` and `remote_copy` go together: only one of them is set".to_owned())
        }
    }

    /// Takes what a file says: an ini file whose one section is `GLOBAL`.
    fn take(&mut self, text: &str) -> Result<(), (usize, String)> {
        let mut in_section = false;
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            let wrong = |why: String| (at + 1, why);
            if line.is_empty() || line.starts_with(['#', ';']) {
                continue;
            }
            if let Some(section) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                if section != "GLOBAL" {
                    return Err(wrong(format!("there is no section `{section}`: it is `GLOBAL`")));
                }
                in_section = true;
                continue;
            }
            let Some((key, value)) = line.split_once(['=', ':']).filter(|_| in_section) else {
                return Err(wrong("neither `[GLOBAL]` nor `key = value`".to_owned()));
            };
            self.set(key.trim(), value.trim()).map_err(wrong)?;
        }
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let number = || value.parse::<i32>().map_err(|_| format!("`{key}` is no number: `{value}`"));
        // cdist's -1 is "as many as there are processors", which is what nothing means here.
        let count = |number: i32| usize::try_from(number).ok().filter(|count| *count > 0);
        match key {
            "conf_dir" => self.conf_dirs.extend(split_path(value)),
            "init_manifest" => self.init_manifest = Some(value.into()),
            "out_path" => self.out_path = Some(value.into()),
            "remote_out_path" => self.remote_out_path = Some(value.to_owned()),
            "remote_exec" => self.remote_exec = Some(value.to_owned()),
            "remote_copy" => self.remote_copy = Some(value.to_owned()),
            "jobs" => self.jobs = count(number()?),
            "parallel" => {
                self.parallel = count(number()?).map(|count| u16::try_from(count).unwrap_or(u16::MAX));
            }
            _ if WITHOUT_MEANING.contains(&key) => {}
            _ => return Err(format!("there is no key `{key}`")),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_file_wins_and_directories_add_up() {
        let mut config = CdistConfig::default();
        config
            .take("# cdist\n[GLOBAL]\nconf_dir = /a:/b\njobs = 4\nremote_exec = ssh -x\nbeta = true\n")
            .unwrap();
        config.take("[GLOBAL]\nconf_dir: /c\njobs = -1\nparallel = 7\n").unwrap();
        assert_eq!(config.conf_dirs, ["/a", "/b", "/c"].map(PathBuf::from));
        assert_eq!((config.jobs, config.parallel), (None, Some(7)));
        assert_eq!(config.remote_exec.as_deref(), Some("ssh -x"));
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        let wrong = |text: &str| CdistConfig::default().take(text).unwrap_err();
        assert_eq!(wrong("[GLOBAL]\n\njobz = 1"), (3, "there is no key `jobz`".to_owned()));
        assert_eq!(wrong("[OTHER]"), (1, "there is no section `OTHER`: it is `GLOBAL`".to_owned()));
        assert_eq!(wrong("jobs = 1"), (1, "neither `[GLOBAL]` nor `key = value`".to_owned()));
        assert_eq!(wrong("[GLOBAL]\njobs = many"), (2, "`jobs` is no number: `many`".to_owned()));
    }
}
