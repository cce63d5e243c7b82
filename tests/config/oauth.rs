//! What a profile says of an OAuth provider.

use api::{Code, Draft, Grant, OauthDraft};
use keeper::config::{self, Oauth, Probe, Profile, Protocol};
use session::binding::Destination;

use crate::{problems, read};

const OAUTH: &str = r#"[profile.work]
resources = ["/orders"]

[profile.work.oauth]
issuer = "https://id.example.com/realm/"
client_id = "desktop"
client_secret = "not so secret"
client_auth = "client_secret_post"
scopes = ["openid", "api"]
audience = "https://aud.example"
resource_indicators = ["https://api.example.com"]
dpop = false
redirect_host = "localhost"
redirect_port = 8123
redirect_path = "/cb"
probe = "userinfo"
rejects = [{ status = 403, body = { empty = true } }]
take.lifetime = { at = "/expires_in_ms", unit = "milliseconds" }
endpoints = { revocation = "https://id.example.com/revoke" }
extra.authorize = { access_type = "offline" }
"#;

#[test]
fn everything_that_can_be_said_of_an_oauth_provider_is_understood() {
    let config = read(OAUTH);
    assert_eq!(problems(&config), [""; 0]);
    let work = config.profile("work").unwrap();
    assert_eq!((work.preset.as_str(), work.url.as_str()), (config::OAUTH, "https://id.example.com/"));
    assert_eq!(work.host(), "id.example.com");
    // The issuer is compared letter by letter, so it stays as it was written.
    assert_eq!(work.origin(), "https://id.example.com/realm/ (desktop)");
    let oauth = oauth(work);
    assert_eq!(
        (oauth.grant, oauth.dpop, oauth.probe),
        (Grant::AuthorizationCode, Some(false), Some(Probe::Userinfo))
    );
    assert_eq!(
        (oauth.redirect.host.as_str(), oauth.redirect.port, oauth.redirect.path.as_str()),
        ("localhost", Some(8123), "/cb")
    );
    assert_eq!(oauth.scopes.as_deref(), Some(&["openid".to_owned(), "api".to_owned()][..]));
    assert_eq!(oauth.client.extra.authorize["access_type"], "offline");
    assert!(oauth.reading.take.lifetime.is_some() && oauth.rejects.len() == 1);
    assert!(!format!("{config:?}").contains("so secret"));

    let least = read("[profile.a]\noauth = { issuer = 'https://id.example', client_id = 'x' }\n");
    assert_eq!(problems(&least), [""; 0]);
}

/// An edited client or issuer is another owner: a stored token does not go there.
#[test]
fn a_token_belongs_to_an_issuer_and_a_client_and_to_every_place_that_is_named() {
    let bound = |text: &str| read(text).profile("work").unwrap().binding();
    let one = bound(OAUTH);
    for (from, to, places) in [
        ("\"desktop\"", "\"other\"", &[Destination::Client][..]),
        ("/realm/", "/realm", &[Destination::Issuer]),
        // Without a `url` the API is on the issuer’s origin, and what was named there is now somewhere else.
        (
            "https://id.example.com/realm/",
            "https://id.example.org/realm/",
            &[Destination::Api, Destination::Issuer, Destination::Revocation],
        ),
    ] {
        assert!(OAUTH.contains(from), "{from}");
        assert_eq!(one.differences(&bound(&OAUTH.replace(from, to))), places, "{from} → {to}");
    }
    let with = |endpoint: &str, url: &str| {
        let text = format!(
            "[profile.work]\nurl = 'https://api.example'\n[profile.work.oauth]\nissuer = 'https://id.example/a'\nclient_id = 'x'\n[profile.work.oauth.endpoints]\n{endpoint} = '{url}'"
        );
        bound(&text)
    };
    let plain = with("jwks_uri", "https://keys.example/jwks");
    assert_eq!(plain.origins.len(), 2, "keys are shown no token: {plain:?}");
    for (endpoint, place) in [
        ("introspection", Destination::Introspection),
        ("revocation", Destination::Revocation),
        ("token", Destination::Token),
        ("userinfo", Destination::Userinfo),
    ] {
        let elsewhere = with(endpoint, "https://elsewhere.example/x");
        assert_eq!(plain.differences(&elsewhere), [place]);
        assert_eq!(
            elsewhere.differences(&with(endpoint, "https://elsewhere.example/y?z")),
            [],
            "paths bind nobody"
        );
        assert_eq!(elsewhere.differences(&with(endpoint, "https://elsewhere.example:8443/x")), [place]);
        assert_eq!(
            plain.differences(&with(endpoint, "https://id.example/x")),
            [],
            "that is the provider itself"
        );
    }
}

