//! What can be done with every keyring, by its person and behind an application's back.

use std::fs;
use std::path::PathBuf;

use super::service::{Item, Question, Service};
use super::stage::{Process, Stage, output, until};

/// A keyring on a stage of its own. It is not started before it is told to.
pub(crate) trait Keyring: Sized {
    /// What the table calls it, and what is special about it.
    const NAME: &str;
    const HOW: &str = "";

    /// What the title of the dialog says that asks for the password.
    const DIALOG: &str;

    /// The titles of all that it may ask.
    const DIALOGS: &[&str] = &[Self::DIALOG];

    /// Somebody has to open it whenever it has been started.
    const BEGINS_LOCKED: bool = false;

    /// A keeper that begins anew may read what is there only once a person has said so.
    const NEEDS_ITS_PERSON: bool = false;

    /// How a session goes on after both have begun anew.
    const LET_IN: &str = "goes on by itself";

    /// How it goes on where somebody has opened the keyring since.
    const ONCE_OPEN: &str = Self::LET_IN;

    fn on(stage: Stage) -> Self;

    fn stage(&self) -> &Stage;

    /// As its program says it.
    fn version(&self) -> String;

    /// Starts it with the files that are there, open, as after a login.
    fn start(&mut self);

    /// Starts it with the files that are there, and waits until it says that they are locked.
    fn start_locked(&mut self);

    /// Starts it as its people do.
    fn begin(&mut self) {
        self.start();
    }

    /// Where it runs, if it does.
    fn process(&mut self) -> &mut Option<Process>;

    /// All that it keeps on disk.
    fn files(&self) -> PathBuf;

    /// As if the machine had lost its power.
    fn kill(&mut self) {
        drop(self.process().take());
        self.until_gone();
    }

    /// As the desktop ends it.
    fn end(&mut self) {
        self.process().take().unwrap().end();
        self.until_gone();
    }

    /// Has another one take its place, in which there is nothing.
    fn replace(&mut self) {
        self.kill();
        let files = self.files();
        if files.is_dir() { fs::remove_dir_all(files) } else { fs::remove_file(files) }.unwrap();
        self.start();
    }

    /// What a person does when one of the first signs in.
    fn open_for_the_first(&self) {}

    /// Answers the dialogs that come when a person wants the keeper to read.
    fn let_in(&self, ask: impl Fn()) {
        ask();
        self.stage().screen().answer(Self::DIALOG, PASSWORD, &["Return"]);
    }

    /// Does something, and waits until its outcome would outlive a kill.
    fn written<T>(&self, change: impl FnOnce() -> T) -> T {
        change()
    }

    fn lock(&self) {
        let service = self.service();
        // One that is writing to its disk says no.
        until("it is locked", || {
            let said = service.lock().as_ref().is_none_or(Question::answer);
            (said && !service.is_open()).then_some(())
        });
    }

    /// As a person does it: in the dialog that is there, or in one that comes for it.
    fn unlock(&self) {
        let (service, screen) = (self.service(), self.stage().screen());
        let question = (!screen.shows(Self::DIALOG)).then(|| service.unlock(service.collection().unwrap()));
        let is_answered =
            || question.as_ref().is_some_and(|asked| asked.as_ref().is_none_or(Question::is_answered));
        until("somebody is asked, or nobody has to be", || {
            (is_answered() || screen.shows(Self::DIALOG)).then_some(())
        });
        if !is_answered() {
            screen.answer(Self::DIALOG, PASSWORD, &["Return"]);
        }
        until("it is open", || service.is_open().then_some(()));
    }

    /// Closes the dialog that asks for the password, once it is there, without an answer.
    fn dismiss(&self) {
        self.stage().screen().answer(Self::DIALOG, "", &["Escape"]);
    }

    /// Everything that is kept in it while it is open.
    fn items(&self) -> Vec<Item> {
        self.service().items()
    }

    /// Waits until it is kept as that.
    fn until_kept(&self, item: &Item) {
        until("the item is kept", || self.items().iter().any(|kept| kept.is(item)).then_some(()));
    }

    /// Has the one item with these attributes deleted by another application.
    fn delete(&self, attributes: &[(&str, &str)]) {
        let service = self.service();
        let found = service.search(attributes);
        let [item] = found.as_slice() else { panic!("{} items", found.len()) };
        assert!(service.delete(item).as_ref().is_none_or(Question::answer));
    }

    /// Another application each time.
    fn service(&self) -> Service {
        Service::of(self.stage())
    }

    fn until_gone(&self) {
        let service = self.service();
        until("its name is gone", || (!service.is_there()).then_some(()));
    }
}

/// What a program answers that is asked for its version.
pub(crate) fn version_of(stage: &Stage, program: &str) -> String {
    let ran = output(stage.command(program).arg("--version"), "");
    let text = String::from_utf8(ran.stdout).unwrap();
    let is_version = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    text.split_whitespace().find(is_version).unwrap_or_else(|| panic!("{program}: {text}")).to_owned()
}

pub(crate) const PASSWORD: &str = "correct horse";
