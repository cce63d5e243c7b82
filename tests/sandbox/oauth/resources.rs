//! The API behind the tokens, and how it says no.

use super::*;

#[tokio::test]
async fn the_api_shows_what_is_whose() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    let authorization = session.authorization();
    assert_eq!(lab.get("/oauth/api/profile", &authorization).await.text("name"), "Alice Liddell");
    assert!(lab.get("/oauth/api/orders", &authorization).await.json()["orders"].is_array());
    let note = lab.post_as("/oauth/api/notes", &authorization, json!({"text": "tea"})).await;
    note.is(201, "{\"id\":1,\"note\":{\"text\":\"tea\"}}");
    let info = lab.get("/oauth/userinfo", &authorization).await;
    info.is(200, "{\"sub\":\"user-1\",\"name\":\"Alice Liddell\",\"preferred_username\":\"alice\"}");
    let counters = lab.counted();
    assert_eq!((counters.resource_requests, counters.heartbeats, counters.side_effects), (3, 1, 1));
}

#[tokio::test]
async fn what_is_wrong_with_a_token_is_in_the_header() {
    let lab = Lab::new().await;
    let nobody = lab.get("/oauth/api/profile", "").await;
    assert_eq!(nobody.status, 401);
    let both = ["Bearer realm=\"sandbox\"", "DPoP realm=\"sandbox\", algs=\"ES256\""];
    assert_eq!(nobody.challenges(), both, "nothing is wrong with what is not there");
    let garbage = lab.get("/oauth/api/profile", "Bearer garbage").await;
    garbage.refuses(401, "invalid_token");
    let why = "Bearer realm=\"sandbox\", error=\"invalid_token\", error_description=";
    assert!(garbage.challenges()[0].starts_with(why));
    lab.control.change_settings(|settings| settings.access_ttl = Duration::from_millis(1));
    let session = lab.through_the_browser().await;
    tokio::time::sleep(Duration::from_millis(5)).await;
    let expired = lab.knock(&session).await;
    assert!(expired.challenges()[0].contains("expired"), "{:?}", expired.challenges());
    lab.get("/oauth/api/profile", &bearer(&session.refresh)).await.refuses(401, "invalid_token");
    lab.get("/oauth/api/profile", &format!("DPoP {}", session.access)).await.refuses(401, "invalid_token");
    assert_eq!(lab.counted().unauthorized, 5);
}

#[tokio::test]
async fn a_token_can_be_good_and_still_not_for_this() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    let refused = lab.get("/oauth/api/reports", &session.authorization()).await;
    refused.refuses(403, "insufficient_scope");
    assert!(refused.challenges()[0].contains("error=\"insufficient_scope\""));
    assert!(refused.challenges()[0].ends_with("scope=\"reports\""));
    let wider = lab.signed_in(&[("scope", "api reports")]).await.session(Dialect::OAuth, "");
    assert_eq!(lab.get("/oauth/api/reports", &wider.authorization()).await.status, 200);
}

#[tokio::test]
async fn some_things_need_another_kind_of_sign_in() {
    let lab = Lab::new().await;
    let session = lab.through_the_browser().await;
    let refused = lab.get("/oauth/api/safe", &session.authorization()).await;
    refused.refuses(401, "insufficient_user_authentication");
    let asked = "acr_values=\"urn:pilotlight:sandbox:strict\"";
    assert!(refused.challenges()[0].ends_with(asked), "{:?}", refused.challenges());
    let renewed = lab.renewed(Dialect::OAuth, &session.refresh).await;
    assert_eq!(
        lab.get("/oauth/api/safe", &renewed.authorization()).await.status,
        401,
        "a refresh is no help"
    );
    let strict = lab.signed_in(&[("acr_values", "other urn:pilotlight:sandbox:strict")]).await;
    assert_eq!(claims(&strict.text("id_token"))["acr"], "urn:pilotlight:sandbox:strict");
    let authorization = bearer(&strict.text("access_token"));
    assert_eq!(lab.get("/oauth/api/safe", &authorization).await.status, 200);
}
