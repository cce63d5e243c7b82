//! A lock or socket that is deleted is made again. If another keeper has the place by then, this one ends.

use std::sync::Arc;

use api::paths::Home;
use api::{Code, Failure, Problem};
use os::files::FileIdentity;
use os::folders::Losses;
use session::limits;
use tokio::net::UnixListener;
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::sleep;

use super::lock::{self, Lock, NotLocked};
use super::socket;
use crate::main_loop::Handle;

pub(crate) struct Place {
    home: Home,
    lock: Arc<Lock>,
    socket: Option<FileIdentity>,
    serving: AbortHandle,
    handle: Handle,
}

enum Again {
    Made { lock: Arc<Lock>, socket: Option<FileIdentity>, listener: UnixListener },
    NotMade(Failure),
    Taken,
}

impl Place {
    pub(crate) fn take(home: Home, lock: Lock, listener: UnixListener, handle: Handle) -> Self {
        let socket = FileIdentity::at(home.socket()).ok();
        let serving = serve(listener, &handle);
        Self { home, lock: Arc::new(lock), socket, serving, handle }
    }

    pub(crate) async fn hold(mut self) {
        let mut said = false;
        loop {
            let (stands, changes) = self.look().await;
            if stands {
                wait(changes).await;
                continue;
            }
            match self.make_again().await {
                Again::Made { lock, socket, listener } => {
                    tracing::warn!("the home was deleted; it is made again");
                    said = false;
                    (self.lock, self.socket) = (lock, socket);
                    self.serving.abort();
                    self.serving = serve(listener, &self.handle);
                    self.handle.home_is_made_again();
                }
                Again::NotMade(failure) => {
                    if !std::mem::replace(&mut said, true) {
                        tracing::error!(?failure, "the home was deleted, and cannot be made again");
                    }
                    sleep(limits::HOME_LOOK).await;
                }
                Again::Taken => {
                    tracing::warn!("the home was deleted, and another keeper has it now");
                    return self.handle.terminate();
                }
            }
        }
    }

    /// It watches before it looks, so that no change is missed.
    async fn look(&self) -> (bool, Option<Losses>) {
        let (home, lock, socket) = (self.home.clone(), Arc::clone(&self.lock), self.socket);
        let looked = spawn_blocking(move || {
            let changes = watch(&home).ok();
            let stands = lock.stands() && socket.is_none_or(|socket| socket.stands_at(home.socket()));
            (stands, changes)
        });
        looked.await.unwrap_or((true, None))
    }

    async fn make_again(&self) -> Again {
        self.handle.home_is_gone().await;
        let (home, lock) = (self.home.clone(), Arc::clone(&self.lock));
        let made = spawn_blocking(move || make(&home, lock));
        made.await.unwrap_or_else(|error| {
            Again::NotMade(Failure::new(Code::Internal).because(Problem::said(error)))
        })
    }
}

fn serve(listener: UnixListener, handle: &Handle) -> AbortHandle {
    tokio::spawn(socket::serve(listener, handle.clone())).abort_handle()
}

fn make(home: &Home, lock: Arc<Lock>) -> Again {
    if let Err(failure) = home.prepare() {
        return Again::NotMade(failure);
    }
    let lock = if lock.stands() { Ok(lock) } else { lock::acquire(&home.lock()).map(Arc::new) };
    let lock = match lock {
        Ok(lock) => lock,
        Err(NotLocked::Held { .. }) => return Again::Taken,
        Err(refused) => return Again::NotMade(refused.failure(&home.lock())),
    };
    match socket::bind(home.socket()) {
        Ok(listener) => Again::Made { lock, socket: FileIdentity::at(home.socket()).ok(), listener },
        Err(failure) => Again::NotMade(failure),
    }
}

async fn wait(changes: Option<Losses>) {
    let Some(changes) = changes else { return sleep(limits::HOME_LOOK).await };
    let changed = spawn_blocking(move || changes.wait(limits::HOME_UNSEEN));
    match changed.await {
        Ok(true) => sleep(limits::DELETING).await,
        Ok(false) => {}
        Err(_) => sleep(limits::HOME_LOOK).await,
    }
}

fn watch(home: &Home) -> std::io::Result<Losses> {
    let lock = home.lock();
    Losses::of([lock.parent(), home.socket().parent()].into_iter().flatten())
}
