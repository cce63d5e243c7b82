//! The configuration file as people write it, mistakes included, and as the window edits it.

#[path = "config/oauth.rs"]
mod oauth;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

use api::words::{Language, Words};
use api::{Code, Draft, Grant, OauthDraft, VaultKind};
use keeper::adapters::config_file;
use keeper::config::{self, Config, Oauth, Passphrase, Probe, Profile, Protocol, VaultSetting};
use session::recipe::{Recipe, Resource};
use session::tokens::{AccessToken, RefreshToken};

const FULL: &str = r#"# The keys of the office.
vault = "memory"

# Everything that there is.
[profile.work]
preset = "simplejwt"
url = "https://api.example.com/v2/"
heartbeat = "90s"
refresh_before = "2m"
assume_lifetime = "1h30m"
allow_http = true
ca_file = "corp.pem"
timeout = "250ms"
resources = ["/api/orders/", "POST /notes"]
sandbox = true
user = "mia"

[profile."two words"]   # the least that can be said
url = "http://127.0.0.1:9310/nestjs"
preset = "nestjs"
"#;

#[test]
fn everything_that_can_be_said_is_understood() {
    let config = read(FULL);
    assert_eq!(problems(&config), [""; 0]);
    assert_eq!(config.vault.kind, VaultKind::Memory);
    let names: Vec<_> = config.profiles.iter().map(|profile| profile.name.as_str()).collect();
    assert_eq!(names, ["work", "two words"]);

    let work = config.profile("work").unwrap();
    assert_eq!((work.preset.as_str(), work.url.as_str()), ("simplejwt", "https://api.example.com/v2"));
    assert_eq!(work.host(), "api.example.com");
    assert_eq!((work.heartbeat, work.timeout), (Duration::from_secs(90), Duration::from_millis(250)));
    assert_eq!(work.refresh_before, Some(Duration::from_secs(120)));
    assert_eq!(work.assume_lifetime, Duration::from_secs(5400));
    assert!(work.allow_http && work.sandbox);
    assert_eq!(work.ca_file.as_deref(), Some(Path::new("/etc/pilotlight/corp.pem")));
    assert_eq!(work.resources, [resource("GET", "/api/orders/"), resource("POST", "/notes")]);
    assert_eq!(work.user.as_deref(), Some("mia"));

    let two = config.profile("two words").unwrap();
    assert_eq!(two.host(), "127.0.0.1:9310");
    assert_eq!((two.heartbeat, two.timeout), (Duration::from_secs(300), Duration::from_secs(30)));
    assert_eq!((two.refresh_before, two.assume_lifetime), (None, Duration::from_secs(3600)));
    assert!(!two.allow_http && !two.sandbox && two.user.is_none() && two.ca_file.is_none());
    assert_eq!(two.resources, [resource("GET", "/aaa"), resource("GET", "/bbb")]);
    let mut preset = Recipe::preset("nestjs").unwrap();
    preset.ask_a_resource(&two.resources);
    assert_eq!(*recipe(two), preset);
}

#[test]
fn an_empty_file_is_a_configuration_and_presets_bring_their_threshold() {
    let config = read("");
    assert!(config.profiles.is_empty() && config.mistakes.is_empty() && !config.unreadable);
    assert_eq!(config.vault.kind, VaultKind::Keyring);
    let config = read("profile.a = { preset = 'simplejwt', url = 'https://a.example' }");
    assert_eq!(config.profiles[0].refresh_before, Some(Duration::from_secs(300)));
    assert!(config.profiles[0].policy(7).probe);
    let config = read("profile.a = { preset = 'heartbeat', url = 'https://a.example' }");
    assert!(config.profiles[0].policy(7).probe);
}

