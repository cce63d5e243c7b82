//! What may open a dialog. A question that was asked cannot be taken back: gnome-keyring 42 crashes on that, and with
//! others the dialog stays on the screen.

use std::collections::HashMap;

use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};

use super::bus::Bus;
use super::closed::Closed;
use super::service::{COLLECTION, Collections, ITEM, NONE, ROOT, SERVICE, Shared};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opened {
    Dismissed,
    /// Also when it was opened in another way, or has gone.
    Over,
}

impl Bus {
    /// Asks the person to open what new items go to, and else whatever is locked. Waits for the answer.
    pub(super) fn unlock(&self, ours: &[HashMap<&str, &str>]) -> Opened {
        let asked = self.wait(async {
            let Collections { default, open, locked } = self.shared.collections().await?;
            let wanted = match default.filter(|default| locked.contains(default)) {
                Some(default) => vec![default],
                None if !locked.is_empty() => locked,
                None => self.shared.forbidden(&open, ours).await?,
            };
            self.shared.ask_to_unlock(wanted).await
        });
        match asked {
            Ok(opened) => opened,
            Err(closed) => {
                tracing::info!(%closed, "nobody was asked to open the keyring");
                Opened::Over
            }
        }
    }

    /// For a service that has no collection yet: a person makes one, and chooses its password.
    pub(super) fn make_place(&self) -> Result<(), Closed> {
        self.wait(async {
            let properties =
                HashMap::from([("org.freedesktop.Secret.Collection.Label", Value::from("Default"))]);
            let service = self.shared.proxy(OwnedObjectPath::try_from(ROOT)?, INTERFACE).await?;
            let (made, prompt): (OwnedObjectPath, OwnedObjectPath) =
                service.call("CreateCollection", &(properties, "default")).await?;
            if made.as_str() != NONE || prompt.as_str() == NONE {
                return Ok(());
            }
            match self.shared.prompt(prompt).await? {
                Opened::Dismissed => Err(Closed::NoPlace),
                Opened::Over => Ok(()),
            }
        })
    }
}

impl Shared {
    /// KWallet calls a wallet locked that the login has opened, until somebody asks; then it opens without a dialog.
    pub(super) async fn opens_by_itself(&self, collection: &OwnedObjectPath) -> bool {
        match self.is_open_in_kwallet(collection).await {
            Ok(true) => self.ask_to_unlock(vec![collection.clone()]).await == Ok(Opened::Over),
            Ok(false) | Err(_) => false,
        }
    }

    async fn is_open_in_kwallet(&self, collection: &OwnedObjectPath) -> Result<bool, Closed> {
        let connection = self.connection().await?;
        let names = DBusProxy::new(&connection).await?;
        let owner = names.get_name_owner(BusName::try_from(SERVICE)?).await?;
        for (name, path) in KWALLETS {
            let theirs = names.get_name_owner(BusName::try_from(name)?).await;
            if theirs.is_ok_and(|theirs| theirs == owner) {
                let label: String =
                    self.proxy(collection.clone(), COLLECTION).await?.get_property("Label").await?;
                let wallets = zbus::proxy::Builder::<zbus::Proxy<'_>>::new(&connection)
                    .destination(name)?
                    .path(path)?
                    .interface("org.kde.KWallet")?
                    .cache_properties(CacheProperties::No)
                    .build()
                    .await?;
                return Ok(wallets.call("isOpen", &(label,)).await?);
            }
        }
        Ok(false)
    }

    /// Items of ours that an open collection does not let us read.
    async fn forbidden(
        &self,
        open: &[OwnedObjectPath],
        ours: &[HashMap<&str, &str>],
    ) -> Result<Vec<OwnedObjectPath>, Closed> {
        let mut forbidden = Vec::new();
        for path in open {
            let collection = self.proxy(path.clone(), COLLECTION).await?;
            let mut items: Vec<OwnedObjectPath> = Vec::new();
            for attributes in ours {
                items.extend(collection.call::<_, _, Vec<_>>("SearchItems", &(attributes,)).await?);
            }
            for item in items {
                if self.property(&item, "Locked").await? {
                    forbidden.push(item);
                }
            }
        }
        Ok(forbidden)
    }

    async fn ask_to_unlock(&self, wanted: Vec<OwnedObjectPath>) -> Result<Opened, Closed> {
        if wanted.is_empty() {
            return Ok(Opened::Over);
        }
        let service = self.proxy(OwnedObjectPath::try_from(ROOT)?, INTERFACE).await?;
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            service.call("Unlock", &(&wanted,)).await?;
        if prompt.as_str() == NONE { Ok(Opened::Over) } else { self.prompt_for(prompt, &wanted).await }
    }

    /// Another way of opening it does not end the question, so that is looked at whenever something has changed.
    async fn prompt_for(
        &self,
        prompt: OwnedObjectPath,
        wanted: &[OwnedObjectPath],
    ) -> Result<Opened, Closed> {
        let mut changed = self.changed.subscribe();
        changed.borrow_and_update();
        let opened = async {
            while changed.changed().await.is_ok() {
                if self.are_open(wanted).await {
                    return;
                }
            }
            std::future::pending().await
        };
        tokio::select! {
            answered = self.prompt(prompt) => answered,
            () = opened => Ok(Opened::Over),
        }
    }

    async fn are_open(&self, wanted: &[OwnedObjectPath]) -> bool {
        for path in wanted {
            let interface = if path.as_str().matches('/').count() > 5 { ITEM } else { COLLECTION };
            let is_locked = match self.proxy(path.clone(), interface).await {
                Ok(proxy) => proxy.get_property::<bool>("Locked").await.unwrap_or(true),
                Err(_) => true,
            };
            if is_locked {
                return false;
            }
        }
        true
    }

    async fn prompt(&self, path: OwnedObjectPath) -> Result<Opened, Closed> {
        let prompt = self.proxy(path, "org.freedesktop.Secret.Prompt").await?;
        let mut completed = prompt.receive_signal("Completed").await?;
        prompt.call::<_, _, ()>("Prompt", &("",)).await?;
        let Some(signal) = completed.next().await else { return Err(Closed::Absent) };
        let (dismissed, _): (bool, OwnedValue) = signal.body().deserialize()?;
        Ok(if dismissed { Opened::Dismissed } else { Opened::Over })
    }
}

const INTERFACE: &str = "org.freedesktop.Secret.Service";

const KWALLETS: [(&str, &str); 2] =
    [("org.kde.kwalletd6", "/modules/kwalletd6"), ("org.kde.kwalletd5", "/modules/kwalletd5")];
