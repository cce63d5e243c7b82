use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use api::{Asker, Code, Failure, Note, Notice, PhaseView, SessionView, Source, Trouble, VaultKind};
use client::Client;
use client::browser;
use serde_json::json;
use session::limits;

use crate::args::Logout;
use crate::ended::{Ended, exit_code_of_phase};
use crate::face::{Face, say, session};

pub(crate) fn logout(face: &Face, logout: &Logout) -> Result<u8, Ended> {
    let name = logout.name.as_str();
    let (page, told) = sign_out(face, name, |client| client.logout(name, logout.browser))?;
    let Some(url) = &page else {
        if logout.browser {
            face.tell("cli.logout.no_page", &[("profile", name)]);
        }
        return signed_out(face, "cli.logout.done", name, told.as_ref());
    };
    if face.json {
        face.print_json(&json!({ "done": true, "open": url, "revocation": told }))?;
        return Ok(0);
    }
    signed_out(face, "cli.logout.done", name, told.as_ref())?;
    match browser::open(url) {
        Ok(()) => face.tell("cli.logout.opened", &[]),
        Err(_) => face.tell("cli.login.open", &[("url", url)]),
    }
    Ok(0)
}

pub(crate) fn remove(face: &Face, name: &str) -> Result<u8, Ended> {
    let ((), told) = sign_out(face, name, |client| client.remove(name))?;
    signed_out(face, "cli.remove.done", name, told.as_ref())
}

/// A person wants to hear what could not be revoked, so the provider's answer is waited for, but not long.
fn sign_out<T>(
    face: &Face,
    name: &str,
    ask: impl FnOnce(&mut Client) -> Result<T, Failure>,
) -> Result<(T, Option<Note>), Ended> {
    // Signing out also works where watching does not.
    let watching = face.connect()?.watch();
    let reply = ask(&mut face.connect()?)?;
    let Ok((before, mut notices)) = watching else { return Ok((reply, None)) };
    let lives = |session: &SessionView| {
        session.access.is_some() || !matches!(session.phase, PhaseView::NeedsLogin { .. })
    };
    if !session(&before, name).is_ok_and(lives) {
        return Ok((reply, None));
    }
    let until = Instant::now() + limits::TOLD;
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match notices.next_within(left.max(Duration::from_millis(1))) {
            Ok(Some(Notice::Entry(entry))) if entry.profile.as_deref() == Some(name) => {
                if matches!(entry.note, Note::RevocationUnsupported | Note::Revocation { .. }) {
                    return Ok((reply, Some(entry.note)));
                }
            }
            Ok(Some(Notice::Changed { .. } | Notice::Entry(_))) => {}
            Ok(None) | Err(_) => return Ok((reply, None)),
        }
    }
}

fn signed_out(face: &Face, key: &str, name: &str, told: Option<&Note>) -> Result<u8, Ended> {
    if face.json {
        face.print_json(&json!({ "done": true, "revocation": told }))?;
        return Ok(0);
    }
    face.tell(key, &[("profile", name)]);
    if let Some(note) = told {
        say(&face.words().note(note));
        let again = matches!(note, Note::Revocation { trouble: Some(why), .. } if *why != Trouble::Suspect);
        if again {
            face.tell("cli.logout.later", &[]);
        }
    }
    Ok(0)
}

/// No keeper is started just to be stopped.
pub(crate) fn stop(face: &Face, force: bool) -> Result<u8, Ended> {
    match Client::running(face.home()?)? {
        None if face.json => face.print_json(&json!({ "done": true })).map(|()| 0),
        None => {
            face.tell("cli.stop.none", &[]);
            Ok(0)
        }
        Some(client) => {
            let mut client = client.without_waiting();
            let waits_for = what_it_waits_for(&mut client);
            let mut client = client.on_wait(face.says(waits_for));
            client.stop(force)?;
            client.wait_for_end()?;
            done(face, "cli.stop.done")
        }
    }
}

/// A keeper that is stopping does not answer this any more.
fn what_it_waits_for(client: &mut Client) -> &'static str {
    match client.status(None) {
        Ok(overview)
            if overview.vault.kind != VaultKind::Memory
                && overview.sessions.iter().any(|session| !session.saved) =>
        {
            "cli.wait.keyring"
        }
        Err(failure) if failure.code == Code::KeeperStopping => "cli.wait.stopping",
        Ok(_) | Err(_) => "cli.wait.in_flight",
    }
}

pub(crate) fn refresh(face: &Face, name: &str) -> Result<u8, Ended> {
    let by = if io::stdin().is_terminal() { Asker::Person } else { Asker::Machine };
    let overview = face.connect()?.refresh(name, by)?;
    let session = session(&overview, name)?;
    if face.json {
        face.print_json(&overview)?;
    } else if session.phase == PhaseView::Fresh {
        let (key, left) = match &session.access {
            Some(access) if access.source == Source::Assumed => ("cli.refresh.done.assumed", 0),
            access => ("cli.refresh.done", access.as_ref().map_or(0, |access| access.remaining_ms)),
        };
        face.tell(key, &[("profile", name), ("time", &face.words().duration(left))]);
    } else {
        say(&format!("pilotlight: {name}: {}", face.words().phase(&session.phase)));
    }
    Ok(exit_code_of_phase(&session.phase))
}

fn done(face: &Face, key: &str) -> Result<u8, Ended> {
    if face.json {
        face.print_json(&json!({ "done": true }))?;
    } else {
        face.tell(key, &[]);
    }
    Ok(0)
}
