//! The demo: a sandbox and a keeper in one process, tokens of a few seconds, and faults on purpose.
//!
//! Nothing in it is arranged. The keeper is the product's own with its memory vault, the requests go over sockets,
//! and the figures at the end are counted where the person who tries it would count them: requests and replays by
//! the caller, sign-ins and refreshes by the server.

mod plan;
mod story;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use keeper::api::{Code, Failure, Fetch, Fetched, Note, Notice, Reply, Request};
use keeper::config::parse_duration;
use keeper::keeper::{Handle, Keeper};
use keeper::paths::Home;
use keeper::secret::Password;
use pilotlight_sandbox::{Control, Counters, Dialect, Rotation, Sandbox, Settings};
use tokio::sync::broadcast;
use tokio::time::Instant;

use plan::{Deed, Plan};
use story::{Story, Summary};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Tells the story as one JSON object a line
    #[arg(long)]
    json: bool,
    /// How long it goes on
    #[arg(long, default_value = "60s", value_parser = parse_duration)]
    duration: Duration,
}

pub(crate) async fn demo(arguments: Arguments) -> ExitCode {
    let story = Story::new(arguments.json);
    match play(&arguments, story).await {
        Ok(summary) if summary.is_good() => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(failure) => {
            crate::explain("demo", &failure);
            ExitCode::FAILURE
        }
    }
}

async fn play(arguments: &Arguments, story: Story) -> Result<Summary, Failure> {
    let lifetime = lifetime(arguments.duration);
    let sandbox = start_sandbox(lifetime).await?;
    let scratch = Scratch::new()?;
    write_config(&scratch.0, &sandbox, lifetime)?;
    let home = Home::at(&scratch.0)?;
    let keeper = Keeper::open(&home)?;
    let handle = keeper.handle();
    let notices = handle.notices();
    let running = tokio::spawn(keeper.run());
    story.begin(&sandbox.url(), lifetime, arguments.duration);

    let password = Password::new("wonderland".to_owned());
    let login = Request::Login { profile: PROFILE.to_owned(), username: "alice".to_owned(), password };
    handle.ask(login).await?;
    let mut stage = Stage { handle, control: sandbox.control(), story, tally: Tally::default() };
    stage.act(notices, Plan::new(arguments.duration, lifetime), arguments.duration).await;

    drop(stage.handle.ask(Request::Stop { force: true }).await);
    drop(running.await);
    let summary = Summary::new(&stage.tally, &counted(&stage.control));
    stage.story.end(&summary);
    sandbox.stop().await;
    Ok(summary)
}

/// Who plays, and before whom.
struct Stage {
    handle: Handle,
    control: Control,
    story: Story,
    tally: Tally,
}

/// What the caller of the requests counts.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) heartbeats: u64,
    pub(crate) requests: u64,
    pub(crate) failed: u64,
    pub(crate) replayed: u64,
    pub(crate) faults: u64,
}

impl Stage {
    async fn act(&mut self, mut notices: broadcast::Receiver<Notice>, mut plan: Plan, duration: Duration) {
        let began = Instant::now();
        let mut work = tokio::time::interval(BETWEEN_REQUESTS);
        let mut look = tokio::time::interval(BETWEEN_LOOKS);
        let (answers, mut answered) = tokio::sync::mpsc::unbounded_channel();
        let mut asked = 0;
        let mut open = 0_u64;
        let end = tokio::time::sleep(duration);
        tokio::pin!(end);
        loop {
            let deed_at = plan.next_at().map_or(began + duration * 2, |at| began + at);
            tokio::select! {
                () = &mut end => break,
                _ = work.tick() => {
                    asked += 1;
                    open += 1;
                    self.request(asked, &answers);
                }
                () = tokio::time::sleep_until(deed_at) => {
                    if let Some(deed) = plan.take() {
                        for _ in 0..self.do_deed(deed) {
                            asked += 1;
                            open += 1;
                            self.request(asked, &answers);
                        }
                    }
                }
                Some((path, outcome)) = answered.recv() => {
                    open -= 1;
                    self.count(&path, outcome);
                }
                Ok(notice) = notices.recv() => self.hear(&notice),
                _ = look.tick() => self.look().await,
            }
        }
        // Everyone who asked gets an answer before the curtain.
        while open > 0 {
            let Some((path, outcome)) = answered.recv().await else { break };
            open -= 1;
            self.count(&path, outcome);
        }
        while let Ok(notice) = notices.try_recv() {
            self.hear(&notice);
        }
    }

