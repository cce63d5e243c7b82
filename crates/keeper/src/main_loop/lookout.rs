//! The configuration file is read and written on a thread of its own, because a disk may hang.

use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

use api::paths::Home;
use api::{Code, Failure, Problem};
use session::limits::LONGEST_SLEEP;
use session::time::Timestamp;
use tokio::sync::oneshot;

use super::answer::{Answer, refuse};
use super::mail::{Edit, Looked, Mail, News, Post};
use crate::adapters::clock;
use crate::adapters::config_file::Watched;
use crate::adapters::vault::Vault;
use crate::config::{self, Config, VaultSetting};

pub(crate) struct Lookout {
    errands: Sender<Errand>,
    clerk: Option<JoinHandle<()>>,
}

pub(crate) enum Errand {
    /// Answered before the home is made again.
    HomeGone(oneshot::Sender<()>),
    HomeMade,
    Look,
    Write(Edit, Answer),
}

impl Lookout {
    pub(crate) fn start(post: Post, mut run: impl FnMut(Errand) -> News + Send + 'static) -> Self {
        let (errands, taken) = mpsc::channel();
        let started = thread::Builder::new().name("configuration".into()).spawn(move || {
            while let Ok(errand) = taken.recv()
                && post.send(Mail::File(run(errand))).is_ok()
            {}
        });
        let started = started.inspect_err(|error| tracing::error!(%error, "no thread for the configuration"));
        Self { errands, clerk: started.ok() }
    }

    pub(crate) fn is_manned(&self) -> bool {
        self.clerk.as_ref().is_some_and(|clerk| !clerk.is_finished())
    }

    pub(crate) fn tell(&self, errand: Errand) {
        drop(self.errands.send(errand));
    }

    /// Returns whether it will be run. A thread that could not be started is treated as a disk that hangs.
    pub(crate) fn send(&self, errand: Errand) -> bool {
        let sent = self.errands.send(errand);
        if let Err(mpsc::SendError(Errand::Write(_, answer))) = sent {
            refuse(answer, Failure::new(Code::Internal).because(Problem::NoThread));
            return false;
        }
        sent.is_ok()
    }
}

pub(crate) fn clerk(home: &Home, post: Post) -> impl FnMut(Errand) -> News + Send + 'static {
    let mut clerk = Clerk {
        file: Watched::new(home.config()),
        watch_checked: None,
        chosen: Chosen { home: home.clone(), setting: None, decided: false },
        post,
    };
    move |errand| clerk.run(errand)
}

struct Clerk {
    file: Watched,
    watch_checked: Option<Timestamp>,
    chosen: Chosen,
    post: Post,
}

struct Chosen {
    home: Home,
    setting: Option<VaultSetting>,
    decided: bool,
}

impl Clerk {
    fn run(&mut self, errand: Errand) -> News {
        match errand {
            Errand::HomeGone(answer) => {
                self.file.lose();
                answer.send(()).ok();
                News::Changed
            }
            Errand::HomeMade => {
                self.file.restore();
                News::Changed
            }
            Errand::Look => {
                let news = self.file.look();
                let vault = news.as_ref().and_then(|config| self.chosen.vault(config, &self.post));
                self.see_to_the_watch(news.is_some());
                News::Looked(Looked { news, vault })
            }
            Errand::Write(edit, answer) => {
                let written = self.file.edit(|text| match &edit {
                    Edit::Add(draft) => config::add(text, draft),
                    Edit::Remove(name) => config::remove(text, name),
                });
                News::Written { edit, written, answer }
            }
        }
    }

    fn see_to_the_watch(&mut self, news: bool) {
        let now = clock::now();
        if !news && self.watch_checked.is_some_and(|at| at + LONGEST_SLEEP > now) {
            return;
        }
        self.watch_checked = Some(now);
        let post = self.post.clone();
        let tell = move || drop(post.send(Mail::File(News::Changed)));
        if self.file.watch(tell) {
            // What happened between the look and the watch was not reported.
            drop(self.post.send(Mail::File(News::Changed)));
        }
    }
}

impl Chosen {
    fn vault(&mut self, config: &Config, post: &Post) -> Option<Vault> {
        if self.decided {
            return None;
        }
        self.decided = !config.unreadable;
        let changed = self.setting.replace(config.vault.clone()).as_ref() != Some(&config.vault);
        let post = post.clone();
        let tell = move |news| drop(post.send(Mail::VaultSays(news)));
        changed.then(|| Vault::open(&config.vault, &self.home.id(), &self.home.vault(), tell))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};
    use std::{env, fs, process};

