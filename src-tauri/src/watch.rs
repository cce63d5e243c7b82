//! The page has no clock of its own: the keeper computes the times left, which are sent once a second, and sooner
//! after a change, but not so often that the page only draws. Nothing is asked for a page that nobody can see.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use api::paths::Home;
use api::words::{EntryView, FailureView, OverviewView};
use api::{Code, Failure, Notice, Overview};
use client::{Client, Notices, STAYED};
use serde::Serialize;
use session::limits;
use tauri::{AppHandle, Emitter as _, Runtime};

use crate::window;

pub(crate) fn start<R: Runtime>(app: AppHandle<R>, home: Home) -> Watching {
    let ended = Arc::new(AtomicBool::new(false));
    let watching = Watching(Arc::clone(&ended));
    thread::spawn(move || {
        let mut pause = limits::CONNECT_AGAIN;
        while !ended.load(Ordering::Acquire) {
            let failure = match follow(&app, &home) {
                Following::Lost(failure) => {
                    pause = limits::CONNECT_AGAIN;
                    failure
                }
                Following::Never(failure) => {
                    pause = pause_after(&failure, pause);
                    failure
                }
            };
            say_why_not(&app, failure);
            thread::sleep(pause);
        }
    });
    watching
}

pub(crate) struct Watching(Arc<AtomicBool>);

impl Watching {
    /// From now on no keeper is started any more.
    pub(crate) fn end(self) {
        self.0.store(true, Ordering::Release);
    }
}

#[derive(Clone, Serialize)]
struct Keeper {
    connected: bool,
    failure: Option<FailureView>,
}

enum Following {
    Lost(Failure),
    Never(Failure),
}

fn follow<R: Runtime>(app: &AppHandle<R>, home: &Home) -> Following {
    let waiting = {
        let app = app.clone();
        move || say_why_not(&app, Failure::new(Code::KeeperStopping))
    };
    let (asking, overview, notices) = match connect(home, waiting) {
        Ok(connected) => connected,
        Err(failure) => return Following::Never(failure),
    };
    tell(app, "keeper", Keeper { connected: true, failure: None });
    tell(app, "overview", OverviewView::from(overview));
    Following::Lost(forward(app, asking, notices))
}

fn connect(
    home: &Home,
    on_wait: impl FnMut() + Send + 'static,
) -> Result<(Client, Overview, Notices), Failure> {
    let (overview, notices) = Client::connect_current(home, on_wait)?.watch()?;
    // From here on a keeper that is stopping is shown at once.
    let mut asking = Client::connect(home)?.without_waiting();
    asking.set_patience(limits::STATUS);
    Ok((asking, overview, notices))
}

fn forward<R: Runtime>(app: &AppHandle<R>, mut asking: Client, mut notices: Notices) -> Failure {
    let mut pace = Pace::after(Instant::now());
    loop {
        let wait = pace.due().saturating_duration_since(Instant::now());
        if wait.is_zero() {
            pace = Pace::after(Instant::now());
            if window::is_out_of_sight(app) {
                continue;
            }
            match asking.status(None) {
                Ok(overview) => tell(app, "overview", OverviewView::from(overview)),
                Err(failure) => return failure,
            }
            continue;
        }
        match notices.next_within(wait) {
            Ok(Some(Notice::Entry(entry))) => tell(app, "entry", EntryView::from(entry)),
            Ok(Some(Notice::Changed { .. })) => pace.changed = true,
            Ok(None) => {}
            Err(failure) => return failure,
        }
    }
}

fn say_why_not<R: Runtime>(app: &AppHandle<R>, failure: Failure) {
    tell(app, "keeper", Keeper { connected: false, failure: Some(failure.into()) });
}

/// An older keeper that stays does nothing else while it is asked to stop, and may ask for the keyring's password.
fn pause_after(failure: &Failure, last: Duration) -> Duration {
    if matches!(failure.code, Code::NotSaved | Code::StillBusy) {
        STAYED
    } else {
        (last * 2).min(limits::CONNECT_AGAIN_LONGEST)
    }
}

struct Pace {
    last: Instant,
    changed: bool,
}

impl Pace {
    fn after(last: Instant) -> Self {
        Self { last, changed: false }
    }

    fn due(&self) -> Instant {
        self.last + if self.changed { limits::REDRAW_SOONEST } else { limits::REDRAW }
    }
}

fn tell<R: Runtime, P: Serialize + Clone>(app: &AppHandle<R>, event: &str, payload: P) {
    // It fails when the window is gone, and the program ends then.
    drop(app.emit_to(window::LABEL, event, payload));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keeper_that_stays_is_not_pressed() {
        let pause = |code, last| pause_after(&Failure::new(code), last);
        assert_eq!(pause(Code::KeeperUnreachable, limits::CONNECT_AGAIN), limits::CONNECT_AGAIN * 2);
        assert_eq!(
            pause(Code::KeeperUnreachable, limits::CONNECT_AGAIN_LONGEST),
            limits::CONNECT_AGAIN_LONGEST
        );
        assert_eq!(pause(Code::KeeperUnreachable, STAYED), limits::CONNECT_AGAIN_LONGEST);
        for code in [Code::NotSaved, Code::StillBusy] {
            assert_eq!(pause(code, limits::CONNECT_AGAIN), STAYED);
        }
    }

    #[test]
    fn changes_are_told_soon_but_not_at_once() {
        let now = Instant::now();
        let mut pace = Pace::after(now);
        assert_eq!(pace.due(), now + limits::REDRAW);
        pace.changed = true;
        assert_eq!(pace.due(), now + limits::REDRAW_SOONEST);
    }
}
