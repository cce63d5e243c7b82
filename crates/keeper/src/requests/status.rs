//! What a person sees is asked for after a look at the files that profiles name, which may lie on a disk that hangs.

use std::collections::BTreeSet;
use std::path::PathBuf;

use api::{Code, Failure, Reply};
use session::limits;
use session::patience::Patience;
use tokio::task::JoinSet;

use crate::main_loop::answer::{Answer, refuse};
use crate::main_loop::keeper::Keeper;
use crate::main_loop::kept::Kept;
use crate::main_loop::mail::{Mail, Unreadable};

impl Keeper {
    pub(crate) fn status(&self, profile: Option<String>, answer: Answer) {
        let named = self.kept.values().filter(|kept| !kept.removed);
        let files: BTreeSet<PathBuf> = named.filter_map(|kept| kept.profile.ca_file.clone()).collect();
        if files.is_empty() {
            return self.answer_status(profile.as_deref(), answer);
        }
        let (http, post) = (self.http.clone(), self.post.clone());
        tokio::spawn(async move {
            let mut looks = JoinSet::new();
            for file in files {
                let http = http.clone();
                looks.spawn(async move {
                    let wrong = http.wrong_with(&file, &mut Patience::new(limits::LOOK)).await;
                    wrong.map(|wrong| (file, wrong))
                });
            }
            let unreadable = looks.join_all().await.into_iter().flatten().collect();
            drop(post.send(Mail::Inspected { unreadable, profile, answer }));
        });
    }

    pub(crate) fn on_inspected(&mut self, unreadable: Unreadable, profile: Option<&str>, answer: Answer) {
        self.unreadable = unreadable;
        self.answer_status(profile, answer);
    }

    fn answer_status(&self, profile: Option<&str>, answer: Answer) {
        let overview = match profile {
            None => Ok(self.overview()),
            Some(name) => self.find(name).map(|id| self.overview_of(id)),
        };
        match overview {
            Ok(overview) => drop(answer.send(Ok(Reply::Status(overview)))),
            Err(failure) => refuse(answer, failure),
        }
    }
}

impl Kept {
    pub(crate) fn problem(&self, unreadable: &Unreadable) -> Option<Failure> {
        let profile = &self.profile;
        let path = profile.ca_file.as_ref()?;
        let wrong = unreadable.get(path)?;
        let failure = Failure::new(Code::CertificatesUnreadable).of(&profile.name).because(wrong.clone());
        Some(failure.with("file", path.display()).with("host", profile.host()))
    }
}
