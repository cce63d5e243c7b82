//! The token endpoint.

use std::time::Duration;

use session::interaction::{Interaction, Need};
use session::oauth::Provider;
use session::oauth::client::{ClientAuth, ClientRegistration};
use session::oauth::error::{ProviderError, Refusal};
use session::oauth::token::{Reading, Refreshed, TokenAnswer, authorization, read_refresh, read_tokens};
use session::reason::Trouble;
use session::tokens::{AccessToken, RefreshLife, RefreshToken, Secret, TokenType};
use session::verdict::Verdict;
use session::wire::answer::{Answer, Clock, JwtTimes};

use crate::{CANARY, HTML, JSON, PAGE, answer, clock, confidential, provider, say};

#[test]
fn grants_are_asked_for_as_the_standards_say() {
    let mut provider = provider();
    let client = &mut provider.client;
    client.audience = Some("https://api.example".into());
    client.resources = vec!["https://a.example".into()];
    let extra = |text: &str| [(text.to_owned(), "1".to_owned()), ("scope".into(), "forged".into())].into();
    client.extra.token = extra("t");
    client.extra.refresh = extra("r");
    let target =
        "&scope=openid+offline_access&audience=https%3A%2F%2Fapi.example&resource=https%3A%2F%2Fa.example";
    assert_eq!(
        say(&provider.refresh(&RefreshToken::new("R/T"))),
        "POST https://id.example/token grant_type=refresh_token&refresh_token=R%2FT\
         &resource=https%3A%2F%2Fa.example&client_id=desktop&r=1&scope=forged"
    );
    assert_eq!(
        say(&provider.password("mia", &Secret::new("p w&"))),
        format!(
            "POST https://id.example/token grant_type=password&username=mia&password=p+w%26{target}\
             &client_id=desktop&t=1"
        )
    );
    assert_eq!(
        say(&provider.client_credentials()),
        format!("POST https://id.example/token grant_type=client_credentials{target}&client_id=desktop&t=1")
    );
}

/// RFC 6749, section 2.3.1: the halves of the header are escaped as in a form.
#[test]
fn a_client_names_itself_once() {
    let refresh = |provider: &Provider| say(&provider.refresh(&RefreshToken::new("RT")));
    let none = "POST https://id.example/token grant_type=refresh_token&refresh_token=RT&client_id=desktop";
    assert_eq!(refresh(&provider()), none);
    assert_eq!(refresh(&confidential(ClientAuth::None)), none);
    assert_eq!(refresh(&confidential(ClientAuth::SecretPost)), format!("{none}&client_secret=s%3Ae+cret"));
    assert_eq!(
        refresh(&confidential(ClientAuth::SecretBasic)),
        "POST https://id.example/token [Authorization: Basic ZGVza3RvcDpzJTNBZStjcmV0] \
         grant_type=refresh_token&refresh_token=RT"
    );
    let mut without = provider();
    without.client.auth = ClientAuth::SecretBasic;
    assert_eq!(refresh(&without), none, "nothing is made up");
    let mut forged = provider();
    forged.client.extra.refresh = [("client_id", "x"), ("refresh_token", "x"), ("grant_type", "x")]
        .map(|(name, value)| (name.into(), value.into()))
        .into();
    assert_eq!(refresh(&forged), none);
}

#[test]
fn a_way_to_name_the_client_is_found_when_nobody_chose_one() {
    let table = [
        ("", true, ClientAuth::SecretBasic),
        ("client_secret_post client_secret_basic", true, ClientAuth::SecretBasic),
        ("client_secret_post none", true, ClientAuth::SecretPost),
        ("private_key_jwt", true, ClientAuth::SecretBasic),
        ("client_secret_post", false, ClientAuth::None),
    ];
    for (supported, has_secret, auth) in table {
        let supported: Vec<_> = supported.split(' ').map(str::to_owned).collect();
        assert_eq!(ClientAuth::suited(&supported, has_secret), auth, "{supported:?}");
    }
    assert_eq!(ClientRegistration::public("x").auth, ClientAuth::None);
}