#[test]
fn what_is_wrong_with_an_oauth_provider_is_told_with_its_line() {
    let table = [
        ("issuer = 'id.example'\nclient_id = 'x'", "2 oauth.issuer: `id.example` is not a complete URL"),
        ("issuer = 'http://id.example'\nclient_id = 'x'", "2 oauth.issuer: plain http would let others"),
        ("client_id = 'x'", "1 oauth.issuer: `issuer` is missing (Write `issuer ="),
        ("issuer = 'https://id.example'", "1 oauth: `client_id` is missing"),
        ("issuer = 'https://id.example'\nclient_id = ' '", "3 oauth.client_id: `client_id` is empty"),
        (
            "issuer = 'https://id.example'\nclientid = 'x'",
            "3 oauth.clientid: unknown key `clientid` (Did you mean `client_id`?)",
        ),
        (
            "issuer = 'https://id.example'\nclient_id = 'x'\ngrant = 'implicit'",
            "4 oauth.grant: unknown value `implicit`",
        ),
        (
            "issuer = 'https://id.example'\nclient_id = 'x'\nredirect_host = '10.0.0.1'",
            "4 oauth.redirect_host: `redirect_host` is not this machine",
        ),
        (
            "issuer = 'https://id.example'\nclient_id = 'x'\nredirect_port = 0",
            "4 oauth.redirect_port: 0 is no port",
        ),
        (
            "issuer = 'https://id.example'\nclient_id = 'x'\nredirect_port = 70000",
            "4 oauth.redirect_port: `redirect_port` cannot be 70000 (Wanted: a port from 1 to 65535.)",
        ),
        (
            "issuer = 'https://id.example'\nclient_id = 'x'\nredirect_path = 'cb?x'",
            "4 oauth.redirect_path: `redirect_path` is no path",
        ),
        (
            "issuer = 'https://id.example'\nclient_id = 'x'\nresource_indicators = ['orders']",
            "4 oauth.resource_indicators: `orders` is no resource indicator",
        ),
        (
            "client_id = 'x'\nendpoints = { token = 'ftp://id.example' }",
            "3 oauth.endpoints: `ftp` is neither https nor http",
        ),
    ];
    for (lines, told) in table {
        let problems = problems(&read(&format!("[profile.a.oauth]\n{lines}\n")));
        assert!(problems.len() == 1 && problems[0].starts_with(told), "{lines}: {problems:?}");
    }
    let both =
        read("[profile.a]\npreset = 'flask'\noauth = { issuer = 'https://id.example', client_id = 'x' }\n");
    assert!(problems(&both)[0].starts_with("2 preset: `preset` and `oauth` are two kinds of provider"));
}

#[test]
fn an_oauth_provider_is_added_with_nothing_but_what_was_chosen() {
    let draft = Draft {
        profile: "work".to_owned(),
        oauth: Some(OauthDraft {
            issuer: "https://id.example/".to_owned(),
            client_id: "desktop".to_owned(),
            scopes: Some(vec!["openid".to_owned()]),
            redirect_port: Some(8123),
            extra: [("authorize".to_owned(), [("x".to_owned(), "y".to_owned())].into())].into(),
            ..OauthDraft::default()
        }),
        ..Draft::default()
    };
    let text = config::add("", &draft).unwrap();
    assert_eq!(
        text,
        "\n[profile.work]\n\n[profile.work.oauth]\nissuer = \"https://id.example/\"\n\
         client_id = \"desktop\"\nscopes = [\"openid\"]\nredirect_port = 8123\n\
         extra = { authorize = { x = \"y\" } }\n"
    );
    let mistaken = OauthDraft { issuer: "id.example".to_owned(), ..draft.oauth.clone().unwrap() };
    let failure = config::add("", &Draft { oauth: Some(mistaken), ..draft }).unwrap_err();
    assert_eq!((failure.code, failure.details["field"].as_str()), (Code::BadRequest, "oauth.issuer"));
    assert_eq!(failure.details.get("line"), None, "the file has no such line");
}

fn oauth(profile: &Profile) -> &Oauth {
    match &profile.protocol {
        Protocol::Oauth(oauth) => oauth,
        Protocol::Recipe(_) => panic!("{} is not OAuth", profile.name),
    }
}
