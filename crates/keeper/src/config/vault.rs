//! Where the key of the stored sign-ins is kept, and how a passphrase for it is come by.

use std::path::PathBuf;

use api::{Kind, Problem, VaultKind};
use toml_edit::Item;

use super::hint::{self, Told};
use super::profile::{Source, wrong_kind};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultSetting {
    pub kind: VaultKind,
    pub passphrase: Passphrase,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Passphrase {
    /// A person gives it.
    #[default]
    Asked,
    /// The first line that this program prints. There is at least its name.
    Command(Vec<String>),
    /// The first line of this file.
    File(PathBuf),
}

/// The keys of the file's top level that are read here.
pub(super) const KEYS: [&str; 3] = ["passphrase_command", "passphrase_file", "vault"];

impl Default for VaultSetting {
    fn default() -> Self {
        Self { kind: VaultKind::Keyring, passphrase: Passphrase::Asked }
    }
}

impl VaultSetting {
    pub(super) fn read(&mut self, source: Source<'_>, key: &str, item: &Item) -> Result<(), Told> {
        match key {
            "vault" => self.read_kind(item),
            "passphrase_command" => self.come_by(Passphrase::Command(command(item)?)),
            _ => self.come_by(Passphrase::File(source.resolve(text(item, key)?))),
        }
    }

    fn read_kind(&mut self, item: &Item) -> Result<(), Told> {
        let written = item.as_str().unwrap_or("?");
        let known = KINDS.iter().find(|(name, _)| *name == written);
        // Nothing is written by mistake, and the keyring is left as it is.
        self.kind = known.map_or(VaultKind::Memory, |(_, kind)| *kind);
        if known.is_some() {
            return Ok(());
        }
        let hint = hint::of_known(written, &KINDS.map(|(name, _)| name));
        Err((Problem::UnknownVault { written: written.to_owned() }, Some(hint)))
    }

    fn come_by(&mut self, passphrase: Passphrase) -> Result<(), Told> {
        if self.passphrase != Passphrase::Asked {
            return Err((Problem::TwoPassphrases, None));
        }
        self.passphrase = passphrase;
        Ok(())
    }
}

fn command(item: &Item) -> Result<Vec<String>, Told> {
    let key = || "passphrase_command".to_owned();
    let example = || hint::write(r#"passphrase_command = ["pass", "show", "pilotlight"]"#);
    let words = item.as_array().ok_or_else(|| (wrong_kind(&key(), item), example()))?;
    let words: Option<Vec<String>> = words.iter().map(|word| word.as_str().map(str::to_owned)).collect();
    let words = words.ok_or_else(|| (Problem::WrongKind { key: key(), kind: Kind::Array }, example()))?;
    match words.first() {
        Some(program) if !program.is_empty() => Ok(words),
        Some(_) | None => Err((Problem::Empty { key: key() }, example())),
    }
}

fn text<'a>(item: &'a Item, key: &str) -> Result<&'a str, Told> {
    match item.as_str() {
        None => Err((wrong_kind(key, item), hint::write(format!("{key} = \"/run/secrets/pilotlight\"")))),
        Some("") => Err((Problem::Empty { key: key.to_owned() }, None)),
        Some(text) => Ok(text),
    }
}

const KINDS: [(&str, VaultKind); 4] = [
    ("credential", VaultKind::Credential),
    ("keyring", VaultKind::Keyring),
    ("memory", VaultKind::Memory),
    ("passphrase", VaultKind::Passphrase),
];