/// One mistake each, in the second profile of three. The others go on.
#[test]
fn a_mistake_is_told_with_its_line_and_a_hint_and_the_others_go_on() {
    let table = [
        ("prest = 'flask'", "6 prest: unknown key `prest` (Did you mean `preset`?)"),
        ("colour = 1", "6 colour: unknown key `colour` (Known: `allow_http`, `assume_lifetime`"),
        ("heartbeat = 300", r#"6 heartbeat: `heartbeat` has no unit (Write `heartbeat = "300s"`.)"#),
        ("heartbeat = '5 minutes'", "6 heartbeat: `5 minutes` is not a duration (Write it as"),
        ("heartbeat = '1ms'", "6 heartbeat: 1ms is not a sensible `heartbeat` (Between 1s and 30d.)"),
        ("heartbeat = true", "6 heartbeat: `heartbeat` is of the wrong kind (boolean)"),
        ("timeout = '1d'", "6 timeout: 1d is not a sensible `timeout` (Between 100ms and 10m.)"),
        ("allow_http = 'yes'", "6 allow_http: `allow_http` is of the wrong kind (string) (Write `true` or"),
        ("user = 7", "6 user: `user` is of the wrong kind (integer)"),
        ("ca_file = ''", "6 ca_file: `ca_file` is empty"),
        ("resources = '/orders'", "6 resources: `resources` is of the wrong kind (string)"),
        ("resources = [\n'/a',\n'b']", "8 resources: `b` is not a path below"),
        ("resources = [1]", "6 resources: a resource is not a text"),
        ("recipe = 1", "6 recipe: `recipe` is not a table"),
        (
            "recipe = { refresh = { pth = '/r' } }",
            "6 recipe.refresh.pth: unknown key `pth` (Did you mean `path`?)",
        ),
        ("recipe.refresh.path = 'r'", "6 recipe.refresh.path: `r` is not a path below"),
        ("\nrecipe.refresh.refused = [{ status = 500 }]", "7 recipe.refresh: 500 never means refused"),
        ("[profile.b.recipe]\nlogni = 1", "7 recipe.logni: unknown key `logni` (Did you mean `login`?)"),
        (
            "[profile.b.recipe.refresh]\nsend = { token = '/t' }",
            "7 recipe.refresh.send.token: unknown key `token`",
        ),
        (
            "[[profile.b.recipe.rejects]]\nstatus = 'x'",
            "7 recipe.rejects.status: `status` is of the wrong kind (string) (Wanted: a status such as 401",
        ),
    ];
    for (mistake, told) in table {
        let text = format!(
            "profile.a = {{ preset = 'flask', url = 'https://a.example' }}\n\n[profile.b]\npreset = 'flask'\n\
             url = 'https://b.example'\n{mistake}\n\n[profile.c]\npreset = 'flask'\nurl = 'https://c.example'\n"
        );
        let config = read(&text);
        let problems = problems(&config);
        assert!(problems.len() == 1 && problems[0].starts_with(told), "{mistake}\n{problems:#?}\n{told}");
        assert_eq!(config.mistakes[0].profile.as_deref(), Some("b"), "{mistake}");
        let names: Vec<_> = config.profiles.iter().map(|profile| profile.name.as_str()).collect();
        assert_eq!(names, ["a", "c"], "{mistake}");
        assert!(!config.unreadable);
    }
}

#[test]
fn what_is_missing_or_wrong_in_a_whole_profile_is_told_at_once() {
    for (text, told) in [
        (
            "\n[profile.a]\n",
            &[
                "2 url: `url` is missing (Write `url =",
                "2 preset: there is neither a `preset`, a `recipe` nor `oauth` (Presets: `fl",
            ][..],
        ),
        (
            "[profile.a]\npreset = 'flsk'\nurl = 'a.example'\n",
            &[
                "3 url: `a.example` is not a complete URL (Write `https://a.example`.)",
                "2 preset: unknown preset `flsk` (Did",
            ],
        ),
        ("[profile.a]\nurl = 7\n", &["2 url: `url` is of the wrong kind", "1 preset: there is neither"]),
        (
            "[profile.a]\npreset = 'flask'\nurl = 'http://a.example'\n",
            &["3 url: plain http would let others on the way to a.example"],
        ),
        ("[profile.'../x']\npreset = 'flask'\nurl = 'https://a.example'\n", &["1 : a name begins with"]),
        ("profile = 7", &["1 profile: profiles are tables"]),
        ("[profile]\na = 7", &["2 : `a` is not a table (Write `[profile.a]`.)"]),
        ("vualt = 'keyring'", &["1 vualt: unknown key `vualt` (Did you mean `vault`?)"]),
        ("vault = 'memry'", &["1 vault: unknown vault `memry` (Did you mean `memory`?)"]),
        (
            "vault = 'disk'",
            &["1 vault: unknown vault `disk` (Known: `credential`, `keyring`, `memory`, `passphrase`.)"],
        ),
        (
            "passphrase_command = 'pass show x'",
            &[
                "1 passphrase_command: `passphrase_command` is of the wrong kind (string) (Write `passphrase_command = [",
            ],
        ),
        ("passphrase_command = []", &["1 passphrase_command: `passphrase_command` is empty"]),
        ("passphrase_command = [7]", &["1 passphrase_command: `passphrase_command` is of the wrong kind"]),
        ("passphrase_file = 7", &["1 passphrase_file: `passphrase_file` is of the wrong kind"]),
        ("passphrase_file = ''", &["1 passphrase_file: `passphrase_file` is empty"]),
        (
            "passphrase_command = ['x']\npassphrase_file = 'x'",
            &["2 passphrase_file: `passphrase_command` and `passphrase_file` exclude each other"],
        ),
        ("passphrase = 'x'", &["1 passphrase: unknown key `passphrase`"]),
        (
            "[profile.a]\nurl = 'https://a.example'\n[profile.a.recipe.login]\npath = '/l'\n",
            &["3 recipe: `refresh` is missing"],
        ),
    ] {
        let config = read(text);
        let problems = problems(&config);
        assert_eq!(problems.len(), told.len(), "{text}: {problems:#?}");
        for (problem, told) in problems.iter().zip(told) {
            assert!(problem.starts_with(told), "{text}: {problem}");
        }
        assert!(config.profiles.is_empty());
    }
    // Never more than was meant: what cannot be read is not the keyring.
    assert_eq!(read("vault = 'memry'").vault.kind, VaultKind::Memory);
}

#[test]
fn where_the_key_is_and_who_knows_the_passphrase_can_be_said() {
    for (text, kind, passphrase) in [
        ("", VaultKind::Keyring, Passphrase::Asked),
        ("vault = 'credential'", VaultKind::Credential, Passphrase::Asked),
        ("vault = 'passphrase'", VaultKind::Passphrase, Passphrase::Asked),
        (
            "passphrase_command = ['pass', 'show', 'a b']\nvault = 'passphrase'",
            VaultKind::Passphrase,
            Passphrase::Command(["pass", "show", "a b"].map(str::to_owned).to_vec()),
        ),
        (
            "vault = 'passphrase'\npassphrase_file = 'secret'",
            VaultKind::Passphrase,
            Passphrase::File("/etc/pilotlight/secret".into()),
        ),
        // It may be where the key was before.
        (
            "vault = 'keyring'\npassphrase_file = '/run/secret'",
            VaultKind::Keyring,
            Passphrase::File("/run/secret".into()),
        ),
    ] {
        let config = read(text);
        assert_eq!(problems(&config), [""; 0], "{text}");
        assert_eq!(config.vault, VaultSetting { kind, passphrase }, "{text}");
    }
}

#[test]
fn a_text_that_is_no_toml_says_where_and_leaves_the_rest_to_the_caller() {
    let text = "vault = 'memory'\n\n[profile.a]\npreset = 'flask'\nurl = 'https://a.example'\n\nuser = \n";
    let config = read(text);
    assert!(config.unreadable && config.profiles.is_empty());
    let failure = config.mistakes[0].failure();
    assert_eq!((failure.code, failure.details["line"].as_str()), (Code::BadConfig, "7"));
    assert_eq!(failure.details["path"], "/etc/pilotlight/config.toml");
    assert_eq!(failure.details["problem"], "said", "a parser says it");
    assert!(!failure.details["said"].contains('\n'), "{failure:?}");

    let twice = read("[profile.a]\nurl = 'x'\n[profile.a]\n");
    assert!(twice.unreadable && twice.mistakes[0].line == Some(3), "{:?}", twice.mistakes);
}

#[test]
fn a_problem_is_a_failure_that_faces_can_show() {
    let config = read("[profile.a]\npreset = 'flask'\nurl = 'https://a.example'\nusr = 'mia'\n");
    let failure = config.mistakes[0].failure();
    let details: BTreeMap<_, _> = failure.details.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    let expected = [
        ("field", "usr"),
        ("hint", "did_you_mean"),
        ("line", "4"),
        ("meant", "user"),
        ("path", "/etc/pilotlight/config.toml"),
        ("problem", "unknown_key"),
        ("written", "usr"),
    ];
    assert_eq!(details, expected.into());
    assert_eq!((failure.code, failure.profile.as_deref()), (Code::BadConfig, Some("a")));
}

#[test]
fn a_recipe_changes_what_it_names_in_a_preset() {
    let text = r#"
[profile.a]
preset = "simplejwt"
url = "https://a.example"

[profile.a.recipe]
logout = false
resources = ["/me"]
rejects = [{ status = [401, 403] }]
authorization.scheme = "JWT"

[profile.a.recipe.refresh]
path = "/auth/refresh"
send.refresh_token = { header = "X-Refresh" }
take.lifetime = { at = "/expires", unit = "milliseconds" }
"#;
    let config = read(text);
    assert_eq!(problems(&config), [""; 0]);
    let profile = &config.profiles[0];
    assert_eq!(
        (profile.preset.as_str(), profile.resources.as_slice()),
        ("simplejwt", &[resource("GET", "/me")][..])
    );
    let (recipe, original) = (recipe(profile), Recipe::preset("simplejwt").unwrap());
    assert_eq!((recipe.login.clone(), recipe.logout.clone()), (original.login, None));
    assert_eq!(recipe.refresh.refused, original.refresh.refused);
    assert_eq!(recipe.refresh.take.access_token, original.refresh.take.access_token);
    assert_eq!(recipe.rejects[0].status.0, [401, 403]);
    let message = recipe.refresh(&RefreshToken::new("RT"));
    assert_eq!(
        (message.path.as_str(), message.headers[0].1.expose(), message.body),
        ("/auth/refresh", "RT", None)
    );
    assert_eq!(recipe.authorization(&AccessToken::new("AT")).1.expose(), "JWT AT");
}

/// A place is one thing: what is put into a header is not in the query as well.
#[test]
fn a_place_is_replaced_as_a_whole() {
    let config = read(
        "[profile.a]\npreset = 'nestjs'\nurl = 'https://a.example'\n\
         recipe.refresh.send.refresh_token = { header = 'X-Refresh' }\n",
    );
    assert_eq!(problems(&config), [""; 0]);
    let message = recipe(&config.profiles[0]).refresh(&RefreshToken::new("RT"));
    assert!(message.query.is_empty() && message.headers.len() == 1);
}

#[test]
fn a_recipe_needs_no_preset() {
    let text = r#"
[profile.fab]
url = "https://bi.example"
recipe.login = { path = "/login", send = { username = "/username", password = "/password" }, body = { provider = "db", refresh = true }, take = { access_token = "/access_token", refresh_token = "/refresh_token" } }
recipe.refresh = { path = "/refresh", send.refresh_token = { header = "Authorization", scheme = "Bearer" }, take.access_token = "/access_token" }
"#;
    let config = read(text);
    assert_eq!(problems(&config), [""; 0]);
    assert_eq!(config.profiles[0].preset, config::CUSTOM);
    let message = recipe(&config.profiles[0]).refresh(&RefreshToken::new("RT"));
    assert_eq!(message.headers[0].1.expose(), "Bearer RT");
}

#[test]
fn a_profile_is_added_and_removed_and_the_rest_stays_as_it_was() {
    let added = config::add(FULL, &draft("new one")).unwrap();
    let lines = "\n[profile.\"new one\"]\npreset = \"flask\"\nurl = \"http://127.0.0.1:9310/flask\"\n\
                 heartbeat = \"1m30s\"\nsandbox = true\nresources = [\"/protected\", \"POST /notes\"]\n";
    assert_eq!(added, format!("{FULL}{lines}"));
    assert_eq!(config::remove(&added, "new one").unwrap(), FULL);
    let profile = read(&added).profile("new one").unwrap().clone();
    assert_eq!((profile.heartbeat, profile.resources.len()), (Duration::from_secs(90), 2));

    let bare = Draft { url: " https://a.example/ ".into(), ..draft("bare") };
    assert!(config::add(FULL, &bare).unwrap().contains("\nurl = \"https://a.example\"\n"));

    let without = config::remove(FULL, "work").unwrap();
    assert!(without.starts_with("# The keys of the office.\nvault = \"memory\"\n"), "{without}");
    assert!(!without.contains("Everything") && without.contains("# the least that can be said"), "{without}");
    assert_eq!(read(&without).profiles.len(), 1);
    let none = config::remove(&without, "two words").unwrap();
    assert!(read(&none).profiles.is_empty() && none.contains("# The keys of the office."), "{none}");

    for text in ["", "profile = { a = { preset = 'flask', url = 'https://a.example' } }\n", "[profile]\n"] {
        let added = config::add(text, &draft("b")).unwrap();
        assert!(read(&added).profile("b").is_some(), "{added}");
        assert_eq!(read(&config::remove(&added, "b").unwrap()), read(text), "{added}");
    }
}

/// What stands above the first profile is about the file, and stays; so do the parts of others.
#[test]
fn comments_of_the_file_outlive_its_first_profile() {
    let a = "[profile.a]\npreset = 'flask'\nurl = 'https://a.example'\n\n[profile.a.recipe.refresh]\npath = '/r'\n";
    let b = "# Mine.\n[profile.b]\npreset = 'flask'\nurl = 'https://b.example'\n";
    let text = format!("# Do not delete!\n\n# Theirs.\n{a}\n{b}");
    assert_eq!(config::remove(&text, "a").unwrap(), format!("# Do not delete!\n\n{b}"));
    assert_eq!(config::remove(&text, "b").unwrap(), format!("# Do not delete!\n\n# Theirs.\n{a}"));
    let alone = format!("# Do not delete!\n\n# Theirs.\n{a}");
    assert_eq!(config::remove(&alone, "a").unwrap(), "# Do not delete!\n");
    // The next table of the file need not be the next profile.
    let text = format!("# Do not delete!\n\n{a}\n[other]\nx = 1\n\n{b}");
    assert_eq!(config::remove(&text, "a").unwrap(), format!("# Do not delete!\n\n[other]\nx = 1\n\n{b}"));
}

#[test]
fn what_cannot_be_added_or_removed_is_refused() {
    let good = draft("new");
    for (draft, code) in [
        (Draft { profile: "work".into(), ..good.clone() }, Code::AlreadyExists),
        (Draft { profile: "a/b".into(), ..good.clone() }, Code::BadProfile),
        (Draft { preset: "flsk".into(), ..good.clone() }, Code::BadRequest),
        (Draft { url: "example.com".into(), ..good.clone() }, Code::BadUrl),
        (Draft { url: "https://mia:s3cret@example.com".into(), ..good.clone() }, Code::BadUrl),
        (Draft { url: "http://example.com".into(), ..good.clone() }, Code::PlainHttp),
        (Draft { resources: vec!["orders".into()], ..good.clone() }, Code::BadPath),
        (Draft { heartbeat_s: Some(0), ..good.clone() }, Code::BadRequest),
    ] {
        let failure = config::add(FULL, &draft).unwrap_err();
        assert_eq!(failure.code, code, "{failure:?}");
        assert!(!format!("{failure:?}").contains("s3cret"));
    }
    let lenient = Draft { url: "http://example.com".into(), allow_http: true, ..good.clone() };
    assert!(config::add(FULL, &lenient).unwrap().contains("allow_http = true"));
    assert_eq!(config::remove(FULL, "new").unwrap_err().code, Code::UnknownProfile);
    for broken in ["x =", "[profile.a]\n[profile.a]"] {
        assert_eq!(config::add(broken, &good).unwrap_err().code, Code::BadConfig);
        assert_eq!(config::remove(broken, "a").unwrap_err().code, Code::BadConfig);
    }
    assert_eq!(config::add("profile = 7", &good).unwrap_err().code, Code::BadConfig);
}

/// FAILURES C8.
#[test]
fn the_file_is_replaced_as_a_whole_and_is_nobody_elses() {
    let dir = scratch("write");
    let path = dir.join("config.toml");
    assert_eq!(config_file::load(&path), read(""));
    config_file::write(&path, FULL).unwrap();
    config_file::write(&path, "vault = 'memory'\n").unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "vault = 'memory'\n");
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

    // Some keep their configuration under version control, and link to it.
    let link = dir.join("link.toml");
    symlink(&path, &link).unwrap();
    config_file::write(&link, FULL).unwrap();
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
    assert_eq!(config_file::load(&path).profiles.len(), 2);
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 2, "no draft is left behind");

    let nowhere = config_file::write(&dir.join("missing/config.toml"), FULL).unwrap_err();
    assert_eq!(nowhere.code, Code::ConfigUnwritable);
    fs::write(&path, b"\xff\xfe").unwrap();
    assert!(config_file::load(&path).unreadable);
    assert!(config_file::load(&dir).unreadable);
}

