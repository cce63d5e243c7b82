//! What each dialect says, to the byte.

use super::*;

#[tokio::test]
async fn flask_gives_the_refresh_token_first() {
    let lab = Lab::new().await;
    let wrong = json!({"username": "alice", "password": "no"});
    lab.post("/flask/login", wrong).await.is(400, "{\"error\":\"bad credentials\"}\n");
    let login = lab.post("/flask/login", alice()).await;
    assert_eq!((login.status, login.keys()), (200, vec!["refresh_token".into()]));
    let refresh = login.text("refresh_token");
    assert_eq!(refresh.len(), 43);
    let revoked = lab.control.revoke(What::Access, Some(Dialect::Flask), None).unwrap();
    assert_eq!(revoked.access, 0, "there is none that was not given out");

    lab.post("/flask/access_token", json!({})).await.is(400, "{\"error\":\"invalid refresh_token\"}\n");
    let granted = lab.post("/flask/access_token", json!({"refresh_token": refresh})).await;
    assert_eq!((granted.status, granted.keys()), (200, vec!["access_token".into()]));
    let access = granted.text("access_token");
    let claims = claims(&access);
    assert_eq!((&claims["sub"], &claims["type"]), (&json!("alice"), &json!("access")));
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 30);

    let get = async |path: &str, authorization: &str| lab.get(path, authorization).await;
    get("/flask/protected", &bearer(&access)).await.is(200, "{\"logged_in_as\":\"alice\"}\n");
    assert!(get("/flask/orders", &bearer(&access)).await.body.contains("Pocket watch"));
    let none = get("/flask/protected", "").await;
    none.is(401, "{\"msg\":\"Missing Authorization Header\"}\n");
    assert_eq!(none.header("content-type"), "application/json");
    get("/flask/protected", &access).await.is(
        401,
        "{\"msg\":\"Missing 'Bearer' type in 'Authorization' header. Expected 'Authorization: Bearer <JWT>'\"}\n",
    );
    get("/flask/protected", "Bearer garbage").await.is(422, "{\"msg\":\"Not enough segments\"}\n");
    let forged = bearer(&format!("{access}x"));
    get("/flask/protected", &forged).await.is(422, "{\"msg\":\"Signature verification failed\"}\n");
    lab.control.revoke(What::Access, Some(Dialect::Flask), Some("alice")).unwrap();
    get("/flask/protected", &bearer(&access)).await.is(401, "{\"msg\":\"Token has been revoked\"}\n");

    let out = lab.post("/flask/logout", json!({"refresh_token": refresh})).await;
    out.is(204, "");
    let gone = lab.post("/flask/access_token", json!({"refresh_token": refresh})).await;
    gone.is(400, "{\"error\":\"invalid refresh_token\"}\n");
    let nowhere = lab.get("/flask/nope", "").await;
    assert_eq!((nowhere.status, nowhere.header("content-type")), (404, "text/html; charset=utf-8".into()));
}

#[tokio::test]
async fn heartbeat_says_whether_the_session_lives() {
    let lab = Lab::new().await;
    let wrong = json!({"username": "alice", "password": "no"});
    lab.post("/heartbeat/api/auth/login", wrong).await.is(401, "{\"error\":\"invalid_credentials\"}");
    let login = lab.post("/heartbeat/api/auth/login", alice()).await;
    assert_eq!(login.keys(), ["accessToken", "refreshToken", "expiresIn"]);
    assert_eq!(login.json()["expiresIn"], 30);
    let (access, refresh) = (login.text("accessToken"), login.text("refreshToken"));
    assert!(!access.contains('.'), "opaque");

    let beat = lab.get("/heartbeat/api/heartbeat", &bearer(&access)).await;
    assert_eq!(beat.keys(), ["ok", "user", "serverTime"]);
    assert!(beat.body.starts_with("{\"ok\":true,\"user\":\"alice\",\"serverTime\":"));
    lab.get("/heartbeat/api/heartbeat", "Bearer x").await.is(401, "{\"ok\":false}");
    assert!(lab.get("/heartbeat/api/profile", &bearer(&access)).await.body.contains("Alice Liddell"));
    assert!(lab.get("/heartbeat/api/orders", &bearer(&access)).await.body.contains("Tea set"));

    let granted = lab.post("/heartbeat/api/auth/refresh", json!({"refreshToken": refresh})).await;
    assert_eq!((granted.status, granted.keys()), (200, vec!["accessToken".into()]));
    assert_ne!(granted.text("accessToken"), access);
    let out = lab.post("/heartbeat/api/auth/logout", json!({"refreshToken": refresh})).await;
    out.is(200, "{\"ok\":true}");
    let beat = lab.get("/heartbeat/api/heartbeat", &bearer(&granted.text("accessToken"))).await;
    beat.is(401, "{\"ok\":false}");
    let gone = lab.post("/heartbeat/api/auth/refresh", json!({"refreshToken": refresh})).await;
    gone.is(401, "{\"error\":\"invalid_refresh_token\"}");
}

