//! Tokens are revoked, and asked about.

use super::*;

#[tokio::test]
async fn revoking_a_refresh_token_takes_its_access_tokens_along() {
    let lab = Lab::new().await;
    let (session, other) = (lab.through_the_browser().await, lab.through_the_browser().await);
    let renewed = lab.renewed(Dialect::OAuth, &session.refresh).await;
    revoke(&lab, &renewed.refresh).await;
    assert_eq!((lab.knock(&session).await.status, lab.knock(&renewed).await.status), (401, 401));
    lab.refresh(Dialect::OAuth, &renewed.refresh).await.refuses(400, "invalid_grant");
    assert_eq!(lab.knock(&other).await.status, 200);
    revoke(&lab, &renewed.refresh).await;
    revoke(&lab, "garbage").await;
}

#[tokio::test]
async fn revoking_an_access_token_leaves_the_rest() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    revoke(&lab, &session.access).await;
    assert_eq!(lab.knock(&session).await.status, 401);
    let renewed = lab.renewed(Dialect::OAuth, &session.refresh).await;
    assert_eq!(lab.knock(&renewed).await.status, 200);
}

#[tokio::test]
async fn a_client_revokes_only_its_own() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    let of_another = [&SERVICE[..], &[("token", session.refresh.as_str())]].concat();
    assert_eq!(lab.form("/oauth/revoke", &of_another).await.status, 200, "it learns nothing");
    lab.renewed(Dialect::OAuth, &session.refresh).await;
    let nobody = [("client_id", "stranger"), ("token", "x")];
    lab.form("/oauth/revoke", &nobody).await.refuses(401, "invalid_client");
    lab.form("/oauth/revoke", &[("client_id", "pilotlight")]).await.refuses(400, "invalid_request");
}

#[tokio::test]
async fn introspection_tells_confidential_clients_what_a_token_is_good_for() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    let ask = async |token: &str| {
        lab.form("/oauth/introspect", &[&SERVICE[..], &[("token", token)]].concat()).await
    };
    let access = ask(&session.access).await.json();
    let told =
        (&access["active"], &access["scope"], &access["client_id"], &access["sub"], &access["token_type"]);
    let expected = (
        &json!(true),
        &json!("openid profile api"),
        &json!("pilotlight"),
        &json!("user-1"),
        &json!("Bearer"),
    );
    assert_eq!(told, expected);
    assert_eq!(ask(&session.refresh).await.json()["token_type"], "refresh_token");
    assert_eq!(ask("garbage").await.json(), json!({"active": false}));
    lab.renewed(Dialect::OAuth, &session.refresh).await;
    assert_eq!(ask(&session.refresh).await.json(), json!({"active": false}), "it was exchanged");
    lab.control.revoke(What::All, Some(Dialect::OAuth), Some("alice")).unwrap();
    assert_eq!(ask(&session.access).await.json(), json!({"active": false}));
    for fields in [vec![("client_id", "pilotlight"), ("token", "x")], vec![("token", "x")]] {
        lab.form("/oauth/introspect", &fields).await.refuses(401, "invalid_client");
    }
}

#[tokio::test]
async fn a_session_ends_by_its_id_token() {
    let lab = Lab::new().await;
    let (tokens, other) = (lab.signed_in(&[]).await, lab.through_the_browser().await);
    let end = |hint: &str, there: &str| {
        let fields = [("id_token_hint", hint), ("post_logout_redirect_uri", there), ("state", "bye")];
        format!("/oauth/end_session?{}", encoded(&fields))
    };
    // The words of one with the signature of another.
    let (mine, its) = (tokens.text("id_token"), lab.signed_in(&[]).await.text("id_token"));
    let forged = format!("{}.{}", mine.rsplit_once('.').unwrap().0, its.rsplit_once('.').unwrap().1);
    assert_eq!(lab.get(&end(&forged, REDIRECT), "").await.status, 400);
    assert_eq!(lab.get("/oauth/end_session", "").await.status, 400);
    assert_eq!(lab.knock(&tokens.session(Dialect::OAuth, "")).await.status, 200);
    let there = lab.get(&end(&tokens.text("id_token"), REDIRECT), "").await.location();
    assert_eq!(there.as_str(), format!("{REDIRECT}?state=bye"));
    assert_eq!(lab.knock(&tokens.session(Dialect::OAuth, "")).await.status, 401);
    lab.refresh(Dialect::OAuth, &tokens.text("refresh_token")).await.refuses(400, "invalid_grant");
    assert_eq!(lab.knock(&other).await.status, 200);
    let elsewhere = lab.get(&end(&tokens.text("id_token"), "http://evil.example/"), "").await;
    assert_eq!((elsewhere.status, elsewhere.header("location")), (400, String::new()));
    let posted = lab.form("/oauth/end_session", &[("id_token_hint", &tokens.text("id_token"))]).await;
    assert_eq!(posted.status, 200);
}

async fn revoke(lab: &Lab, token: &str) {
    lab.form("/oauth/revoke", &[("client_id", "pilotlight"), ("token", token)]).await.is(200, "");
}

const SERVICE: [(&str, &str); 2] = [("client_id", "pilotlight-service"), ("client_secret", "sandbox-secret")];