/// Rows A10, A11, A12, C6, and what the servers of the transcripts send.
#[test]
fn answers_with_tokens_are_read_whatever_they_look_like() {
    let table = [
        (
            r#"{"access_token":"5vTB0Cow","expires_in":3,"id_token":"e.y.J","refresh_token":"c3Z5","scope":"openid offline_access email","token_type":"Bearer"}"#,
            "Bearer 5vTB0Cow 3s c3Z5 [openid offline_access email] id",
        ),
        (
            r#"{"access_token": "McfYA18B", "expires_in": 3, "token_type": "Bearer", "scope": "openid read", "refresh_token": "JbIL0DEY", "id_token": "e.y.J"}"#,
            "Bearer McfYA18B 3s JbIL0DEY [openid read] id",
        ),
        (r#"{"access_token":"34Cx","expires_in":60,"token_type":"DPoP"}"#, "Dpop 34Cx 60s - -"),
        (r#"{"access_token":"AT","token_type":"dpop"}"#, "Dpop AT ? - -"),
        (r#"{"access_token":"AT","token_type":"bearer"}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","token_type":"BEARER","error":""}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","token_type":"BearerToken"}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","token_type":null,"refresh_token":null}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","refresh_token":"","scope":"","id_token":""}"#, "Bearer AT ? - -"),
        (r#"{"access_token":" AT\n","refresh_token":" RT "}"#, "Bearer AT ?  RT  -"),
        (
            r#"{"access_token":"AT","refresh_token":12345678901234567890}"#,
            "Bearer AT ? 12345678901234567890 -",
        ),
        (r#"{"access_token":"AT","expires_in":"3600"}"#, "Bearer AT 3600s - -"),
        (r#"{"access_token":"AT","expires_in":3600.0}"#, "Bearer AT 3600s - -"),
        (r#"{"access_token":"AT","expires_in":0}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","expires_in":-5}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","expires_in":null}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","expires_in":"soon"}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","expires_in":1000000000000}"#, "Bearer AT ? - -"),
        (r#"{"access_token":"AT","expires_in":1795228256}"#, "Bearer AT 3600s - -"),
        (r#"{"access_token":"a.b.c"}"#, "Bearer a.b.c 300s - -"),
        (r#"{"access_token":"a.b.c","expires_in":300000}"#, "Bearer a.b.c 300s - -"),
        (r#"{"access_token":"a.b.c","expires_in":60}"#, "Bearer a.b.c 60s - -"),
        ("\u{feff}{\"access_token\":\"AT\"}", "Bearer AT ? - -"),
    ];
    let times = |token: &str| {
        (token == "a.b.c").then_some(JwtTimes { exp: Some(1_795_224_956), iat: Some(1_795_224_656) })
    };
    let clock = Clock { date: Some(1_795_224_656), jwt: &times };
    for (body, told) in table {
        let read = read_tokens(&answer(200, body), clock, &Reading::default()).unwrap();
        assert_eq!(tell(&read), told, "{body}");
        let refreshed = read_refresh(&answer(200, body), clock, &Reading::default());
        assert_eq!(refreshed, Refreshed::Fresh(read.clone()), "{body}");
        assert_eq!(refreshed.into_verdict(), Verdict::Fresh(read.tokens));
        let mislabelled = Answer { content_type: Some(HTML), ..answer(200, body) };
        assert!(read_tokens(&mislabelled, clock, &Reading::default()).is_ok(), "{body}");
        let refused = Answer { status: 400, ..answer(200, body) };
        assert!(read_tokens(&refused, clock, &Reading::default()).is_err(), "{body}");
    }
}

/// Row C12: Keycloak, Entra and GitHub, QuickBooks; nobody has a standard for it.
#[test]
fn an_answer_tells_how_long_its_refresh_token_lives() {
    let ends = |seconds| Some(RefreshLife::For(Duration::from_secs(seconds)));
    for (fields, told) in [
        (r#""refresh_token":"RT","refresh_expires_in":1800"#, ends(1800)),
        (r#""refresh_token":"RT","refresh_token_expires_in":"15897600""#, ends(15_897_600)),
        (r#""refresh_token":"RT","x_refresh_token_expires_in":8726400"#, ends(8_726_400)),
        (r#""refresh_token":"RT","refresh_expires_in":null,"refresh_token_expires_in":60"#, ends(60)),
        (r#""refresh_token":"RT","refresh_expires_in":0"#, Some(RefreshLife::Endless)),
        (r#""refresh_token":"RT""#, None),
        (r#""refresh_expires_in":1800"#, ends(1800)),
        ("\"expires_in\":9", None),
    ] {
        let body = format!(r#"{{"access_token":"AT",{fields}}}"#);
        let read = read_tokens(&answer(200, &body), clock(), &Reading::default()).unwrap();
        assert_eq!(read.tokens.refresh_life, told, "{body}");
        let Refreshed::Fresh(refreshed) = read_refresh(&answer(200, &body), clock(), &Reading::default())
        else {
            panic!("{body}")
        };
        assert_eq!(refreshed.tokens.refresh_life, told, "{body}");
        let Refreshed::Fresh(of_client) = Refreshed::Fresh(refreshed).of_client(200) else {
            panic!("{body}")
        };
        assert_eq!(of_client.tokens.refresh_life, None, "a secret has no such end");
    }
}

/// Rows D1, D10.
#[test]
fn every_error_code_has_its_meaning_for_a_refresh() {
    let table = [
        ("invalid_grant", "dead dead suspect suspect transient"),
        ("invalid_client", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("unauthorized_client", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("invalid_scope", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("unsupported_grant_type", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("invalid_target", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("invalid_dpop_proof", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("unsupported_response_type", "misconfigured misconfigured misconfigured misconfigured transient"),
        ("invalid_request", "suspect suspect suspect suspect transient"),
        ("invalid_token", "suspect suspect suspect suspect transient"),
        ("access_denied", "suspect suspect suspect suspect transient"),
        ("expired_token", "suspect suspect suspect suspect transient"),
        ("authorization_pending", "suspect suspect suspect suspect transient"),
        ("bad_refresh_token", "suspect suspect suspect suspect transient"),
        ("INVALID_GRANT", "suspect suspect suspect suspect transient"),
        ("", "suspect suspect suspect suspect transient"),
        ("slow_down", "transient transient transient transient transient"),
        ("server_error", "transient transient transient transient transient"),
        ("temporarily_unavailable", "transient transient transient transient transient"),
        ("interaction_required", "Other Other Other suspect transient"),
        ("login_required", "Login Login Login suspect transient"),
        ("consent_required", "Consent Consent Consent suspect transient"),
        (
            "account_selection_required",
            "AccountSelection AccountSelection AccountSelection suspect transient",
        ),
        ("insufficient_user_authentication", "StepUp StepUp StepUp suspect transient"),
        ("insufficient_scope", "Scope Scope Scope suspect transient"),
        ("use_dpop_nonce", "nonce nonce suspect suspect transient"),
    ];
    for (code, meanings) in table {
        let body = format!(r#"{{"error":"{code}","error_description":"grant request is invalid"}}"#);
        let statuses = [400, 401, 403, 200, 500];
        let read: Vec<_> = statuses.iter().map(|status| refresh(*status, &body)).collect();
        assert_eq!(read.join(" "), meanings, "{code}");
    }
}

/// Rows D1, D2, D3, D4, D5: what is no answer of the provider's says nothing about the token.
#[test]
fn what_is_not_the_providers_word_keeps_the_token() {
    let grant = r#"{"error":"invalid_grant"}"#;
    let table = [
        (200, PAGE, "transient NotJson"),
        (200, "", "transient Unreadable"),
        (200, "{}", "transient Unreadable"),
        (200, r#"{"access_token":""}"#, "transient Unreadable"),
        (200, r#"{"access_token":7}"#, "transient Unreadable"),
        (200, r#"{"access_token":"with space"}"#, "transient Unreadable"),
        (200, r#"{"access_token":"cut"#, "transient CutShort"),
        (200, "access_token=AT&token_type=bearer", "transient Garbled"),
        (200, r#"{"access_token":"AT",}"#, "transient Garbled"),
        (418, r#"{"access_token":"AT",}"#, "transient Status"),
        (204, "", "transient Unreadable"),
        (302, "", "transient Redirected"),
        (302, grant, "transient Redirected"),
        (400, "", "suspect"),
        (400, "{}", "suspect"),
        (400, "invalid_grant", "suspect"),
        (400, r#"{"error":{"code":"invalid_grant"}}"#, "suspect"),
        (400, r#"["invalid_grant"]"#, "suspect"),
        (401, "", "suspect"),
        (403, PAGE, "transient NotJson"),
        (403, "", "suspect"),
        (404, grant, "misconfigured"),
        (405, "", "misconfigured"),
        (408, grant, "transient Status"),
        (418, grant, "transient Status"),
        (429, grant, "transient RateLimited"),
        (429, "", "transient RateLimited"),
        (500, grant, "transient Status"),
        (500, PAGE, "transient Status"),
        (502, "", "transient Status"),
        (503, PAGE, "transient Status"),
        (511, PAGE, "transient NotJson"),
        (522, PAGE, "transient Status"),
    ];
    for (status, body, meaning) in table {
        let read = match read_refresh(&answer(status, body), clock(), &Reading::default()) {
            Refreshed::Not(Verdict::Transient { trouble, .. }) => {
                format!("transient {trouble:?}")
            }
            Refreshed::Fresh(_) | Refreshed::Not(_) | Refreshed::UseNonce => refresh(status, body),
        };
        assert_eq!(read, meaning, "{status} {body}");
    }
    let answer = Answer { retry_after: Some(Duration::from_secs(99_999)), ..answer(503, "") };
    let Refreshed::Not(verdict) = read_refresh(&answer, clock(), &Reading::default()) else { panic!() };
    let Verdict::Transient { retry_after, .. } = verdict else { panic!("{verdict:?}") };
    assert_eq!(retry_after, Some(Duration::from_secs(3600)));
    // A page that a network in between can write, where nobody checks who wrote it.
    let plain = Answer { authentic: false, ..crate::answer(401, PAGE) };
    assert!(matches!(
        read_refresh(&plain, clock(), &Reading::default()),
        Refreshed::Not(Verdict::Transient { .. })
    ));
}

/// Row D12: some providers say `invalid_grant` and mean that somebody has to be at a browser.
#[test]
fn what_a_provider_adds_to_invalid_grant_is_heard() {
    let table = [
        (r#""suberror":"bad_token""#, "dead"),
        (r#""suberror":"token_expired""#, "dead"),
        (r#""suberror":"""#, "dead"),
        (r#""suberror":null"#, "dead"),
        (r#""suberror":"basic_action""#, "Other"),
        (r#""suberror":"additional_action""#, "Other"),
        (r#""suberror":"consent_required""#, "Consent"),
        (r#""suberror":"user_password_expired""#, "Login"),
        (r#""suberror":"of_their_own""#, "Other"),
        (r#""error_subtype":"invalid_rapt""#, "Login"),
        (r#""error_subtype":"rapt_required""#, "Login"),
        (r#""error_codes":[50076]"#, "dead"),
    ];
    for (addition, meaning) in table {
        let body = format!(r#"{{"error":"invalid_grant",{addition}}}"#);
        assert_eq!(refresh(400, &body), meaning, "{addition}");
    }
    let body = r#"{"error":"interaction_required","suberror":"basic_action","claims":"{\"a\":1}"}"#;
    let refreshed = read_refresh(&answer(400, body), clock(), &Reading::default());
    let interaction = Interaction { claims: Some("{\"a\":1}".into()), ..Interaction::of(Need::Other) };
    assert_eq!(refreshed, Refreshed::Not(Verdict::Interaction(interaction)));
}

#[test]
fn a_second_demand_for_a_nonce_is_a_trouble_like_others() {
    let verdict = Refreshed::UseNonce.into_verdict();
    assert_eq!(verdict, Verdict::Transient { trouble: Trouble::Status, status: None, retry_after: None });
}

/// What the sign-ins of the transcripts are told when they fail.
#[test]
fn a_sign_in_that_fails_is_told_why() {
    let table = [
        (400, r#"{"error":"invalid_grant","error_description":"grant request is invalid"}"#, "invalid_grant"),
        (
            400,
            r#"{"error": "invalid_grant", "error_description": "Invalid credentials given."}"#,
            "invalid_grant",
        ),
        (
            401,
            r#"{"error":"invalid_client","error_description":"client authentication failed"}"#,
            "invalid_client",
        ),
        (400, r#"{"error": "unsupported_grant_type"}"#, "unsupported_grant_type"),
        (200, r#"{"error":"bad_verification_code"}"#, "bad_verification_code"),
        (400, r#"{"error":"use_dpop_nonce","error_description":"nonce is required"}"#, "nonce"),
        (400, r#"{"error":"temporarily_unavailable"}"#, "temporarily_unavailable"),
        (503, r#"{"error":"temporarily_unavailable"}"#, "Status"),
        (500, "<!doctype html>", "Status"),
        (429, r#"{"error":"slow_down"}"#, "RateLimited"),
        (404, PAGE, "Misconfigured"),
        (200, PAGE, "NotJson"),
        (200, "{}", "Unreadable"),
        (302, "", "Redirected"),
    ];
    for (status, body, told) in table {
        let read = match read_tokens(&answer(status, body), clock(), &Reading::default()).unwrap_err() {
            Refusal::UseNonce => "nonce".into(),
            Refusal::Provider { status: of, error: ProviderError { code, .. } } => {
                assert_eq!(of, status);
                code
            }
            Refusal::Trouble { trouble, status: of, .. } => {
                assert_eq!(of, Some(status));
                format!("{trouble:?}")
            }
        };
        assert_eq!(read, told, "{status} {body}");
    }
}

#[test]
fn a_token_is_shown_as_its_type_wants() {
    let token = AccessToken::new("AT");
    let shown = authorization(&token);
    assert_eq!((shown.0.as_str(), shown.1.expose()), ("Authorization", "Bearer AT"));
    let shown = authorization(&token.clone().of_type(TokenType::Dpop));
    assert_eq!((shown.0.as_str(), shown.1.expose()), ("Authorization", "DPoP AT"));
    assert_eq!((token.token_type(), token.expose()), (TokenType::Bearer, "AT"));
    assert_ne!(token, token.clone().of_type(TokenType::Dpop), "what was granted is not the same");
}

#[test]
fn no_token_is_printed() {
    let provider = provider();
    let body = format!(
        r#"{{"access_token":"{CANARY}","refresh_token":"{CANARY}","id_token":"{CANARY}","expires_in":3}}"#
    );
    let answer = answer(200, &body);
    let refused =
        format!(r#"{{"error":"invalid_grant","error_description":"{CANARY}{CANARY}{CANARY}{CANARY}"}}"#);
    let refused = Answer { status: 400, body: refused.as_bytes(), content_type: Some(JSON), ..answer };
    let printed = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?}",
        read_tokens(&answer, clock(), &Reading::default()),
        read_refresh(&answer, clock(), &Reading::default()),
        provider.refresh(&RefreshToken::new(CANARY)),
        provider.password("mia", &Secret::new(CANARY)),
        (AccessToken::new(CANARY), authorization(&AccessToken::new(CANARY).of_type(TokenType::Dpop))),
        read_tokens(&refused, clock(), &Reading::default()),
    );
    assert!(!printed.contains(CANARY), "{printed}");
    assert!(printed.contains("invalid_grant"), "{printed}");
}

pub(crate) fn refresh(status: u16, body: &str) -> String {
    match read_refresh(&answer(status, body), clock(), &Reading::default()) {
        Refreshed::Fresh(_) => "fresh".into(),
        Refreshed::UseNonce => "nonce".into(),
        Refreshed::Not(verdict) => match verdict {
            Verdict::Dead => "dead".into(),
            Verdict::Fresh(_) => "fresh?".into(),
            Verdict::Interaction(interaction) => format!("{:?}", interaction.need),
            Verdict::Misconfigured { .. } => "misconfigured".into(),
            Verdict::Suspect { .. } => "suspect".into(),
            Verdict::Transient { .. } => "transient".into(),
            Verdict::Unsent { .. } => "unsent?".into(),
        },
    }
}

pub(crate) fn tell(answer: &TokenAnswer) -> String {
    let TokenAnswer { tokens, scope, id_token } = answer;
    let access = tokens.access.as_ref().map_or("-", AccessToken::expose);
    let token_type = tokens.access.as_ref().map(AccessToken::token_type).unwrap();
    let lifetime = tokens.lifetime.map_or("?".into(), |lifetime| format!("{lifetime:?}"));
    let refresh = tokens.refresh.as_ref().map_or("-", RefreshToken::expose);
    let scope = scope.as_ref().map_or("-".into(), |scope| format!("[{scope}]"));
    let id = if id_token.is_some() { " id" } else { "" };
    format!("{token_type:?} {access} {lifetime} {refresh} {scope}{id}")
}

/// The token that was sent is spent: the new one counts, however little else of the answer can be read.
#[test]
fn a_new_refresh_token_is_found_in_an_answer_that_cannot_be_read() {
    let whole = r#"{"access_token":"a2","refresh_token":"r2","expires_in":60}"#;
    for body in [
        "{\"expires_in\":NaN,\"access_token\":\"a2\",\"refresh_token\":\"r2\"}".to_owned(),
        format!("<br />\n<b>Warning</b>: x in <b>y.php</b>\n{whole}"),
        format!("{whole}\n<!-- 3 ms -->"),
        whole.replace("60}", "60,\"name\":\"\\ud83d\"}"),
        whole.replace("60}", "60,\"name\":\"Re"),
    ] {
        let Refreshed::Fresh(fresh) = read_refresh(&answer(200, &body), clock(), &Reading::default()) else {
            panic!("{body}")
        };
        assert_eq!(fresh.tokens.refresh, Some(RefreshToken::new("r2")), "{body}");
        assert_eq!(fresh.tokens.access, Some(AccessToken::new("a2")), "{body}");
    }
    let broken = Answer { broken: Some(Trouble::CutShort), ..answer(200, whole) };
    let Refreshed::Fresh(fresh) = read_refresh(&broken, clock(), &Reading::default()) else {
        panic!("its end is missing")
    };
    assert_eq!(fresh.tokens.lifetime, Some(Duration::from_secs(60)));
    // A portal can write what it likes, and a refusal brings nothing.
    let page = format!("<html>{whole}</html>");
    let portal = Answer { authentic: false, ..answer(200, &page) };
    assert!(matches!(read_refresh(&portal, clock(), &Reading::default()), Refreshed::Not(_)));
    let refused = format!("{whole}x");
    assert!(matches!(read_refresh(&answer(500, &refused), clock(), &Reading::default()), Refreshed::Not(_)));
    // Without it, the answer is as good as lost.
    let cut = r#"{"access_token":"a2","refresh_token":"r"#;
    let broken = Answer { broken: Some(Trouble::TimedOut), ..answer(200, cut) };
    let Refreshed::Not(verdict) = read_refresh(&broken, clock(), &Reading::default()) else {
        panic!("it is cut")
    };
    assert!(
        verdict.is_ambiguous() && matches!(verdict, Verdict::Transient { trouble: Trouble::TimedOut, .. })
    );
}
