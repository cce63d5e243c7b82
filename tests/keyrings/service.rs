//! An application that uses the Secret Service by itself, so that a test sees what is there.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::zvariant::{DynamicDeserialize, DynamicType, ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy};

use super::stage::{PATIENCE, Stage, until};

/// With a connection of its own: KeePassXC gives access to one at a time.
pub(crate) struct Service {
    bus: Connection,
    runtime: Runtime,
}

/// As it is kept.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) label: String,
    pub(crate) attributes: HashMap<String, String>,
    pub(crate) secret: String,
}

/// Something that somebody is perhaps asked about.
pub(crate) struct Question(Arc<OnceLock<bool>>);

impl Item {
    pub(crate) fn new(label: &str, attributes: &[(&str, &str)], secret: &str) -> Self {
        let attributes = attributes.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { label: label.to_owned(), attributes: attributes.collect(), secret: secret.to_owned() }
    }

    /// Whether it is what was given to a keyring, which may have added attributes of its own.
    pub(crate) fn is(&self, given: &Self) -> bool {
        let has = |(name, value)| self.attributes.get(name) == Some(value);
        self.label == given.label && self.secret == given.secret && given.attributes.iter().all(has)
    }
}

impl Service {
    pub(crate) fn of(stage: &Stage) -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let bus = runtime.block_on(async {
            zbus::connection::Builder::address(stage.address()).unwrap().build().await.unwrap()
        });
        Self { bus, runtime }
    }

    pub(crate) fn is_there(&self) -> bool {
        self.sees(NAME)
    }

    /// Whether anybody on the bus has that name.
    pub(crate) fn sees(&self, name: &str) -> bool {
        self.talk(async {
            let names = DBusProxy::new(&self.bus).await?;
            Ok(names.name_has_owner(name.try_into()?).await?)
        })
    }

    /// The default one.
    pub(crate) fn collection(&self) -> Option<OwnedObjectPath> {
        let path: OwnedObjectPath = self.call(ROOT, SERVICE, "ReadAlias", &("default",)).ok()?;
        (path.as_str() != "/").then_some(path)
    }

    /// The collection that there is, open.
    pub(crate) fn is_open(&self) -> bool {
        // One that is just being opened comes and goes.
        let is_locked = |path: OwnedObjectPath| self.look_at::<bool>(&path, COLLECTION, "Locked").ok();
        self.collection().and_then(is_locked) == Some(false)
    }

    pub(crate) fn has_access(&self, item: &OwnedObjectPath) -> bool {
        !self.is_locked(item, ITEM)
    }

    /// Somebody is perhaps asked to allow it.
    pub(crate) fn create(&self, item: &Item) -> Option<Question> {
        let properties = HashMap::from([
            ("org.freedesktop.Secret.Item.Label", Value::from(item.label.as_str())),
            ("org.freedesktop.Secret.Item.Attributes", Value::from(item.attributes.clone())),
        ]);
        let secret: Secret =
            (self.session(), Vec::new(), item.secret.clone().into(), "text/plain".to_owned());
        let body = (properties, secret, true);
        let (_, prompt): (OwnedObjectPath, OwnedObjectPath) =
            self.call(&self.collection().unwrap(), COLLECTION, "CreateItem", &body).unwrap();
        self.question(prompt)
    }

    /// The items with these attributes. Asks nobody.
    pub(crate) fn search(&self, attributes: &[(&str, &str)]) -> Vec<OwnedObjectPath> {
        let attributes: HashMap<_, _> = attributes.iter().copied().collect();
        self.call(&self.collection().unwrap(), COLLECTION, "SearchItems", &(attributes,)).unwrap()
    }

    /// The secret, or the name of the error.
    pub(crate) fn read(&self, item: &OwnedObjectPath) -> Result<String, String> {
        match self.call::<(Secret,)>(item, ITEM, "GetSecret", &(self.session(),)) {
            Ok(((_, _, secret, _),)) => Ok(String::from_utf8(secret).unwrap()),
            Err(zbus::Error::MethodError(name, ..)) => Err(name.to_string()),
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn items(&self) -> Vec<Item> {
        let collection = self.collection().unwrap();
        let paths: Vec<OwnedObjectPath> = self.property(&collection, COLLECTION, "Items");
        let item = |path: &OwnedObjectPath| Item {
            label: self.property(path, ITEM, "Label"),
            attributes: self.property(path, ITEM, "Attributes"),
            secret: self.read(path).unwrap(),
        };
        paths.iter().map(item).collect()
    }

    pub(crate) fn delete(&self, item: &OwnedObjectPath) -> Option<Question> {
        let prompt: OwnedObjectPath = self.call(item, ITEM, "Delete", &()).unwrap();
        self.question(prompt)
    }

    pub(crate) fn lock(&self) -> Option<Question> {
        self.turn("Lock", self.collection().unwrap())
    }

    /// Of an item, where access is given to each one by itself.
    pub(crate) fn unlock(&self, item_or_collection: OwnedObjectPath) -> Option<Question> {
        self.turn("Unlock", item_or_collection)
    }

    /// Of KWallet's own interface.
    pub(crate) fn call_kwallet(&self, method: &str, body: &(impl Serialize + DynamicType)) {
        let name = KWALLETS.into_iter().find(|name| self.sees(name)).unwrap();
        let path = format!("/modules/{}", name.rsplit_once('.').unwrap().1);
        self.talk(async {
            self.bus.call_method(Some(name), path.as_str(), Some("org.kde.KWallet"), method, body).await
        });
    }

    /// Of the window of KeePassXC.
    pub(crate) fn call_keepassxc(&self, method: &str, body: &(impl Serialize + DynamicType)) {
        let name = "org.keepassxc.KeePassXC.MainWindow";
        self.talk(async { self.bus.call_method(Some(name), "/keepassxc", Some(name), method, body).await });
    }

    fn turn(&self, method: &str, path: OwnedObjectPath) -> Option<Question> {
        let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) =
            self.call(ROOT, SERVICE, method, &(vec![path],)).unwrap();
        self.question(prompt)
    }

    fn question(&self, prompt: OwnedObjectPath) -> Option<Question> {
        if prompt.as_str() == "/" {
            return None;
        }
        let allowed = Arc::<OnceLock<bool>>::default();
        let answered = Arc::clone(&allowed);
        self.talk(async {
            let prompt =
                Proxy::new_owned(self.bus.clone(), NAME, prompt, "org.freedesktop.Secret.Prompt").await?;
            let mut completed = prompt.receive_signal("Completed").await?;
            self.runtime.spawn(async move {
                let Some(message) = completed.next().await else { return };
                let (dismissed, _): (bool, OwnedValue) = message.body().deserialize().unwrap();
                answered.set(!dismissed).unwrap();
            });
            prompt.call::<_, _, ()>("Prompt", &("",)).await
        });
        Some(Question(allowed))
    }

    fn session(&self) -> OwnedObjectPath {
        let (_, session): (OwnedValue, OwnedObjectPath) =
            self.call(ROOT, SERVICE, "OpenSession", &("plain", Value::from(""))).unwrap();
        session
    }

    fn is_locked(&self, path: &OwnedObjectPath, interface: &str) -> bool {
        self.property(path, interface, "Locked")
    }

    fn property<T: TryFrom<OwnedValue>>(&self, path: &str, interface: &str, name: &str) -> T
    where
        T::Error: std::fmt::Debug,
    {
        self.look_at(path, interface, name).unwrap()
    }

    fn look_at<T: TryFrom<OwnedValue>>(&self, path: &str, interface: &str, name: &str) -> zbus::Result<T>
    where
        T::Error: std::fmt::Debug,
    {
        let body = (interface, name);
        let value: OwnedValue = self.call(path, "org.freedesktop.DBus.Properties", "Get", &body)?;
        Ok(value.try_into().unwrap())
    }

    fn call<R: for<'d> DynamicDeserialize<'d>>(
        &self,
        path: &str,
        interface: &str,
        method: &str,
        body: &(impl Serialize + DynamicType),
    ) -> zbus::Result<R> {
        self.runtime.block_on(async {
            let path = ObjectPath::try_from(path)?;
            let call = self.bus.call_method(Some(NAME), path, Some(interface), method, body);
            let answer = timeout(PATIENCE, call).await.unwrap_or_else(|_| panic!("no answer to {method}"))?;
            answer.body().deserialize()
        })
    }

    fn talk<T>(&self, talk: impl Future<Output = zbus::Result<T>>) -> T {
        self.runtime.block_on(talk).unwrap()
    }
}

impl Question {
    /// Whether it was allowed, once it is answered.
    pub(crate) fn answer(&self) -> bool {
        until("it is answered", || self.0.get().copied())
    }

    pub(crate) fn is_answered(&self) -> bool {
        self.0.get().is_some()
    }
}

/// As the bus hands it over: the session, nothing, the secret, its type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

const NAME: &str = "org.freedesktop.secrets";

const KWALLETS: [&str; 2] = ["org.kde.kwalletd6", "org.kde.kwalletd5"];

const ROOT: &str = "/org/freedesktop/secrets";

const SERVICE: &str = "org.freedesktop.Secret.Service";

const COLLECTION: &str = "org.freedesktop.Secret.Collection";

const ITEM: &str = "org.freedesktop.Secret.Item";
