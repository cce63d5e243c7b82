//! Edits the file and keeps its comments, order and spelling.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use session::recipe::{Recipe, Resource};
use toml_edit::{Array, DocumentMut, Item, Table, value};
use url::Url;

use api::duration;
use api::{Code, Draft, Failure, OauthDraft, Problem};

use super::{Config, Mistake, hint, rules};

pub fn add(text: &str, draft: &Draft) -> Result<String, Failure> {
    let name = draft.profile.as_str();
    let failure = |code| Failure::new(code).of(name);
    if let Err((problem, hint)) = rules::check_name(name) {
        return Err(failure(Code::BadProfile).because(problem).hint(hint));
    }
    if draft.oauth.is_none() && Recipe::preset(&draft.preset).is_none() {
        let problem = Problem::UnknownPreset { written: draft.preset.clone() };
        let hint = hint::of_known(&draft.preset, &Recipe::PRESETS);
        return Err(failure(Code::BadRequest).with("field", "preset").because(problem).hint(Some(hint)));
    }
    let url = match &draft.oauth {
        Some(_) if draft.url.trim().is_empty() => None,
        _ => Some(check_url(draft)?),
    };
    for path in &draft.resources {
        if let Err(flaw) = Resource::new(path) {
            return Err(failure(Code::BadPath).with("path", path).because(flaw));
        }
    }
    let mut document = parse(text)?;
    let profiles = document.entry("profile").or_insert_with(|| {
        let mut table = Table::new();
        table.set_implicit(true);
        Item::Table(table)
    });
    let Some(profiles) = profiles.as_table_like_mut() else {
        return Err(failure(Code::BadConfig).with("field", "profile").because(Problem::ProfilesNotTables));
    };
    if profiles.contains_key(name) {
        return Err(failure(Code::AlreadyExists).with("profile", name));
    }
    profiles.insert(name, Item::Table(table_of(draft, url.as_ref())));
    let text = written(&document, text);
    let config = Config::read(&text, Path::new(""));
    let is_about = |mistake: &&Mistake| config.unreadable || mistake.profile.as_deref() == Some(name);
    match config.mistakes.iter().find(is_about) {
        // It is in what was asked, and the file stays as it was: its line would say nothing.
        Some(mistake) => {
            let mut failure = mistake.failure();
            failure.code = Code::BadRequest;
            failure.details.retain(|name, _| name != "line" && name != "path");
            Err(failure)
        }
        None if config.profile(name).is_none() => Err(failure(Code::Internal).because(Problem::NotReadBack)),
        None => Ok(text),
    }
}

pub fn remove(text: &str, name: &str) -> Result<String, Failure> {
    let mut document = parse(text)?;
    let unknown = || Failure::new(Code::UnknownProfile).of(name).with("profile", name);
    let profiles = document.get_mut("profile").and_then(Item::as_table_like_mut).ok_or_else(unknown)?;
    let removed = profiles.remove(name).ok_or_else(unknown)?;
    if profiles.is_empty() {
        document.remove("profile");
    }
    keep_what_is_not_its_own(&mut document, &removed);
    Ok(written(&document, text))
}

fn check_url(draft: &Draft) -> Result<Url, Failure> {
    rules::check_url(&draft.url, draft.allow_http).map_err(|(problem, hint)| {
        let lenient = rules::check_url(&draft.url, true).ok();
        let code = if lenient.is_some() { Code::PlainHttp } else { Code::BadUrl };
        let failure = Failure::new(code).of(&draft.profile).hint(hint);
        // A text that is no URL may contain a password.
        let failure = if draft.url.contains('@') || draft.url.is_empty() {
            failure
        } else {
            failure.with("url", &draft.url)
        };
        match &lenient {
            Some(url) => failure.with("host", rules::host(url)).because(problem),
            None => failure.because(problem),
        }
    })
}

