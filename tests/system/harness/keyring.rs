//! A keyring of the test's own: a private bus with gnome-keyring on it, unlocked, in a directory that goes away.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, MutexGuard};

use rustix::process::{Pid, Signal, kill_process};
use zbus::zvariant::{ObjectPath, OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, Proxy};

use super::{Scratch, until};
use crate::private_bus::Bus;

pub(crate) struct Keyring {
    home: Scratch,
    bus: Bus,
    daemon: Mutex<Child>,
}

impl Keyring {
    pub(crate) fn start() -> Self {
        let home = Scratch::new();
        let listen = format!("unix:path={}", home.path().join("bus").display());
        let bus = Bus::start(home.path(), &listen, log(&home));
        let daemon = daemon(&home, bus.address());
        let keyring = Self { home, bus, daemon: Mutex::new(daemon) };
        until("the keyring is on its bus", || keyring.is_there().then_some(()));
        keyring
    }

    /// What a keeper needs to find it.
    pub(crate) fn env(&self) -> Vec<(String, String)> {
        let address = ("DBUS_SESSION_BUS_ADDRESS".to_owned(), self.bus.address().to_owned());
        // The keeper's own directories are those of its home; only the keyring's are here.
        vec![address]
    }

    /// The text of the one key that the keeper has put here.
    pub(crate) fn key(&self) -> String {
        let [key] = <[String; 1]>::try_from(self.texts(("application", "pilotlight"))).unwrap();
        key
    }

    pub(crate) fn has_key(&self) -> bool {
        !self.texts(("application", "pilotlight")).is_empty()
    }

    /// What older versions kept here.
    pub(crate) fn items(&self) -> Vec<String> {
        self.texts(("service", "pilotlight"))
    }

    /// As an older version kept a session of the home.
    pub(crate) fn put(&self, home: &str, profile: &str, text: &str) {
        self.talk(async |bus| {
            let session = session(bus).await?;
            let user = format!("{home}/{profile}");
            let attributes = HashMap::from([("service", "pilotlight"), ("username", user.as_str())]);
            let properties = HashMap::from([
                ("org.freedesktop.Secret.Item.Label", Value::from("Pilotlight")),
                ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes)),
            ]);
            let secret: Secret = (session, Vec::new(), text.into(), "text/plain".to_owned());
            let collection = at(bus, COLLECTION, "org.freedesktop.Secret.Collection").await?;
            let (_, _): (OwnedObjectPath, OwnedObjectPath) =
                collection.call("CreateItem", &(properties, secret, false)).await?;
            Ok(())
        });
    }

    /// Whatever crosses the bus from now on.
    pub(crate) fn overhear(&self) -> Overheard {
        let path = self.home.path().join("overheard");
        let monitor = Command::new("dbus-monitor")
            .args(["--address", self.bus.address(), "--binary"])
            .stdin(Stdio::null())
            .stdout(File::create(&path).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .expect("the tests need dbus-monitor (package dbus)");
        let overheard = Overheard { monitor, path };
        until("somebody listens", || {
            let _ = self.is_there();
            overheard.text().contains("NameHasOwner").then_some(())
        });
        overheard
    }

    pub(crate) fn lock(&self) {
        self.talk(async |bus| {
            let service = at(bus, ROOT, "org.freedesktop.Secret.Service").await?;
            let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) =
                service.call("Lock", &(vec![ObjectPath::try_from(COLLECTION)?],)).await?;
            assert_eq!(locked.len(), 1);
            Ok(())
        });
    }

    /// It takes calls and answers none, until it is let go on.
    pub(crate) fn hang(&self, hang: bool) {
        let signal = if hang { Signal::STOP } else { Signal::CONT };
        kill_process(Pid::from_child(&self.daemon()), signal).unwrap();
    }

    /// Its daemon, and not the bus.
    pub(crate) fn kill(&self) {
        end(&mut self.daemon());
    }

    /// With what it had, and open.
    pub(crate) fn start_again(&self) {
        *self.daemon() = daemon(&self.home, self.bus.address());
        until("the keyring is on its bus again", || self.is_there().then_some(()));
    }

    /// As the login screen does it, as soon as there is something to unlock.
    pub(crate) fn unlock(&self) {
        until("the keyring has its collection", || self.try_to_unlock().ok());
    }

    fn try_to_unlock(&self) -> zbus::Result<()> {
        self.try_to_talk(async |bus| {
            let session = session(bus).await?;
            let password: Secret = (session, Vec::new(), PASSWORD.into(), "text/plain".to_owned());
            let login = at(bus, ROOT, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface").await?;
            let collection = ObjectPath::try_from(COLLECTION)?;
            login.call::<_, _, ()>("UnlockWithMasterPassword", &(collection, password)).await
        })
    }

    fn texts(&self, attribute: (&str, &str)) -> Vec<String> {
        self.talk(async |bus| {
            let session = session(bus).await?;
            let service = at(bus, ROOT, "org.freedesktop.Secret.Service").await?;
            let (open, _): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
                service.call("SearchItems", &(HashMap::from([attribute]),)).await?;
            let mut texts = Vec::new();
            for path in open {
                let item = at(bus, path.as_str(), "org.freedesktop.Secret.Item").await?;
                // One that was deleted since it was found is gone.
                if let Ok((read,)) = item.call::<_, _, (Secret,)>("GetSecret", &(&session,)).await {
                    texts.push(String::from_utf8(read.2).unwrap());
                }
            }
            Ok(texts)
        })
    }

    /// gnome-keyring may go down with a client that is killed while it asks for something. Such a one is started again.
    pub(crate) fn rise(&self) {
        let ended = self.daemon().try_wait().unwrap();
        if let Some(signal) = ended.and_then(|status| status.signal()) {
            eprintln!("gnome-keyring was ended by signal {signal}, and is started again");
            self.start_again();
            self.unlock();
        }
    }

    fn daemon(&self) -> MutexGuard<'_, Child> {
        self.daemon.lock().unwrap()
    }

    fn talk<T>(&self, talk: impl AsyncFnOnce(&Connection) -> zbus::Result<T>) -> T {
        self.try_to_talk(talk).unwrap()
    }

    fn try_to_talk<T>(&self, talk: impl AsyncFnOnce(&Connection) -> zbus::Result<T>) -> zbus::Result<T> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bus = zbus::connection::Builder::address(self.bus.address())?.build().await?;
            talk(&bus).await
        })
    }

    fn is_there(&self) -> bool {
        let is_there = self.try_to_talk(async |bus| {
            let proxy = zbus::fdo::DBusProxy::new(bus).await?;
            let name = zbus::names::BusName::try_from("org.freedesktop.secrets")?;
            Ok(proxy.name_has_owner(name).await?)
        });
        is_there.unwrap_or(false)
    }
}

