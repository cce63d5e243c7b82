use std::sync::Arc;

use session::reason::Trouble;
use session::revocation::{Revocation, note};
use session::time::Timestamp;
use session::verdict::RevocationAnswer;

use super::keeper::Keeper;
use super::mail::Mail;
use super::report::Report;
use super::revocations::Due;
use crate::adapters::clock;
use crate::adapters::provider::{Provider, Unwanted};

impl Keeper {
    pub(crate) fn revoke(&mut self, profile: &str, provider: Arc<Provider>, unwanted: Unwanted) {
        self.begin_revocation(Some(profile.to_owned()), provider, unwanted);
    }

    /// For tokens that belong to no session here. It is not noted.
    pub(crate) fn give_back(&mut self, provider: Arc<Provider>, unwanted: Unwanted) {
        self.begin_revocation(None, provider, unwanted);
    }

    fn begin_revocation(&mut self, profile: Option<String>, provider: Arc<Provider>, unwanted: Unwanted) {
        let number = self.next_number();
        let now = clock::now();
        let due = Due {
            profile,
            forgotten: false,
            provider,
            unwanted: Arc::new(unwanted),
            revocation: Revocation::new(now),
            under_way: false,
        };
        self.revocations.0.insert(number, due);
        self.send_revocations(now);
    }

    pub(crate) fn send_revocations(&mut self, now: Timestamp) {
        for (number, due) in &mut self.revocations.0 {
            if due.under_way || due.revocation.due() > now {
                continue;
            }
            due.under_way = true;
            let (number, post) = (*number, self.post.clone());
            let (provider, unwanted) = (Arc::clone(&due.provider), Arc::clone(&due.unwanted));
            let lost = move || {
                let answer = RevocationAnswer::Trouble { trouble: Trouble::TimedOut, status: None };
                Mail::Revoked { number, answer }
            };
            let report = Report::or(post, lost);
            tokio::spawn(async move {
                let answer = provider.revoke(&unwanted).await;
                report.send(Mail::Revoked { number, answer });
            });
        }
    }

    pub(crate) fn on_revoked(&mut self, number: u64, answer: RevocationAnswer) {
        let Some(due) = self.revocations.0.get_mut(&number) else { return };
        due.under_way = false;
        let first = due.revocation.is_first();
        let over = due.revocation.on_answer(answer, clock::now()).is_none();
        let (profile, forgotten) = (due.profile.clone(), due.forgotten);
        if over {
            self.revocations.0.remove(&number);
        }
        // Only the first try and the end are noted, not the repetitions of a day.
        let Some(profile) = profile.filter(|_| over || first) else { return };
        if forgotten {
            self.note_without_name(&profile, note(answer));
        } else {
            self.note(Some(&profile), note(answer));
        }
    }
}