#[tokio::test]
async fn nestjs_wants_the_raw_token() {
    let lab = Lab::new().await;
    let wrong = lab.post("/nestjs/login", json!({"username": "alice", "password": "no"})).await;
    wrong.is(400, "{\"message\":\"密码错误\",\"error\":\"Bad Request\",\"statusCode\":400}");
    let stranger = lab.post("/nestjs/login", json!({"username": "zed", "password": "x"})).await;
    stranger.is(400, "{\"message\":\"用户不存在\",\"error\":\"Bad Request\",\"statusCode\":400}");
    let login = lab.post("/nestjs/login", alice()).await;
    assert_eq!((login.status, login.header("content-type")), (201, "application/json; charset=utf-8".into()));
    assert!(login.body.starts_with(
        "{\"userInfo\":{\"username\":\"alice\",\"email\":\"alice@example.test\"},\"accessToken\":\"eyJ"
    ));
    let access = login.text("accessToken");

    let good = lab.get("/nestjs/aaa", &access).await;
    good.is(200, "aaa");
    assert_eq!(good.header("content-type"), "text/html; charset=utf-8");
    lab.get("/nestjs/bbb", &access).await.is(200, "bbb");
    let gone = "{\"message\":\"token 失效，请重新登录\",\"error\":\"Unauthorized\",\"statusCode\":401}";
    lab.get("/nestjs/aaa", &bearer(&access)).await.is(401, gone);
    lab.get("/nestjs/aaa", "garbage").await.is(401, gone);
    let none = lab.get("/nestjs/aaa", "").await;
    none.is(401, "{\"message\":\"用户未登录\",\"error\":\"Unauthorized\",\"statusCode\":401}");
    lab.get("/nestjs/refresh", "").await.is(401, gone);
    lab.get("/nestjs/refresh?token=garbage", "").await.is(401, gone);
    let nowhere = lab.get("/nestjs/nope", "").await;
    nowhere.is(404, "{\"message\":\"Cannot GET /nope\",\"error\":\"Not Found\",\"statusCode\":404}");

    let granted = lab.get(&format!("/nestjs/refresh?token={}", login.text("refreshToken")), "").await;
    assert_eq!((granted.status, granted.keys()), (200, vec!["accessToken".into(), "refreshToken".into()]));
    let chinese = json!({"username": "爱丽丝", "password": "仙境"});
    assert_eq!(lab.post("/nestjs/login", chinese).await.json()["userInfo"]["username"], "爱丽丝");
}

#[tokio::test]
async fn simplejwt_tells_everything_in_the_body() {
    let lab = Lab::new().await;
    let wrong = lab.post("/simplejwt/api/token/", json!({"username": "alice", "password": "no"})).await;
    wrong.is(401, "{\"detail\":\"No active account found with the given credentials\"}");
    assert_eq!(wrong.header("www-authenticate"), "Bearer realm=\"api\"");
    let empty = lab.post("/simplejwt/api/token/", json!({})).await;
    empty.is(400, "{\"username\":[\"This field is required.\"],\"password\":[\"This field is required.\"]}");
    let login = lab.post("/simplejwt/api/token/", alice()).await;
    assert_eq!((login.status, login.keys()), (200, vec!["refresh".into(), "access".into()]));
    let (access, refresh) = (login.text("access"), login.text("refresh"));
    assert_eq!(claims(&access)["user_id"], "1");

    let protected = "/simplejwt/api/protected/";
    lab.get(protected, &bearer(&access)).await.is(200, "{\"message\":\"hello alice\"}");
    assert_eq!(lab.get("/simplejwt/api/orders/", &bearer(&access)).await.json()["count"], 4);
    let not_provided = "{\"detail\":\"Authentication credentials were not provided.\"}";
    lab.get(protected, "").await.is(401, not_provided);
    lab.get(protected, &access).await.is(401, not_provided);
    let garbage = lab.get(protected, "Bearer garbage").await;
    garbage.is(401, &invalid_access("Token is invalid"));
    assert_eq!(garbage.header("www-authenticate"), "Bearer realm=\"api\"");
    lab.get(protected, &bearer(&refresh)).await.is(401, &invalid_access("Token has wrong type"));

    let renew =
        async |token: &str| lab.post("/simplejwt/api/token/refresh/", json!({"refresh": token})).await;
    renew("garbage").await.is(401, "{\"detail\":\"Token is invalid\",\"code\":\"token_not_valid\"}");
    renew(&access).await.is(401, "{\"detail\":\"Token has wrong type\",\"code\":\"token_not_valid\"}");
    let missing = lab.post("/simplejwt/api/token/refresh/", json!({})).await;
    missing.is(400, "{\"refresh\":[\"This field is required.\"]}");
    let granted = renew(&refresh).await;
    assert_eq!((granted.status, granted.keys()), (200, vec!["access".into(), "refresh".into()]));
    let newest = granted.text("refresh");
    let blacklisted = "{\"detail\":\"Token is blacklisted\",\"code\":\"token_not_valid\"}";
    renew(&refresh).await.is(401, blacklisted);
    lab.post("/simplejwt/api/token/blacklist/", json!({"refresh": newest})).await.is(200, "{}");
    renew(&newest).await.is(401, blacklisted);
    assert_eq!(lab.get(protected, &bearer(&granted.text("access"))).await.status, 200);

    let no_slash = lab.post("/simplejwt/api/token/refresh", json!({"refresh": "x"})).await;
    assert_eq!((no_slash.status, no_slash.header("content-type")), (404, "text/html; charset=utf-8".into()));
}

