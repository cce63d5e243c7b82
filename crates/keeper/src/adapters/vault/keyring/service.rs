//! The Secret Service over one connection that lives as long as the process: some services ask a person once for each
//! connection. Nothing here asks anybody; what could is in [`super::prompt`].

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use secret_service::{EncryptionType, SecretService};
use session::limits;
use tokio::sync::watch;
use tokio::time::timeout;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, Proxy};

use super::closed::Closed;

pub(super) struct Shared {
    connection: Mutex<Option<Connection>>,
    service: Mutex<Option<Service>>,
    deleted: Mutex<Deletions>,
    /// Counts the services that have gone.
    pub(super) gone: watch::Sender<u64>,
    /// Nobody listens any more.
    pub(super) over: watch::Sender<bool>,
    /// Counts what the service has said about its collections.
    pub(super) changed: watch::Sender<u64>,
}

/// The paths of items that were said to be deleted, and the how-manieth of all deletions each was.
#[derive(Default)]
struct Deletions {
    heard: u64,
    items: HashMap<String, u64>,
}

#[derive(Clone)]
struct Service {
    owner: String,
    secrets: Arc<SecretService<'static>>,
}

/// The collections that can be looked into, and those that cannot.
pub(super) struct Collections {
    pub(super) default: Option<OwnedObjectPath>,
    pub(super) open: Vec<OwnedObjectPath>,
    pub(super) locked: Vec<OwnedObjectPath>,
}

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            connection: Mutex::default(),
            service: Mutex::default(),
            deleted: Mutex::default(),
            gone: watch::Sender::default(),
            over: watch::Sender::default(),
            changed: watch::Sender::default(),
        }
    }

    /// Changes whenever the service begins anew.
    pub(super) fn owner(&self) -> Option<String> {
        lock(&self.service).as_ref().map(|service| service.owner.clone())
    }

    pub(super) fn was_deleted(&self, item: &str) -> bool {
        lock(&self.deleted).items.contains_key(item)
    }

    pub(super) fn deletions(&self) -> u64 {
        lock(&self.deleted).heard
    }

    pub(super) async fn connection(&self) -> Result<Connection, Closed> {
        let known = lock(&self.connection).clone();
        if let Some(connection) = known {
            return Ok(connection);
        }
        // A bus that says nothing is not asked twice at once, because this is not the service.
        let connected = timeout(limits::VAULT_LOOK, Connection::session()).await.map_err(|_| Closed::Slow)?;
        let connection = connected.map_err(|error| {
            tracing::debug!(%error, "no session bus");
            if is_nowhere(&error) { Closed::Absent } else { error.into() }
        })?;
        // Somebody else may have been faster, and there is to be one connection.
        Ok(lock(&self.connection).get_or_insert(connection).clone())
    }

    pub(super) async fn service(&self) -> Result<Arc<SecretService<'static>>, Closed> {
        let known = lock(&self.service).clone();
        if let Some(service) = known {
            return Ok(service.secrets);
        }
        let connection = self.connection().await?;
        let names = DBusProxy::new(&connection).await?;
        if !names.name_has_owner(BusName::try_from(SERVICE)?).await? {
            let activatable = names.list_activatable_names().await?;
            if !activatable.iter().any(|name| name.as_str() == SERVICE) {
                return Err(Closed::Absent);
            }
        }
        let encrypted = SecretService::connect_with_existing(EncryptionType::Dh, connection.clone()).await;
        let secrets = match encrypted {
            // Some services cannot encrypt what crosses the bus, which is this user's alone.
            Err(error) if is_refusal(&error) => {
                SecretService::connect_with_existing(EncryptionType::Plain, connection.clone()).await?
            }
            encrypted => encrypted?,
        };
        let owner = names.get_name_owner(BusName::try_from(SERVICE)?).await?.to_string();
        let secrets = Arc::new(secrets);
        *lock(&self.service) = Some(Service { owner, secrets: Arc::clone(&secrets) });
        Ok(secrets)
    }

    pub(super) async fn collections(&self) -> Result<Collections, Closed> {
        self.service().await?;
        let path = OwnedObjectPath::try_from(ROOT)?;
        let service = self.proxy(path, "org.freedesktop.Secret.Service").await?;
        let default: OwnedObjectPath = service.call("ReadAlias", &("default",)).await?;
        let paths: Vec<OwnedObjectPath> = service.get_property("Collections").await?;
        let default = Some(default).filter(|path| path.as_str() != NONE);
        let (mut open, mut locked) = (Vec::new(), Vec::new());
        let missing = default.iter().filter(|default| !paths.contains(default)).cloned();
        for path in missing.chain(paths.iter().cloned()).collect::<Vec<_>>() {
            let collection = self.proxy(path.clone(), COLLECTION).await?;
            let is_locked: bool = collection.get_property("Locked").await?;
            if is_locked && !self.opens_by_itself(&path).await { &mut locked } else { &mut open }.push(path);
        }
        Ok(Collections { default, open, locked })
    }

    /// Of an item. Nothing is left on its way when it is answered: some services go down with a client that has gone.
    pub(super) async fn property<T>(&self, item: &str, name: &str) -> Result<T, Closed>
    where
        T: TryFrom<OwnedValue>,
        T::Error: Into<zbus::Error>,
    {
        let item = self.proxy(item.try_into()?, ITEM).await?;
        Ok(item.get_property(name).await?)
    }

    pub(super) async fn proxy(
        &self,
        path: OwnedObjectPath,
        interface: &'static str,
    ) -> Result<Proxy<'static>, Closed> {
        let connection = self.connection().await?;
        let proxy = zbus::proxy::Builder::new(&connection)
            .destination(SERVICE)?
            .path(path)?
            .interface(interface)?
            .cache_properties(CacheProperties::No)
            .build()
            .await?;
        Ok(proxy)
    }

    /// KWallet leaves out the zeros at the beginning of what both ends have agreed upon, so that with one connection in
    /// 256 they have different keys. The next question agrees upon another one.
    pub(super) fn agree_anew(&self) {
        *lock(&self.service) = None;
    }

    /// The service has gone, or another one has come.
    pub(super) fn forget_service(&self) {
        *lock(&self.service) = None;
        lock(&self.deleted).items.clear();
        self.gone.send_modify(|count| *count += 1);
    }

    pub(super) fn forget_bus(&self) {
        *lock(&self.connection) = None;
        self.forget_service();
    }

    pub(super) fn end(&self) {
        self.over.send_replace(true);
    }

    /// `of` is told of each the how-manieth it was.
    pub(super) fn forget_deletions(&self, of: impl Fn(&str, u64) -> bool) {
        lock(&self.deleted).items.retain(|item, heard| !of(item, *heard));
    }

    pub(super) fn heard_of_deletion(&self, item: String) {
        let mut deleted = lock(&self.deleted);
        deleted.heard += 1;
        let heard = deleted.heard;
        deleted.items.insert(item, heard);
    }
}

