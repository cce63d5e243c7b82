//! Through the browser: the metadata, the page, the way back, the code.

use super::*;

#[tokio::test]
async fn the_metadata_is_at_both_well_known_places() {
    let lab = Lab::new().await;
    let openid = lab.get("/oauth/.well-known/openid-configuration", "").await;
    let oauth = lab.get("/.well-known/oauth-authorization-server/oauth", "").await;
    assert_eq!((openid.status, &openid.body), (200, &oauth.body));
    let metadata = openid.json();
    assert_eq!(metadata["issuer"], lab.issuer());
    assert_eq!(metadata["code_challenge_methods_supported"], json!(["S256"]));
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
    for (name, value) in metadata.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with(&lab.issuer()), "{name}");
        }
    }
    for nowhere in
        ["/oauth/.well-known/oauth-authorization-server", "/.well-known/openid-configuration/flask"]
    {
        assert_eq!(lab.get(nowhere, "").await.status, 404, "{nowhere}");
    }
}

#[tokio::test]
async fn a_person_signs_in_and_the_app_gets_tokens() {
    let lab = Lab::new().await;
    let page = lab.open(&authorize(&[])).await;
    assert!(page.answer.header("content-security-policy").contains("default-src 'none'"));
    assert!(page.answer.header("set-cookie").contains("HttpOnly; SameSite=Lax"));
    let there = lab.back_from(&page).await;
    assert!(there.as_str().starts_with(&format!("{REDIRECT}?")), "{there}");
    assert_eq!(parameter(&there, "state").as_deref(), Some("the-state"));
    assert_eq!(parameter(&there, "iss"), Some(lab.issuer()));
    let tokens = lab.form("/oauth/token", &code_form(&parameter(&there, "code").unwrap())).await;
    assert_eq!((tokens.status, tokens.header("cache-control")), (200, "no-store".into()));
    let names = ["access_token", "token_type", "expires_in", "refresh_token", "scope", "id_token"];
    assert_eq!(tokens.keys(), names);
    let told = tokens.json();
    let rest = (&told["token_type"], &told["expires_in"], &told["scope"]);
    assert_eq!(rest, (&json!("Bearer"), &json!(30), &json!("openid profile api")));
    let counters = lab.counted();
    assert_eq!((counters.codes_issued, counters.logins, counters.refreshes_received), (1, 1, 0));
}

#[tokio::test]
async fn an_id_token_says_who_for_whom_and_from_where() {
    let lab = Lab::new().await;
    let tokens = lab.signed_in(&[]).await;
    let id_token = tokens.text("id_token");
    assert!(is_signed(&lab, &id_token).await);
    let said = claims(&id_token);
    let whom = (&said["iss"], &said["aud"], &said["sub"], &said["nonce"]);
    let expected = (&json!(lab.issuer()), &json!("pilotlight"), &json!("user-1"), &json!("the-nonce"));
    assert_eq!(whom, expected);
    let half = BASE64.encode(&digest(&SHA256, tokens.text("access_token").as_bytes()).as_ref()[..16]);
    assert_eq!(said["at_hash"], half);
    assert!(said["exp"].as_i64() > said["iat"].as_i64() && said["auth_time"].is_i64());

    let renewed = lab.refresh(Dialect::OAuth, &tokens.text("refresh_token")).await;
    let again = claims(&renewed.text("id_token"));
    for name in ["iss", "aud", "sub", "auth_time", "sid"] {
        assert_eq!(again[name], said[name], "{name}");
    }
    assert_eq!(lab.signed_in(&[("scope", "api")]).await.json().get("id_token"), None);
}

#[tokio::test]
async fn access_tokens_can_be_jwts() {
    let lab = Lab::new().await;
    lab.control.change_settings(|settings| settings.dialects.oauth.access_format = TokenFormat::Jwt);
    let access = lab.signed_in(&[]).await.text("access_token");
    assert!(is_signed(&lab, &access).await);
    let said = claims(&access);
    let what = (&said["iss"], &said["client_id"], &said["scope"]);
    assert_eq!(what, (&json!(lab.issuer()), &json!("pilotlight"), &json!("openid profile api")));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 30);
    assert_eq!(lab.get("/oauth/api/profile", &bearer(&access)).await.status, 200);
}