fn table_of(draft: &Draft, url: Option<&Url>) -> Table {
    let mut table = Table::new();
    if draft.oauth.is_none() {
        table.insert("preset", value(&draft.preset));
    }
    if let Some(url) = url.map(Url::as_str) {
        table.insert("url", value(url.strip_suffix('/').unwrap_or(url)));
    }
    if let Some(seconds) = draft.heartbeat_s {
        table.insert("heartbeat", value(duration::format(Duration::from_secs(seconds))));
    }
    if draft.allow_http {
        table.insert("allow_http", value(true));
    }
    if let Some(ca_file) = &draft.ca_file {
        table.insert("ca_file", value(ca_file));
    }
    if draft.sandbox {
        table.insert("sandbox", value(true));
    }
    if !draft.resources.is_empty() {
        table.insert("resources", value(draft.resources.iter().collect::<Array>()));
    }
    if let Some(oauth) = &draft.oauth {
        table.insert("oauth", Item::Table(oauth_table(oauth)));
    }
    table.decor_mut().set_prefix("\n");
    table
}

fn oauth_table(draft: &OauthDraft) -> Table {
    let list = |items: &[String]| value(items.iter().collect::<Array>());
    let grant = draft.grant.map(|grant| api::words::word(&grant));
    let mut table = Table::new();
    for (key, text) in [
        ("issuer", Some(&draft.issuer).filter(|issuer| !issuer.is_empty())),
        ("client_id", Some(&draft.client_id)),
        ("grant", grant.as_ref()),
        ("audience", draft.audience.as_ref()),
        ("redirect_host", draft.redirect_host.as_ref()),
        ("redirect_path", draft.redirect_path.as_ref()),
    ] {
        if let Some(text) = text {
            table.insert(key, value(text));
        }
    }
    if let Some(scopes) = &draft.scopes {
        table.insert("scopes", list(scopes));
    }
    if !draft.resource_indicators.is_empty() {
        table.insert("resource_indicators", list(&draft.resource_indicators));
    }
    if let Some(dpop) = draft.dpop {
        table.insert("dpop", value(dpop));
    }
    if let Some(port) = draft.redirect_port {
        table.insert("redirect_port", value(i64::from(port)));
    }
    let pairs = |pairs: &BTreeMap<String, String>| -> toml_edit::InlineTable {
        pairs.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect()
    };
    if !draft.endpoints.is_empty() {
        table.insert("endpoints", value(pairs(&draft.endpoints)));
    }
    let extra: toml_edit::InlineTable =
        draft.extra.iter().map(|(place, more)| (place.as_str(), pairs(more))).collect();
    if !extra.is_empty() {
        table.insert("extra", value(extra));
    }
    table
}

/// The comment directly above a table belongs to it. Text above an empty line, or at the top of the file, does not.
fn keep_what_is_not_its_own(document: &mut DocumentMut, removed: &Item) {
    let Some(table) = removed.as_table() else { return };
    let prefix = table.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
    let Some((kept, _)) = prefix.rsplit_once("\n\n") else { return };
    if !kept.contains('#') {
        return;
    }
    let kept = format!("{kept}\n");
    let position = table.position();
    match following(document.as_table_mut(), position) {
        Some(next) => {
            let own = next.decor().prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default();
            let own = if own.starts_with('\n') { own.to_owned() } else { format!("\n{own}") };
            next.decor_mut().set_prefix(format!("{kept}{own}"));
        }
        None => {
            let trailing = document.trailing().as_str().unwrap_or_default().to_owned();
            document.set_trailing(format!("{kept}{trailing}"));
        }
    }
}

fn following(table: &mut Table, position: Option<isize>) -> Option<&mut Table> {
    let mut best: Option<&mut Table> = None;
    for (_, item) in table.iter_mut() {
        let Some(inner) = item.as_table_mut() else { continue };
        let found = if !inner.is_implicit() && inner.position() > position {
            Some(inner)
        } else {
            following(inner, position)
        };
        if let Some(found) = found
            && best.as_ref().is_none_or(|best| found.position() < best.position())
        {
            best = Some(found);
        }
    }
    best
}

/// Some editors put a byte order mark first, and the parser leaves it out.
fn written(document: &DocumentMut, before: &str) -> String {
    let mark = before.chars().next().filter(|first| *first == '\u{feff}');
    mark.into_iter().chain(document.to_string().chars()).collect()
}

fn parse(text: &str) -> Result<DocumentMut, Failure> {
    text.parse().map_err(|error| Mistake::of_syntax(text, Path::new(""), &error).failure())
}
