use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use session::bounds;
use session::limits;
use session::recipe::{Recipe, Resource};
use toml_edit::{Item, Key, Value};
use url::Url;

use api::duration;
use api::{Advice, Code, Kind, Problem};

use super::hint::{self, Told};
use super::{CUSTOM, Mistake, OAUTH, Oauth, Profile, Protocol, merge, oauth, rules};

#[derive(Clone, Copy)]
pub(super) struct Source<'a> {
    /// Where its lines end.
    pub(super) ends: &'a [usize],
    pub(super) path: &'a Path,
}

type Span = Option<Range<usize>>;

impl Source<'_> {
    /// Relative paths start at the directory of the file.
    pub(super) fn resolve(self, path: &str) -> PathBuf {
        self.path.parent().unwrap_or(Path::new("")).join(path)
    }

    pub(super) fn mistake(self, span: Span, profile: Option<&str>, field: &str, told: Told) -> Mistake {
        let (problem, hint) = told;
        Mistake {
            code: Code::BadConfig,
            path: self.path.to_owned(),
            line: span.map(|span| hint::line(self.ends, span.start)),
            profile: profile.map(str::to_owned),
            field: field.to_owned(),
            problem,
            hint,
            command: None,
        }
    }
}

pub(super) fn read(source: Source<'_>, name: &str, span: Span, item: &Item) -> Result<Profile, Vec<Mistake>> {
    let mut reader = Reader { source, name, header: span.clone(), mistakes: Vec::new() };
    if let Err(told) = rules::check_name(name) {
        reader.mistake(span.clone(), "", told);
    }
    let Some(table) = item.as_table_like() else {
        let problem = Problem::NotATable { key: name.to_owned() };
        reader.mistake(span, "", (problem, hint::write(format!("[profile.{name}]"))));
        return Err(reader.mistakes);
    };
    let mut said = Said::default();
    for (key, item) in table.iter() {
        let span = table.key(key).and_then(Key::span);
        reader.read(&mut said, key, span, item);
    }
    let profile = reader.finish(said);
    profile.filter(|_| reader.mistakes.is_empty()).ok_or(reader.mistakes)
}

struct Reader<'a> {
    source: Source<'a>,
    name: &'a str,
    header: Span,
    mistakes: Vec<Mistake>,
}