#[tokio::test]
async fn a_wrong_password_is_told_in_place_and_the_next_try_counts() {
    let lab = Lab::new().await;
    let page = lab.open(&authorize(&[("login_hint", "<alice>")])).await;
    assert!(page.answer.body.contains("value=\"&lt;alice&gt;\""), "{}", page.answer.body);
    let wrong = [("username", "alice\"><b>"), ("password", "builder")];
    let again = lab.send(&page, "/oauth/sign_in", &wrong).await;
    assert_eq!(again.status, 200);
    assert!(again.body.contains("role=\"alert\"") && again.body.contains("alice&quot;&gt;&lt;b&gt;"));
    lab.back_from(&page).await;
    let used = lab.send(&page, "/oauth/sign_in", &[("username", "alice"), ("password", "wonderland")]).await;
    assert_eq!(used.status, 400, "a page is good for one sign-in");
    assert_eq!(lab.counted().codes_issued, 1);
}

#[tokio::test]
async fn a_form_from_another_browser_is_not_taken() {
    let lab = Lab::new().await;
    let (page, other) = (lab.open(&authorize(&[])).await, lab.open(&authorize(&[])).await);
    let stolen = Page { cookie: other.cookie.clone(), ticket: page.ticket.clone(), answer: page.answer };
    let fields = [("username", "alice"), ("password", "wonderland")];
    assert_eq!(lab.send(&stolen, "/oauth/sign_in", &fields).await.status, 400);
    let without =
        lab.form("/oauth/sign_in", &[&[("ticket", stolen.ticket.as_str())], &fields[..]].concat()).await;
    assert_eq!(without.status, 400);
    let device = lab.send(&other, "/oauth/device", &fields).await;
    assert_eq!(device.status, 400, "a ticket is for the page that it was on");
    assert_eq!(lab.counted().codes_issued, 0);
}

#[tokio::test]
async fn who_cancels_is_sent_back_with_a_no() {
    let lab = Lab::new().await;
    let page = lab.open(&authorize(&[])).await;
    let there = lab.send(&page, "/oauth/sign_in", &[("answer", "cancel")]).await.location();
    assert_eq!(parameter(&there, "error").as_deref(), Some("access_denied"));
    assert_eq!(
        (parameter(&there, "state").as_deref(), parameter(&there, "iss")),
        (Some("the-state"), Some(lab.issuer()))
    );
    assert_eq!(parameter(&there, "code"), None);
}