/// The service answers, and will not have it so.
fn is_refusal(error: &secret_service::Error) -> bool {
    matches!(
        error,
        secret_service::Error::Zbus(zbus::Error::MethodError(..))
            | secret_service::Error::Crypto(_)
            | secret_service::Error::Zvariant(_)
    )
}

/// There is no bus, as opposed to one that cannot be reached for now.
fn is_nowhere(error: &zbus::Error) -> bool {
    let nobody = |error: &io::Error| {
        matches!(
            error.kind(),
            io::ErrorKind::ConnectionRefused | io::ErrorKind::NotADirectory | io::ErrorKind::NotFound
        )
    };
    matches!(error, zbus::Error::Address(_) | zbus::Error::Unsupported)
        || matches!(error, zbus::Error::Connection(error, _) | zbus::Error::InputOutput(error) if nobody(error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) const SERVICE: &str = "org.freedesktop.secrets";
pub(super) const ROOT: &str = "/org/freedesktop/secrets";
pub(super) const COLLECTION: &str = "org.freedesktop.Secret.Collection";
pub(super) const ITEM: &str = "org.freedesktop.Secret.Item";

/// The path that the Secret Service gives for no object.
pub(super) const NONE: &str = "/";

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs::{self, File};
    use std::iter::from_fn;
    use std::os::unix::net::UnixListener;
    use std::path::{Path, PathBuf};
    use std::process;
    use std::thread;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;
    use crate::alone::{alone, passes};

    /// A look may have found what is deleted before it ends.
    #[test]
    fn a_deletion_that_was_heard_of_since_is_not_forgotten() {
        let shared = Shared::new();
        for item in ["/one", "/two"] {
            shared.heard_of_deletion(item.to_owned());
        }
        let before = shared.deletions();
        shared.heard_of_deletion("/two".to_owned());
        shared.forget_deletions(|_, heard| heard <= before);
        assert!(!shared.was_deleted("/one") && shared.was_deleted("/two"));
    }

    async fn is_nowhere_at(address: &str) -> bool {
        let connected = match zbus::connection::Builder::address(address) {
            Ok(builder) => builder.build().await,
            Err(error) => Err(error),
        };
        is_nowhere(&connected.unwrap_err())
    }

    #[tokio::test]
    async fn a_bus_is_nowhere_only_where_nobody_could_be() {
        let path = scratch("nowhere");
        let address = format!("unix:path={}", path.display());
        for nowhere in [&address, "unix:path=/dev/null/bus", "disabled:", ""] {
            assert!(is_nowhere_at(nowhere).await, "{nowhere}");
        }
        drop(UnixListener::bind(&path).unwrap());
        assert!(is_nowhere_at(&address).await, "nobody listens");
        fs::remove_file(&path).unwrap();
        hang_up_at(&path);
        assert!(!is_nowhere_at(&address).await, "it hangs up");
    }

    /// Row H5.
    #[test]
    fn a_keyring_is_not_absent_for_want_of_descriptors() {
        let path = scratch("short");
        let address = format!("unix:path={}", path.display());
        hang_up_at(&path);
        let mut test = alone(module_path!(), "short_of_descriptors");
        passes(test.env(SHORT, "1").env("DBUS_SESSION_BUS_ADDRESS", address));
    }

    const SHORT: &str = "PILOTLIGHT_TEST_SHORT";

    #[test]
    fn short_of_descriptors() {
        if std::env::var_os(SHORT).is_none() {
            return;
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
        let mut taken: Vec<_> = from_fn(|| File::open("/").ok()).collect();
        while taken.pop().is_some() {
            let connected = runtime.block_on(Shared::new().connection());
            assert_ne!(connected.err(), Some(Closed::Absent), "{} are taken", taken.len());
        }
    }

    fn hang_up_at(path: &Path) {
        let listener = UnixListener::bind(path).unwrap();
        thread::spawn(move || listener.incoming().for_each(drop));
    }

    fn scratch(name: &str) -> PathBuf {
        let path = env::temp_dir().join(format!("pilotlight-bus-{name}-{}", process::id()));
        drop(fs::remove_file(&path));
        path
    }
}
