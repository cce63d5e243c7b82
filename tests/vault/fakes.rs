//! What stands on the test's desktop in the place of something else: a dialog, and a keyring that hangs.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde::Serialize;
use zbus::Connection;
use zbus::message::{Flags, Header, Message};
use zbus::zvariant::{DynamicType, OwnedObjectPath, OwnedValue, Value};

use super::desk::Desk;

/// Stands where the desktop's dialog would and counts how often it opens.
pub(crate) struct Questions {
    bus: Connection,
    seen: Arc<Mutex<Vec<Callback>>>,
}

/// Where the keyring waits for what a person says.
#[derive(Clone)]
struct Callback {
    caller: String,
    path: OwnedObjectPath,
}

impl Questions {
    pub(crate) fn of(desk: &Desk) -> Self {
        let seen = Arc::<Mutex<Vec<Callback>>>::default();
        let prompter = Prompter(Arc::clone(&seen));
        let bus = desk.ask_apart(async |bus| {
            bus.object_server().at("/org/gnome/keyring/Prompter", prompter).await?;
            bus.request_name("org.gnome.keyring.SystemPrompter").await?;
            Ok(bus)
        });
        Self { bus, seen }
    }

    pub(crate) fn come_to(&self, count: usize) {
        let since = Instant::now();
        while self.seen.lock().unwrap().len() < count {
            assert!(since.elapsed() < Duration::from_secs(5), "nobody was asked");
            sleep(Duration::from_millis(10));
        }
        sleep(Duration::from_millis(300));
        assert_eq!(self.seen.lock().unwrap().len(), count);
    }

    /// *Cancel* in the newest dialog.
    pub(crate) fn cancel(&self, desk: &Desk) {
        let newest = self.seen.lock().unwrap().last().cloned().unwrap();
        desk.ask(async |_| newest.ready(&self.bus, "no").await);
        sleep(Duration::from_millis(300));
    }
}

impl Callback {
    fn of(header: &Header<'_>, path: OwnedObjectPath) -> Self {
        Self { caller: header.sender().unwrap().to_string(), path }
    }

    async fn ready(&self, bus: &Connection, reply: &str) -> zbus::Result<()> {
        self.call(bus, "PromptReady", &(reply, HashMap::<&str, Value<'_>>::new(), "")).await
    }

    async fn call(
        &self,
        bus: &Connection,
        method: &'static str,
        body: &(impl Serialize + DynamicType + Sync),
    ) -> zbus::Result<()> {
        let message = Message::method_call(&self.path, method)?
            .destination(self.caller.as_str())?
            .interface("org.gnome.keyring.internal.Prompter.Callback")?
            .with_flags(Flags::NoReplyExpected)?
            .build(body)?;
        bus.send(&message).await
    }
}

struct Prompter(Arc<Mutex<Vec<Callback>>>);

#[zbus::interface(name = "org.gnome.keyring.internal.Prompter")]
impl Prompter {
    fn begin_prompting(
        &self,
        callback: OwnedObjectPath,
        #[zbus(connection)] bus: &Connection,
        #[zbus(header)] header: Header<'_>,
    ) {
        let (bus, callback) = (bus.clone(), Callback::of(&header, callback));
        // Called back before it has its answer, the keyring does not listen yet.
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(50)).await;
            callback.ready(&bus, "").await
        });
    }

    /// The dialog opens.
    fn perform_prompt(
        &self,
        callback: OwnedObjectPath,
        _kind: &str,
        _properties: HashMap<String, OwnedValue>,
        _exchange: &str,
        #[zbus(header)] header: Header<'_>,
    ) {
        self.0.lock().unwrap().push(Callback::of(&header, callback));
    }

    async fn stop_prompting(
        &self,
        callback: OwnedObjectPath,
        #[zbus(connection)] bus: &Connection,
        #[zbus(header)] header: Header<'_>,
    ) {
        Callback::of(&header, callback).call(bus, "PromptDone", &()).await.unwrap();
    }
}

/// A keyring that says it is open, and then does not answer.
pub(crate) async fn hang(bus: &Connection) -> zbus::Result<()> {
    bus.object_server().at("/org/freedesktop/secrets", Hanging).await?;
    bus.object_server().at(HANGING_COLLECTION, Open).await?;
    bus.request_name("org.freedesktop.secrets").await
}

struct Hanging;

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Hanging {
    fn search_items(
        &self,
        _attributes: HashMap<String, String>,
    ) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        (Vec::new(), Vec::new())
    }

    fn read_alias(&self, _name: &str) -> OwnedObjectPath {
        OwnedObjectPath::try_from(HANGING_COLLECTION).unwrap()
    }

    async fn open_session(&self, _algorithm: &str, _input: Value<'_>) -> (OwnedValue, OwnedObjectPath) {
        std::future::pending().await
    }
}

struct Open;

#[zbus::interface(name = "org.freedesktop.Secret.Collection")]
impl Open {
    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }
}

