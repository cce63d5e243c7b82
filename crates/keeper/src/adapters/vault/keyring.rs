//! The key in the desktop's keyring.

mod bus;
mod closed;
mod prompt;
mod service;
mod signals;
mod store;

use std::collections::HashMap;

use keyring::Entry;
use keyring_core::api::CredentialStoreApi as _;
use keyring_core::error::Error;
use session::wrapping::{Contents, Fingerprint, Seen};
use zeroize::Zeroizing;

use super::VaultTrouble;
use super::files::Place;
use super::key::{Key, hex, unhex};
use super::orders::{Item, Look, Lost};
use super::record;
use super::warden::{Due, Holder};
use bus::{Bus, Door, Room};
use closed::Closed;
use prompt::Opened;
use store::Store;

pub(super) struct Keyring {
    home: String,
    store: Store,
    /// Where each key was, and whose keyring that is.
    last_seen: HashMap<Fingerprint, (String, String)>,
    dismissed: bool,
}

impl Holder for Keyring {
    fn ask(&mut self, items: bool) {
        let mut wanted = vec![self.ours()];
        if items {
            wanted.push(of_older_versions());
        }
        self.dismissed = self.store.bus().unlock(&wanted) == Opened::Dismissed;
    }

    fn look(&mut self, items: bool) -> Look {
        let mut look = Look {
            seen: Seen::Locked,
            keys: Vec::new(),
            place: None,
            lost: Vec::new(),
            items: None,
            dismissed: std::mem::take(&mut self.dismissed),
        };
        let looked = match self.store.bus().door() {
            Door::Locked => Ok(Seen::Locked),
            Door::Open(room) => self.look_in(&mut look, room, items),
            Door::Trouble(closed) => Err(closed.into_error()),
        };
        look.seen = match looked {
            Ok(seen) => seen,
            Err(error) => {
                // Never with `Debug`: some errors of the library hold the secret.
                tracing::debug!(%error, "the keyring");
                Seen::Trouble(trouble_of(error))
            }
        };
        look
    }

    fn make_place(&mut self) -> Result<(), VaultTrouble> {
        self.store.bus().make_place().map_err(|closed| trouble_of(closed.into_error()))
    }

    fn write(&mut self, key: &Key) -> Result<Option<Place>, VaultTrouble> {
        let mut tries = bus::TRIES;
        let path = loop {
            tries -= 1;
            let error = match self.write_once(key) {
                Ok(path) => break path,
                Err(error) => error,
            };
            tracing::info!(%error, "the key is not in the keyring");
            match Closed::of(&error) {
                Some(Closed::Unintelligible | Closed::Other(_)) if tries > 0 => self.store.bus().agree_anew(),
                _ => return Err(trouble_of(error)),
            }
        };
        let bus = self.store.bus();
        self.last_seen.extend(bus.owner().zip(path).map(|seen| (key.fingerprint, seen)));
        Ok(bus.place().map(|(service, collection)| Place { service, collection }))
    }

    /// A locked service may forget an item without destroying it, so it has to be open.
    fn retire(&mut self, keys: &[Fingerprint]) {
        let Door::Open(_) = self.store.bus().door() else { return };
        let removed = self.store.search(&self.ours()).and_then(|entries| {
            entries.into_iter().try_for_each(|inner| {
                let named = inner.get_attributes()?.get("key").and_then(|text| unhex(text));
                let is_one = named.is_some_and(|key| keys.contains(&key));
                if is_one { Entry { inner }.delete_credential() } else { Ok(()) }
            })
        });
        if let Err(error) = removed {
            tracing::warn!(%error, "the key stays in the keyring as well");
        }
    }

    fn remove_item(&mut self, profile: &str) {
        let user = if self.home.is_empty() { profile.to_owned() } else { format!("{}/{profile}", self.home) };
        let found =
            self.store.search(&HashMap::from([("service", APPLICATION), ("username", user.as_str())]));
        let removed = found.and_then(|entries| {
            entries.into_iter().try_for_each(|inner| Entry { inner }.delete_credential())
        });
        if let Err(error) = removed {
            tracing::warn!(profile, %error, "an item of an older version stays in the keyring");
        }
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        self.store.bus().shared.end();
    }
}

impl Keyring {
    /// `home` is empty for the default one.
    pub(super) fn new(home: &str, due: Due) -> Self {
        let store = Store::on(Bus::start(move || due.look()));
        Self { home: home.to_owned(), store, last_seen: HashMap::new(), dismissed: false }
    }