fn read(text: &str) -> Config {
    Config::read(text, Path::new("/etc/pilotlight/config.toml"))
}

fn problems(config: &Config) -> Vec<String> {
    let english = Words::of(Language::English);
    let tell = |mistake: &config::Mistake| {
        can_be_read_in_chinese(mistake);
        let line = mistake.line.map(|line| line.to_string()).unwrap_or_default();
        let problem = english.problem(&mistake.problem.details());
        let (_, next) = english.say(&mistake.failure());
        let hint = next.split("Correct it").next().unwrap_or_default().trim_end();
        let hint = if hint.is_empty() { String::new() } else { format!(" ({hint})") };
        format!("{line} {}: {problem}{hint}", mistake.field)
    };
    config.mistakes.iter().map(tell).collect()
}

/// No English stands in it but names, what is to be typed, and what others have said, in quotes.
fn can_be_read_in_chinese(mistake: &config::Mistake) {
    let (say, next) = Words::of(Language::Chinese).say(&mistake.failure());
    let whole = format!("{say} {next}");
    let own: String = whole.split('`').step_by(2).collect();
    let own: String = own.split('“').map(|part| part.split_once('”').map_or(part, |(_, own)| own)).collect();
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let foreign = own.split(|c: char| !(c.is_ascii_alphanumeric() || "./-_".contains(c))).find(|word| {
        word.contains(is_letter)
            && !word.contains(['.', '/'])
            && !word.starts_with(|c: char| c.is_ascii_digit())
            && !["HTTP", "JSON", "URI", "http", "https"].contains(word)
    });
    assert_eq!(foreign, None, "{whole}");
}