pub(crate) struct Overheard {
    monitor: Child,
    path: PathBuf,
}

impl Overheard {
    pub(crate) fn end(mut self) -> String {
        drop(self.monitor.kill());
        drop(self.monitor.wait());
        self.text()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.path).unwrap()).into_owned()
    }
}

impl Drop for Keyring {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the keyring's words:\n{}", fs::read_to_string(log_of(&self.home)).unwrap_or_default());
        }
        end(&mut self.daemon());
    }
}

fn daemon(home: &Scratch, address: &str) -> Child {
    let mut daemon = Command::new("gnome-keyring-daemon")
        .args(["--foreground", "--unlock", "--components=secrets"])
        .envs(env_of(home, address))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(log(home))
        .spawn()
        .expect("the tests need gnome-keyring-daemon (package gnome-keyring)");
    daemon.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
    daemon
}

fn end(daemon: &mut Child) {
    drop(daemon.kill());
    drop(daemon.wait());
}

fn log_of(home: &Scratch) -> PathBuf {
    home.path().join("keyring.log")
}

fn log(home: &Scratch) -> File {
    File::options().append(true).create(true).open(log_of(home)).unwrap()
}

async fn session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let service = at(bus, ROOT, "org.freedesktop.Secret.Service").await?;
    let (_, session): (OwnedValue, OwnedObjectPath) =
        service.call("OpenSession", &("plain", Value::from(""))).await?;
    Ok(session)
}

async fn at<'a>(bus: &Connection, path: &'a str, interface: &'static str) -> zbus::Result<Proxy<'a>> {
    Proxy::new(bus, "org.freedesktop.secrets", ObjectPath::try_from(path)?, interface).await
}

/// As the bus hands it over: the session, nothing, the secret, its type.
type Secret = (OwnedObjectPath, Vec<u8>, Vec<u8>, String);

fn env_of(home: &Scratch, address: &str) -> Vec<(&'static str, String)> {
    let dir = home.path().display().to_string();
    vec![
        ("DBUS_SESSION_BUS_ADDRESS", address.to_owned()),
        ("HOME", dir.clone()),
        ("XDG_DATA_HOME", format!("{dir}/data")),
        ("XDG_CONFIG_HOME", format!("{dir}/config")),
        ("XDG_CACHE_HOME", format!("{dir}/cache")),
        ("XDG_RUNTIME_DIR", dir),
    ]
}

const PASSWORD: &str = "of the test";

const ROOT: &str = "/org/freedesktop/secrets";

const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
