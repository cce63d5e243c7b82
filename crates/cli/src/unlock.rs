use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;

use api::secret::Password;
use api::{Code, Failure, Overview, Problem, VaultKind, VaultTrouble};
use client::Client;
use session::limits;

use crate::ended::Ended;
use crate::face::Face;
use crate::terminal;

/// Whoever is asked for a passphrase is asked only once it is known that one is needed.
pub(crate) fn unlock(face: &Face) -> Result<u8, Ended> {
    let mut client = face.connect_current()?;
    let before = client.status(None)?;
    if before.vault.kind == VaultKind::Memory {
        return open(face, &before, "cli.unlock.memory");
    }
    match without_passphrase(face, client, before.vault.trouble) {
        Ok(overview) => {
            let was_open = before.vault.trouble.is_none();
            open(face, &overview, if was_open { "cli.unlock.open" } else { "cli.unlock.done" })
        }
        Err(failure) => {
            let passphrase = passphrase(face, failure)?;
            let overview = face.connect()?.unlock(Some(passphrase))?;
            open(face, &overview, "cli.unlock.done")
        }
    }
}

fn open(face: &Face, overview: &Overview, told: &str) -> Result<u8, Ended> {
    if face.json {
        face.print_json(overview)?;
    } else {
        face.tell(told, &[]);
    }
    Ok(0)
}

/// A keyring shows a dialog, and a command that knows a passphrase may. Whoever looks at the terminal is told.
fn without_passphrase(
    face: &Face,
    mut client: Client,
    trouble: Option<VaultTrouble>,
) -> Result<Overview, Failure> {
    let (sender, end) = mpsc::channel();
    thread::spawn(move || drop(sender.send(client.unlock(None))));
    let waits_for = match trouble {
        Some(VaultTrouble::Locked | VaultTrouble::NotAllowed) => "cli.unlock.dialog",
        _ => "cli.unlock.waiting",
    };
    let reply = match end.recv_timeout(limits::MOMENT) {
        Err(RecvTimeoutError::Timeout) => {
            face.tell(waits_for, &[]);
            end.recv()
        }
        reply => reply.map_err(|_| mpsc::RecvError),
    };
    reply.unwrap_or_else(|_| Err(Failure::new(Code::Internal)))
}

/// Fails with what no passphrase can mend.
fn passphrase(face: &Face, failure: Failure) -> Result<Password, Ended> {
    let words = face.words();
    let once = |prompt| terminal::password(&words.fill(prompt, &[]));
    let is_lost = matches!(failure.code, Code::KeyFileDamaged | Code::KeyFileGone);
    if matches!(failure.code, Code::PassphraseNeeded | Code::PassphraseWrong) {
        once("cli.unlock.passphrase")
    } else if failure.code == Code::PassphraseUnset {
        chosen(once)
    } else if is_lost && terminal::is_there() {
        let said = words.say(&failure).0;
        face.tell("cli.unlock.lost", &[("trouble", said.trim_end_matches(['.', '。']))]);
        chosen(once)
    } else {
        Err(failure.into())
    }
}

fn chosen(ask: impl Fn(&'static str) -> Result<Password, Ended>) -> Result<Password, Ended> {
    let passphrase = ask("cli.unlock.choose")?;
    if terminal::is_there() && ask("cli.unlock.again")?.expose() != passphrase.expose() {
        return Err(Ended::Usage(Problem::PassphrasesDiffer));
    }
    Ok(passphrase)
}
