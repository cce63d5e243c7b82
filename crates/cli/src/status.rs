use std::io::{self, IsTerminal as _};
use std::time::Duration;

use api::words::Words;
use api::{Failure, Notice, Overview, PhaseView, SessionView, Source, VaultKind};
use rustix::termios::tcgetwinsize;

use crate::ended::Ended;
use crate::face::{Face, has_colour, say, session};
use crate::table::{Cell, Colour, harmless, lines};

pub(crate) fn status(face: &Face, name: Option<&str>, watch: bool) -> Result<u8, Ended> {
    if watch {
        return follow(face, name);
    }
    let overview = face.overview(name)?;
    if face.json {
        face.print_json(&overview)?;
    } else {
        for line in picture(face.words(), &overview, name, has_colour())? {
            face.print(line + "\n")?;
        }
        remarks(face, &overview);
    }
    Ok(0)
}

fn remarks(face: &Face, overview: &Overview) {
    if overview.sessions.is_empty() && overview.problems.is_empty() {
        face.tell("cli.status.none", &[]);
    }
    for problem in &overview.problems {
        let (what, next) = face.sentences(problem);
        let of = problem.profile.as_deref().map(|profile| format!("{profile}: ")).unwrap_or_default();
        say(&format!("pilotlight: {of}{what}\n  → {next}"));
    }
    if let Some(trouble) = overview.vault.trouble {
        let (what, next) = face.sentences(&Failure::vault(trouble));
        say(&format!("pilotlight: {what}\n  → {next}"));
    }
    let kept = |session: &&SessionView| !matches!(session.phase, PhaseView::NeedsLogin { .. });
    if overview.vault.kind == VaultKind::Memory && overview.sessions.iter().any(|session| kept(&session)) {
        face.tell("cli.vault.memory", &[]);
    }
    for session in overview.sessions.iter().filter(|session| !session.saved).filter(kept) {
        let told = match overview.vault.kind {
            VaultKind::Credential | VaultKind::Passphrase => "cli.unsealed",
            VaultKind::Keyring => "cli.unsaved",
            VaultKind::Memory => continue,
        };
        face.tell(told, &[("profile", &session.profile)]);
    }
    for session in &overview.sessions {
        if let Some(ends) = session.forecast.filter(|forecast| forecast.is_near).and_then(|it| it.ends) {
            let ends = face.words().ends(&ends);
            face.tell("cli.ends_soon", &[("profile", &session.profile), ("ends", &ends)]);
        }
    }
}

fn picture(
    words: &Words,
    overview: &Overview,
    name: Option<&str>,
    colour: bool,
) -> Result<Vec<String>, Ended> {
    if overview.sessions.is_empty() && name.is_none() {
        return Ok(Vec::new());
    }
    let column = |key: &str| Cell::in_colour(words.fill(&format!("cli.column.{key}"), &[]), Colour::Faint);
    let mut rows = vec![["name", "state", "left", "refresh", "heartbeat", "host"].map(column).to_vec()];
    rows[0][0].text.insert_str(0, "  ");
    match name {
        Some(name) => rows.push(row(words, session(overview, name)?)),
        None => rows.extend(overview.sessions.iter().map(|session| row(words, session))),
    }
    let mut picture = lines(&rows, colour);
    if let Some(name) = name {
        picture.push(String::new());
        picture.extend(lines(&details(words, session(overview, name)?), colour));
    }
    Ok(picture)
}

fn row(words: &Words, session: &SessionView) -> Vec<Cell> {
    let (sign, colour) = sign(&session.phase);
    let none = || Cell::in_colour("–", Colour::Faint);
    let left = session.access.as_ref().filter(|access| !access.rejected);
    let left = left.map(|access| Cell::from(words.left(access)));
    let refresh =
        session.refresh_in_ms.map(|ms| words.fill("cli.in", &[("time", &words.duration(ms))]).into());
    let heartbeat = session.heartbeat.last.map(|last| {
        let key = if last.good { "cli.heartbeat.good" } else { "cli.heartbeat.bad" };
        words.fill(key, &[("time", &words.duration(last.ago_ms))]).into()
    });
    vec![
        Cell::in_colour(format!("{sign} {}", session.profile), colour),
        Cell::in_colour(words.phase(&session.phase), colour),
        left.unwrap_or_else(none),
        refresh.unwrap_or_else(none),
        heartbeat.unwrap_or_else(none),
        session.host.clone().into(),
    ]
}

fn sign(phase: &PhaseView) -> (char, Colour) {
    match phase {
        PhaseView::Fresh => ('●', Colour::Green),
        PhaseView::Refreshing { .. } | PhaseView::SigningIn => ('◐', Colour::Blue),
        PhaseView::Waiting { .. } => ('◍', Colour::Amber),
        PhaseView::NeedsLogin { .. } => ('○', Colour::Red),
    }
}

