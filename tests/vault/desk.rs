//! A desktop to test on: a bus of its own, and on it a real keyring that can be locked, stopped and killed.
//!
//! Which bus is the session's is a matter of the whole process; so the body of each test runs in a process of its
//! own, which is this same program, told to run that one test.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::env;
use std::fs::{self, DirBuilder, File};
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;
use tokio::runtime::{Builder, Runtime};
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Type, Value};
use zbus::{Connection, Proxy};

use crate::private_bus::Bus;

/// Runs `body` on a desktop with a bus. `test` is the name of the test that calls this.
pub(crate) fn on_a_desk(test: &str, body: impl FnOnce(&Desk)) {
    on(test, None, body);
}

/// Runs `body` where the session bus is said to be at `address`.
pub(crate) fn with_the_bus_at(address: &str, test: &str, body: impl FnOnce(&Desk)) {
    on(test, Some(address), body);
}

fn on(test: &str, address: Option<&str>, body: impl FnOnce(&Desk)) {
    if env::var_os(INSIDE).is_some() {
        tracing_subscriber::fmt().with_ansi(false).with_max_level(tracing::Level::DEBUG).init();
        return body(&Desk::in_this_process());
    }
    let dir = scratch();
    let bus = address.is_none().then(|| Bus::start(&dir, "unix:tmpdir=/tmp", log(&dir)));
    let address = bus.as_ref().map_or(address.unwrap_or_default(), Bus::address);
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(INSIDE, "yes")
        .env("DBUS_SESSION_BUS_ADDRESS", address)
        .env("DBUS_SYSTEM_BUS_ADDRESS", address)
        .env("HOME", &dir)
        .env("XDG_RUNTIME_DIR", dir.join("run"))
        .env("XDG_DATA_HOME", dir.join("data"))
        .env("XDG_CONFIG_HOME", dir.join("config"))
        .env("CREDENTIALS_DIRECTORY", dir.join("credentials"))
        .env_remove("GNOME_KEYRING_CONTROL")
        .stdout(log(&dir))
        .stderr(log(&dir))
        .spawn()
        .unwrap();
    let since = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if since.elapsed() > Duration::from_secs(180) {
            child.kill().unwrap();
            panic!("{test} hangs");
        }
        sleep(Duration::from_millis(20));
    };
    assert!(status.success(), "in its own process:\n{}", fs::read_to_string(dir.join("log")).unwrap());
    drop(bus);
    fs::remove_dir_all(&dir).unwrap();
}

/// What a test sees of its desktop. It has one connection to the bus: gnome-keyring may go down with a client that goes.
pub(crate) struct Desk {
    runtime: Runtime,
    connection: OnceCell<Connection>,
}

impl Desk {
    fn in_this_process() -> Self {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { runtime, connection: OnceCell::new() }
    }

    /// Talks to the bus.
    pub(crate) fn ask<T>(&self, talk: impl AsyncFnOnce(Connection) -> zbus::Result<T>) -> T {
        let connection =
            self.connection.get_or_init(|| self.runtime.block_on(Connection::session()).unwrap());
        self.runtime.block_on(talk(connection.clone())).unwrap()
    }

    /// Over a connection of its own, for somebody who comes and goes.
    pub(crate) fn ask_apart<T>(&self, talk: impl AsyncFnOnce(Connection) -> zbus::Result<T>) -> T {
        self.runtime.block_on(async { talk(Connection::session().await?).await }).unwrap()
    }

