//! Answers with tokens that are not as they should be, and what is kept of them.

use session::oauth::client::ClientRegistration;
use session::oauth::token::{Reading, Refreshed, read_refresh, read_tokens};
use session::reason::Trouble;
use session::tokens::RefreshToken;
use session::verdict::Verdict;

use crate::token::{refresh, tell};
use crate::{answer, clock, provider};

/// The refresh token that was sent is spent, so the new one is kept, whatever is wrong with what stands beside it.
#[test]
fn a_new_refresh_token_is_never_thrown_away() {
    for beside in [
        r#""access_token":"with space""#,
        r#""access_token":"\u0000""#,
        r#""access_token":"ü""#,
        r#""access_token":"""#,
        r#""access_token":7"#,
        r#""access_token":null"#,
        r#""access_token":{"a":1}"#,
        r#""expires_in":60"#,
        r#""access_token":"AT","token_type":"mac""#,
        r#""access_token":"AT","token_type":" PoP ""#,
        r#""access_token":"AT","token_type":"N_A""#,
    ] {
        let body = format!(r#"{{"refresh_token":"RT","expires_in":60,{beside}}}"#);
        let read = read_tokens(&answer(200, &body), clock(), &Reading::default()).unwrap();
        assert_eq!(read.tokens.access, None, "{body}");
        assert_eq!(read.tokens.refresh, Some(RefreshToken::new("RT")), "{body}");
        assert_eq!(
            read_refresh(&answer(200, &body), clock(), &Reading::default()),
            Refreshed::Fresh(read),
            "{body}"
        );
        let refused = refresh(400, &body);
        assert_eq!(refused, "suspect", "{body}");
    }
    for lifetime in ["{}", "[]", "true", "\"soon\"", "-1", "1e400"] {
        let body = format!(r#"{{"access_token":"AT","refresh_token":"RT","expires_in":{lifetime}}}"#);
        match read_tokens(&answer(200, &body), clock(), &Reading::default()) {
            Ok(read) => assert_eq!(tell(&read), "Bearer AT ? RT -", "{body}"),
            Err(refusal) => assert_eq!(lifetime, "1e400", "{refusal:?}"),
        }
    }
}

/// RFC 6749, section 7.1, and what servers write there.
#[test]
fn a_word_for_the_type_is_taken_as_it_is_meant() {
    for word in ["jwt", "JWT", "token", "access_token", "bearer token", "Bearer ", "BearerToken", "user", ""]
    {
        let body = format!(r#"{{"access_token":"AT","token_type":"{word}"}}"#);
        let read = read_tokens(&answer(200, &body), clock(), &Reading::default()).unwrap();
        assert_eq!(tell(&read), "Bearer AT ? - -", "{word}");
    }
    for word in ["mac", "MAC", "pop", "n_a", " N_A "] {
        let body = format!(r#"{{"access_token":"AT","token_type":"{word}"}}"#);
        assert!(read_tokens(&answer(200, &body), clock(), &Reading::default()).is_err(), "{word}");
        assert_eq!(refresh(200, &body), "transient", "{word}");
    }
}

/// RFC 6749, section 4.4.
#[test]
fn a_client_that_comes_for_itself_has_nothing_but_its_secret() {
    let read = |status, body: &str| {
        read_refresh(&answer(status, body), clock(), &Reading::default()).of_client(status)
    };
    let Refreshed::Fresh(fresh) = read(200, r#"{"access_token":"AT","refresh_token":"RT"}"#) else {
        panic!()
    };
    assert_eq!(tell(&fresh), "Bearer AT ? - -");
    for status in [400, 401] {
        let refused = read(status, r#"{"error":"invalid_grant"}"#);
        let verdict = Verdict::Misconfigured { trouble: Trouble::Misconfigured, status: Some(status) };
        assert_eq!(refused, Refreshed::Not(verdict));
    }
    assert_eq!(read(400, r#"{"error":"use_dpop_nonce"}"#), Refreshed::UseNonce);
}

#[test]
fn an_id_token_is_missed_where_one_was_asked_for_and_granted() {
    let read = |body: &str| read_tokens(&answer(200, body), clock(), &Reading::default()).unwrap();
    let (client, other) = (provider().client, ClientRegistration::public("desktop"));
    for (body, lacks) in [
        (r#"{"access_token":"AT"}"#, true),
        (r#"{"access_token":"AT","scope":"openid email"}"#, true),
        (r#"{"access_token":"AT","scope":"email"}"#, false),
        (r#"{"access_token":"AT","id_token":"e.y.J"}"#, false),
        (r#"{"access_token":"AT","id_token":""}"#, true),
    ] {
        assert_eq!(read(body).lacks_id_token(&client), lacks, "{body}");
        assert!(!read(body).lacks_id_token(&other), "{body}");
    }
}
