use std::env;
use std::path::{Path, PathBuf, absolute};

use api::{Code, Failure};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Keeper,
    Sandbox,
}

impl Program {
    /// What its environment variable names, else the one beside this program, else the first in `PATH`.
    pub fn find(self) -> Result<PathBuf, Failure> {
        let (name, variable) = self.named();
        if let Some(named) = env::var_os(variable).filter(|named| !named.is_empty()) {
            return absolute(&named)
                .ok()
                .filter(|path| os::files::is_program(path))
                .ok_or_else(|| self.not_found(Path::new(&named)));
        }
        let beside = env::current_exe().ok().and_then(|exe| Some(exe.parent()?.join(name)));
        let path = env::var_os("PATH").unwrap_or_default();
        let in_path = env::split_paths(&path).filter(|dir| dir.is_absolute()).map(|dir| dir.join(name));
        let mut all = beside.into_iter().chain(in_path);
        all.find(|path| os::files::is_program(path)).ok_or_else(|| self.not_found(Path::new(name)))
    }

    fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::Keeper => ("pilotlight-keeper", "PILOTLIGHT_KEEPER"),
            Self::Sandbox => ("pilotlight-sandbox", "PILOTLIGHT_SANDBOX"),
        }
    }

    pub fn not_found(self, path: &Path) -> Failure {
        let code = match self {
            Self::Keeper => Code::KeeperNotFound,
            Self::Sandbox => Code::SandboxNotFound,
        };
        Failure::new(code).with("path", path.display())
    }
}