    /// Starts the keyring, makes its collection the first time, and unlocks it.
    pub(crate) fn start_keyring(&self) -> Daemon {
        let mut child = Command::new("gnome-keyring-daemon")
            .args(["--unlock", "--components=secrets", "--foreground"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log(&home()))
            .spawn()
            .unwrap_or_else(|error| not_installed("gnome-keyring-daemon", &error));
        child.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        let daemon = Daemon(child);
        let since = Instant::now();
        while !self.has_keyring() {
            assert!(since.elapsed() < Duration::from_secs(10), "the keyring does not come up");
            sleep(Duration::from_millis(20));
        }
        daemon
    }

    /// One in which nobody has made a collection yet.
    pub(crate) fn start_empty_keyring(&self) -> Daemon {
        let child = Command::new("gnome-keyring-daemon")
            .args(["--components=secrets", "--foreground"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log(&home()))
            .spawn()
            .unwrap_or_else(|error| not_installed("gnome-keyring-daemon", &error));
        let daemon = Daemon(child);
        let since = Instant::now();
        let name = "org.freedesktop.secrets";
        while !self.ask(async |bus| {
            let names = zbus::fdo::DBusProxy::new(&bus).await?;
            Ok(names.name_has_owner(name.try_into()?).await?)
        }) {
            assert!(since.elapsed() < Duration::from_secs(10), "the keyring does not come up");
            sleep(Duration::from_millis(20));
        }
        daemon
    }

    pub(crate) fn start_bus_at(&self, address: &str) -> Bus {
        Bus::start(&home(), address, log(&home()))
    }

    fn has_keyring(&self) -> bool {
        self.ask(async |bus| {
            let names = zbus::fdo::DBusProxy::new(&bus).await?;
            if !names.name_has_owner("org.freedesktop.secrets".try_into()?).await? {
                return Ok(false);
            }
            Ok(collection(&bus).await?.as_str() != "/")
        })
    }

    pub(crate) fn lock(&self) {
        self.ask(async |bus| {
            let collection = collection(&bus).await?;
            let (locked, _): (Vec<OwnedObjectPath>, OwnedObjectPath) =
                service(&bus).await?.call("Lock", &(vec![collection],)).await?;
            assert_eq!(locked.len(), 1);
            Ok(())
        });
    }

    /// As the login screen does it.
    pub(crate) fn unlock(&self) {
        self.ask(async |bus| {
            let master = Secret::of(&bus, PASSWORD.as_bytes()).await?;
            let login =
                proxy(&bus, ROOT, "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface").await?;
            login.call::<_, _, ()>("UnlockWithMasterPassword", &(collection(&bus).await?, master)).await
        });
    }

    /// Puts an item into the keyring behind the vault's back, beside what is there.
    pub(crate) fn add_item(&self, attributes: &[(&str, &str)], text: &str) {
        self.ask(async |bus| {
            let attributes: HashMap<&str, &str> = attributes.iter().copied().collect();
            let properties = HashMap::from([
                ("org.freedesktop.Secret.Item.Label", Value::from("by another hand")),
                ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes)),
            ]);
            let secret = Secret::of(&bus, text.as_bytes()).await?;
            let collection = collection(&bus).await?;
            let (_, _): (OwnedObjectPath, OwnedObjectPath) =
                proxy(&bus, collection.as_str(), "org.freedesktop.Secret.Collection")
                    .await?
                    .call("CreateItem", &(properties, secret, false))
                    .await?;
            Ok(())
        });
    }

