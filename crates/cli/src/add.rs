//! An OAuth provider is asked about itself first, so that what does not fit is told before anything is saved.

use std::collections::BTreeMap;

use api::{Code, Discovery, Draft, Failure, OauthDraft, Problem};

use crate::args::Add;
use crate::ended::Ended;
use crate::face::{Face, session};

pub(crate) fn add(face: &Face, add: &Add) -> Result<u8, Ended> {
    let (oauth, resources) = match oauth(add)? {
        Some((oauth, resources)) => (Some(oauth), resources),
        None => (None, add.resources.clone()),
    };
    let draft = Draft {
        profile: add.name.clone(),
        preset: add.preset.clone().unwrap_or_default(),
        url: add.url.clone().unwrap_or_default(),
        oauth,
        resources,
        allow_http: add.allow_http,
        ca_file: ca_file(add)?,
        sandbox: add.sandbox,
        heartbeat_s: add.heartbeat.map(|every| every.as_secs()),
    };
    let mut client = face.connect_current()?;
    if let Some(oauth) = &draft.oauth
        && !oauth.endpoints.contains_key("token")
    {
        warn(face, &client.discover(&oauth.issuer, add.allow_http, draft.ca_file.clone())?);
    }
    let overview = client.add(draft)?;
    if face.json {
        face.print_json(&overview)?;
    } else {
        let host = &session(&overview, &add.name)?.host;
        face.tell("cli.added", &[("profile", &add.name), ("host", host)]);
    }
    Ok(0)
}

/// In full, because the keeper has another working directory.
fn ca_file(add: &Add) -> Result<Option<String>, Ended> {
    let Some(path) = &add.ca_file else { return Ok(None) };
    let wrong = |problem| Ended::Failed(Failure::new(Code::BadRequest).because(problem));
    let full = path
        .canonicalize()
        .map_err(|error| wrong(Problem::said_of(format_args!("{CA_FILE} {}", path.display()), error)))?;
    full.into_os_string().into_string().map(Some).map_err(|_| {
        wrong(Problem::PathNotText { option: CA_FILE.to_owned(), file: path.display().to_string() })
    })
}

fn warn(face: &Face, found: &Discovery) {
    if !found.elsewhere.is_empty() {
        face.tell("cli.added.elsewhere", &[("urls", &found.elsewhere.join(", "))]);
    }
    if !found.ignored.is_empty() {
        face.tell("cli.added.ignored", &[("names", &found.ignored.join(", "))]);
    }
}

fn oauth(add: &Add) -> Result<Option<(OauthDraft, Vec<String>)>, Ended> {
    if add.issuer.is_none() && add.endpoints.is_empty() {
        return Ok(None);
    }
    let (resource_indicators, resources) =
        add.resources.iter().cloned().partition(|resource| is_indicator(resource));
    let scopes: Vec<String> =
        add.scopes.iter().flat_map(|scopes| scopes.split_whitespace()).map(str::to_owned).collect();
    let draft = OauthDraft {
        issuer: add.issuer.clone().unwrap_or_default(),
        client_id: add.client_id.clone().unwrap_or_default(),
        scopes: Some(scopes).filter(|scopes| !scopes.is_empty()),
        audience: add.audience.clone(),
        resource_indicators,
        grant: add.grant.map(Into::into),
        dpop: add.dpop.and_then(Into::into),
        redirect_port: add.redirect_port,
        redirect_host: add.redirect_host.clone(),
        redirect_path: add.redirect_path.clone(),
        endpoints: add.endpoints.iter().map(|text| pair("--endpoint", text)).collect::<Result<_, _>>()?,
        extra: extra(&add.extra)?,
    };
    Ok(Some((draft, resources)))
}

/// An absolute URI (RFC 8707, section 2). A path of the API begins with a slash, perhaps after a method.
fn is_indicator(resource: &str) -> bool {
    !resource.contains(' ') && !resource.starts_with('/') && resource.contains(':')
}

fn extra(texts: &[String]) -> Result<BTreeMap<String, BTreeMap<String, String>>, Ended> {
    let mut extra = BTreeMap::<_, BTreeMap<_, _>>::new();
    for text in texts {
        let (name, value) = pair("--extra", text)?;
        let Some((place, name)) = name.split_once('.') else { return Err(malformed("--extra", text)) };
        extra.entry(place.to_owned()).or_default().insert(name.to_owned(), value);
    }
    Ok(extra)
}

fn pair(option: &str, text: &str) -> Result<(String, String), Ended> {
    let (name, value) = text.split_once('=').ok_or_else(|| malformed(option, text))?;
    Ok((name.trim().to_owned(), value.to_owned()))
}

fn malformed(option: &str, text: &str) -> Ended {
    let form = if option == "--extra" { "PLACE.NAME=VALUE" } else { "NAME=URL" };
    let problem = Problem::NotWrittenAs { written: format!("{option} {text}"), form: form.to_owned() };
    Ended::Failed(Failure::new(Code::BadRequest).because(problem))
}

const CA_FILE: &str = "--ca-file";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indicators_are_uris_and_paths_are_paths() {
        for (resource, indicator) in [
            ("https://api.example", true),
            ("urn:example:api", true),
            ("/orders", false),
            ("POST /notes", false),
            ("GET /a:b", false),
        ] {
            assert_eq!(is_indicator(resource), indicator, "{resource}");
        }
    }

    #[test]
    fn extra_parameters_name_their_place() {
        let extra = extra(&["authorize.prompt=a=b".to_owned(), "token.x=".to_owned()]).unwrap();
        assert_eq!((extra["authorize"]["prompt"].as_str(), extra["token"]["x"].as_str()), ("a=b", ""));
        assert!(super::extra(&["prompt=consent".to_owned()]).is_err());
        assert!(super::extra(&["authorize.prompt".to_owned()]).is_err());
    }
}