fn draft(name: &str) -> Draft {
    Draft {
        profile: name.into(),
        oauth: None,
        preset: "flask".into(),
        url: "http://127.0.0.1:9310/flask/".into(),
        resources: vec!["/protected".into(), "POST /notes".into()],
        allow_http: false,
        ca_file: None,
        heartbeat_s: Some(90),
        sandbox: true,
    }
}

fn resource(method: &str, path: &str) -> Resource {
    Resource { method: method.into(), path: path.into() }
}

fn recipe(profile: &Profile) -> &Recipe {
    match &profile.protocol {
        Protocol::Recipe(recipe) => recipe,
        Protocol::Oauth(_) => panic!("{} is not a recipe", profile.name),
    }
}

fn oauth(profile: &Profile) -> &Oauth {
    match &profile.protocol {
        Protocol::Oauth(oauth) => oauth,
        Protocol::Recipe(_) => panic!("{} is not OAuth", profile.name),
    }
}

fn scratch(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("pilotlight-config-{}-{name}", std::process::id()));
    drop(fs::remove_dir_all(&dir));
    fs::create_dir_all(&dir).expect("the temporary directory is writable");
    dir
}

/// Row A12: for opaque tokens without such an endpoint, asking for something is all there is.
#[test]
fn a_resource_serves_as_the_heartbeat_where_there_is_no_endpoint_for_it() {
    let heartbeat = |text: &str| {
        let config = read(&format!("[profile.a]\npreset = 'nestjs'\nurl = 'https://a.example'\n{text}"));
        recipe(config.profile("a").unwrap()).heartbeat.clone().map(|probe| probe.path)
    };
    assert_eq!(heartbeat("").as_deref(), Some("/aaa"));
    assert_eq!(heartbeat("resources = ['POST /notes', '/me']").as_deref(), Some("/me"));
    assert_eq!(heartbeat("recipe.heartbeat = { path = '/ping' }").as_deref(), Some("/ping"));
    assert_eq!(heartbeat("recipe.heartbeat = false"), None);
}

/// What people copy works.
#[test]
fn the_examples_of_the_readme_are_understood() {
    let readme = include_str!("../README.md");
    let examples: Vec<&str> =
        readme.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        let config = read(example);
        assert_eq!(problems(&config), [""; 0], "{example}");
        assert_eq!(config.profiles.len(), 1);
    }
}