/// A keyring that agrees with whoever asks upon another key than they think, until it is asked for none. It opens as
/// empty, and has room for one item.
pub(crate) async fn misunderstand(bus: &Connection) -> zbus::Result<Shelf> {
    let (server, kept) = (bus.object_server(), Attributes::default());
    server.at("/org/freedesktop/secrets", Misunderstanding { agreed: 0 }).await?;
    server.at(HANGING_COLLECTION, OneItem { attributes: Arc::clone(&kept) }).await?;
    bus.request_name("org.freedesktop.secrets").await?;
    Ok(Shelf { bus: bus.clone(), kept })
}

type Attributes = Arc<Mutex<Option<HashMap<String, String>>>>;

/// What a person does with that one item.
pub(crate) struct Shelf {
    bus: Connection,
    kept: Attributes,
}

impl Shelf {
    /// The item goes, and the keyring has not said so yet.
    pub(crate) fn delete(&self) {
        *self.kept.lock().unwrap() = None;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.kept.lock().unwrap().is_none()
    }

    pub(crate) fn announce(&self, desk: &Desk) {
        let item = OwnedObjectPath::try_from(ONE_ITEM).unwrap();
        let interface = "org.freedesktop.Secret.Collection";
        desk.ask(async |_| {
            self.bus.emit_signal(None::<&str>, HANGING_COLLECTION, interface, "ItemDeleted", &(item,)).await
        });
    }
}

struct Misunderstanding {
    agreed: u32,
}

#[zbus::interface(name = "org.freedesktop.Secret.Service")]
impl Misunderstanding {
    fn read_alias(&self, _name: &str) -> OwnedObjectPath {
        OwnedObjectPath::try_from(HANGING_COLLECTION).unwrap()
    }

    fn open_session(
        &mut self,
        algorithm: &str,
        _input: Value<'_>,
    ) -> zbus::fdo::Result<(OwnedValue, OwnedObjectPath)> {
        let path = |name: &str| OwnedObjectPath::try_from(format!("/session/{name}")).unwrap();
        match algorithm {
            "plain" => Ok((Value::from("").try_into().unwrap(), path("plain"))),
            _ if self.agreed == 0 => {
                self.agreed += 1;
                Ok((Value::from(vec![7_u8; 128]).try_into().unwrap(), path("encrypted")))
            }
            _ => Err(zbus::fdo::Error::NotSupported("only once".into())),
        }
    }

    #[zbus(property)]
    fn collections(&self) -> Vec<OwnedObjectPath> {
        vec![OwnedObjectPath::try_from(HANGING_COLLECTION).unwrap()]
    }
}

struct OneItem {
    attributes: Attributes,
}

type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

#[zbus::interface(name = "org.freedesktop.Secret.Collection")]
impl OneItem {
    fn search_items(&self, attributes: HashMap<String, String>) -> Vec<OwnedObjectPath> {
        let has = |kept: &&HashMap<String, String>| {
            attributes.iter().all(|(name, value)| kept.get(name) == Some(value))
        };
        let is_found = self.attributes.lock().unwrap().as_ref().is_some_and(|kept| has(&kept));
        is_found.then(|| OwnedObjectPath::try_from(ONE_ITEM).unwrap()).into_iter().collect()
    }

    async fn create_item(
        &self,
        mut properties: HashMap<String, OwnedValue>,
        secret: Secret,
        _replace: bool,
        #[zbus(object_server)] server: &zbus::ObjectServer,
    ) -> zbus::fdo::Result<(OwnedObjectPath, OwnedObjectPath)> {
        let attributes = properties.remove("org.freedesktop.Secret.Item.Attributes").unwrap();
        let attributes: HashMap<String, String> = attributes.try_into().unwrap();
        *self.attributes.lock().unwrap() = Some(attributes.clone());
        let is_plain = secret.0.as_str() == "/session/plain";
        // There is none at first.
        server.remove::<TheItem, _>(ONE_ITEM).await.ok();
        server
            .at(ONE_ITEM, TheItem { attributes, secret: if is_plain { secret.2 } else { Vec::new() } })
            .await?;
        Ok((OwnedObjectPath::try_from(ONE_ITEM).unwrap(), OwnedObjectPath::try_from("/").unwrap()))
    }

    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }
}

struct TheItem {
    attributes: HashMap<String, String>,
    secret: Vec<u8>,
}

#[zbus::interface(name = "org.freedesktop.Secret.Item")]
impl TheItem {
    fn get_secret(&self, session: OwnedObjectPath) -> (Secret,) {
        // No key makes anything of fifteen bytes.
        let text = if session.as_str() == "/session/plain" { self.secret.clone() } else { vec![7; 15] };
        ((session, vec![7; 16], text, "text/plain".to_owned()),)
    }

    #[zbus(property)]
    fn attributes(&self) -> HashMap<String, String> {
        self.attributes.clone()
    }

    #[zbus(property)]
    fn locked(&self) -> bool {
        false
    }
}

const ONE_ITEM: &str = "/org/freedesktop/secrets/collection/login/1";

const HANGING_COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
