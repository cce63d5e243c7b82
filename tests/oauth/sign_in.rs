//! Signing in at a browser.

use std::time::Duration;

use session::interaction::{Interaction, Need};
use session::oauth::authorize::{Ask, CallbackProblem, read_push};
use session::oauth::client::{ClientAuth, ClientRegistration};
use session::oauth::dpop::PublicKey;
use session::oauth::error::{ErrorKind, Refusal};
use session::oauth::{Provider, authorize::Started};
use session::tokens::Secret;

use crate::{CANARY, ISSUER, answer, confidential, provider, say, started};

const STATE: &str = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE";

/// RFC 7636, appendix B, for the challenge.
#[test]
fn the_browser_is_sent_with_everything_that_the_answer_is_held_against() {
    assert_eq!(
        url(&provider(), Ask::default()),
        "https://id.example/auth?response_type=code&client_id=desktop\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A47123%2Fcallback\
         &state=AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256\
         &scope=openid%20offline_access&nonce=AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI&prompt=consent"
    );
}

#[test]
fn what_is_asked_for_is_sent_once_each() {
    let mut provider = provider();
    provider.metadata.authorization_endpoint = Some("https://id.example/auth?tenant=a".into());
    provider.client = ClientRegistration {
        audience: Some("https://api.example".into()),
        ..ClientRegistration::public("desk top&")
    };
    provider.client.resources = vec!["https://a.example/1".into(), "https://a.example/2".into()];
    let extra = [("access_type", "offline"), ("state", "forged"), ("code_challenge_method", "plain")];
    provider.client.extra.authorize = extra.map(|(name, value)| (name.into(), value.into())).into();
    let key = PublicKey::new(&[1; 32], &[2; 32]);
    let thumbprint = key.thumbprint();
    let ask = Ask {
        prompt: Some("login"),
        login_hint: Some("mia+1@example.org"),
        dpop_jkt: Some(&thumbprint),
        interaction: None,
    };
    let url = url(&provider, ask);
    assert!(url.starts_with("https://id.example/auth?tenant=a&response_type=code&client_id=desk%20top%26&"));
    let rest = format!(
        "&code_challenge_method=S256&dpop_jkt={thumbprint}&login_hint=mia%2B1%40example.org&prompt=login\
         &audience=https%3A%2F%2Fapi.example&resource=https%3A%2F%2Fa.example%2F1\
         &resource=https%3A%2F%2Fa.example%2F2&access_type=offline"
    );
    assert!(url.ends_with(&rest), "{url}");
    assert!(!url.contains("nonce=") && !url.contains("scope=") && !url.contains("forged"), "{url}");
}

/// OpenID Connect Core, section 11: without the prompt there is no refresh token.
#[test]
fn a_prompt_is_what_the_profile_says_else_what_is_demanded_else_what_the_scopes_call_for() {
    let prompt = |provider: &Provider, ask| {
        let url = url(provider, ask);
        url.split(['?', '&']).find_map(|pair| pair.strip_prefix("prompt=")).map(str::to_owned)
    };
    let offline = provider();
    let mut online = provider();
    online.client.scopes = vec!["openid".into()];
    let mut bare = provider();
    bare.client.scopes = vec!["offline_access".into()];
    let mut extra = provider();
    extra.client.extra.authorize.insert("prompt".into(), "select_account".into());
    let mut silent = provider();
    silent.client.extra.authorize.insert("prompt".into(), "none".into());
    let demands = |need| Interaction::of(need);
    let all = [Need::AccountSelection, Need::Consent, Need::Login, Need::StepUp].map(demands);
    let demanding = |need: &Need| {
        let interaction = all.iter().find(|demand| demand.need == *need);
        Ask { interaction, ..Ask::default() }
    };
    let asked = |prompt| Ask { prompt: Some(prompt), ..Ask::default() };
    for (provider, ask, expected) in [
        (&offline, Ask::default(), Some("consent")),
        (&offline, asked("login consent"), Some("login%20consent")),
        (&offline, asked(""), None),
        (&online, Ask::default(), None),
        (&bare, Ask::default(), None),
        (&extra, Ask::default(), Some("select_account")),
        (&extra, asked("none"), Some("none")),
        (&online, Ask { interaction: Some(&demands(Need::Login)), ..Ask::default() }, Some("login")),
        (&online, Ask { interaction: Some(&demands(Need::Consent)), ..Ask::default() }, Some("consent")),
        (&online, Ask { interaction: Some(&demands(Need::Scope)), ..Ask::default() }, Some("consent")),
        (
            &online,
            Ask { interaction: Some(&demands(Need::AccountSelection)), ..Ask::default() },
            Some("select_account"),
        ),
        (&online, Ask { interaction: Some(&demands(Need::StepUp)), ..Ask::default() }, None),
        (&online, Ask { interaction: Some(&demands(Need::Other)), ..Ask::default() }, None),
        // Without the consent no refresh token would come, and with it twice nobody knows.
        (&offline, demanding(&Need::Login), Some("login%20consent")),
        (&offline, demanding(&Need::Consent), Some("consent")),
        (&offline, demanding(&Need::AccountSelection), Some("select_account%20consent")),
        (&offline, demanding(&Need::StepUp), Some("consent")),
        (&extra, demanding(&Need::Login), Some("login%20select_account")),
        (&extra, demanding(&Need::AccountSelection), Some("select_account")),
        (&silent, Ask::default(), Some("none")),
        (&silent, demanding(&Need::StepUp), Some("none")),
        (&silent, demanding(&Need::Login), Some("login")),
    ] {
        assert_eq!(prompt(provider, ask).as_deref(), expected, "{ask:?}");
    }
}

