//! What a person does with a session: adding it, signing in and out, refreshing it, taking it away.

use keeper::api::{Draft, Phase, Reply, Request};
use keeper::client::Client;
use serde_json::json;

use crate::args::{Add, Login};
use crate::ended::{Ended, exit_code_of_phase};
use crate::face::{Face, expect_status, say, session, unexpected};
use crate::terminal;

pub(crate) fn add(face: &Face, add: &Add) -> Result<u8, Ended> {
    let draft = Draft {
        profile: add.name.clone(),
        preset: add.preset.clone(),
        url: add.url.clone(),
        resources: add.resources.clone(),
        allow_http: add.allow_http,
        sandbox: add.sandbox,
        heartbeat_s: add.heartbeat.map(|every| every.as_secs()),
    };
    let overview = expect_status(Client::connect_current(face.home()?)?.ask(Request::Add(draft))?)?;
    if face.json {
        face.print_json(&overview)?;
    } else {
        let host = &session(&overview, &add.name)?.host;
        face.tell("cli.added", &[("profile", &add.name), ("host", host)]);
    }
    Ok(0)
}

/// Asks for what it needs only once it is known that there is such a session: nobody types a password for nothing.
pub(crate) fn login(face: &Face, login: &Login) -> Result<u8, Ended> {
    let mut client = Client::connect_current(face.home()?)?;
    let asked = client.ask(Request::Status { profile: Some(login.name.clone()) })?;
    let before = expect_status(asked)?;
    let host = session(&before, &login.name)?.host.as_str();
    let of = [("profile", login.name.as_str()), ("host", host)];
    let username = match &login.user {
        Some(user) => user.clone(),
        None if terminal::is_there() => terminal::ask(&face.words().fill("cli.login.user", &of))?,
        None => String::new(),
    };
    if username.is_empty() {
        return Err(Ended::Usage("cli.login.no_user"));
    }
    let password =
        terminal::password(&face.words().fill("cli.login.password", &[("user", &username), of[1]]))?;
    let request = Request::Login { profile: login.name.clone(), username: username.clone(), password };
    let overview = expect_status(client.ask(request)?)?;
    if face.json {
        face.print_json(&overview)?;
    } else {
        face.tell("cli.login.done", &[of[0], ("user", &username)]);
    }
    Ok(0)
}

pub(crate) fn logout(face: &Face, name: &str) -> Result<u8, Ended> {
    done(face, face.ask(|| Request::Logout { profile: name.to_owned() })?, "cli.logout.done", name)
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
