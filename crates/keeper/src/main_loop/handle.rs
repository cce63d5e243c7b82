use std::sync::Arc;

use api::{Asker, Code, Failure, Fetch, Notice, Problem, Reply, Request};
use session::bounds;
use tokio::sync::{Semaphore, broadcast, oneshot};

use super::answer::stopping;
use super::mail::{Mail, Post};
use crate::room::{Room, Taken};

#[derive(Clone)]
pub struct Handle {
    post: Post,
    notices: broadcast::Sender<Notice>,
    places: Arc<Places>,
    room: Room,
}

/// Each kind has a limit of its own. Requests over it wait here, so the mailbox stays small.
pub(crate) struct Places {
    quick: Semaphore,
    people: Semaphore,
    machines: Semaphore,
}

impl Handle {
    pub(crate) fn new(
        post: Post,
        notices: broadcast::Sender<Notice>,
        places: Arc<Places>,
        room: Room,
    ) -> Self {
        Self { post, notices, places, room }
    }

    pub async fn ask(&self, request: Request) -> Result<Reply, Failure> {
        let Ok(_place) = self.places.of(&request).acquire().await else { return Err(stopping()) };
        let (answer, reply) = oneshot::channel();
        if self.post.send(Mail::Ask { request, answer }).is_err() {
            return Err(stopping());
        }
        reply.await.unwrap_or_else(|_| Err(ended()))
    }

    /// For an answer until it has been read.
    pub(crate) fn room_for(&self, reply: &Reply) -> Taken {
        let length = if let Reply::Fetched(fetched) = reply { fetched.body.len() } else { 0 };
        self.room.take(length)
    }

    pub fn notices(&self) -> broadcast::Receiver<Notice> {
        self.notices.subscribe()
    }

    /// Once this returns, the keeper does not take the missing files for an edit.
    pub async fn home_is_gone(&self) {
        let (answer, heard) = oneshot::channel();
        if self.post.send(Mail::HomeGone { answer }).is_ok() {
            heard.await.ok();
        }
    }

    pub fn home_is_made_again(&self) {
        drop(self.post.send(Mail::HomeMade));
    }

    pub fn terminate(&self) {
        drop(self.post.send(Mail::Terminate));
    }
}

impl Places {
    fn of(&self, request: &Request) -> &Semaphore {
        match request {
            Request::Add(_)
            | Request::CancelSignIn { .. }
            | Request::Hello { .. }
            | Request::LandSignIn { .. }
            | Request::Log { .. }
            | Request::Logout { .. }
            | Request::Remove { .. }
            | Request::Status { .. }
            | Request::Stop { .. }
            | Request::Watch => &self.quick,
            Request::Bench { .. }
            | Request::Discover { .. }
            | Request::Fetch(Fetch { by: Asker::Person, .. })
            | Request::FinishSignIn { .. }
            | Request::Login { .. }
            | Request::Refresh { by: Asker::Person, .. }
            | Request::SetBench { .. }
            | Request::SignIn { .. }
            | Request::Unlock { .. } => &self.people,
            Request::Fetch(Fetch { by: Asker::Machine, .. })
            | Request::Refresh { by: Asker::Machine, .. }
            | Request::Token { .. } => &self.machines,
        }
    }
}

impl Default for Places {
    fn default() -> Self {
        Self {
            quick: Semaphore::new(bounds::QUICK),
            people: Semaphore::new(bounds::OF_PEOPLE),
            machines: Semaphore::new(bounds::OF_MACHINES),
        }
    }
}

/// The request may have been carried out, so unlike after [`stopping`] the next keeper is not asked.
fn ended() -> Failure {
    Failure::new(Code::KeeperUnreachable).because(Problem::Ended)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc;

    /// Row H12.
    #[tokio::test]
    async fn however_many_ask_the_mailbox_stays_small_and_quick_questions_get_through() {
        let (post, mut mailbox) = mpsc::unbounded_channel();
        let handle = Handle::new(post, broadcast::channel(1).0, Arc::default(), Room::default());
        let ask = |request| {
            let handle = handle.clone();
            tokio::spawn(async move { handle.ask(request).await })
        };
        let fetches: Vec<_> =
            (0..bounds::OF_MACHINES + 9).map(|_| ask(Request::Fetch(Fetch::default()))).collect();
        ask(Request::Stop { force: false });
        for by_a_person in PEOPLE {
            ask(serde_json::from_str(by_a_person).unwrap());
        }
        tokio::spawn(async {}).await.unwrap();
        let all = bounds::OF_MACHINES + 1 + PEOPLE.len();
        assert_eq!(mailbox.len(), all, "and so do people");

        let Some(Mail::Ask { answer, .. }) = mailbox.recv().await else { panic!("nobody asks") };
        drop(answer.send(Ok(Reply::Done)));
        fetches.into_iter().next().unwrap().await.unwrap().unwrap();
        tokio::spawn(async {}).await.unwrap();
        assert_eq!(mailbox.len(), all, "the next one has the place");
    }

    const PEOPLE: [&str; 6] = [
        r#"{ "do": "login", "profile": "a", "username": "u", "password": "p" }"#,
        r#"{ "do": "sign_in", "profile": "a" }"#,
        r#"{ "do": "finish_sign_in", "profile": "a" }"#,
        r#"{ "do": "refresh", "profile": "a", "by": "person" }"#,
        r#"{ "do": "fetch", "profile": "a", "path": "/", "by": "person" }"#,
        r#"{ "do": "unlock" }"#,
    ];
}
