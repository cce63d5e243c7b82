//! The token endpoint beyond the code: refreshing, the other grants, who may use which.

use super::*;

#[tokio::test]
async fn rotation_has_the_settings_of_every_dialect() {
    // What off, on, strict and the grace do is tried for all dialects in `rotation`; here is what OAuth adds.
    let lab = Lab::rotating(Dialect::OAuth, Rotation::Off, 0).await;
    let session = lab.through_the_browser().await;
    let renewed = lab.refresh(Dialect::OAuth, &session.refresh).await;
    assert_eq!(renewed.keys(), ["access_token", "token_type", "expires_in", "scope", "id_token"]);

    let lab = Lab::rotating(Dialect::OAuth, Rotation::Strict, 60_000).await;
    let session = lab.through_the_browser().await;
    let first = lab.refresh(Dialect::OAuth, &session.refresh).await.json();
    let again = lab.refresh(Dialect::OAuth, &session.refresh).await.json();
    for name in ["access_token", "refresh_token", "scope", "token_type"] {
        assert_eq!(first[name], again[name], "{name}");
    }
    let less = [&refresh_form(&session.refresh)[..], &[("scope", "api")]].concat();
    let less = lab.form("/oauth/token", &less).await.json();
    assert_eq!((&less["access_token"], &less["scope"]), (&first["access_token"], &first["scope"]));
    let access = bearer(first["access_token"].as_str().unwrap());
    assert_eq!(lab.get("/oauth/userinfo", &access).await.status, 200, "what was given is not taken back");
    let counters = lab.counted();
    assert_eq!((counters.refreshes_received, counters.refreshes_granted, counters.logins), (3, 3, 1));
}

#[tokio::test]
async fn a_refresh_may_ask_for_less_but_not_for_more() {
    let lab = Lab::rotating(Dialect::OAuth, Rotation::Off, 0).await;
    let session = lab.through_the_browser().await;
    let asking = |scope| [&refresh_form(&session.refresh)[..], &[("scope", scope)]].concat();
    let less = lab.form("/oauth/token", &asking("api")).await;
    assert_eq!((less.text("scope").as_str(), less.json().get("id_token")), ("api", None));
    let access = bearer(&less.text("access_token"));
    assert_eq!(lab.get("/oauth/api/profile", &access).await.status, 200);
    lab.get("/oauth/userinfo", &access).await.refuses(403, "insufficient_scope");
    lab.form("/oauth/token", &asking("api reports")).await.refuses(400, "invalid_scope");
    lab.form("/oauth/token", &asking("everything")).await.refuses(400, "invalid_scope");
    let all = lab.refresh(Dialect::OAuth, &session.refresh).await;
    assert_eq!(all.text("scope"), "openid profile api", "asking for less took nothing away");
}

#[tokio::test]
async fn a_refresh_that_is_refused_early_is_counted_too() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    let stranger = refresh_form(&session.refresh)
        .map(|field| if field.0 == "client_id" { (field.0, "x") } else { field });
    let refused = lab.form("/oauth/token", &stranger).await;
    refused.refuses(401, "invalid_client");
    assert_eq!(refused.challenges(), ["Basic realm=\"sandbox\""]);
    lab.form("/oauth/token", &refresh_form("")).await.refuses(400, "invalid_request");
    lab.form("/oauth/token", &refresh_form("garbage")).await.refuses(400, "invalid_grant");
    lab.form("/oauth/token", &refresh_form(&session.access)).await.refuses(400, "invalid_grant");
    let counters = lab.counted();
    assert_eq!((counters.refreshes_received, counters.refreshes_refused), (4, 4));
    lab.renewed(Dialect::OAuth, &session.refresh).await;
}

#[tokio::test]
async fn a_refresh_token_can_depend_on_the_scope() {
    let lab = Lab::with_oauth(|oauth| oauth.offline_access_only = true).await;
    let without = lab.signed_in(&[]).await;
    assert_eq!(without.json().get("refresh_token"), None);
    assert_eq!(lab.get("/oauth/api/profile", &bearer(&without.text("access_token"))).await.status, 200);
    let with = lab.signed_in(&[("scope", "openid offline_access")]).await;
    lab.renewed(Dialect::OAuth, &with.text("refresh_token")).await;
}

#[tokio::test]
async fn a_service_asks_for_itself() {
    let lab = Lab::new().await;
    let form = [("grant_type", "client_credentials"), ("scope", "api")];
    let basic = |secret: &str| {
        format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("pilotlight-service:{secret}")))
    };
    let good = basic("sandbox-secret");
    let tokens = lab.form_with("/oauth/token", &[("authorization", &good)], &form).await;
    assert_eq!(tokens.keys(), ["access_token", "token_type", "expires_in", "scope"]);
    let profile = lab.get("/oauth/api/profile", &bearer(&tokens.text("access_token"))).await;
    assert_eq!((profile.status, profile.text("username").as_str()), (200, "pilotlight-service"));
    let posted = [("client_id", "pilotlight-service"), ("client_secret", "sandbox-secret")];
    assert_eq!(lab.form("/oauth/token", &[&form[..], &posted].concat()).await.status, 200);
    let wrong = lab.form_with("/oauth/token", &[("authorization", &basic("guess"))], &form).await;
    wrong.refuses(401, "invalid_client");
    let twice = [&form[..], &posted].concat();
    lab.form_with("/oauth/token", &[("authorization", &good)], &twice).await.refuses(400, "invalid_request");
    let public = [&form[..], &[("client_id", "pilotlight")]].concat();
    lab.form("/oauth/token", &public).await.refuses(400, "unauthorized_client");
    let identity = [("grant_type", "client_credentials"), ("scope", "openid")];
    lab.form_with("/oauth/token", &[("authorization", &good)], &identity).await.refuses(400, "invalid_scope");
}

#[tokio::test]
async fn passwords_are_taken_only_when_switched_on() {
    let lab = Lab::new().await;
    let form = |password| {
        [
            ("grant_type", "password"),
            ("client_id", "pilotlight"),
            ("username", "爱丽丝"),
            ("password", password),
            ("scope", "openid"),
        ]
    };
    lab.form("/oauth/token", &form("仙境")).await.refuses(400, "unsupported_grant_type");
    let patch = json!({"oauth": {"password_grant": true}});
    let told = lab.ask("PATCH", "/control/settings", &[], Some(patch)).await.json();
    assert_eq!(told["oauth"]["password_grant"], true);
    let tokens = lab.form("/oauth/token", &form("仙境")).await;
    assert_eq!(claims(&tokens.text("id_token"))["sub"], "user-3");
    lab.form("/oauth/token", &form("wonderland")).await.refuses(400, "invalid_grant");
}

#[tokio::test]
async fn only_forms_are_read_and_nothing_twice() {
    let lab = Lab::new().await;
    let json = lab.post("/oauth/token", json!({"grant_type": "refresh_token"})).await;
    json.refuses(400, "invalid_request");
    let twice = [&refresh_form("a")[..], &[("refresh_token", "b")]].concat();
    lab.form("/oauth/token", &twice).await.refuses(400, "invalid_request");
    lab.form("/oauth/token", &[("client_id", "pilotlight")]).await.refuses(400, "invalid_request");
    let odd = [("grant_type", "implicit"), ("client_id", "pilotlight")];
    lab.form("/oauth/token", &odd).await.refuses(400, "unsupported_grant_type");
    lab.get("/oauth/token", "").await.refuses(404, "not_found");
}
