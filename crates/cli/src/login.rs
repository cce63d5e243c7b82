use std::io::{self, IsTerminal as _, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use api::secret::Password;
use api::{Code, Lost, Overview, Pending, PhaseView, Problem, SessionView, Source, VaultKind, Way};
use client::Client;
use client::browser;
use rustix::termios::tcgetwinsize;
use serde_json::json;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::args::Login;
use crate::ended::Ended;
use crate::face::{Face, say, session};
use crate::terminal;

/// The password is asked for only once it is known that there is such a session.
pub(crate) fn login(face: &Face, login: &Login) -> Result<u8, Ended> {
    let mut client = face.connect_current()?;
    let before = client.status(Some(&login.name))?;
    let there = session(&before, &login.name)?;
    let own = there.ways.first().copied().unwrap_or(Way::Password);
    let overview = match if login.device { Way::Device } else { own } {
        way @ (Way::Browser | Way::Device) => elsewhere(face, client, login, way)?,
        way @ (Way::ClientSecret | Way::Password | Way::Unattended) => {
            typed(face, &mut client, login, there, way)?
        }
    };
    let after = session(&overview, &login.name)?;
    if face.json {
        face.print_json(&overview)?;
    } else {
        let user = after.user.as_deref().unwrap_or_default();
        // The keyring has been waited for. What it has not taken by now ends with the keeper.
        let done = match overview.vault.kind {
            _ if !after.renewable => "cli.login.no_refresh",
            VaultKind::Memory => "cli.login.memory",
            VaultKind::Credential | VaultKind::Keyring | VaultKind::Passphrase if after.saved => {
                "cli.login.done"
            }
            VaultKind::Keyring => "cli.login.unsaved",
            VaultKind::Credential | VaultKind::Passphrase => "cli.login.unsealed",
        };
        let told = after.access.as_ref().filter(|access| access.source != Source::Assumed);
        let left = told.map(|access| face.words().duration(access.remaining_ms)).unwrap_or_default();
        face.tell(done, &[("profile", &login.name), ("user", user), ("left", &left), OFFLINE]);
        // It is easy to be another account in a browser. A name from the configuration has not signed in yet.
        let known = !matches!(there.phase, PhaseView::NeedsLogin { why: Lost::Never | Lost::SignedOut });
        if let Some(before) =
            there.user.as_deref().filter(|before| known && !user.is_empty() && *before != user)
        {
            face.tell("cli.login.other", &[("before", before)]);
        }
    }
    Ok(0)
}

fn typed(
    face: &Face,
    client: &mut Client,
    login: &Login,
    there: &SessionView,
    way: Way,
) -> Result<Overview, Ended> {
    let of = [("profile", login.name.as_str()), ("host", there.host.as_str())];
    let username = match &login.user {
        _ if way != Way::Password => String::new(),
        Some(user) => user.clone(),
        None if terminal::is_there() => terminal::ask(&face.words().fill("cli.login.user", &of))?,
        None => String::new(),
    };
    if way == Way::Password && username.is_empty() {
        return Err(Ended::Usage(Problem::NoUser));
    }
    let password = match way {
        Way::Unattended => Password::new(String::new()),
        Way::ClientSecret => terminal::password(&face.words().fill("cli.login.secret", &of))?,
        Way::Browser | Way::Device | Way::Password => {
            terminal::password(&face.words().fill("cli.login.password", &[("user", &username), of[1]]))?
        }
    };
    Ok(client.login(&login.name, &username, password)?)
}

fn elsewhere(face: &Face, mut client: Client, login: &Login, way: Way) -> Result<Overview, Ended> {
    let (pending, url) = client.sign_in(&login.name, Some(way))?;
    if face.json {
        face.print_json(&json!({ "sign_in": { "pending": pending, "url": url } }))?;
    }
    show(face, login, &pending, url.as_deref());
    let profile = login.name.clone();
    let (sender, end) = mpsc::channel();
    give_up_on_signals(face, &login.name, sender.clone());
    thread::spawn(move || {
        let overview = client.finish_sign_in(&profile, None);
        drop(sender.send(overview.map_err(Ended::Failed)));
    });
    if login.paste && matches!(pending, Pending::Browser { .. }) {
        take_from_hand(face, &login.name)?;
        // The line in which a person types stays as it is.
        return end.recv().unwrap_or(Err(Ended::interrupted()));
    }
    let (Pending::Browser { expires_in_ms, .. } | Pending::Device { expires_in_ms, .. }) = pending;
    wait(face, &end, Duration::from_millis(expires_in_ms))
}

/// Apart, because the browser may come back by itself after all.
fn take_from_hand(face: &Face, name: &str) -> Result<(), Ended> {
    let (face, home, profile) = (Face::new(face.json), face.home()?.clone(), name.to_owned());
    thread::spawn(move || {
        let prompt = face.words().fill("cli.login.paste", &[]);
        while let Ok(address) = terminal::ask(&prompt)
            && (terminal::is_there() || !address.is_empty())
            && let Ok(Some(mut client)) = Client::running(&home)
        {
            match client.land_sign_in(&profile, Password::new(address)) {
                Err(failure) if failure.code == Code::WrongAddress => face.explain(&Ended::Failed(failure)),
                // What becomes of it is told by who waits for the end.
                Err(_) | Ok(()) => break,
            }
        }
    });
    Ok(())
}

fn show(face: &Face, login: &Login, pending: &Pending, url: Option<&str>) {
    match pending {
        Pending::Browser { open_within_ms, .. } => {
            let url = url.unwrap_or_default();
            if login.paste {
                face.tell("cli.login.elsewhere", &[("url", url)]);
            } else if login.no_browser {
                face.tell("cli.login.open", &[("url", url)]);
            } else {
                match browser::open(url) {
                    Ok(()) => face.tell("cli.login.opened", &[("url", url)]),
                    Err(_) => face.tell("cli.login.open", &[("url", url)]),
                }
            }
            if let Some(within) = open_within_ms {
                face.tell("cli.login.within", &[("time", &face.words().duration(*within))]);
            }
        }
        Pending::Device { user_code, verification_uri, verification_uri_complete, qr, .. } => {
            face.tell("cli.login.device", &[("url", verification_uri), ("code", user_code)]);
            if let Some(complete) = verification_uri_complete {
                face.tell("cli.login.device.complete", &[("url", complete)]);
            }
            if let Some(drawing) = picture(face, qr) {
                say(&drawing);
            }
            face.tell("cli.login.device.caution", &[]);
        }
    }
}

/// Two rows of squares a line, black on white in any terminal, with the margin that a camera needs.
fn picture(face: &Face, qr: &[String]) -> Option<String> {
    let fits = tcgetwinsize(io::stderr()).is_ok_and(|size| usize::from(size.ws_col) >= qr.len() + 2 * MARGIN);
    if qr.is_empty() || face.json || !fits || std::env::var_os("TERM").is_none_or(|term| term == "dumb") {
        return None;
    }
    Some(squares(qr))
}

fn squares(qr: &[String]) -> String {
    let size = qr.len() + 2 * MARGIN;
    let dark = |x: usize, y: usize| {
        let row = y.checked_sub(MARGIN).and_then(|y| qr.get(y));
        let square = row.zip(x.checked_sub(MARGIN)).and_then(|(row, x)| row.as_bytes().get(x));
        square == Some(&b'#')
    };
    let line = |y: usize| {
        let squares: String = (0..size)
            .map(|x| match (dark(x, y), dark(x, y + 1)) {
                (true, true) => '█',
                (true, false) => '▀',
                (false, true) => '▄',
                (false, false) => ' ',
            })
            .collect();
        format!("\x1b[30;107m{squares}\x1b[0m")
    };
    (0..size).step_by(2).map(line).collect::<Vec<_>>().join("\n")
}

/// Otherwise a tab that is still open could sign in a minute later, and its port would be taken until then.
fn give_up_on_signals(face: &Face, name: &str, end: mpsc::Sender<Result<Overview, Ended>>) {
    let (Ok(home), Ok(mut signals)) = (face.home().cloned(), Signals::new([SIGHUP, SIGINT, SIGTERM])) else {
        return;
    };
    let profile = name.to_owned();
    thread::spawn(move || {
        if let Some(signal) = signals.forever().next() {
            if let Ok(Some(mut client)) = Client::running(&home) {
                drop(client.cancel_sign_in(&profile));
            }
            drop(end.send(Err(Ended::Stopped(signal.try_into().unwrap_or_default()))));
        }
    });
}

fn wait(
    face: &Face,
    end: &mpsc::Receiver<Result<Overview, Ended>>,
    lasts: Duration,
) -> Result<Overview, Ended> {
    let until = Instant::now() + lasts;
    let shown = io::stderr().is_terminal() && !face.json;
    let clear = || {
        if shown {
            drop(write!(io::stderr(), "\r\x1b[K"))
        }
    };
    loop {
        if shown {
            let left = until.saturating_duration_since(Instant::now()).as_millis();
            let left = face.words().duration(u64::try_from(left).unwrap_or(u64::MAX));
            let line = face.words().fill("cli.login.waiting", &[("time", &left)]);
            drop(write!(io::stderr(), "\r\x1b[K{line}"));
        }
        match end.recv_timeout(Duration::from_secs(1)) {
            Ok(reply) => {
                clear();
                return reply;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(Ended::interrupted()),
        }
    }
}

/// As it is written in a profile. In the catalogue, braces are placeholders.
const OFFLINE: (&str, &str) = ("access_type", "{ access_type = \"offline\" }");

/// ISO/IEC 18004 asks for four, but two are enough on a screen.
const MARGIN: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squares_are_drawn_two_rows_a_line_with_a_margin() {
        let drawing = squares(&["# ".to_owned(), "##".to_owned()]);
        let lines: Vec<_> = drawing
            .lines()
            .map(|line| line.trim_start_matches("\x1b[30;107m").trim_end_matches("\x1b[0m"))
            .collect();
        assert_eq!(lines, ["      ", "  █▄  ", "      "]);
    }
}
