//! A worker that panics or is called off sends its report as it is dropped, so nothing is waited for in vain.

use super::mail::{Mail, Post};

pub(crate) struct Report<F: FnOnce() -> Mail> {
    post: Post,
    /// Sent if the worker sends nothing.
    lost: Option<F>,
}

impl<F: FnOnce() -> Mail> Report<F> {
    pub(crate) fn or(post: Post, lost: F) -> Self {
        Self { post, lost: Some(lost) }
    }

    pub(crate) fn send(mut self, mail: Mail) {
        self.lost = None;
        drop(self.post.send(mail));
    }
}

impl<F: FnOnce() -> Mail> Drop for Report<F> {
    fn drop(&mut self) {
        if let Some(lost) = self.lost.take() {
            drop(self.post.send(lost()));
        }
    }
}

/// The runtime of these tests has no network, so a worker panics when it connects.
#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;
    use std::{env, fs, process};

    use session::event::{Asker, Attempt, Effect, Event};
    use session::reason::Trouble;
    use session::tokens::{AccessToken, Account, RefreshToken, Tokens};
    use session::verdict::{Beat, RevocationAnswer, Verdict};
    use tokio::runtime::Builder;
    use tokio::sync::{mpsc, oneshot};
    use tokio::time::timeout;

    use super::super::answer::Answer;
    use super::super::keeper::Keeper;
    use super::super::mail::Id;
    use super::*;
    use crate::adapters::provider::{How, SignedIn};
    use api::paths::Home;
    use api::secret::Password;
    use api::{Code, Fetch};

    /// Row H10.
    #[test]
    fn a_sign_in_that_panics_is_reported() {
        without_a_network("sign-in", async |mut stranded| {
            stranded.sign_in();
            let mail = stranded.mail(|mail| matches!(mail, Mail::SignedIn { .. })).await;
            let Mail::SignedIn { outcome: Err(failure), .. } = mail else { panic!("it went well") };
            assert_eq!(failure.code, Code::TimedOut);
        });
    }

    /// Row H10.
    #[test]
    fn an_exchange_that_panics_is_reported() {
        without_a_network("exchange", async |mut stranded| {
            stranded.be_signed_in().await;
            stranded.keeper.step(stranded.id, Event::Asked { by: Asker::Person });
            let mail = stranded.mail(|mail| matches!(mail, Mail::Exchanged { .. })).await;
            let Mail::Exchanged { verdict, .. } = mail else { unreachable!() };
            let lost = Verdict::Transient { trouble: Trouble::TimedOut, status: None, retry_after: None };
            assert_eq!(verdict, lost);
        });
    }

    /// Row H10.
    #[test]
    fn a_heartbeat_that_panics_is_reported() {
        without_a_network("heartbeat", async |mut stranded| {
            let attempt = Attempt { epoch: 0, number: 1 };
            let token = AccessToken::new("at");
            stranded.keeper.perform(stranded.id, Effect::Heartbeat { attempt, token, generation: 1 });
            let mail = stranded.mail(|mail| matches!(mail, Mail::Beaten { .. })).await;
            let Mail::Beaten { beat, .. } = mail else { unreachable!() };
            assert_eq!(beat, Beat::Silent { trouble: Trouble::TimedOut, status: None });
        });
    }

    /// Row H10.
    #[test]
    fn a_fetch_that_panics_is_reported() {
        without_a_network("fetch", async |mut stranded| {
            stranded.be_signed_in().await;
            let fetch = Fetch { profile: "a".to_owned(), path: "/".to_owned(), ..Fetch::default() };
            stranded.keeper.fetch(fetch, nobody());
            let mail = stranded.mail(|mail| matches!(mail, Mail::Answered { .. })).await;
            let Mail::Answered { outcome, .. } = mail else { unreachable!() };
            assert_eq!(outcome.err(), Some(Trouble::Unanswered));
        });
    }

    /// Row H10.
    #[test]
    fn a_revocation_that_panics_is_reported() {
        without_a_network("revocation", async |mut stranded| {
            stranded.be_signed_in().await;
            stranded.keeper.step(stranded.id, Event::SignOut);
            let mail = stranded.mail(|mail| matches!(mail, Mail::Revoked { .. })).await;
            let Mail::Revoked { answer, .. } = mail else { unreachable!() };
            assert_eq!(answer, RevocationAnswer::Trouble { trouble: Trouble::TimedOut, status: None });
        });
    }

    #[tokio::test]
    async fn whoever_is_called_off_has_reported_once() {
        let (post, mut mailbox) = mpsc::unbounded_channel();
        let (begin, begun) = oneshot::channel();
        let worker = tokio::spawn(async move {
            let _report = Report::or(post, || Mail::HomeMade);
            begin.send(()).unwrap();
            std::future::pending::<()>().await;
        });
        begun.await.unwrap();
        worker.abort();
        assert!(matches!(mailbox.recv().await, Some(Mail::HomeMade)));
        assert!(mailbox.recv().await.is_none(), "there is nothing more to tell");
    }

    #[tokio::test]
    async fn whoever_has_reported_is_not_lost() {
        let (post, mut mailbox) = mpsc::unbounded_channel();
        Report::or(post, || panic!("it was not lost")).send(Mail::HomeMade);
        assert!(matches!(mailbox.recv().await, Some(Mail::HomeMade)));
        assert!(mailbox.recv().await.is_none());
    }

    struct Stranded {
        keeper: Keeper,
        id: Id,
        dir: PathBuf,
    }

    fn without_a_network(name: &str, test: impl AsyncFnOnce(Stranded)) {
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async { test(Stranded::begin(name).await).await });
    }

    impl Stranded {
        async fn begin(name: &str) -> Self {
            let dir = env::temp_dir().join(format!("pilotlight-stranded-{}-{name}", process::id()));
            fs::create_dir_all(&dir).unwrap();
            let home = Home::at(&dir).unwrap();
            let profile = "[profile.a]\npreset = 'simplejwt'\nurl = 'http://127.0.0.1:9'\n";
            fs::write(home.config(), format!("vault = 'memory'\n{profile}")).unwrap();
            let mut stranded = Self { keeper: Keeper::open(&home).unwrap(), id: 0, dir };
            let loaded = stranded.mail(|mail| matches!(mail, Mail::Loaded { .. })).await;
            stranded.keeper.take(loaded);
            stranded.id = stranded.keeper.names["a"];
            stranded
        }

        /// Hands earlier mail to the keeper.
        async fn mail(&mut self, wanted: impl Fn(&Mail) -> bool) -> Mail {
            loop {
                self.keeper.look();
                let mail = timeout(PATIENCE, self.keeper.mailbox.recv()).await;
                let mail = mail.expect("nobody reports").unwrap();
                if wanted(&mail) {
                    return mail;
                }
                self.keeper.take(mail);
            }
        }

        fn sign_in(&mut self) {
            let password = Password::new("wonderland".to_owned());
            let how = How::Typed { username: "alice".to_owned(), password };
            self.keeper.start_sign_in(self.id, how, nobody());
        }

        async fn be_signed_in(&mut self) {
            self.sign_in();
            let mut mail = self.mail(|mail| matches!(mail, Mail::SignedIn { .. })).await;
            let Mail::SignedIn { outcome, .. } = &mut mail else { unreachable!() };
            let tokens = Tokens {
                access: Some(AccessToken::new("at")),
                lifetime: Some(Duration::from_secs(300)),
                refresh: Some(RefreshToken::new("rt")),
                refresh_life: None,
                odd: None,
            };
            *outcome = Ok(SignedIn { tokens, account: Account::named("alice") });
            self.keeper.take(mail);
            let saved = self.mail(|mail| matches!(mail, Mail::Vault { .. })).await;
            self.keeper.take(saved);
        }
    }

    impl Drop for Stranded {
        fn drop(&mut self) {
            drop(fs::remove_dir_all(&self.dir));
        }
    }

    fn nobody() -> Answer {
        oneshot::channel().0
    }

    const PATIENCE: Duration = Duration::from_secs(20);
}