    use session::limits::LOOK;

    use super::super::{Handle, Keeper};
    use super::*;
    use api::{Overview, Reply, Request};

    /// Row H2.
    #[tokio::test]
    async fn a_disk_that_hangs_stops_nobody() {
        let home = home("hanging");
        let (hang, hanging) = mpsc::channel();
        let keeper = hanging_when_told(&home, hanging);
        let handle = keeper.handle();
        let asking = async {
            let (answers, until) = mpsc::channel();
            assert_eq!(overview(&handle).await.problems, []);
            hang.send(until).unwrap();
            let asked = Instant::now();
            assert_eq!(overview(&handle).await.problems[0].code, Code::ConfigUnreadable);
            assert!(asked.elapsed() >= LOOK, "{:?}", asked.elapsed());
            let asked = Instant::now();
            overview(&handle).await;
            assert!(asked.elapsed() < LOOK, "it is waited for once: {:?}", asked.elapsed());
            let added = handle.ask(Request::Add(Box::default())).await;
            assert_eq!(added.unwrap_err().code, Code::ConfigUnreadable);
            drop(answers);
            while !overview(&handle).await.problems.is_empty() {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
            stop(&handle).await;
        };
        tokio::join!(keeper.run(), asking);
        fs::remove_dir_all(home.root().unwrap()).unwrap();
    }

    #[tokio::test]
    async fn a_thread_that_is_missing_is_not_called_a_disk() {
        let home = home("unmanned");
        let keeper = Keeper::with(&home, |_| {
            let (nowhere, _) = tokio::sync::mpsc::unbounded_channel();
            Lookout::start(nowhere, |_| News::Changed)
        });
        let handle = keeper.handle();
        let asking = async {
            let problems = overview(&handle).await.problems;
            stop(&handle).await;
            assert_eq!(problems[0].code, Code::ConfigUnreadable);
            assert_eq!(problems[0].details["problem"], "no_reader");
        };
        tokio::join!(keeper.run(), asking);
        fs::remove_dir_all(home.root().unwrap()).unwrap();
    }

    #[tokio::test]
    async fn a_disk_that_hangs_at_the_start_holds_up_neither_the_start_nor_the_end() {
        let home = home("hanging-start");
        let (hang, hanging) = mpsc::channel();
        let (_answers, until) = mpsc::channel();
        hang.send(until).unwrap();
        let keeper = hanging_when_told(&home, hanging);
        let handle = keeper.handle();
        let asking = async {
            let asked = Instant::now();
            let hello = handle.ask(Request::Hello { version: String::new() }).await;
            assert!(matches!(hello, Ok(Reply::Hello { .. })), "{hello:?}");
            stop(&handle).await;
            assert!(asked.elapsed() < LOOK, "{:?}", asked.elapsed());
        };
        tokio::join!(keeper.run(), asking);
        fs::remove_dir_all(home.root().unwrap()).unwrap();
    }

    fn home(name: &str) -> Home {
        let dir = env::temp_dir().join(format!("pilotlight-{name}-{}", process::id()));
        drop(fs::remove_dir_all(&dir));
        fs::create_dir_all(&dir).unwrap();
        let home = Home::at(&dir).unwrap();
        fs::write(home.config(), "vault = 'memory'\n").unwrap();
        home
    }

    /// The disk hangs until the sender of what it receives is dropped.
    fn hanging_when_told(home: &Home, hanging: mpsc::Receiver<mpsc::Receiver<()>>) -> Keeper {
        Keeper::with(home, |post| {
            let mut run = clerk(home, post.clone());
            Lookout::start(post, move |errand| {
                hanging.try_iter().for_each(|until| assert!(until.recv().is_err()));
                run(errand)
            })
        })
    }

    async fn stop(handle: &Handle) {
        assert!(matches!(handle.ask(Request::Stop { force: false }).await, Ok(Reply::Done)));
    }

    async fn overview(handle: &Handle) -> Overview {
        match handle.ask(Request::Status { profile: None }).await {
            Ok(Reply::Status(overview)) => overview,
            other => panic!("{other:?}"),
        }
    }
}