    /// Label and secret of every item with these attributes.
    pub(crate) fn items(&self, attributes: &[(&str, &str)]) -> Vec<(String, String)> {
        self.ask(async |bus| {
            let session = session(&bus).await?;
            let mut items = Vec::new();
            for path in open_items(&bus, attributes).await? {
                let item = proxy(&bus, path.as_str(), "org.freedesktop.Secret.Item").await?;
                let read = async {
                    let ((_, _, secret, _),): ((OwnedObjectPath, Vec<u8>, Vec<u8>, String),) =
                        item.call("GetSecret", &(&session,)).await?;
                    Ok((item.get_property("Label").await?, String::from_utf8(secret).unwrap()))
                };
                match read.await {
                    Ok(read) => items.push(read),
                    // The vault has just removed it.
                    Err(zbus::Error::MethodError(name, ..)) if name.ends_with("UnknownMethod") => {}
                    Err(zbus::Error::FDO(error)) if matches!(*error, zbus::fdo::Error::UnknownMethod(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(items)
        })
    }

    /// As a person does it in the keyring's own window.
    /// What the one item is found by.
    pub(crate) fn attributes(&self, attributes: &[(&str, &str)]) -> HashMap<String, String> {
        self.ask(async |bus| {
            let [path] = <[OwnedObjectPath; 1]>::try_from(open_items(&bus, attributes).await?).unwrap();
            proxy(&bus, path.as_str(), "org.freedesktop.Secret.Item").await?.get_property("Attributes").await
        })
    }

    pub(crate) fn delete_items(&self, attributes: &[(&str, &str)]) {
        self.ask(async |bus| {
            for path in open_items(&bus, attributes).await? {
                let item = proxy(&bus, path.as_str(), "org.freedesktop.Secret.Item").await?;
                item.call::<_, _, OwnedObjectPath>("Delete", &()).await?;
            }
            Ok(())
        });
    }

    /// The keyring loses what an item held, as some do when they are killed.
    pub(crate) fn spoil_items(&self, attributes: &[(&str, &str)], text: &str) {
        self.ask(async |bus| {
            let secret = Secret::of(&bus, text.as_bytes()).await?;
            for path in open_items(&bus, attributes).await? {
                let item = proxy(&bus, path.as_str(), "org.freedesktop.Secret.Item").await?;
                item.call::<_, _, ()>("SetSecret", &(&secret,)).await?;
            }
            Ok(())
        });
    }

    /// Everything that the keyring has on its disk.
    pub(crate) fn keyring_files(&self) -> PathBuf {
        PathBuf::from(env::var_os("XDG_DATA_HOME").unwrap()).join("keyrings")
    }
}

/// Ends with the test.
pub(crate) struct Daemon(Child);

impl Daemon {
    pub(crate) fn pause(&self) {
        self.send(Signal::STOP);
    }

    pub(crate) fn go_on(&self) {
        self.send(Signal::CONT);
    }

    pub(crate) fn kill(mut self) {
        self.end();
    }

    fn send(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.0), signal).unwrap();
    }

    fn end(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}

async fn proxy<'a>(bus: &Connection, path: &str, interface: &'static str) -> zbus::Result<Proxy<'a>> {
    let path = OwnedObjectPath::try_from(path)?;
    zbus::proxy::Builder::new(bus)
        .destination("org.freedesktop.secrets")?
        .path(path)?
        .interface(interface)?
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

async fn service<'a>(bus: &Connection) -> zbus::Result<Proxy<'a>> {
    proxy(bus, ROOT, "org.freedesktop.Secret.Service").await
}

async fn collection(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    service(bus).await?.call("ReadAlias", &("default",)).await
}

async fn open_items(bus: &Connection, attributes: &[(&str, &str)]) -> zbus::Result<Vec<OwnedObjectPath>> {
    let attributes: HashMap<&str, &str> = attributes.iter().copied().collect();
    let (open, _): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
        service(bus).await?.call("SearchItems", &(attributes,)).await?;
    Ok(open)
}

async fn session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let (_, session): (OwnedValue, OwnedObjectPath) =
        service(bus).await?.call("OpenSession", &("plain", Value::from(""))).await?;
    Ok(session)
}

#[derive(Serialize, Type)]
struct Secret {
    session: OwnedObjectPath,
    parameters: Vec<u8>,
    value: Vec<u8>,
    content_type: String,
}

impl Secret {
    async fn of(bus: &Connection, value: &[u8]) -> zbus::Result<Self> {
        let session = session(bus).await?;
        Ok(Self { session, parameters: Vec::new(), value: value.to_vec(), content_type: "text/plain".into() })
    }
}

/// The folder of the test, in its own process.
fn home() -> PathBuf {
    PathBuf::from(env::var_os("HOME").unwrap())
}

fn log(dir: &Path) -> File {
    File::options().append(true).create(true).open(dir.join("log")).unwrap()
}

fn not_installed(program: &str, error: &std::io::Error) -> ! {
    panic!("{program}: {error}. This test needs a real keyring: apt-get install dbus gnome-keyring")
}

fn scratch() -> PathBuf {
    // The keyring makes a socket in it, whose path has little room for a test's name.
    static MADE: AtomicU32 = AtomicU32::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let dir = env::temp_dir().join(format!("pilotlight-vault-{}-{number}", std::process::id()));
    drop(fs::remove_dir_all(&dir));
    for part in ["run", "data", "config"] {
        DirBuilder::new().recursive(true).mode(0o700).create(dir.join(part)).unwrap();
    }
    dir
}

const INSIDE: &str = "PILOTLIGHT_TEST_DESK";

const ROOT: &str = "/org/freedesktop/secrets";

const PASSWORD: &str = "correct horse";
