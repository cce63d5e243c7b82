//! Whoever is sent out reports, whatever becomes of them: a worker that panics, or is called off, has its report sent
//! as it goes down. So nothing that the keeper waits for can stay away for ever.

use super::mail::{Mail, Post};

/// Owed to the keeper by a worker.
pub(crate) struct Report<F: FnOnce() -> Mail> {
    post: Post,
    /// What is told when the worker does not get to tell anything.
    lost: Option<F>,
}

impl<F: FnOnce() -> Mail> Report<F> {
    pub(crate) fn or(post: Post, lost: F) -> Self {
        Self { post, lost: Some(lost) }
    }

    pub(crate) fn send(mut self, mail: Mail) {
        self.lost = None;
        // A keeper that has ended needs no report.
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