    fn hear(&mut self, notice: &Notice) {
        if let Notice::Entry(entry) = notice {
            self.tally.heartbeats += u64::from(matches!(entry.note, Note::Heartbeat { .. }));
            self.story.note(entry);
        }
    }

    /// Returns how many requests are to go out at once because of it.
    fn do_deed(&mut self, deed: Deed) -> u32 {
        self.tally.faults += 1;
        self.story.deed(deed);
        deed.inflict(&self.control)
    }

    fn request(&mut self, number: u64, answers: &tokio::sync::mpsc::UnboundedSender<(String, Outcome)>) {
        self.tally.requests += 1;
        let path = format!("{}?n={number}", if number.is_multiple_of(2) { "/bbb" } else { "/aaa" });
        let fetch = Fetch { profile: PROFILE.to_owned(), path: path.clone(), ..Fetch::default() };
        let (handle, answers) = (self.handle.clone(), answers.clone());
        tokio::spawn(async move {
            let outcome = handle.ask(Request::Fetch(fetch)).await;
            drop(answers.send((path, outcome)));
        });
    }

    fn count(&mut self, path: &str, outcome: Outcome) {
        let fetched: Option<Fetched> = match outcome {
            Ok(Reply::Fetched(fetched)) => Some(fetched),
            Ok(_) => None,
            Err(failure) => {
                self.story.failed(path, &failure);
                None
            }
        };
        match fetched {
            Some(fetched) if fetched.status < 400 => {
                self.tally.replayed += u64::from(fetched.replayed);
                self.story.answered(path, &fetched);
            }
            _ => self.tally.failed += 1,
        }
    }

    async fn look(&mut self) {
        if let Ok(Reply::Status(overview)) = self.handle.ask(Request::Status { profile: None }).await
            && let Some(session) = overview.sessions.first()
        {
            self.story.look(session);
        }
    }
}

type Outcome = Result<Reply, Failure>;

fn counted(control: &Control) -> Counters {
    control.counters()[Dialect::NestJs]
}

/// An eighth of the time each in whole seconds, as JWTs have it, but neither too short to follow nor too long to see several.
fn lifetime(duration: Duration) -> Duration {
    Duration::from_secs((duration / 8).as_secs().clamp(2, 6))
}

async fn start_sandbox(lifetime: Duration) -> Result<Sandbox, Failure> {
    let mut settings = Settings { access_ttl: lifetime, ..Settings::default() };
    // The strictest server there is, with the grace that the better ones have: a second use of a refresh token ends
    // the session, unless it comes within a few seconds.
    settings.dialects[Dialect::NestJs].rotation = Rotation::Strict;
    settings.dialects[Dialect::NestJs].grace = Duration::from_secs(10);
    pilotlight_sandbox::start(settings).await.map_err(|error| crate::sandbox::not_started(&error))
}

fn write_config(dir: &Path, sandbox: &Sandbox, lifetime: Duration) -> Result<(), Failure> {
    let text = format!(
        "vault = \"memory\"\n\n[profile.{PROFILE}]\npreset = \"nestjs\"\nurl = \"{}/nestjs\"\nheartbeat = \"{}ms\"\n",
        sandbox.url(),
        (lifetime / 2).as_millis().max(1000),
    );
    keeper::config::write(&dir.join("config.toml"), &text)
}

/// A home for as long as the demo lasts.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Result<Self, Failure> {
        let dir = std::env::temp_dir().join(format!("pilotlight-demo-{}", std::process::id()));
        std::fs::create_dir_all(&dir).map_err(|error| {
            Failure::new(Code::Internal).with("problem", format!("{}: {error}", dir.display()))
        })?;
        Ok(Self(dir))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

const PROFILE: &str = "demo";

const BETWEEN_REQUESTS: Duration = Duration::from_millis(450);

/// Ten times a second is a moving bar.
const BETWEEN_LOOKS: Duration = Duration::from_millis(100);
