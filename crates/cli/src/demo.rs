//! The usual programs, with short tokens and faults. The caller counts requests and replays, the server the rest.

mod plan;
mod story;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

use api::paths::Home;
use api::secret::Password;
use api::{Code, Failure, Fetch, Fetched, Note, Notice};
use client::Client;
use client::sandbox::SandboxProcess;

use crate::args;
use crate::ended::{Ended, FAILED};
use crate::face::Face;

use plan::{DIALECT, Deed, Plan};
use story::{Counters, Story, Summary, Tally};

pub(crate) fn demo(face: &Face, asked: &args::Demo) -> Result<u8, Ended> {
    let summary = play(asked.duration, Story::new(face.json))?;
    Ok(if summary.is_good() { 0 } else { FAILED })
}

fn play(duration: Duration, story: Story) -> Result<Summary, Failure> {
    let lifetime = lifetime(duration);
    // A second use of a refresh token ends the session, except within the grace, as with the stricter providers.
    let ttl = api::duration::format(lifetime);
    let sandbox = SandboxProcess::start(&["--access-ttl", &ttl, "--rotation", "strict", "--grace", "10s"])?;
    let scratch = Scratch::with_config(sandbox.url(), lifetime)?;
    let mut client = Client::connect(&scratch.home)?;
    let notices = Client::connect(&scratch.home)?.watch()?.1;
    story.begin(sandbox.url(), lifetime, duration);
    client.login(PROFILE, "alice", Password::new("wonderland".to_owned()))?;

    let (heard, happenings) = mpsc::channel();
    let telling = heard.clone();
    thread::spawn(move || notices.flatten().try_for_each(|notice| telling.send(Happening::Notice(notice))));
    let mut stage = Stage {
        home: scratch.home.clone(),
        url: sandbox.url().to_owned(),
        heard,
        story,
        tally: Tally::default(),
    };
    stage.act(&mut client, &happenings, Plan::new(duration, lifetime), duration);
    let counted = counted(&mut client, sandbox.url())?;
    client.stop(true)?;
    let summary = Summary::new(&stage.tally, &counted);
    stage.story.end(&summary);
    Ok(summary)
}

enum Happening {
    Answered { path: String, outcome: Result<Fetched, Failure> },
    Notice(Notice),
}

struct Stage {
    home: Home,
    url: String,
    heard: Sender<Happening>,
    story: Story,
    tally: Tally,
}

impl Stage {
    fn act(
        &mut self,
        client: &mut Client,
        happenings: &mpsc::Receiver<Happening>,
        mut plan: Plan,
        duration: Duration,
    ) {
        let began = Instant::now();
        let (mut next_request, mut next_look) = (began, began);
        let mut open = 0_u64;
        loop {
            let now = Instant::now();
            let over = now >= began + duration;
            if over && open == 0 {
                return;
            }
            if !over && plan.next_at().is_some_and(|at| now >= began + at) {
                open += plan.take().map_or(0, |deed| self.do_deed(client, deed));
            }
            if !over && now >= next_request {
                next_request += BETWEEN_REQUESTS;
                self.request();
                open += 1;
            }
            if now >= next_look {
                next_look = now + BETWEEN_LOOKS;
                self.look(client);
            }
            let wait = next_look.min(next_request.max(now)).saturating_duration_since(Instant::now());
            match happenings.recv_timeout(wait) {
                Ok(Happening::Answered { path, outcome }) => {
                    open -= 1;
                    self.count(&path, outcome);
                }
                Ok(Happening::Notice(notice)) => self.hear(&notice),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn hear(&mut self, notice: &Notice) {
        if let Notice::Entry(entry) = notice {
            self.tally.heartbeats += u64::from(matches!(entry.note, Note::Heartbeat { .. }));
            self.story.note(entry);
        }
    }

    fn do_deed(&mut self, client: &mut Client, deed: Deed) -> u64 {
        self.tally.faults += 1;
        self.story.deed(deed);
        if let Err(failure) = client.fetch(deed.wish(&self.url, PROFILE)) {
            self.story.failed("/control", &failure);
        }
        (0..deed.burst()).for_each(|_| self.request());
        deed.burst().into()
    }

    fn request(&mut self) {
        self.tally.requests += 1;
        let number = self.tally.requests;
        let path = format!("{}?n={number}", if number.is_multiple_of(2) { "/bbb" } else { "/aaa" });
        let fetch = Fetch { profile: PROFILE.to_owned(), path: path.clone(), ..Fetch::default() };
        let (home, heard) = (self.home.clone(), self.heard.clone());
        thread::spawn(move || {
            let outcome = Client::connect(&home).and_then(|mut client| client.fetch(fetch));
            heard.send(Happening::Answered { path, outcome })
        });
    }

    fn count(&mut self, path: &str, outcome: Result<Fetched, Failure>) {
        match outcome {
            Ok(fetched) if fetched.status < 400 => {
                self.tally.replayed += u64::from(fetched.replayed);
                self.story.answered(path, &fetched);
            }
            Ok(_) => self.tally.failed += 1,
            Err(failure) => {
                self.tally.failed += 1;
                self.story.failed(path, &failure);
            }
        }
    }

    fn look(&mut self, client: &mut Client) {
        if let Ok(overview) = client.status(None)
            && let Some(session) = overview.sessions.first()
        {
            self.story.look(session);
        }
    }
}

fn counted(client: &mut Client, url: &str) -> Result<Counters, Failure> {
    let path = format!("{url}/control/counters");
    let fetched = client.fetch(Fetch { profile: PROFILE.to_owned(), path, ..Fetch::default() })?;
    let mut all: BTreeMap<String, Counters> = serde_json::from_str(&fetched.body).unwrap_or_default();
    all.remove(DIALECT).ok_or_else(|| Failure::new(Code::NotASandbox))
}

/// An eighth of the time, in whole seconds as in JWTs: not too short to follow, and short enough to see several.
fn lifetime(duration: Duration) -> Duration {
    Duration::from_secs((duration / 8).as_secs().clamp(2, 6))
}

struct Scratch {
    dir: PathBuf,
    home: Home,
}

impl Scratch {
    fn with_config(url: &str, lifetime: Duration) -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("pilotlight-demo-{}", std::process::id()));
        let home = Home::at(&dir)?;
        let scratch = Self { dir, home };
        scratch.home.prepare()?;
        let heartbeat = (lifetime / 2).as_millis().max(1000);
        let text = format!(
            "vault = \"memory\"\n\n[profile.{PROFILE}]\npreset = \"{DIALECT}\"\nurl = \"{url}/{DIALECT}\"\nheartbeat = \"{heartbeat}ms\"\n",
        );
        let path = scratch.home.config();
        fs::write(&path, text).map_err(|error| Failure::file(&path, &error))?;
        Ok(scratch)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.dir));
    }
}

const PROFILE: &str = "demo";

const BETWEEN_REQUESTS: Duration = Duration::from_millis(450);

const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