#[tokio::test]
async fn until_the_app_is_known_nobody_is_sent_anywhere() {
    let lab = Lab::new().await;
    let bad = [
        [("client_id", "stranger")],
        [("client_id", "pilotlight-service")],
        [("redirect_uri", "http://evil.example/callback")],
        [("redirect_uri", "http://localhost:47123/callback")],
        [("redirect_uri", "http://127.0.0.1:47123/elsewhere")],
    ];
    for changes in bad {
        let page = lab.get(&authorize(&changes), "").await;
        assert_eq!((page.status, page.header("location")), (400, String::new()), "{changes:?}");
    }
    let twice = format!("{}&state=other", authorize(&[]));
    assert_eq!(lab.get(&twice, "").await.status, 400);
    let lab = Lab::with_oauth(|oauth| oauth.localhost_redirect = true).await;
    lab.open(&authorize(&[("redirect_uri", "http://localhost:1/callback")])).await;
    lab.open(&authorize(&[("redirect_uri", "http://[::1]:1/callback/x")])).await;
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_told_to_the_app() {
    let lab = Lab::new().await;
    let wrong = [
        ([("response_type", "token")], "unsupported_response_type"),
        ([("code_challenge", "")], "invalid_request"),
        ([("code_challenge_method", "plain")], "invalid_request"),
        ([("code_challenge_method", "")], "invalid_request"),
        ([("scope", "openid everything")], "invalid_scope"),
        ([("prompt", "none")], "login_required"),
        ([("response_mode", "fragment")], "invalid_request"),
        ([("request", "x.y.z")], "request_not_supported"),
    ];
    for (changes, error) in wrong {
        let there = lab.get(&authorize(&changes), "").await.location();
        assert_eq!(parameter(&there, "error").as_deref(), Some(error), "{changes:?}");
        assert_eq!(parameter(&there, "state").as_deref(), Some("the-state"));
        assert_eq!(parameter(&there, "iss"), Some(lab.issuer()));
    }
}

#[tokio::test]
async fn a_code_is_good_once_and_its_replay_ends_what_came_of_it() {
    let lab = Lab::new().await;
    let code = lab.code(&[]).await;
    let first = lab.form("/oauth/token", &code_form(&code)).await.session(Dialect::OAuth, "");
    let other = lab.through_the_browser().await;
    assert_eq!(lab.knock(&first).await.status, 200);
    for _ in 0..2 {
        lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_grant");
    }
    assert_eq!(lab.knock(&first).await.status, 401);
    lab.refresh(Dialect::OAuth, &first.refresh).await.refuses(400, "invalid_grant");
    assert_eq!(lab.knock(&other).await.status, 200);
    assert_eq!(lab.counted().families_revoked, 1);
}

#[tokio::test]
async fn a_code_is_for_its_verifier_and_its_address_and_its_time() {
    let lab = Lab::with_oauth(|oauth| oauth.code_ttl = Duration::from_millis(400)).await;
    let guesses = [("code_verifier", CHALLENGE), ("redirect_uri", "http://127.0.0.1:47124/callback")];
    for (name, value) in guesses {
        let code = lab.code(&[]).await;
        let guess = code_form(&code).map(|field| if field.0 == name { (name, value) } else { field });
        lab.form("/oauth/token", &guess).await.refuses(400, "invalid_grant");
        lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_grant");
    }
    let code = lab.code(&[]).await;
    let without =
        code_form(&code).map(|field| if field.0 == "code_verifier" { (field.0, "") } else { field });
    lab.form("/oauth/token", &without).await.refuses(400, "invalid_request");
    tokio::time::sleep(Duration::from_millis(450)).await;
    lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_grant");
    assert_eq!(lab.counted().logins, 0);
}

#[tokio::test]
async fn a_pushed_request_is_good_once() {
    let lab = Lab::with_oauth(|oauth| oauth.require_pushed = true).await;
    let metadata = lab.get("/oauth/.well-known/openid-configuration", "").await.json();
    assert_eq!(metadata["require_pushed_authorization_requests"], true);
    let there = lab.get(&authorize(&[]), "").await.location();
    assert_eq!(parameter(&there, "error").as_deref(), Some("invalid_request"), "it was not pushed");
    let pushed = lab.form("/oauth/par", &request(&[])).await;
    assert_eq!((pushed.status, pushed.json()["expires_in"].as_u64()), (201, Some(60)));
    let uri = pushed.text("request_uri");
    let short =
        |client| format!("/oauth/authorize?{}", encoded(&[("client_id", client), ("request_uri", &uri)]));
    let of_another = lab.form("/oauth/par", &request(&[])).await.text("request_uri");
    let fields = [("client_id", "pilotlight-service"), ("request_uri", &*of_another)];
    assert_eq!(lab.get(&format!("/oauth/authorize?{}", encoded(&fields)), "").await.status, 400);
    let there = lab.back_from(&lab.open(&short("pilotlight")).await).await;
    assert_eq!(parameter(&there, "state").as_deref(), Some("the-state"));
    let tokens = lab.form("/oauth/token", &code_form(&parameter(&there, "code").unwrap())).await;
    assert_eq!(claims(&tokens.text("id_token"))["nonce"], "the-nonce");
    assert_eq!(lab.get(&short("pilotlight"), "").await.status, 400, "it was used");

    let wrong = [
        ("redirect_uri", "http://evil.example/callback", "invalid_request"),
        ("client_secret", "guess", "invalid_client"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("request_uri", "urn:x", "invalid_request"),
    ];
    for (name, value, error) in wrong {
        let refused = lab.form("/oauth/par", &request(&[(name, value)])).await;
        refused.refuses(if error == "invalid_client" { 401 } else { 400 }, error);
    }
}

/// Checks a signature with the keys that the server publishes, by the library for JWTs that clients use.
pub(super) async fn is_signed(lab: &Lab, token: &str) -> bool {
    let keys: jsonwebtoken::jwk::JwkSet =
        serde_json::from_str(&lab.get("/oauth/jwks", "").await.body).unwrap();
    let Ok(header) = jsonwebtoken::decode_header(token) else { return false };
    let Some(key) = header.kid.and_then(|kid| keys.find(&kid).cloned()) else { return false };
    let mut validation = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    validation.validate_aud = false;
    let key = jsonwebtoken::DecodingKey::from_jwk(&key).unwrap();
    jsonwebtoken::decode::<Value>(token, &key, &validation).is_ok()
}
