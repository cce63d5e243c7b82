//! A store for `keyring` whose manners suit all services. The one that comes with it asks people to open what is locked,
//! and waits without limit; opens a connection for each store; searches what is locked; and changes items in a way that
//! does not reach the disk of every service.

use std::any::Any;
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use keyring::Entry;
use keyring_core::Error;
use keyring_core::api::{Credential, CredentialApi, CredentialStoreApi};

use super::bus::Bus;
use super::closed::Closed;

#[derive(Clone)]
pub(super) struct Store(Bus);

struct Item {
    bus: Bus,
    /// `None` until it has been created.
    path: std::sync::Mutex<Option<String>>,
    label: String,
    attributes: HashMap<String, String>,
}

impl Store {
    pub(super) fn on(bus: Bus) -> Self {
        Self(bus)
    }

    pub(super) fn bus(&self) -> &Bus {
        &self.0
    }
}

/// Where an item is, for as long as the service lives.
pub(super) fn path_of(entry: &Entry) -> Option<String> {
    entry.inner.as_any().downcast_ref::<Item>().and_then(Item::path)
}

impl CredentialStoreApi for Store {
    fn vendor(&self) -> String {
        "Secret Service, https://specifications.freedesktop.org/secret-service".into()
    }

    fn id(&self) -> String {
        format!("pilotlight {}", env!("CARGO_PKG_VERSION"))
    }

    /// `modifiers` are the item's attributes, and its `label`.
    fn build(
        &self,
        service: &str,
        user: &str,
        modifiers: Option<&HashMap<&str, &str>>,
    ) -> keyring_core::Result<keyring_core::Entry> {
        let mut attributes: HashMap<String, String> =
            modifiers.into_iter().flatten().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        let label = attributes.remove("label").unwrap_or_else(|| format!("{service}: {user}"));
        let item = Item { bus: self.0.clone(), path: None.into(), label, attributes };
        Ok(keyring_core::Entry::new_with_credential(Arc::new(item)))
    }

    fn search(&self, spec: &HashMap<&str, &str>) -> keyring_core::Result<Vec<keyring_core::Entry>> {
        let paths = self.0.search(spec).map_err(Closed::into_error)?;
        let item = |path| Item {
            bus: self.0.clone(),
            path: Some(path).into(),
            label: String::new(),
            attributes: HashMap::new(),
        };
        Ok(paths
            .into_iter()
            .map(|path| keyring_core::Entry::new_with_credential(Arc::new(item(path))))
            .collect())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Item {
    fn path(&self) -> Option<String> {
        self.path.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn at(&self) -> keyring_core::Result<String> {
        self.path().ok_or(Error::NoEntry)
    }
}

impl CredentialApi for Item {
    /// Creates it anew, in the place of one with the same attributes: with some services only that reaches the disk.
    fn set_secret(&self, secret: &[u8]) -> keyring_core::Result<()> {
        let attributes =
            self.attributes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let path = self.bus.create(&self.label, attributes, secret).map_err(Closed::into_error)?;
        *self.path.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(path);
        Ok(())
    }

    fn get_secret(&self) -> keyring_core::Result<Vec<u8>> {
        self.bus.secret(&self.at()?).map_err(Closed::into_error)
    }

    fn get_attributes(&self) -> keyring_core::Result<HashMap<String, String>> {
        self.bus.attributes(&self.at()?).map_err(Closed::into_error)
    }

    fn delete_credential(&self) -> keyring_core::Result<()> {
        self.bus.delete(&self.at()?).map_err(Closed::into_error)
    }

    fn get_credential(&self) -> keyring_core::Result<Option<Arc<Credential>>> {
        self.at().map(|_| None)
    }

    fn get_specifiers(&self) -> Option<(String, String)> {
        None
    }

    fn as_any(&self) -> &dyn Any {
        self
    }

    fn debug_fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item").field("path", &self.path()).finish_non_exhaustive()
    }
}
