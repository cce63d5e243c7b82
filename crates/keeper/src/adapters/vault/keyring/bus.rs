//! What can be asked of the service, one call at a time. A collection is looked into only after it has said that it is
//! open, because with some services a search asks.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;

use secret_service::{Item, SecretService};
use tokio::runtime::{Builder, Handle};
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::zvariant::OwnedObjectPath;

use super::closed::Closed;
use super::service::{COLLECTION, Collections, SERVICE, Shared};
use super::signals;

/// Cheap to clone. Its calls wait for the service, however long that takes, and end when the service does.
#[derive(Clone)]
pub(super) struct Bus {
    runtime: Option<Handle>,
    pub(super) shared: Arc<Shared>,
}

pub(super) enum Door {
    Locked,
    Open(Room),
    Trouble(Closed),
}

pub(super) struct Room {
    pub(super) takes_items: bool,
    /// What new items go to is locked, and others are not.
    pub(super) is_half_open: bool,
    pub(super) has_no_collection: bool,
    pub(super) others_are_locked: bool,
    open: Vec<OwnedObjectPath>,
}

impl Room {
    /// The item's collection is open, so that what is missing in it is not only out of sight.
    pub(super) fn has_open(&self, item: &str) -> bool {
        let parent = item.rsplit_once('/').map_or("", |(parent, _)| parent);
        self.open.iter().any(|open| open.as_str() == parent)
    }
}

impl Bus {
    /// `on_change` is called when another look may find something else.
    pub(super) fn start(on_change: impl Fn() + Send + 'static) -> Self {
        let shared = Arc::new(Shared::new());
        let runtime = Builder::new_current_thread().enable_all().build();
        let runtime = runtime.inspect_err(|error| tracing::error!(%error, "no runtime for the keyring")).ok();
        let handle = runtime.as_ref().map(|runtime| runtime.handle().clone());
        let listening = Arc::clone(&shared);
        let started = runtime.map(|runtime| {
            thread::Builder::new().name("keyring-bus".into()).spawn(move || {
                let mut over = listening.over.subscribe();
                runtime.block_on(async {
                    tokio::select! {
                        () = signals::listen(&listening, on_change) => {}
                        _ = over.wait_for(|over| *over) => {}
                    }
                });
            })
        });
        if let Some(Err(error)) = started {
            tracing::error!(%error, "no thread for the keyring's bus");
        }
        Self { runtime: handle, shared }
    }

    /// Runs to its end, or until the service has gone.
    pub(super) fn wait<T>(&self, call: impl Future<Output = Result<T, Closed>>) -> Result<T, Closed> {
        let Some(runtime) = &self.runtime else { return Err(Closed::Other("no runtime".into())) };
        let mut gone = self.shared.gone.subscribe();
        gone.borrow_and_update();
        runtime.block_on(async {
            tokio::select! {
                done = call => done,
                _ = gone.changed() => Err(Closed::Absent),
            }
        })
    }

    pub(super) fn door(&self) -> Door {
        let seen = self.wait(async {
            let Collections { default, open, locked } = self.shared.collections().await?;
            if open.is_empty() && !locked.is_empty() {
                return Ok(None);
            }
            let is_half_open = default.as_ref().is_some_and(|default| locked.contains(default));
            Ok(Some(Room {
                takes_items: default.is_some() && !is_half_open,
                is_half_open,
                has_no_collection: open.is_empty(),
                others_are_locked: !locked.is_empty(),
                open,
            }))
        });
        match seen {
            Ok(Some(room)) => Door::Open(room),
            Ok(None) => Door::Locked,
            Err(closed) => Door::Trouble(closed),
        }
    }

    /// The paths of items in open collections.
    pub(super) fn search(&self, attributes: &HashMap<&str, &str>) -> Result<Vec<String>, Closed> {
        self.wait(async {
            let mut found = Vec::new();
            for path in self.shared.collections().await?.open {
                let collection = self.shared.proxy(path, COLLECTION).await?;
                let items: Vec<OwnedObjectPath> = collection.call("SearchItems", &(attributes,)).await?;
                found.extend(items.iter().map(ToString::to_string));
            }
            Ok(found)
        })
    }

    pub(super) fn attributes(&self, item: &str) -> Result<HashMap<String, String>, Closed> {
        self.wait(async { self.shared.property(item, "Attributes").await })
    }

    /// An item that is locked in an open collection is one that we may not read.
    pub(super) fn secret(&self, item: &str) -> Result<Vec<u8>, Closed> {
        self.wait(async {
            let mut tries = TRIES;
            loop {
                let service = self.shared.service().await?;
                if self.shared.property(item, "Locked").await? {
                    return Err(Closed::NotAllowed);
                }
                tries -= 1;
                match at(&service, item).await?.get_secret().await.map_err(Closed::from) {
                    Err(Closed::Unintelligible) if tries > 0 => self.agree_anew(),
                    got => return got,
                }
            }
        })
    }

    pub(super) fn agree_anew(&self) {
        self.shared.agree_anew();
    }

    /// Replaces an item that has these attributes. Answers where it is.
    pub(super) fn create(
        &self,
        label: &str,
        attributes: HashMap<&str, &str>,
        secret: &[u8],
    ) -> Result<String, Closed> {
        self.wait(async {
            let default = self.shared.collections().await?.default.ok_or(Closed::NoPlace)?;
            let service = self.shared.service().await?;
            let collection = service.get_collection_by_path(default).await?;
            let item = collection.create_item(label, attributes, secret, true, "text/plain").await?;
            Ok(item.item_path.to_string())
        })
    }

    pub(super) fn delete(&self, item: &str) -> Result<(), Closed> {
        self.wait(async {
            let service = self.shared.service().await?;
            Ok(at(&service, item).await?.delete().await?)
        })
    }

    /// The program that keeps it, and the collection that takes new items.
    pub(super) fn place(&self) -> Option<(String, String)> {
        let place = self.wait(async {
            let default = self.shared.collections().await?.default.ok_or(Closed::NoPlace)?;
            let connection = self.shared.connection().await?;
            let names = DBusProxy::new(&connection).await?;
            let pid = names.get_connection_unix_process_id(BusName::try_from(SERVICE)?).await;
            let program = pid.ok().and_then(os::process::name_of);
            Ok((program.unwrap_or_default(), default.to_string()))
        });
        place.ok()
    }

    /// Changes whenever the service begins anew.
    pub(super) fn owner(&self) -> Option<String> {
        self.shared.owner()
    }

    pub(super) fn was_deleted(&self, item: &str) -> bool {
        self.shared.was_deleted(item)
    }

    /// How many were heard of until now.
    pub(super) fn deletions(&self) -> u64 {
        self.shared.deletions()
    }

    pub(super) fn forget_deletions(&self, of: impl Fn(&str, u64) -> bool) {
        self.shared.forget_deletions(of);
    }
}

/// With one of its connections in 256 a service can be misunderstood; with three, hardly.
pub(super) const TRIES: u32 = 3;

async fn at<'a>(service: &'a SecretService<'static>, item: &str) -> Result<Item<'a>, Closed> {
    Ok(service.get_item_by_path(OwnedObjectPath::try_from(item)?).await?)
}
