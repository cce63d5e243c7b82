//! Signing out, and questions about tokens.

use session::oauth::Provider;
use session::oauth::client::ClientAuth;
use session::oauth::endings::{Activity, TokenToEnd, read_introspection, read_revocation, read_userinfo};
use session::tokens::{AccessToken, RefreshToken, Secret};
use session::verdict::RevocationAnswer;
use session::wire::answer::Answer;

use crate::{CANARY, PAGE, answer, confidential, provider, say};

#[test]
fn a_provider_is_told_and_asked_as_the_standards_say() {
    let (access, refresh) = (AccessToken::new("AT"), RefreshToken::new("RT"));
    let mut provider = confidential(ClientAuth::SecretPost);
    provider.client.extra.revoke.insert("token".into(), "forged".into());
    provider.client.extra.revoke.insert("r".into(), "1".into());
    assert_eq!(
        say(&provider.revoke(TokenToEnd::Refresh(&refresh)).unwrap()),
        "POST https://id.example/revocation token=RT&token_type_hint=refresh_token\
         &client_id=desktop&client_secret=s%3Ae+cret&r=1"
    );
    assert_eq!(
        say(&provider.introspect(TokenToEnd::Access(&access)).unwrap()),
        "POST https://id.example/introspection token=AT&token_type_hint=access_token\
         &client_id=desktop&client_secret=s%3Ae+cret"
    );
    let id_token = Secret::new("e.y.J");
    let url = provider.logout_url(Some(&id_token), Some("http://127.0.0.1:5000/bye"), Some("s 1"));
    assert_eq!(
        url.unwrap().expose(),
        "https://id.example/session/end?id_token_hint=e.y.J&client_id=desktop\
         &post_logout_redirect_uri=http%3A%2F%2F127.0.0.1%3A5000%2Fbye&state=s%201"
    );
    assert_eq!(
        provider.logout_url(None, None, None).unwrap().expose(),
        "https://id.example/session/end?client_id=desktop"
    );
    let metadata = &mut provider.metadata;
    metadata.end_session_endpoint = None;
    metadata.introspection_endpoint = None;
    metadata.revocation_endpoint = None;
    assert_eq!(provider.revoke(TokenToEnd::Access(&access)), None);
    assert_eq!(provider.introspect(TokenToEnd::Access(&access)), None);
    assert_eq!(provider.logout_url(None, None, None), None);
}

/// RFC 7009, section 2.2, and what servers do instead.
#[test]
fn a_revocation_is_done_unsupported_or_not() {
    let table = [
        (200, "", "done"),
        (200, PAGE, "done"),
        (204, "", "done"),
        (200, "{}", "done"),
        (400, r#"{"error":"invalid_token"}"#, "done"),
        (400, r#"{"error":"invalid_grant"}"#, "done"),
        (400, r#"{"error":"unsupported_token_type"}"#, "unsupported"),
        (404, PAGE, "unsupported"),
        (405, "", "unsupported"),
        (401, r#"{"error":"invalid_client"}"#, "not"),
        (400, r#"{"error":"invalid_request"}"#, "not"),
        (400, r#"{"error":"use_dpop_nonce"}"#, "not"),
        (400, "", "not"),
        (302, "", "not"),
        (429, "", "not"),
        (503, "", "not"),
        (503, r#"{"error":"unsupported_token_type"}"#, "not"),
    ];
    for (status, body, meaning) in table {
        let read = match read_revocation(&answer(status, body)) {
            RevocationAnswer::Done => "done",
            RevocationAnswer::Unsupported => "unsupported",
            RevocationAnswer::Refused { .. } | RevocationAnswer::Trouble { .. } => "not",
        };
        assert_eq!(read, meaning, "{status} {body}");
    }
}

/// RFC 7662, section 2.2.
#[test]
fn only_the_providers_yes_or_no_says_whether_a_token_is_active() {
    let table = [
        (200, r#"{"active":true,"sub":"alice","token_type":"Bearer"}"#, Activity::Active),
        (200, r#"{"active":false}"#, Activity::Inactive),
        (200, r#"{"active":"false"}"#, Activity::Unknown),
        (200, r#"{"active":null}"#, Activity::Unknown),
        (200, "{}", Activity::Unknown),
        (200, "[]", Activity::Unknown),
        (200, PAGE, Activity::Unknown),
        (200, "", Activity::Unknown),
        (401, r#"{"active":false}"#, Activity::Unknown),
        (503, r#"{"active":false}"#, Activity::Unknown),
    ];
    for (status, body, activity) in table {
        assert_eq!(read_introspection(&answer(status, body)), activity, "{status} {body}");
    }
}

/// OpenID Connect Core, section 5.3: of tokens that `openid` was asked for with; RFC 8707: and that are for no other.
#[test]
fn userinfo_is_for_those_who_asked_for_it_and_nothing_else() {
    let changed = |change: fn(&mut Provider)| {
        let mut provider = provider();
        change(&mut provider);
        provider.opens_userinfo()
    };
    assert!(changed(|_| {}));
    assert!(!changed(|provider| provider.metadata.userinfo_endpoint = None));
    assert!(!changed(|provider| provider.client.scopes.retain(|scope| scope != "openid")));
    assert!(!changed(|provider| provider.client.audience = Some("https://api.example".into())));
    assert!(!changed(|provider| provider.client.resources.push("https://api.example".into())));
}

/// OpenID Connect Core, section 5.3.2: claims about somebody else are not used.
#[test]
fn userinfo_is_about_the_person_who_signed_in() {
    let body = r#"{"sub":"alice","email":"alice@example.test"}"#;
    let good = answer(200, body);
    assert_eq!(read_userinfo(&good, Some("alice")).unwrap()["email"], "alice@example.test");
    assert!(read_userinfo(&good, None).is_some());
    assert_eq!(read_userinfo(&good, Some("bob")), None);
    assert_eq!(read_userinfo(&Answer { status: 401, ..good }, Some("alice")), None);
    for body in [PAGE, "{}", r#"["sub"]"#, r#"{"sub":7}"#, ""] {
        assert_eq!(read_userinfo(&answer(200, body), None), None, "{body}");
    }
}

#[test]
fn no_ending_prints_a_token() {
    let (access, refresh) = (AccessToken::new(CANARY), RefreshToken::new(CANARY));
    let mut provider = confidential(ClientAuth::SecretBasic);
    provider.client.secret = Some(Secret::new(CANARY));
    let printed = format!(
        "{:?} {:?} {:?} {:?}",
        TokenToEnd::Refresh(&refresh),
        provider.revoke(TokenToEnd::Refresh(&refresh)),
        provider.introspect(TokenToEnd::Access(&access)),
        provider.logout_url(Some(&Secret::new(CANARY)), None, None),
    );
    assert!(!printed.contains(CANARY), "{printed}");
}
