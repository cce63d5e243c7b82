//! KeePassXC with one database. Unless it is set otherwise, each connection is given access to each item by itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::keyring::{Keyring, PASSWORD, version_of};
use super::service::Item;
use super::stage::{Process, Stage, output, until};

pub(crate) struct KeePassXc {
    program: Option<Process>,
    stage: Stage,
}

impl KeePassXc {
    /// No application is asked about.
    pub(crate) fn without_questions(stage: Stage) -> Self {
        let keyring = Self::on(stage);
        keyring.set("ConfirmAccessItem=false\nConfirmDeleteItem=false\n");
        keyring
    }

    /// In the dialog, once it is there.
    pub(crate) fn allow(&self) {
        self.stage.screen().answer(ACCESS, "", &["Return"]);
    }

    /// In the dialog, for as long as the connection is there.
    pub(crate) fn deny(&self) {
        self.stage.screen().answer(ACCESS, "", &["Tab", "Tab", "Tab", "space"]);
    }

    /// Closes the dialog, once it is there, without an answer.
    pub(crate) fn dismiss_access(&self) {
        self.stage.screen().answer(ACCESS, "", &["Escape"]);
    }

    /// With another database, in front of the first one: new items go there.
    pub(crate) fn with_two(stage: Stage) -> Self {
        let keyring = Self::on(stage);
        keyring.make(&keyring.files());
        keyring.make(&keyring.stage.path(OTHER));
        keyring
    }

    /// What is in the other one.
    pub(crate) fn items_of_the_other(&self) -> Vec<Item> {
        self.entries_of(&self.stage.path(OTHER))
    }

    pub(crate) fn put_the_first_in_front(&self) {
        self.stage.screen().press("KeePassXC", &["alt+1"]);
        let service = self.service();
        until("it is the default one", || service.is_open().then_some(()));
    }

    /// As a person closes a tab.
    pub(crate) fn close_database(&self) {
        self.stage.screen().press("KeePassXC", &["ctrl+w"]);
        let service = self.service();
        until("the database is closed", || service.collection().is_none().then_some(()));
    }

    /// As a person opens it again.
    pub(crate) fn open_database(&self) {
        let file = self.files().display().to_string();
        self.service().call_keepassxc("openDatabase", &(file, PASSWORD));
        let service = self.service();
        until("the database is open", || service.is_open().then_some(()));
    }

    fn set(&self, more: &str) {
        fs::create_dir_all(self.stage.path("config/keepassxc")).unwrap();
        let file = self.stage.path("config/keepassxc/keepassxc.ini");
        fs::write(file, format!("{SETTINGS}{more}")).unwrap();
    }

    /// The one group is exposed, which only an import can say without a window.
    fn make(&self, file: &Path) {
        let xml = self.stage.path("database.xml");
        fs::write(&xml, DATABASE).unwrap();
        let mut command = self.stage.command("keepassxc-cli");
        // As quick to open as can be.
        command.args(["import", "--set-password", "--decryption-time", "100"]).arg(xml).arg(file);
        let ran = output(&mut command, &format!("{PASSWORD}\n{PASSWORD}\n"));
        assert!(ran.status.success(), "{ran:?}");
    }

    fn entries_of(&self, file: &Path) -> Vec<Item> {
        let mut command = self.stage.command("keepassxc-cli");
        command.args(["export", "--quiet", "--format", "xml"]).arg(file);
        let ran = output(&mut command, &format!("{PASSWORD}\n"));
        assert!(ran.status.success(), "{ran:?}");
        entries(&String::from_utf8(ran.stdout).unwrap())
    }

    fn open(&mut self, password: Option<&str>) {
        if !self.files().exists() {
            self.make(&self.files());
        }
        let mut command = self.stage.command("keepassxc");
        let other = self.stage.path(OTHER);
        command.arg(self.files()).args(other.exists().then_some(other));
        if password.is_some() {
            command.arg("--pw-stdin").stdin(Stdio::piped());
        }
        let mut program = Process::spawn(&mut command);
        if let Some(password) = password {
            // A line for each.
            program.tell(format!("{password}\n{password}\n").as_bytes());
        }
        self.program = Some(program);
    }
}

