//! What is wrong in a file is told with its line, and what is right goes on.

use std::collections::BTreeMap;

use api::{Code, VaultKind};

use crate::{problems, read};

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
        (
            "refresh_token_idle = '0s'",
            "6 refresh_token_idle: 0s is not a sensible `refresh_token_idle` (Between 1s",
        ),
        (
            "sign_in_lasts = '4000d'",
            "6 sign_in_lasts: 4000d is not a sensible `sign_in_lasts` (Between 1s and 730d.)",
        ),
        (
            "sign_in_last = '90d'",
            "6 sign_in_last: unknown key `sign_in_last` (Did you mean `sign_in_lasts`?)",
        ),
        (
            "sign_in_lasts = 90",
            r#"6 sign_in_lasts: `sign_in_lasts` has no unit (Write `sign_in_lasts = "90s"`.)"#,
        ),
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
        ("\nrecipe.refresh.refused = [{ status = 500 }]", "7 recipe.refresh: 500 alone never means refused"),
        (
            "\nrecipe.refresh.refused = [{ status = 400, body = 'x' }]",
            "7 recipe.refresh.refused.body: `body` is of the wrong kind (string) (Wanted: a condition with `at`",
        ),
        (
            "\nrecipe.refresh.send = { refresh_token = '/a/*' }",
            "7 recipe.refresh.send.refresh_token: `/a/*` stands for many",
        ),
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