#[derive(Default)]
struct Said<'a> {
    preset: Option<(String, Span)>,
    recipe: Option<(&'a Item, Span)>,
    oauth: Option<(&'a Item, Span)>,
    url: Option<(String, Span)>,
    heartbeat: Option<Duration>,
    refresh_before: Option<Duration>,
    assume_lifetime: Option<Duration>,
    refresh_token_idle: Option<Duration>,
    sign_in_lasts: Option<Duration>,
    timeout: Option<Duration>,
    allow_http: bool,
    ca_file: Option<PathBuf>,
    resources: Option<Vec<Resource>>,
    sandbox: bool,
    user: Option<String>,
}

impl<'a> Reader<'a> {
    fn read(&mut self, said: &mut Said<'a>, key: &str, key_span: Span, item: &'a Item) {
        let span = item.span().or_else(|| key_span.clone());
        match key {
            "preset" => said.preset = self.text(key, item).map(|text| (text, span)),
            "oauth" => said.oauth = Some((item, key_span)),
            "recipe" => said.recipe = Some((item, key_span)),
            "url" => said.url = self.text(key, item).map(|text| (text, span)),
            "heartbeat" => {
                said.heartbeat =
                    self.duration(key, item, &(limits::EVERY_SHORTEST..=limits::LIFETIME_LONGEST))
            }
            "refresh_before" => {
                said.refresh_before = self.duration(key, item, &(Duration::ZERO..=limits::LIFETIME_LONGEST))
            }
            "assume_lifetime" => {
                said.assume_lifetime =
                    self.duration(key, item, &(limits::EVERY_SHORTEST..=limits::LIFETIME_LONGEST))
            }
            "refresh_token_idle" => said.refresh_token_idle = self.duration(key, item, &SIGN_IN),
            "sign_in_lasts" => said.sign_in_lasts = self.duration(key, item, &SIGN_IN),
            "timeout" => {
                said.timeout = self.duration(key, item, &(limits::MESSAGE_SHORTEST..=limits::LONGEST_MESSAGE))
            }
            "allow_http" => said.allow_http = self.flag(key, item),
            "ca_file" => said.ca_file = self.text(key, item).and_then(|text| self.file(key, span, &text)),
            "resources" => said.resources = self.resources(key, item),
            "sandbox" => said.sandbox = self.flag(key, item),
            "user" => said.user = self.text(key, item).filter(|user| !user.is_empty()),
            _ => self.mistake(key_span, key, hint::unknown_key(key, &KEYS)),
        }
    }

    fn finish(&mut self, mut said: Said<'a>) -> Option<Profile> {
        let preset = said.preset.as_ref().map(|(name, _)| name.clone());
        let (url, protocol, resources) = match said.oauth.take() {
            Some(table) => {
                let oauth = self.oauth(table, &said)?;
                let url = match said.url.take() {
                    None => Url::parse(oauth.address()).ok().and_then(|url| url.join("/").ok()),
                    said_url => self.url(said_url, said.allow_http),
                };
                (url?, Protocol::Oauth(Box::new(oauth)), said.resources.take().unwrap_or_default())
            }
            None => {
                let url = self.url(said.url.take(), said.allow_http);
                let no_heartbeat = said.recipe.as_ref().is_some_and(|(item, _)| says_no_heartbeat(item));
                let recipe = self.recipe(said.preset.take(), said.recipe.take());
                let (url, mut recipe) = (url?, recipe?);
                let resources = said.resources.take().unwrap_or_else(|| recipe.resources.clone());
                if !no_heartbeat {
                    recipe.ask_a_resource(&resources);
                }
                (url, Protocol::Recipe(Box::new(recipe)), resources)
            }
        };
        let kind = if matches!(protocol, Protocol::Oauth(_)) { OAUTH } else { CUSTOM };
        let preset_before = preset.as_deref().and_then(Recipe::preset_refresh_before);
        Some(Profile {
            name: self.name.to_owned(),
            preset: preset.unwrap_or_else(|| kind.to_owned()),
            url,
            heartbeat: said.heartbeat.unwrap_or(limits::HEARTBEAT),
            refresh_before: said.refresh_before.or(preset_before),
            assume_lifetime: said.assume_lifetime.unwrap_or(limits::ASSUMED),
            refresh_token_idle: said.refresh_token_idle,
            sign_in_lasts: said.sign_in_lasts,
            timeout: said.timeout.unwrap_or(limits::MESSAGE),
            allow_http: said.allow_http,
            ca_file: said.ca_file,
            resources,
            protocol,
            sandbox: said.sandbox,
            user: said.user,
        })
    }

    fn oauth(&mut self, (item, key_span): (&'a Item, Span), said: &Said<'a>) -> Option<Oauth> {
        for (other, span) in [
            ("preset", said.preset.as_ref().map(|(_, span)| span.clone())),
            ("recipe", said.recipe.as_ref().map(|(_, span)| span.clone())),
        ] {
            if let Some(span) = span {
                let (key, either) = (other.to_owned(), other.to_owned());
                let hint = Advice::LeaveOutEither { either };
                self.mistake(span, other, (Problem::TwoKinds { key }, Some(hint)));
            }
        }
        match oauth::read(item, said.allow_http) {
            Ok(oauth) => Some(oauth),
            Err(wrong) => {
                self.wrong(OAUTH, key_span, *wrong);
                None
            }
        }
    }

    fn url(&mut self, said: Option<(String, Span)>, allow_http: bool) -> Option<Url> {
        let Some((text, span)) = said else {
            if self.mistakes.iter().all(|mistake| mistake.field != "url") {
                let problem = Problem::Missing { key: "url".to_owned() };
                let hint = hint::write(r#"url = "https://api.example.com""#);
                self.mistake(self.header.clone(), "url", (problem, hint));
            }
            return None;
        };
        rules::check_url(&text, allow_http).map_err(|told| self.mistake(span, "url", told)).ok()
    }

    fn recipe(&mut self, preset: Option<(String, Span)>, over: Option<(&'a Item, Span)>) -> Option<Recipe> {
        if let Some((name, span)) = &preset
            && Recipe::preset(name).is_none()
        {
            let problem = Problem::UnknownPreset { written: name.clone() };
            let hint = hint::of_known(name, &Recipe::PRESETS);
            self.mistake(span.clone(), "preset", (problem, Some(hint)));
            return None;
        }
        let preset = preset.as_ref().map(|(name, _)| name.as_str());
        let Some((over, key_span)) = over else {
            if preset.is_none() && self.mistakes.iter().all(|mistake| mistake.field != "preset") {
                let hint = Advice::Presets { known: hint::listed(&Recipe::PRESETS) };
                self.mistake(self.header.clone(), "preset", (Problem::NoProvider, Some(hint)));
            }
            return preset.and_then(Recipe::preset);
        };
        match merge::recipe(preset, over) {
            Ok(recipe) => Some(recipe),
            Err(wrong) => {
                self.wrong("recipe", key_span, *wrong);
                None
            }
        }
    }

    fn text(&mut self, key: &str, item: &Item) -> Option<String> {
        let text = item.as_str().map(|text| text.trim().to_owned());
        if text.is_none() {
            let told = (wrong_kind(key, item), hint::write(format!(r#"{key} = "…""#)));
            self.mistake(item.span(), key, told);
        }
        text
    }

    fn flag(&mut self, key: &str, item: &Item) -> bool {
        item.as_bool().unwrap_or_else(|| {
            let hint = Advice::WriteEither { example: "true".to_owned(), other: "false".to_owned() };
            self.mistake(item.span(), key, (wrong_kind(key, item), Some(hint)));
            false
        })
    }

    fn duration(&mut self, key: &str, item: &Item, range: &RangeInclusive<Duration>) -> Option<Duration> {
        if let Some(seconds) = item.as_integer() {
            let problem = Problem::NoUnit { key: key.to_owned() };
            self.mistake(item.span(), key, (problem, hint::write(format!(r#"{key} = "{seconds}s""#))));
            return None;
        }
        let text = self.text(key, item)?;
        let read = duration::parse(&text)
            .map_err(|_| (Problem::NotADuration { written: text }, Some(Advice::Duration)))
            .and_then(|duration| {
                if range.contains(&duration) {
                    return Ok(duration);
                }
                let [least, most] = [range.start(), range.end()].map(|end| duration::format(*end));
                let (key, written) = (key.to_owned(), duration::format(duration));
                Err((Problem::NotSensible { key, written }, Some(Advice::Between { least, most })))
            });
        read.map_err(|told| self.mistake(item.span(), key, told)).ok()
    }

    fn file(&mut self, key: &str, span: Span, text: &str) -> Option<PathBuf> {
        if text.is_empty() {
            self.mistake(span, key, (Problem::Empty { key: key.to_owned() }, Some(Advice::LeaveOut)));
            return None;
        }
        Some(self.source.resolve(text))
    }

    fn resources(&mut self, key: &str, item: &Item) -> Option<Vec<Resource>> {
        let hint = || hint::write(r#"resources = ["/orders", "POST /notes"]"#);
        let Some(list) = item.as_array() else {
            self.mistake(item.span(), key, (wrong_kind(key, item), hint()));
            return None;
        };
        let mut resources = Vec::new();
        for value in list {
            match value.as_str().map(Resource::new) {
                Some(Ok(resource)) => resources.push(resource),
                Some(Err(flaw)) => self.mistake(value.span(), key, (flaw.into(), hint())),
                None => self.mistake(value.span(), key, (Problem::ResourceNotText, hint())),
            }
        }
        Some(resources)
    }

    fn wrong(&mut self, table: &str, key_span: Span, wrong: merge::Wrong) {
        let merge::Wrong { field, span, told } = wrong;
        let field = if field.is_empty() { table.to_owned() } else { format!("{table}.{field}") };
        self.mistake(span.or(key_span).or_else(|| self.header.clone()), &field, told);
    }

    fn mistake(&mut self, span: Span, field: &str, told: Told) {
        if self.mistakes.len() < bounds::MISTAKES {
            self.mistakes.push(self.source.mistake(span, Some(self.name), field, told));
        }
    }
}

fn says_no_heartbeat(recipe: &Item) -> bool {
    recipe.as_table_like().is_some_and(|recipe| merge::is_off(recipe.get("heartbeat")))
}

pub(super) fn wrong_kind(key: &str, item: &Item) -> Problem {
    let kind = match item {
        Item::Value(Value::Boolean(_)) => Kind::Boolean,
        Item::Value(Value::Datetime(_)) => Kind::Datetime,
        Item::Value(Value::Float(_)) => Kind::Float,
        Item::Value(Value::Integer(_)) => Kind::Integer,
        Item::Value(Value::String(_)) => Kind::String,
        Item::Value(Value::Array(_)) | Item::ArrayOfTables(_) => Kind::Array,
        Item::Value(Value::InlineTable(_)) | Item::None | Item::Table(_) => Kind::Table,
    };
    Problem::WrongKind { key: key.to_owned(), kind }
}

const SIGN_IN: RangeInclusive<Duration> = limits::REFRESH_LIFE_SHORTEST..=limits::REMEMBERED;

const KEYS: [&str; 15] = [
    "allow_http",
    "assume_lifetime",
    "ca_file",
    "heartbeat",
    "oauth",
    "preset",
    "recipe",
    "refresh_before",
    "refresh_token_idle",
    "resources",
    "sandbox",
    "sign_in_lasts",
    "timeout",
    "url",
    "user",
];