/// RFC 9470, section 4.
#[test]
fn what_a_resource_has_demanded_goes_along() {
    let interaction = Interaction {
        acr_values: Some("mfa".into()),
        max_age: Some(0),
        scope: Some("openid write".into()),
        claims: Some("{\"a\":1}".into()),
        ..Interaction::of(Need::StepUp)
    };
    let url = url(&provider(), Ask { interaction: Some(&interaction), ..Ask::default() });
    assert!(url.contains("&scope=openid%20offline_access%20write&"), "{url}");
    assert!(url.contains("&acr_values=mfa&max_age=0&claims=%7B%22a%22%3A1%7D"), "{url}");
}

/// RFC 9126.
#[test]
fn a_request_can_be_handed_over_first() {
    let provider = confidential(ClientAuth::SecretBasic);
    let started = started(&provider);
    let said = say(&started.push(&provider, Ask::default()).unwrap());
    let (head, body) = said.rsplit_once(' ').unwrap();
    assert_eq!(head, "POST https://id.example/request [Authorization: Basic ZGVza3RvcDpzJTNBZStjcmV0]");
    assert!(body.starts_with("response_type=code&client_id=desktop&redirect_uri="), "{body}");
    assert!(body.contains("&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&"), "{body}");
    assert!(!body.contains("secret"), "{body}");

    let body = r#"{"expires_in":60,"request_uri":"urn:ietf:params:oauth:request_uri:6Hw8"}"#;
    let pushed = read_push(&answer(201, body)).unwrap();
    assert_eq!(pushed.expires_in, Some(Duration::from_secs(60)));
    assert_eq!(
        started.pushed_url(&provider, &pushed).unwrap().expose(),
        "https://id.example/auth?client_id=desktop\
         &request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3A6Hw8"
    );
    let refused = read_push(&answer(400, r#"{"error":"invalid_request","error_description":"no"}"#));
    let Err(Refusal::Provider { status: 400, error }) = refused else { panic!("{refused:?}") };
    assert_eq!((error.code.as_str(), error.description.as_deref()), ("invalid_request", Some("no")));
    let nonce = read_push(&answer(400, r#"{"error":"use_dpop_nonce"}"#));
    assert_eq!(nonce, Err(Refusal::UseNonce));
    assert!(matches!(read_push(&answer(201, "{}")), Err(Refusal::Trouble { .. })));
}

#[test]
fn a_provider_without_the_endpoint_is_not_asked() {
    let mut provider = provider();
    provider.metadata.authorization_endpoint = None;
    provider.metadata.pushed_authorization_request_endpoint = None;
    let started = started(&provider);
    assert_eq!(started.url(&provider, Ask::default()), None);
    assert_eq!(started.push(&provider, Ask::default()), None);
}

/// What oidc-provider sends, and what anybody else could.
#[test]
fn only_the_answer_to_this_sign_in_is_listened_to() {
    for query in [
        "",
        "code=C",
        "code=C&iss=https%3A%2F%2Fid.example",
        "code=C&state=&iss=https%3A%2F%2Fid.example",
        "code=C&state=wrong&iss=https%3A%2F%2Fid.example",
        &format!("code=C&state={}", &STATE[1..]),
        &format!("code=C&state={STATE}A"),
        &format!("code=C&state={}", STATE.to_lowercase()),
        &format!("code=C&state={STATE}&state={STATE}"),
        &format!("code=C&state=x&state={STATE}"),
        &format!("error=access_denied&state={}", STATE.replacen('Q', "R", 1)),
        "error=access_denied",
    ] {
        assert_eq!(read(&provider(), query), Err(CallbackProblem::State), "{query}");
    }
}

/// Row G2: what people copy has blanks around it, a fragment behind it, and no scheme in some browsers.
#[test]
fn an_address_that_was_copied_is_read_as_the_port_would_read_it() {
    let started = started(&provider());
    let ours = started.redirect_uri().to_owned();
    let bare = ours.strip_prefix("http://").unwrap();
    for (copied, query) in [
        (format!("{ours}?code=C&state=S"), Some("code=C&state=S")),
        (format!("  {ours}?code=C&state=S#_=_\n"), Some("code=C&state=S")),
        (format!("{bare}?error=access_denied"), Some("error=access_denied")),
        (format!("{ours}?"), Some("")),
        (ours.clone(), None),
        (format!("{ours}/?code=C"), None),
        (format!("{ours}x?code=C"), None),
        (format!("https://{bare}?code=C"), None),
        (format!("http://evil.example/?to={ours}?code=C"), None),
        ("code=C&state=S".to_owned(), None),
        (String::new(), None),
    ] {
        assert_eq!(started.query_of(&copied), query, "{copied}");
    }
}

/// Row T20.
/// RFC 9207.
#[test]
fn an_answer_from_another_provider_is_refused_good_or_bad() {
    let ours = "iss=https%3A%2F%2Fid.example";
    let mut silent = provider();
    silent.metadata.authorization_response_iss_parameter_supported = false;
    let mut nameless = silent.clone();
    nameless.metadata.issuer = None;
    for outcome in ["code=C", "error=access_denied"] {
        let query = |iss: &str| format!("{outcome}&state={STATE}{iss}");
        let is_refused =
            |provider: &Provider, iss: &str| read(provider, &query(iss)) == Err(CallbackProblem::Issuer);
        assert!(!is_refused(&provider(), &format!("&{ours}")));
        assert!(!is_refused(&silent, &format!("&{ours}")));
        assert!(!is_refused(&silent, ""), "it never promised to say so");
        assert!(!is_refused(&nameless, "&iss=anything"), "nothing to hold it against");
        assert!(is_refused(&provider(), ""), "it promised");
        for iss in [
            "&iss=",
            "&iss=https%3A%2F%2Fevil.example",
            "&iss=https://id.example/",
            "&iss=https://ID.example",
        ] {
            assert!(is_refused(&provider(), iss), "{iss}");
            assert!(is_refused(&silent, iss), "{iss}");
        }
        assert_eq!(
            read(&provider(), &query(&format!("&{ours}&{ours}"))),
            Err(CallbackProblem::Repeated("iss"))
        );
    }
}

/// Row T20.
/// The issuer is fixed when the sign-in begins: metadata that changes meanwhile changes nothing.
#[test]
fn what_is_expected_is_fixed_when_the_sign_in_begins() {
    let mut provider = provider();
    let started = started(&provider);
    provider.metadata.issuer = Some("https://evil.example".into());
    provider.metadata.authorization_response_iss_parameter_supported = false;
    let query = |iss: &str| format!("code=C&state={STATE}{iss}");
    assert_eq!(started.read_callback(&query("")), Err(CallbackProblem::Issuer));
    assert_eq!(started.read_callback(&query("&iss=https://evil.example")), Err(CallbackProblem::Issuer));
    assert!(started.read_callback(&query("&iss=https://id.example")).is_ok());
}

/// RFC 6749, section 4.1.2.1; OpenID Connect Core, section 3.1.2.6.
#[test]
fn refusals_at_the_browser_are_told_by_their_kind() {
    let table = [
        ("access_denied", ErrorKind::Denied),
        ("account_selection_required", ErrorKind::Interaction(Need::AccountSelection)),
        ("consent_required", ErrorKind::Interaction(Need::Consent)),
        ("interaction_required", ErrorKind::Interaction(Need::Other)),
        ("invalid_request", ErrorKind::Misconfigured),
        ("invalid_request_object", ErrorKind::Misconfigured),
        ("invalid_request_uri", ErrorKind::Misconfigured),
        ("invalid_scope", ErrorKind::Misconfigured),
        ("invalid_target", ErrorKind::Misconfigured),
        ("login_required", ErrorKind::Interaction(Need::Login)),
        ("registration_not_supported", ErrorKind::Misconfigured),
        ("request_not_supported", ErrorKind::Misconfigured),
        ("request_uri_not_supported", ErrorKind::Misconfigured),
        ("server_error", ErrorKind::Unavailable),
        ("temporarily_unavailable", ErrorKind::Unavailable),
        ("unauthorized_client", ErrorKind::Misconfigured),
        ("unmet_authentication_requirements", ErrorKind::Interaction(Need::StepUp)),
        ("unsupported_response_type", ErrorKind::Misconfigured),
        ("of_our_own", ErrorKind::Unknown),
    ];
    for (code, kind) in table {
        let query =
            format!("?error={code}&error_description=End-User+aborted&state={STATE}&iss={ISSUER}&code=C");
        let read = read(&provider(), query.trim_start_matches('?'));
        let Err(CallbackProblem::Refused(error)) = read else { panic!("{code}: {read:?}") };
        assert_eq!((error.code.as_str(), error.kind()), (code, kind));
        assert_eq!(error.description.as_deref(), Some("End-User aborted"));
    }
}

#[test]
fn words_that_could_be_anything_are_not_passed_on() {
    let long = "x".repeat(65);
    for (code, told) in [("%3Cscript%3E", "unrecognised"), ("", "unrecognised"), (&long, "unrecognised")] {
        let description = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.abc";
        let query = format!("error={code}&error_description={description}&state={STATE}&iss={ISSUER}");
        let Err(CallbackProblem::Refused(error)) = read(&provider(), &query) else { panic!("{code}") };
        assert_eq!((error.code.as_str(), error.description), (told, None));
    }
}

#[test]
fn callbacks_that_make_no_sense_are_told_apart() {
    let long = "c".repeat(8 * 1024);
    let table = [
        (format!("state={STATE}"), "MissingCode"),
        (format!("state={STATE}&code="), "MissingCode"),
        (format!("state={STATE}&code=%ff"), "MissingCode"),
        (format!("state={STATE}&code=A&code=A"), "Repeated(\"code\")"),
        (format!("state={STATE}&error=a&error=b"), "Repeated(\"error\")"),
        (format!("state={STATE}&code=A&padding={}", "x".repeat(64 * 1024)), "TooLong"),
        (format!("state={STATE}&code={long}"), "ok"),
        (format!("&&session_state=1&session_state=2&x&state={STATE}&code=A"), "ok"),
    ];
    for (query, told) in table {
        let read = read(&provider(), &format!("{query}&iss={ISSUER}"));
        let read = read.map_or_else(|problem| format!("{problem:?}"), |_| "ok".into());
        assert_eq!(read, told, "{}", &query[..query.len().min(100)]);
    }
}

#[test]
fn a_code_buys_tokens_with_what_the_sign_in_began_with() {
    let mut provider = provider();
    provider.client.resources = vec!["https://a.example".into()];
    let extra = [("tenant", "a"), ("client_id", "forged"), ("grant_type", "password"), ("code", "forged")];
    provider.client.extra.token = extra.map(|(name, value)| (name.into(), value.into())).into();
    let started = started(&provider);
    let code = started.read_callback(&format!("code=a%2Fb&state={STATE}&iss={ISSUER}")).unwrap();
    assert_eq!(
        say(&provider.redeem(&started, &code)),
        "POST https://id.example/token grant_type=authorization_code&code=a%2Fb\
         &redirect_uri=http%3A%2F%2F127.0.0.1%3A47123%2Fcallback\
         &code_verifier=dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk&resource=https%3A%2F%2Fa.example\
         &client_id=desktop&tenant=a"
    );
}

#[test]
fn nothing_of_a_sign_in_is_printed() {
    let mut provider = confidential(ClientAuth::SecretPost);
    provider.client.secret = Some(Secret::new(CANARY));
    let started = started(&provider);
    let code = started.read_callback(&format!("code={CANARY}&state={STATE}&iss={ISSUER}")).unwrap();
    let pushed = read_push(&answer(201, &format!(r#"{{"request_uri":"{CANARY}"}}"#))).unwrap();
    let printed = format!(
        "{provider:?} {started:?} {code:?} {pushed:?} {:?} {:?} {:?} {:?}",
        started.url(&provider, Ask::default()),
        started.pushed_url(&provider, &pushed),
        started.push(&provider, Ask::default()),
        provider.redeem(&started, &code),
    );
    for secret in [CANARY, STATE, "dBjftJeZ4CVP", "AgICAgIC", "E9Melhoa2Owv"] {
        assert!(!printed.contains(secret), "{printed}");
    }
    assert_eq!(started.nonce().expose(), "AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI");
}

fn url(provider: &Provider, ask: Ask<'_>) -> String {
    started(provider).url(provider, ask).unwrap().expose().to_owned()
}

fn read(provider: &Provider, query: &str) -> Result<(), CallbackProblem> {
    let started: Started = started(provider);
    started.read_callback(query).map(|_| ())
}