impl Keyring for KeePassXc {
    const NAME: &str = "KeePassXC";
    const DIALOG: &str = "Unlock Database";
    const DIALOGS: &[&str] = &[Self::DIALOG, ACCESS, "Create a new KeePassXC database"];
    const NEEDS_ITS_PERSON: bool = true;
    const LET_IN: &str = "goes on once its access dialog is allowed";

    fn on(stage: Stage) -> Self {
        let keyring = Self { program: None, stage };
        keyring.set("");
        keyring
    }

    fn stage(&self) -> &Stage {
        &self.stage
    }

    fn version(&self) -> String {
        version_of(&self.stage, "keepassxc-cli")
    }

    /// Both dialogs, where the database is locked.
    fn let_in(&self, ask: impl Fn()) {
        ask();
        let screen = self.stage.screen();
        until("somebody is asked", || Self::DIALOGS.iter().any(|title| screen.shows(title)).then_some(()));
        if screen.shows(Self::DIALOG) {
            screen.answer(Self::DIALOG, PASSWORD, &["Return"]);
        }
        self.allow();
    }

    fn written<T>(&self, change: impl FnOnce() -> T) -> T {
        let changed = || fs::metadata(self.files()).and_then(|data| data.modified()).ok();
        let before = changed();
        let outcome = change();
        until("the database is written", || (changed() != before).then_some(()));
        outcome
    }

    fn start(&mut self) {
        self.open(Some(PASSWORD));
        let service = self.service();
        let last = if self.stage.path(OTHER).exists() { "/Other" } else { "/Passwords" };
        until("the database is open", || {
            let is_last = service.collection().is_some_and(|path| path.ends_with(last));
            (is_last && service.is_open()).then_some(())
        });
    }

    fn start_locked(&mut self) {
        self.open(None);
        let service = self.service();
        until("the database is there", || service.collection());
        assert!(!service.is_open());
    }

    fn process(&mut self) -> &mut Option<Process> {
        &mut self.program
    }

    fn files(&self) -> PathBuf {
        self.stage.path("Passwords.kdbx")
    }

    /// As they are on the disk, for which nobody is asked.
    fn items(&self) -> Vec<Item> {
        self.entries_of(&self.files())
    }
}

/// A group has its entries before its groups, and the recycle bin is the only one below the first.
fn entries(xml: &str) -> Vec<Item> {
    let (kept, _) = xml.split_once("<Name>Recycle Bin</Name>").unwrap_or((xml, ""));
    let entries = kept.split("<Entry>").skip(1);
    // What an entry was before is inside of it, as entries.
    let mut depth = 0;
    let mut items = Vec::new();
    for entry in entries {
        if depth == 0 {
            items.push(item(entry));
        }
        depth += entry.matches("<History>").count();
        depth -= entry.matches("</History>").count();
    }
    items
}

fn item(entry: &str) -> Item {
    let mut item = Item::new("", &[], "");
    for string in entry.split("<String>").skip(1) {
        let text = |tag: &str| {
            let (_, rest) = string.split_once(&format!("<{tag}"))?;
            let (_, text) = rest.split_once('>')?;
            text.split_once("</").map(|(text, _)| plain(text))
        };
        let (name, value) = (text("Key").unwrap(), text("Value").unwrap_or_default());
        match name.as_str() {
            "Title" => item.label = value,
            "Password" => item.secret = value,
            "UserName" | "URL" | "Notes" => {}
            _ => drop(item.attributes.insert(name, value)),
        }
    }
    item
}

fn plain(xml: &str) -> String {
    xml.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

const OTHER: &str = "Other.kdbx";

const ACCESS: &str = "Access Request";

const SETTINGS: &str = "[General]
ConfigVersion=2
UpdateCheckMessageShown=true
SingleInstance=false

[FdoSecrets]
Enabled=true
";

const DATABASE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<KeePassFile>
  <Meta>
    <CustomData>
      <Item>
        <Key>FDO_SECRETS_EXPOSED_GROUP</Key>
        <Value>{00010203-0405-0607-0809-0a0b0c0d0e0f}</Value>
      </Item>
    </CustomData>
  </Meta>
  <Root>
    <Group>
      <UUID>AAECAwQFBgcICQoLDA0ODw==</UUID>
      <Name>Root</Name>
    </Group>
  </Root>
</KeePassFile>
"#;