    fn look_in(&mut self, look: &mut Look, room: Room, items: bool) -> Result<Seen, Error> {
        let Room { takes_items, has_no_collection, others_are_locked, .. } = room;
        let mut contents =
            Contents { takes_items, has_no_collection, others_are_locked, ..Contents::default() };
        let (mut forbidden, mut found) = (false, Vec::new());
        let before = self.store.bus().deletions();
        for entry in self.store.search(&self.ours())? {
            let named = entry.get_attributes()?.get("key").and_then(|text| unhex(text));
            let entry = Entry { inner: entry };
            match entry.get_secret().map(Zeroizing::new) {
                Ok(text) => match Key::read(&text) {
                    Some(key) => {
                        found.extend(store::path_of(&entry).map(|path| (key.fingerprint, path)));
                        contents.keys.push(key.fingerprint);
                        look.keys.push(key);
                    }
                    None => contents.spoilt.extend(named),
                },
                Err(error) if Closed::of(&error) == Some(Closed::NotAllowed) => {
                    forbidden = true;
                    contents.forbidden.extend(named);
                }
                Err(error) => return Err(error),
            }
        }
        if items {
            let (items, are_forbidden) = self.items()?;
            forbidden |= are_forbidden;
            look.items = Some(items);
        }
        let bus = self.store.bus();
        // Some services answer with nothing instead of saying that they are locked.
        let room = match bus.door() {
            Door::Open(room) => room,
            Door::Locked => return Ok(Seen::Locked),
            Door::Trouble(closed) => return Err(closed.into_error()),
        };
        // What is there all the same, out of sight, or was never ours; and what has been found may have been deleted since.
        bus.forget_deletions(|item, heard| {
            let is_there = found.iter().any(|(_, path)| path == item);
            let was_ours = self.last_seen.values().any(|(_, path)| path == item);
            heard <= before && (is_there || !was_ours || !room.has_open(item))
        });
        look.place = bus.place().map(|(service, collection)| Place { service, collection });
        let owner = bus.owner().unwrap_or_default();
        if !forbidden {
            let is_missing =
                |key: &Fingerprint| !contents.keys.contains(key) && !contents.spoilt.contains(key);
            let missing = self.last_seen.iter().filter(|(key, (seen, _))| is_missing(key) && *seen == owner);
            let lost = missing.map(|(key, (_, path))| Lost { key: *key, is_deleted: bus.was_deleted(path) });
            look.lost = lost.collect();
        }
        self.last_seen.extend(found.into_iter().map(|(key, path)| (key, (owner.clone(), path))));
        Ok(match contents.keys.is_empty() {
            true if forbidden => Seen::NotAllowed,
            true if room.is_half_open => Seen::Locked,
            _ => Seen::Open(contents),
        })
    }

    /// Read back before it counts. That proves the service's memory only: it may write to its disk later.
    fn write_once(&self, key: &Key) -> Result<Option<String>, Error> {
        let (fingerprint, label) = (hex(key.fingerprint), self.label());
        let attributes = HashMap::from([
            ("application", APPLICATION),
            ("home", self.home()),
            ("key", fingerprint.as_str()),
            ("label", label.as_str()),
        ]);
        let entry = Entry { inner: self.store.build(APPLICATION, &fingerprint, Some(&attributes))? };
        entry.set_secret(key.text().as_bytes())?;
        let written = Zeroizing::new(entry.get_secret()?);
        if Key::read(&written).map(|key| key.fingerprint) != Some(key.fingerprint) {
            return Err(Closed::Unintelligible.into_error());
        }
        Ok(store::path_of(&entry))
    }

    /// Twins, as other programs make them when they copy a collection, are one: the newest counts. Says as well whether
    /// there is anything that a person has to allow us to read.
    fn items(&self) -> Result<(Vec<Item>, bool), Error> {
        let (mut items, mut forbidden) = (Vec::<Item>::new(), false);
        for entry in self.store.search(&of_older_versions())? {
            let Some(profile) = self.profile_of(&entry.get_attributes()?) else { continue };
            let stored = match (Entry { inner: entry }).get_secret().map(Zeroizing::new) {
                Err(error) if Closed::of(&error) == Some(Closed::NotAllowed) => {
                    forbidden = true;
                    None
                }
                secret => record::read_item(&secret?)
                    .inspect_err(|problem| {
                        tracing::warn!(profile, %problem, "an item of an older version is left alone");
                    })
                    .ok(),
            };
            let item = Item { profile, stored };
            match items.iter_mut().find(|other| other.profile == item.profile) {
                Some(twin) if age(twin) < age(&item) => *twin = item,
                Some(_) => {}
                None => items.push(item),
            }
        }
        Ok((items, forbidden))
    }

    /// Of an item as older versions made them, if it is of this home.
    fn profile_of(&self, attributes: &HashMap<String, String>) -> Option<String> {
        let user = attributes.get("username")?;
        let profile = match (self.home.as_str(), user.split_once('/')) {
            ("", None) => user,
            ("", Some(_)) | (_, None) => return None,
            (home, Some((of, profile))) => return (of == home).then(|| profile.to_owned()),
        };
        Some(profile.to_owned())
    }

    fn ours(&self) -> HashMap<&str, &str> {
        HashMap::from([("application", APPLICATION), ("home", self.home())])
    }

    fn home(&self) -> &str {
        if self.home.is_empty() { DEFAULT_HOME } else { &self.home }
    }

    /// People see it in their keyring's window.
    fn label(&self) -> String {
        if self.home.is_empty() {
            "Pilotlight – key of the stored sign-ins".to_owned()
        } else {
            format!("Pilotlight – key of the stored sign-ins ({})", self.home)
        }
    }
}

fn of_older_versions() -> HashMap<&'static str, &'static str> {
    HashMap::from([("service", APPLICATION)])
}

fn age(item: &Item) -> Option<i64> {
    item.stored.as_ref().map(|(_, saved_at)| *saved_at)
}

fn trouble_of(error: Error) -> VaultTrouble {
    match Closed::of(&error) {
        Some(Closed::Absent) => VaultTrouble::Absent,
        Some(Closed::Locked) => VaultTrouble::Locked,
        Some(Closed::NoPlace) => VaultTrouble::NoPlace,
        Some(Closed::NotAllowed) => VaultTrouble::NotAllowed,
        Some(Closed::Slow) => VaultTrouble::Slow,
        Some(Closed::Other(_) | Closed::Unintelligible) | None => VaultTrouble::Failed,
    }
}

const APPLICATION: &str = "pilotlight";
const DEFAULT_HOME: &str = "default";