#[tokio::test]
async fn an_expired_access_token_is_refused_in_each_dialects_words() {
    let lab = Lab::new().await;
    lab.control.change_settings(|settings| settings.access_ttl = Duration::from_millis(1));
    let expired = [
        (Dialect::Flask, 401, "{\"msg\":\"Token has expired\"}\n".to_owned()),
        (Dialect::Heartbeat, 401, "{\"ok\":false}".to_owned()),
        (
            Dialect::NestJs,
            401,
            "{\"message\":\"token 失效，请重新登录\",\"error\":\"Unauthorized\",\"statusCode\":401}"
                .to_owned(),
        ),
        (Dialect::SimpleJwt, 401, invalid_access("Token is expired")),
    ];
    for (dialect, status, words) in expired {
        let session = lab.sign_in(dialect).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        lab.knock(&session).await.is(status, &words);
    }
}

#[tokio::test]
async fn an_expired_refresh_token_is_refused() {
    let lab = Lab::new().await;
    lab.control.change_settings(|settings| settings.refresh_ttl = Duration::from_millis(1));
    for dialect in Dialect::ALL {
        let login = lab.log_in(dialect).await;
        tokio::time::sleep(Duration::from_millis(2)).await;
        let refused = lab.refresh(dialect, &login.refresh).await;
        let is_400 = matches!(dialect, Dialect::Flask | Dialect::OAuth);
        assert_eq!(refused.status, if is_400 { 400 } else { 401 }, "{dialect:?}");
    }
}

#[tokio::test]
async fn access_tokens_take_the_form_that_is_set() {
    let lab = Lab::new().await;
    for format in [TokenFormat::Jwt, TokenFormat::Opaque] {
        for dialect in Dialect::ALL {
            lab.control.change_settings(|settings| settings.dialects[dialect].access_format = format);
            let session = lab.sign_in(dialect).await;
            let segments = if format == TokenFormat::Jwt { 3 } else { 1 };
            assert_eq!(session.access.split('.').count(), segments, "{dialect:?}");
            assert_eq!(lab.knock(&session).await.status, 200);
        }
    }
}

#[tokio::test]
async fn a_note_is_echoed_and_counted() {
    let lab = Lab::new().await;
    for dialect in Dialect::ALL {
        let session = lab.sign_in(dialect).await;
        let path = match dialect {
            Dialect::Flask | Dialect::NestJs => "/notes",
            Dialect::Heartbeat | Dialect::OAuth => "/api/notes",
            Dialect::SimpleJwt => "/api/notes/",
        };
        let authorization = session.authorization();
        let path = format!("/{}{path}", dialect.name());
        for id in 1..3 {
            let note = lab.post_as(&path, &authorization, json!({"text": "tea at five"})).await;
            let note = (note.status, note.json());
            assert_eq!(note, (201, json!({"id": id, "note": {"text": "tea at five"}})), "{dialect:?}");
        }
        assert!(matches!(lab.post_as(&path, "Bearer x", json!({})).await.status, 401 | 422));
        assert_eq!(lab.control.counters()[dialect].side_effects, 2);
    }
}

fn invalid_access(message: &str) -> String {
    format!(
        "{{\"detail\":\"Given token not valid for any token type\",\"code\":\"token_not_valid\",\"messages\":\
         [{{\"token_class\":\"AccessToken\",\"token_type\":\"access\",\"message\":\"{message}\"}}]}}"
    )
}
