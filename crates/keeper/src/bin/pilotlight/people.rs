//! What a person does with a session: signing out, refreshing it, taking it away.

use keeper::api::{Phase, Reply, Request};
use keeper::browser;
use keeper::client::Client;
use serde_json::json;

use crate::args::Logout;
use crate::ended::{Ended, exit_code_of_phase};
use crate::face::{Face, expect_status, say, session, unexpected};

pub(crate) fn logout(face: &Face, logout: &Logout) -> Result<u8, Ended> {
    let name = logout.name.as_str();
    let request = || Request::Logout { profile: name.to_owned(), browser: logout.browser };
    let reply = face.ask(request)?;
    let Reply::Open { url } = &reply else {
        if logout.browser {
            face.tell("cli.logout.no_page", &[("profile", name)]);
        }
        return done(face, reply, "cli.logout.done", name);
    };
    if face.json {
        face.print_json(&json!({ "done": true, "open": url }))?;
        return Ok(0);
    }
    face.tell("cli.logout.done", &[("profile", name)]);
    match browser::open(url) {
        Ok(()) => face.tell("cli.logout.opened", &[]),
        Err(_) => face.tell("cli.login.open", &[("url", url)]),
    }
    Ok(0)
}

pub(crate) fn remove(face: &Face, name: &str) -> Result<u8, Ended> {
    done(face, face.ask(|| Request::Remove { profile: name.to_owned() })?, "cli.remove.done", name)
}

/// Ends the keeper if there is one; starting one to end it would be odd.
pub(crate) fn stop(face: &Face) -> Result<u8, Ended> {
    match Client::running(face.home()?)? {
        None if face.json => face.print_json(&json!({ "done": true })).map(|()| 0),
        None => {
            face.tell("cli.stop.none", &[]);
            Ok(0)
        }
        Some(mut client) => {
            let reply = client.ask(Request::Stop)?;
            client.wait_for_end()?;
            done(face, reply, "cli.stop.done", "")
        }
    }
}

pub(crate) fn refresh(face: &Face, name: &str) -> Result<u8, Ended> {
    let overview = expect_status(face.ask(|| Request::Refresh { profile: name.to_owned() })?)?;
    let session = session(&overview, name)?;
    if face.json {
        face.print_json(&overview)?;
    } else if session.phase == Phase::Fresh {
        let left = session.access.as_ref().map_or(0, |access| access.remaining_ms);
        face.tell("cli.refresh.done", &[("profile", name), ("time", &face.words().duration(left))]);
    } else {
        say(&format!("pilotlight: {name}: {}", face.words().phase(&session.phase)));
    }
    Ok(exit_code_of_phase(&session.phase))
}

fn done(face: &Face, reply: Reply, key: &str, profile: &str) -> Result<u8, Ended> {
    let Reply::Done = reply else { return Err(unexpected()) };
    if face.json {
        face.print_json(&json!({ "done": true }))?;
    } else {
        face.tell(key, &[("profile", profile)]);
    }
    Ok(0)
}
