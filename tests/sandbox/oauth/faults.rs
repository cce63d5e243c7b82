//! The faults that only OAuth has, and how the others look here.

use super::signing_in::is_signed;
use super::*;

#[tokio::test]
async fn the_way_back_can_name_another_server_or_another_state() {
    let lab = Lab::new().await;
    for (fault, name, right) in
        [(Fault::WrongIss, "iss", lab.issuer()), (Fault::WrongState, "state", "the-state".to_owned())]
    {
        let back = async || parameter(&lab.back_from(&lab.open(&authorize(&[])).await).await, name);
        lab.on(fault, json!({"left": 1})).await;
        assert!(back().await.is_some_and(|value| value != right));
        lab.on(fault, json!({"left": 1, "value": "missing"})).await;
        assert_eq!(back().await, None);
        assert_eq!(back().await, Some(right));
    }
}

#[tokio::test]
async fn an_id_token_can_be_signed_in_ways_that_prove_nothing() {
    let lab = Lab::new().await;
    for (value, alg) in [("hs256", "HS256"), ("none", "none")] {
        lab.on(Fault::AlgConfusion, json!({"value": value, "left": 2})).await;
        let tokens = lab.signed_in(&[]).await;
        let renewed = lab.refresh(Dialect::OAuth, &tokens.text("refresh_token")).await;
        for tokens in [tokens, renewed] {
            let id_token = tokens.text("id_token");
            assert_eq!(header(&id_token)["alg"], alg);
            assert_eq!(claims(&id_token)["sub"], "user-1", "nothing else is wrong with it");
            assert!(!is_signed(&lab, &id_token).await);
        }
    }
    assert!(is_signed(&lab, &lab.signed_in(&[]).await.text("id_token")).await);
}

#[tokio::test]
async fn one_thing_in_an_id_token_can_be_wrong() {
    let lab = Lab::new().await;
    let right = claims(&lab.signed_in(&[]).await.text("id_token"));
    for name in ["nonce", "aud", "sub", "iss"] {
        lab.on(Fault::WrongIdToken, json!({"value": name, "left": 1})).await;
        let id_token = lab.signed_in(&[]).await.text("id_token");
        let wrong = claims(&id_token);
        assert!(is_signed(&lab, &id_token).await);
        for other in ["nonce", "aud", "sub", "iss"] {
            assert_eq!(wrong[other] == right[other], other != name, "{name}: {other}");
        }
    }
    let one = async |value: &str| {
        lab.on(Fault::WrongIdToken, json!({"value": value, "left": 1})).await;
        lab.signed_in(&[]).await
    };
    let hashed = one("at_hash").await;
    let half = BASE64.encode(&digest(&SHA256, hashed.text("access_token").as_bytes()).as_ref()[..16]);
    assert_ne!(claims(&hashed.text("id_token"))["at_hash"], half);
    assert!(claims(&one("exp").await.text("id_token"))["exp"].as_i64() < right["iat"].as_i64());
    for value in ["kid", "signature"] {
        assert!(!is_signed(&lab, &one(value).await.text("id_token")).await, "{value}");
    }
}

#[tokio::test]
async fn the_metadata_can_be_of_another_or_lead_elsewhere() {
    let lab = Lab::new().await;
    for path in ["/oauth/.well-known/openid-configuration", "/.well-known/oauth-authorization-server/oauth"] {
        lab.on(Fault::ForeignMetadata, json!({"left": 1})).await;
        assert_eq!(lab.get(path, "").await.json()["issuer"], "https://issuer.pilotlight.invalid");
        lab.on(Fault::HttpEndpoints, json!({"left": 1})).await;
        let elsewhere = lab.get(path, "").await.json();
        assert_eq!(elsewhere["issuer"], lab.issuer());
        assert_eq!(elsewhere["token_endpoint"], "http://sandbox.pilotlight.invalid/oauth/token");
        assert_eq!(lab.get(path, "").await.json()["token_endpoint"], lab.url("/oauth/token"));
    }
    lab.on(Fault::Status, json!({"on": ["discovery"]})).await;
    assert_eq!(lab.get("/oauth/jwks", "").await.status, 503);
    assert_eq!(lab.get("/oauth/api/profile", "").await.status, 401);
}

#[tokio::test]
async fn a_refresh_can_need_a_person_and_nothing_dies() {
    let lab = Lab::rotating(Dialect::OAuth, Rotation::Strict, 0).await;
    let session = lab.through_the_browser().await;
    lab.on(Fault::InteractionRequired, json!({"left": 1})).await;
    lab.refresh(Dialect::OAuth, &session.refresh).await.refuses(400, "interaction_required");
    assert_eq!(lab.counted().refreshes_refused, 1);
    lab.renewed(Dialect::OAuth, &session.refresh).await;
}

#[tokio::test]
async fn faults_tell_a_refresh_from_other_requests_for_tokens() {
    let lab = Lab::new().await;
    lab.on(Fault::Status, json!({"on": ["refresh"]})).await;
    let session = lab.through_the_browser().await;
    assert_eq!(lab.refresh(Dialect::OAuth, &session.refresh).await.status, 503);
    lab.on(Fault::Status, json!({"on": ["login"]})).await;
    lab.renewed(Dialect::OAuth, &session.refresh).await;
    let code = lab.code(&[]).await;
    assert_eq!(lab.form("/oauth/token", &code_form(&code)).await.status, 503);
    let endpoints: Vec<_> = lab.control.log(0).into_iter().map(|entry| entry.endpoint.name()).collect();
    assert_eq!(
        endpoints,
        ["authorize", "consent", "login", "refresh", "refresh", "authorize", "consent", "login"]
    );
}

#[tokio::test]
async fn an_answer_to_a_code_can_be_lost() {
    let lab = Lab::new().await;
    let code = lab.code(&[]).await;
    lab.on(Fault::LostAnswer, json!({"on": ["login"], "left": 1})).await;
    let lost = lab.client.post(lab.url("/oauth/token")).form(&code_form(&code)).send().await;
    assert!(lost.is_err());
    lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_grant");
    assert_eq!(lab.counted().families_revoked, 1, "to the server that was a replay");
}

#[tokio::test]
async fn omitted_and_strange_fields_have_oauths_names() {
    let lab = Lab::new().await;
    lab.on(Fault::Omit, json!({"value": ["refresh", "lifetime", "scope"], "left": 1})).await;
    assert_eq!(lab.signed_in(&[]).await.keys(), ["access_token", "token_type", "id_token"]);
    lab.on(Fault::StrangeExpiry, json!({"left": 1})).await;
    assert_eq!(lab.signed_in(&[]).await.json()["expires_in"], "30");
    lab.on(Fault::RateLimit, json!({"left": 1})).await;
    let limited = lab.refresh(Dialect::OAuth, "x").await;
    assert_eq!((limited.status, limited.header("retry-after")), (429, "2".into()));
    let elsewhere = json!({"dialect": "flask"});
    let refused = lab.ask("PUT", "/control/faults/wrong_iss", &[], Some(elsewhere)).await;
    assert_eq!(refused.status, 400, "no other dialect has it");
}

fn header(token: &str) -> Value {
    serde_json::from_slice(&BASE64.decode(token.split('.').next().unwrap()).unwrap()).unwrap()
}