fn details(words: &Words, session: &SessionView) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    let mut add = |key: &str, text: String| {
        rows.push(vec![
            Cell::in_colour(words.fill(&format!("cli.detail.{key}"), &[]), Colour::Faint),
            text.into(),
        ]);
    };
    match &session.phase {
        PhaseView::NeedsLogin { why } => {
            add("why", words.reason("why", why));
            if let Some(demand) = &session.demand {
                let age =
                    demand.max_age.map(|age| words.duration(age.saturating_mul(1000))).unwrap_or_default();
                let values = [
                    ("acr", demand.acr_values.as_deref().unwrap_or_default()),
                    ("age", age.as_str()),
                    ("scope", demand.scope.as_deref().unwrap_or_default()),
                ];
                let said = words.fill("cli.detail.demand.is", &values.map(|(name, value)| (name, value)));
                if !said.is_empty() {
                    add("demand", harmless(&said));
                }
            }
        }
        PhaseView::Refreshing { cause, .. } => add("why", words.reason("cause", cause)),
        PhaseView::Fresh | PhaseView::SigningIn | PhaseView::Waiting { .. } => {}
    }
    if let Some(said) = &session.said {
        add("said", format!("“{}”", harmless(said)));
    }
    add("url", format!("{} ({})", session.url, session.preset));
    if let Some(user) = &session.user {
        add("user", user.clone());
    }
    if let Some(access) = &session.access {
        let kind = access.algorithm.as_deref().unwrap_or_default();
        let assumed = access.source == Source::Assumed;
        let values = [
            ("generation", &*access.generation.to_string()),
            (if assumed { "assumed" } else { "lifetime" }, &words.duration(access.lifetime_ms)),
            ("kind", kind),
            ("bound", if access.dpop { "DPoP" } else { "" }),
        ];
        add("access", words.fill("cli.detail.access.is", &values));
    }
    if let Some(last) = &session.last_refresh {
        let source = session.access.as_ref().map(|access| access.source).unwrap_or_default();
        let values = [
            ("ago", &*words.duration(last.ago_ms)),
            ("cause", &words.cause(last.cause, source)),
            ("took", &words.measured(last.took_ms)),
        ];
        add("refreshed", words.fill("cli.detail.refreshed.is", &values));
    }
    if let Some(forecast) = &session.forecast {
        add("sign_in", words.forecast(forecast.ends.as_ref(), forecast.unused.as_ref()));
    }
    let every = words.duration(session.heartbeat.every_ms);
    let next = session.heartbeat.next_in_ms.map(|ms| words.duration(ms)).unwrap_or_default();
    add("heartbeat", words.fill("cli.detail.heartbeat.is", &[("every", &every), ("next", &next)]));
    let requests = &session.requests;
    let values = [
        ("in_flight", &*requests.in_flight.to_string()),
        ("held", &requests.held.to_string()),
        ("replayed", &requests.replayed.to_string()),
    ];
    add("requests", words.fill("cli.detail.requests.is", &values));
    rows
}

fn follow(face: &Face, name: Option<&str>) -> Result<u8, Ended> {
    let (_, mut notices) = face.connect()?.watch()?;
    let mut asking = face.connect()?;
    let on_terminal = io::stdout().is_terminal() && !face.json;
    let mut shown = Shown::default();
    loop {
        let overview = asking.status(name)?;
        if face.json {
            shown.new_line(face, serde_json::to_string(&overview).map_err(io::Error::from)?, "")?;
        } else if on_terminal {
            shown.redraw(face, picture(face.words(), &overview, name, has_colour())?)?;
        } else {
            for session in
                overview.sessions.iter().filter(|session| name.is_none_or(|name| name == session.profile))
            {
                let near = session.forecast.is_some_and(|forecast| forecast.is_near);
                let mut phase = face.words().phase(&session.phase);
                if near {
                    phase = face.words().fill("cli.watch.ends_soon", &[("phase", &phase)]);
                }
                let line = format!("{}: {phase}", session.profile);
                shown.new_line(face, line, &session.profile)?;
            }
        }
        // The times on a terminal go on. Elsewhere only changes are printed.
        loop {
            let notice = if on_terminal {
                notices.next_within(Duration::from_secs(1))?
            } else {
                notices.next().transpose()?
            };
            match notice {
                Some(Notice::Entry(_)) => {}
                Some(Notice::Changed { profile }) if name.is_some_and(|name| name != profile) => {}
                Some(Notice::Changed { .. }) | None => break,
            }
        }
    }
}

#[derive(Default)]
struct Shown {
    height: usize,
    last: std::collections::HashMap<String, String>,
}

impl Shown {
    fn new_line(&mut self, face: &Face, line: String, of: &str) -> Result<(), Ended> {
        if self.last.get(of) != Some(&line) {
            face.print(format!("{line}\n"))?;
            self.last.insert(of.to_owned(), line);
        }
        Ok(())
    }

    fn redraw(&mut self, face: &Face, picture: Vec<String>) -> Result<(), Ended> {
        let rows = tcgetwinsize(io::stdout()).map_or(24, |size| usize::from(size.ws_row));
        let mut text = match self.height {
            0 => "\r".to_owned(),
            height => format!("\r\x1b[{height}A"),
        };
        // Without wrapping, each line takes one row, so the way back up is known.
        text.push_str("\x1b[?7l");
        self.height = 0;
        for line in picture.into_iter().take(rows.saturating_sub(1)) {
            text.push_str(&line);
            text.push_str("\x1b[K\n");
            self.height += 1;
        }
        text.push_str("\x1b[J\x1b[?7h");
        face.print(text)
    }
}
