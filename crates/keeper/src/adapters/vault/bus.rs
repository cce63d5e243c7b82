//! The library behind `keyring` asks people to unlock what is locked, and blocks every request until they answer that
//! very question. So it is used only on what is there and open, and the asking is done here, where nothing waits.

use std::collections::HashMap;
use std::io;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};

use session::limits;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use zbus::export::ordered_stream::OrderedStreamExt as _;
use zbus::fdo::DBusProxy;
use zbus::names::BusName;
use zbus::proxy::CacheProperties;
use zbus::zvariant::{OwnedObjectPath, OwnedValue};
use zbus::{Connection, Proxy};

use super::VaultTrouble;

pub(super) enum Door {
    Locked(Vec<OwnedObjectPath>),
    Open,
}

/// Looks at the item, or where it would be put, for at most [`limits::VAULT_LOOK`].
pub(super) fn look(attributes: &HashMap<&str, &str>) -> Result<Door, VaultTrouble> {
    let runtime = runtime().ok_or(VaultTrouble::Failed)?;
    let door = runtime.block_on(async { timeout(limits::VAULT_LOOK, door(attributes)).await });
    // Dropping it would wait for what hangs.
    runtime.shutdown_background();
    door.unwrap_or(Err(VaultTrouble::Slow))
}

/// Not one that is locked, slow or broken. On a thread of its own: a runtime cannot be run inside another.
pub(super) fn is_absent() -> bool {
    let (tell, told) = mpsc::channel();
    let asked = thread::Builder::new().name("keyring-look".into()).spawn(move || {
        let absent = matches!(look(&HashMap::new()), Err(VaultTrouble::Absent));
        let _ = tell.send(absent);
    });
    asked.is_ok() && told.recv_timeout(limits::VAULT_LOOK + limits::VAULT_SAYS).unwrap_or(false)
}

/// Returns at once. The thread ends with the question, which cannot be taken back: gnome-keyring 42 crashes on that.
pub(super) fn ask_to_unlock(locked: Vec<OwnedObjectPath>) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name("keyring-unlock".into()).spawn(move || {
        let Some(runtime) = runtime() else { return };
        match runtime.block_on(unlock(&locked)) {
            Ok(outcome) => tracing::info!("asked to unlock the keyring: {outcome}"),
            Err(error) => tracing::warn!(%error, "the keyring did not ask to be unlocked"),
        }
    })
}

async fn door(attributes: &HashMap<&str, &str>) -> Result<Door, VaultTrouble> {
    let bus = Connection::session().await.map_err(|error| {
        tracing::debug!(%error, "no session bus");
        if is_nowhere(&error) { VaultTrouble::Absent } else { VaultTrouble::Failed }
    })?;
    match look_behind(&bus, attributes).await {
        Ok(Some(door)) => Ok(door),
        Ok(None) => Err(VaultTrouble::Absent),
        Err(error) => {
            tracing::warn!(%error, "the keyring does not say whether it is locked");
            Err(VaultTrouble::Failed)
        }
    }
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

async fn look_behind(bus: &Connection, attributes: &HashMap<&str, &str>) -> zbus::Result<Option<Door>> {
    if !is_served(bus).await? {
        return Ok(None);
    }
    let service = service(bus).await?;
    if !attributes.is_empty() {
        let (open, locked): (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) =
            service.call("SearchItems", &(attributes,)).await?;
        match (open.is_empty(), locked.is_empty()) {
            (_, false) => return Ok(Some(Door::Locked(locked))),
            (false, true) => return Ok(Some(Door::Open)),
            (true, true) => {}
        }
    }
    let default: OwnedObjectPath = service.call("ReadAlias", &("default",)).await?;
    if default.as_str() == NONE {
        return Err(zbus::Error::Failure("there is no default collection".to_owned()));
    }
    let locked = is_locked(bus, default.clone()).await?;
    Ok(Some(if locked { Door::Locked(vec![default]) } else { Door::Open }))
}

/// By a process that runs, or by one that the bus would start.
async fn is_served(bus: &Connection) -> zbus::Result<bool> {
    let names = DBusProxy::new(bus).await?;
    if names.name_has_owner(BusName::try_from(SERVICE)?).await? {
        return Ok(true);
    }
    Ok(names.list_activatable_names().await?.iter().any(|name| name.as_str() == SERVICE))
}

async fn unlock(locked: &[OwnedObjectPath]) -> zbus::Result<&'static str> {
    let bus = Connection::session().await?;
    let service = service(&bus).await?;
    let (_, prompt): (Vec<OwnedObjectPath>, OwnedObjectPath) = service.call("Unlock", &(locked,)).await?;
    if prompt.as_str() == NONE {
        return Ok("it needed no asking");
    }
    let prompt = proxy(&bus, prompt, "org.freedesktop.Secret.Prompt").await?;
    let mut completed = prompt.receive_signal("Completed").await?;
    let mut owners = prompt.receive_owner_changed().await?;
    prompt.call::<_, _, ()>("Prompt", &("",)).await?;
    tokio::select! {
        Some(signal) = completed.next() => {
            let (dismissed, _): (bool, OwnedValue) = signal.body().deserialize()?;
            Ok(if dismissed { "dismissed" } else { "done" })
        }
        _ = owners.next() => Ok("the keyring has gone"),
        else => Ok("the bus has gone"),
    }
}

async fn is_locked(bus: &Connection, collection: OwnedObjectPath) -> zbus::Result<bool> {
    proxy(bus, collection, "org.freedesktop.Secret.Collection").await?.get_property("Locked").await
}

async fn service(bus: &Connection) -> zbus::Result<Proxy<'static>> {
    let path = OwnedObjectPath::try_from("/org/freedesktop/secrets")?;
    proxy(bus, path, "org.freedesktop.Secret.Service").await
}

async fn proxy(
    bus: &Connection,
    path: OwnedObjectPath,
    interface: &'static str,
) -> zbus::Result<Proxy<'static>> {
    zbus::proxy::Builder::new(bus)
        .destination(SERVICE)?
        .path(path)?
        .interface(interface)?
        .cache_properties(CacheProperties::No)
        .build()
        .await
}

fn runtime() -> Option<Runtime> {
    Builder::new_current_thread()
        .enable_all()
        .build()
        .inspect_err(|error| tracing::warn!(%error, "no runtime to reach the keyring with"))
        .ok()
}

const SERVICE: &str = "org.freedesktop.secrets";

/// The path that the Secret Service gives for no object.
const NONE: &str = "/";

#[cfg(test)]
mod tests {
    use std::env;
    use std::fs::{self, File};
    use std::iter::from_fn;
    use std::os::unix::net::UnixListener;
    use std::path::{Path, PathBuf};
    use std::process;

    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::*;
    use crate::alone::{alone, passes};

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
        let maximum = getrlimit(Resource::Nofile).maximum;
        setrlimit(Resource::Nofile, Rlimit { current: Some(64), maximum }).unwrap();
        let mut taken: Vec<_> = from_fn(|| File::open("/").ok()).collect();
        while taken.pop().is_some() {
            assert!(!is_absent(), "{} are taken", taken.len());
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
