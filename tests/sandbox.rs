//! The sandbox through real sockets: its dialects to the byte, its rotation, every fault, its control.

use std::time::{Duration, Instant};

use pilotlight_sandbox::{
    Control, Dialect, Endpoint, Fault, Format, Rotation, Sandbox, Settings, StartError, What, start,
};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

mod dialects {
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
        assert_eq!(
            (nowhere.status, nowhere.header("content-type")),
            (404, "text/html; charset=utf-8".into())
        );
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
        assert_eq!(
            (login.status, login.header("content-type")),
            (201, "application/json; charset=utf-8".into())
        );
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
        assert_eq!(
            (granted.status, granted.keys()),
            (200, vec!["accessToken".into(), "refreshToken".into()])
        );
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
        empty.is(
            400,
            "{\"username\":[\"This field is required.\"],\"password\":[\"This field is required.\"]}",
        );
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
        assert_eq!(
            (no_slash.status, no_slash.header("content-type")),
            (404, "text/html; charset=utf-8".into())
        );
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
            assert_eq!(refused.status, if dialect == Dialect::Flask { 400 } else { 401 }, "{dialect:?}");
        }
    }

    #[tokio::test]
    async fn access_tokens_take_the_form_that_is_set() {
        let lab = Lab::new().await;
        for format in [Format::Jwt, Format::Opaque] {
            for dialect in Dialect::ALL {
                lab.control.change_settings(|settings| settings.dialects[dialect].access_format = format);
                let session = lab.sign_in(dialect).await;
                let segments = if format == Format::Jwt { 3 } else { 1 };
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
                Dialect::Heartbeat => "/api/notes",
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
}

mod rotation {
    use super::*;

    #[tokio::test]
    async fn off_keeps_the_refresh_token_in_every_dialect() {
        for dialect in Dialect::ALL {
            let lab = Lab::rotating(dialect, Rotation::Off, 0).await;
            let session = lab.sign_in(dialect).await;
            let first = lab.renewed(dialect, &session.refresh).await;
            let second = lab.renewed(dialect, &session.refresh).await;
            assert_ne!(first.access, second.access, "two in one second differ");
            assert_eq!(first.refresh, session.refresh);
            assert_eq!(lab.knock(&second).await.status, 200);
        }
    }

    #[tokio::test]
    async fn on_refuses_a_spent_token_and_spares_the_rest() {
        for dialect in Dialect::ALL {
            let lab = Lab::rotating(dialect, Rotation::On, 0).await;
            let session = lab.sign_in(dialect).await;
            let first = lab.renewed(dialect, &session.refresh).await;
            assert_ne!(first.refresh, session.refresh);
            assert!(lab.refresh(dialect, &session.refresh).await.status >= 400);
            assert_eq!(lab.knock(&first).await.status, 200);
            lab.renewed(dialect, &first.refresh).await;
            let counters = lab.control.counters()[dialect];
            assert_eq!((counters.reuse_detected, counters.families_revoked), (1, 0));
        }
    }

    #[tokio::test]
    async fn strict_ends_the_family_of_a_reused_token() {
        for dialect in Dialect::ALL {
            let lab = Lab::rotating(dialect, Rotation::Strict, 0).await;
            let session = lab.sign_in(dialect).await;
            let other = lab.sign_in(dialect).await;
            let first = lab.renewed(dialect, &session.refresh).await;
            assert!(lab.refresh(dialect, &session.refresh).await.status >= 400);
            assert!(lab.knock(&first).await.status >= 400, "the newest access token dies");
            assert!(
                lab.refresh(dialect, &first.refresh).await.status >= 400,
                "the newest refresh token dies"
            );
            assert_eq!(lab.knock(&other).await.status, 200, "another sign-in lives on");
            let counters = lab.control.counters()[dialect];
            assert_eq!((counters.reuse_detected, counters.families_revoked), (1, 1));
        }
    }

    #[tokio::test]
    async fn within_the_grace_the_very_same_pair_comes_again() {
        for dialect in Dialect::ALL {
            let lab = Lab::rotating(dialect, Rotation::Strict, 60_000).await;
            let session = lab.sign_in(dialect).await;
            let first = lab.renewed(dialect, &session.refresh).await;
            let again = lab.renewed(dialect, &session.refresh).await;
            assert_eq!((first.access, first.refresh), (again.access, again.refresh));
            lab.control.change_settings(|settings| settings.dialects[dialect].grace = Duration::ZERO);
            assert!(lab.refresh(dialect, &session.refresh).await.status >= 400);
            assert_eq!(lab.control.counters()[dialect].families_revoked, 1);
        }
    }

    #[tokio::test]
    async fn a_refresh_can_end_the_access_tokens_from_before() {
        let lab = Lab::new().await;
        for dialect in Dialect::ALL {
            let session = lab.sign_in(dialect).await;
            lab.control.change_settings(|settings| settings.dialects[dialect].refresh_revokes_access = true);
            let renewed = lab.renewed(dialect, &session.refresh).await;
            assert_eq!((lab.knock(&session).await.status, lab.knock(&renewed).await.status), (401, 200));
        }
    }

    #[tokio::test]
    async fn revoking_meets_what_is_named() {
        let lab = Lab::new().await;
        let (flask, nest) = (lab.sign_in(Dialect::Flask).await, lab.sign_in(Dialect::NestJs).await);
        let revoked = lab.control.revoke(What::All, Some(Dialect::NestJs), None).unwrap();
        assert_eq!((revoked.access, revoked.refresh), (1, 1));
        assert_eq!((lab.knock(&flask).await.status, lab.knock(&nest).await.status), (200, 401));
        let body = json!({"what": "refresh", "user": "alice"});
        let told = lab.post("/control/revoke", body).await.json();
        assert_eq!(told, json!({"revoked": {"access": 0, "refresh": 1}}));
        assert_eq!(lab.knock(&flask).await.status, 200);
        assert_eq!(lab.refresh(Dialect::Flask, &flask.refresh).await.status, 400);
    }
}

mod faults {
    use super::*;

    #[tokio::test]
    async fn latency_delays() {
        let lab = Lab::new().await;
        lab.on(Fault::Latency, json!({"value": 120, "left": 1})).await;
        let began = Instant::now();
        lab.log_in(Dialect::Flask).await;
        assert!(began.elapsed() >= Duration::from_millis(120));
        assert_eq!(lab.control.log(0)[0].fault, Some(Fault::Latency));
    }

    #[tokio::test]
    async fn a_client_that_gives_up_is_not_in_flight_any_more_but_what_it_asked_for_is_done() {
        let lab = Lab::rotating(Dialect::NestJs, Rotation::Strict, 0).await;
        let session = lab.sign_in(Dialect::NestJs).await;
        lab.on(Fault::Hang, json!({"left": 1, "on": ["refresh"]})).await;
        lab.on(Fault::Latency, json!({"value": 100, "left": 2, "on": ["refresh"]})).await;
        let request = refresh_request(Dialect::NestJs, &session.refresh);
        for _ in 0..2 {
            let mut stream = TcpStream::connect(lab.sandbox.address()).await.unwrap();
            stream.write_all(request.as_bytes()).await.unwrap();
            let mut nothing = [0; 1];
            let read = stream.read(&mut nothing);
            assert!(tokio::time::timeout(Duration::from_millis(40), read).await.is_err());
            drop(stream);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        lab.until(|control| control.counters().nestjs.refreshes_granted == 1).await;
        let counters = lab.control.counters().nestjs;
        assert_eq!((counters.refreshes_received, counters.max_refreshes_in_flight), (2, 1));
        assert_eq!(
            lab.refresh(Dialect::NestJs, &session.refresh).await.status,
            401,
            "it was rotated all the same"
        );
    }

    #[tokio::test]
    async fn refreshes_in_flight_at_once_are_counted() {
        let lab = Lab::new().await;
        let session = lab.sign_in(Dialect::Heartbeat).await;
        lab.on(Fault::Latency, json!({"value": 100, "on": ["refresh"]})).await;
        tokio::join!(
            lab.refresh(Dialect::Heartbeat, &session.refresh),
            lab.refresh(Dialect::Heartbeat, &session.refresh),
            lab.refresh(Dialect::Heartbeat, &session.refresh),
        );
        assert_eq!(lab.control.counters().heartbeat.max_refreshes_in_flight, 3);
    }

    #[tokio::test]
    async fn hang_never_answers_and_ends_with_the_sandbox() {
        let lab = Lab::new().await;
        lab.on(Fault::Hang, json!({})).await;
        let address = lab.sandbox.address();
        let asking =
            tokio::spawn(
                async move { raw(address, "GET /flask/protected HTTP/1.1\r\nhost: x\r\n\r\n").await },
            );
        lab.until(|control| !control.log(0).is_empty()).await;
        let entry = &lab.control.log(0)[0];
        assert_eq!((entry.status, entry.fault), (None, Some(Fault::Hang)));
        assert!(!asking.is_finished());
        let began = Instant::now();
        lab.sandbox.stop().await;
        assert_eq!(asking.await.unwrap().unwrap(), "");
        assert!(began.elapsed() < Duration::from_millis(400), "nothing had to be cut off");
    }

    #[tokio::test]
    async fn lost_answer_rotates_and_says_nothing() {
        for dialect in Dialect::ALL {
            let lab = Lab::rotating(dialect, Rotation::On, 0).await;
            let session = lab.sign_in(dialect).await;
            lab.on(Fault::LostAnswer, json!({"on": ["refresh"], "left": 1})).await;
            let heard = raw(lab.sandbox.address(), &refresh_request(dialect, &session.refresh)).await;
            assert_eq!(heard.unwrap(), "", "not one byte, and a close in good order");
            let entry = lab.control.log(0).pop().unwrap();
            assert_eq!((entry.endpoint, entry.status), (Endpoint::Refresh, None));
            assert!(lab.refresh(dialect, &session.refresh).await.status >= 400, "it was spent");
            assert_eq!(lab.control.counters()[dialect].reuse_detected, 1);
        }
    }

    #[tokio::test]
    async fn reset_processes_nothing() {
        let lab = Lab::rotating(Dialect::NestJs, Rotation::Strict, 0).await;
        let session = lab.sign_in(Dialect::NestJs).await;
        lab.on(Fault::Reset, json!({"left": 1})).await;
        let heard = raw(lab.sandbox.address(), &refresh_request(Dialect::NestJs, &session.refresh)).await;
        assert_eq!(heard.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
        assert_eq!(lab.refresh(Dialect::NestJs, &session.refresh).await.status, 200);
    }

    #[tokio::test]
    async fn truncated_promises_more_than_it_sends() {
        let lab = Lab::new().await;
        let session = lab.sign_in(Dialect::SimpleJwt).await;
        lab.on(Fault::Truncated, json!({"left": 2})).await;
        let heard =
            raw(lab.sandbox.address(), &refresh_request(Dialect::SimpleJwt, &session.refresh)).await.unwrap();
        let (head, body) = heard.split_once("\r\n\r\n").unwrap();
        let promised = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 OK") && body.starts_with("{\"access\":\"eyJ"), "{heard}");
        assert_eq!(body.len(), promised.parse::<usize>().unwrap() / 2);
        let error = lab.client.get(lab.url("/simplejwt/api/protected/")).send().await.unwrap().bytes().await;
        assert!(error.is_err());
        assert_eq!(lab.refresh(Dialect::SimpleJwt, &session.refresh).await.status, 401, "it was spent");
    }

    #[tokio::test]
    async fn gateways_answer_in_the_servers_place() {
        let lab = Lab::new().await;
        let session = lab.sign_in(Dialect::NestJs).await;
        for status in [500, 502, 503, 520] {
            lab.on(Fault::Status, json!({"value": status, "left": 1, "on": ["refresh"]})).await;
            let page = lab.refresh(Dialect::NestJs, &session.refresh).await;
            assert_eq!(
                (page.status, page.header("content-type")),
                (status, "text/html; charset=utf-8".into())
            );
            assert!(page.body.starts_with("<html>"));
        }
        for status in [400, 401, 403] {
            lab.on(Fault::BareStatus, json!({"value": status, "left": 1})).await;
            lab.refresh(Dialect::NestJs, &session.refresh).await.is(status, "");
        }
        lab.on(Fault::CaptivePortal, json!({"left": 1})).await;
        let portal = lab.refresh(Dialect::NestJs, &session.refresh).await;
        assert_eq!((portal.status, portal.header("content-type")), (200, "text/html; charset=utf-8".into()));
        lab.on(Fault::Redirect, json!({"left": 1})).await;
        let away = lab.refresh(Dialect::NestJs, &session.refresh).await;
        assert_eq!((away.status, away.header("location")), (302, "/portal".into()));
        assert_eq!(lab.get("/portal", "").await.status, 200);
        lab.on(Fault::NotJson, json!({"left": 1})).await;
        let text = lab.refresh(Dialect::NestJs, &session.refresh).await;
        assert_eq!((text.status, text.header("content-type")), (200, "text/plain; charset=utf-8".into()));
        lab.on(Fault::Huge, json!({"left": 1, "value": 3_000_000})).await;
        let huge = lab.refresh(Dialect::NestJs, &session.refresh).await;
        assert_eq!((huge.body.len(), huge.header("content-length")), (3_000_000, "3000000".into()));
        assert_eq!(huge.json()["filling"].as_str().unwrap().len(), 3_000_000 - 14);

        let counters = lab.control.counters().nestjs;
        assert_eq!((counters.refreshes_received, counters.refreshes_granted), (11, 0), "none came through");
        assert_eq!(lab.refresh(Dialect::NestJs, &session.refresh).await.status, 200);
    }

    #[tokio::test]
    async fn rate_limit_says_when_to_come_back_or_does_not() {
        let lab = Lab::new().await;
        let date = "Sat, 21 Nov 2026 08:00:00 GMT";
        for (value, header) in [(json!(7), "7"), (json!(date), date), (Value::Null, "")] {
            lab.on(Fault::RateLimit, json!({"value": value, "left": 1})).await;
            let limited = lab.get("/flask/protected", "").await;
            assert_eq!((limited.status, limited.header("retry-after")), (429, header.into()));
        }
        lab.on(Fault::RateLimit, json!({"value": 60, "left": 1})).await;
        let words = "{\"detail\":\"Request was throttled. Expected available in 60 seconds.\"}";
        lab.get("/simplejwt/api/protected/", "").await.is(429, words);
    }

    #[tokio::test]
    async fn clock_skew_shifts_the_date_and_the_claims_but_not_the_lifetime() {
        let lab = Lab::new().await;
        let straight = lab.get("/flask/protected", "").await;
        lab.on(Fault::ClockSkew, json!({"value": -86_400})).await;
        let skewed = lab.get("/flask/protected", "").await;
        assert_ne!(straight.header("date")[..16], skewed.header("date")[..16], "another day");
        let session = lab.sign_in(Dialect::SimpleJwt).await;
        let claims = claims(&session.access);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
        let age = i64::try_from(now).unwrap() - claims["iat"].as_i64().unwrap();
        assert!((86_400..86_410).contains(&age), "{age}");
        assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 30);
        assert_eq!(lab.knock(&session).await.status, 200);
    }

    #[tokio::test]
    async fn omit_takes_fields_out_of_an_answer_with_tokens() {
        let lab = Lab::new().await;
        let omitted = [
            (json!(["access"]), vec!["refreshToken", "expiresIn"]),
            (json!(["refresh", "lifetime"]), vec!["accessToken"]),
            (json!(["expiresIn"]), vec!["accessToken", "refreshToken"]),
        ];
        for (fields, left) in omitted {
            lab.on(Fault::Omit, json!({"value": fields, "left": 1})).await;
            assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.keys(), left);
        }
        lab.on(Fault::Omit, json!({"value": ["access:null"], "left": 1})).await;
        assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.json()["accessToken"], Value::Null);
    }

    #[tokio::test]
    async fn strange_expiry_makes_the_lifetime_strange() {
        let lab = Lab::new().await;
        let huge = 9_007_199_254_740_991_i64;
        let strange = [
            ("string", json!("30")),
            ("milliseconds", json!(30_000)),
            ("negative", json!(-30)),
            ("huge", json!(huge)),
            ("zero", json!(0)),
        ];
        for (value, lifetime) in strange {
            lab.on(Fault::StrangeExpiry, json!({"value": value})).await;
            assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.json()["expiresIn"], lifetime);
            let exp = &claims(&lab.post("/nestjs/login", alice()).await.text("accessToken"))["exp"];
            match value {
                "string" => assert!(exp.is_string()),
                "milliseconds" => assert!(exp.as_i64().unwrap() > 1_000_000_000_000),
                "negative" => assert!(exp.as_i64().unwrap() > 1_000_000_000),
                _ => assert_eq!(*exp, lifetime),
            }
        }
    }

    #[tokio::test]
    async fn refuse_kills_nothing() {
        let lab = Lab::new().await;
        for dialect in Dialect::ALL {
            let session = lab.sign_in(dialect).await;
            lab.on(Fault::Refuse, json!({"left": 1})).await;
            let refused = lab.refresh(dialect, &session.refresh).await;
            lab.renewed(dialect, &session.refresh).await;
            lab.control.revoke(What::Refresh, Some(dialect), None).unwrap();
            let dead = lab.refresh(dialect, &session.refresh).await;
            assert_eq!((refused.status, refused.body), (dead.status, dead.body), "not to be told apart");
        }
        let session = lab.sign_in(Dialect::Flask).await;
        lab.on(Fault::Refuse, json!({"left": 1, "on": ["resource"]})).await;
        lab.knock(&session).await.is(401, "{\"msg\":\"Token has expired\"}\n");
        assert_eq!(lab.knock(&session).await.status, 200);
    }

    #[tokio::test]
    async fn a_heartbeat_can_say_no_to_a_good_token() {
        let lab = Lab::new().await;
        let session = lab.sign_in(Dialect::Heartbeat).await;
        lab.on(Fault::HeartbeatNo, json!({"left": 1})).await;
        assert_eq!(lab.get("/heartbeat/api/orders", &session.authorization()).await.status, 200);
        lab.knock(&session).await.is(401, "{\"ok\":false}");
        assert_eq!(lab.knock(&session).await.status, 200);
    }

    #[tokio::test]
    async fn a_refresh_can_return_the_unchanged_access_token() {
        let lab = Lab::new().await;
        lab.on(Fault::SameToken, json!({})).await;
        for dialect in Dialect::ALL {
            let session = lab.sign_in(dialect).await;
            assert_eq!(lab.renewed(dialect, &session.refresh).await.access, session.access);
        }
    }

    #[tokio::test]
    async fn a_fault_keeps_to_its_dialect_and_its_endpoints() {
        let lab = Lab::new().await;
        lab.on(Fault::Status, json!({"dialect": "nestjs", "on": ["login"]})).await;
        assert_eq!(lab.post("/flask/login", alice()).await.status, 200);
        assert_eq!(lab.get("/nestjs/aaa", "").await.status, 401);
        assert_eq!(lab.post("/nestjs/login", alice()).await.status, 503);
        assert_eq!(lab.post("/nestjs/login", alice()).await.status, 503, "until it is switched off");
        assert_eq!(lab.ask("DELETE", "/control/faults/status", &[], None).await.json()["met"], 2);
        assert_eq!(lab.post("/nestjs/login", alice()).await.status, 201);
    }
}

mod control {
    use super::*;

    #[tokio::test]
    async fn the_overview_lists_every_fault_and_all_settings_and_no_token() {
        let lab = Lab::new().await;
        let session = lab.sign_in(Dialect::NestJs).await;
        lab.knock(&session).await;
        lab.on(Fault::Status, json!({"left": 3})).await;
        let answer = lab.get("/control", "").await;
        let told = answer.json();
        let names: Vec<_> = told["faults"].as_array().unwrap().iter().map(|fault| &fault["name"]).collect();
        assert_eq!(names, Fault::ALL.map(Fault::name));
        assert!(told["faults"].as_array().unwrap().iter().all(|fault| fault["about"].is_string()));
        let everywhere = json!(["login", "refresh", "heartbeat", "resource", "logout"]);
        let status = json!({"value": 503, "on": everywhere, "dialect": null, "left": 3});
        assert_eq!((&told["faults"][3]["switched"], &told["faults"][4]["switched"]), (&status, &Value::Null));
        assert_eq!(told["settings"]["access_ttl_ms"], 30_000);
        let nest = json!({
            "rotation": "strict", "grace_ms": 0, "access_format": "jwt", "refresh_revokes_access": false
        });
        assert_eq!(told["settings"]["dialects"]["nestjs"], nest);
        assert_eq!(told["counters"]["nestjs"]["logins"], 1);
        let log = lab.get("/control/log", "").await.body;
        for secret in [&session.access, &session.refresh] {
            assert!(!answer.body.contains(secret.as_str()) && !log.contains(secret.as_str()));
        }
    }

    #[tokio::test]
    async fn settings_change_while_it_runs() {
        let lab = Lab::new().await;
        let patch = json!({"access_ttl_ms": 90_000, "dialects": {"heartbeat": {"rotation": "on"}}});
        let told = lab.ask("PATCH", "/control/settings", &[], Some(patch)).await.json();
        assert_eq!(
            (&told["access_ttl_ms"], &told["dialects"]["heartbeat"]["rotation"]),
            (&json!(90_000), &json!("on"))
        );
        assert_eq!(lab.post("/heartbeat/api/auth/login", alice()).await.json()["expiresIn"], 90);
        assert_eq!(lab.control.settings().port, lab.sandbox.address().port());
    }

    #[tokio::test]
    async fn what_is_wrong_is_refused_and_named() {
        let lab = Lab::new().await;
        let before = lab.control.settings();
        let wrong = [
            ("PUT", "/control/faults/hiccup", json!({}), "unknown_fault", "`hiccup`"),
            ("PUT", "/control/faults/status", json!({"value": 42}), "invalid_field", "`value`"),
            ("PUT", "/control/faults/status", json!({"value": 503, "when": 1}), "unknown_field", "`when`"),
            ("PUT", "/control/faults/status", json!(7), "invalid_field", "`the body`"),
            (
                "PATCH",
                "/control/settings",
                json!({"access_ttl_ms": 9, "refresh_ttl_ms": -1}),
                "invalid_field",
                "`refresh_ttl_ms`",
            ),
            ("POST", "/control/revoke", json!({}), "invalid_field", "`what`"),
            ("POST", "/control/revoke", json!({"what": "all", "user": "eve"}), "invalid_field", "`user`"),
            ("POST", "/control/revoke", json!({"what": "all", "dialect": "x"}), "invalid_field", "`dialect`"),
            ("GET", "/control/log?after=x", Value::Null, "invalid_field", "`after`"),
            ("GET", "/control/log?since=1", Value::Null, "unknown_field", "`since`"),
            ("GET", "/control/nothing", Value::Null, "unknown_path", "no such path"),
            ("PUT", "/control/settings", json!({}), "unknown_path", "no such path"),
        ];
        for (method, path, body, code, message) in wrong {
            let refused = lab.ask(method, path, &[], Some(body)).await;
            let error = &refused.json()["error"];
            assert_eq!((refused.status, &error["code"]), (400, &json!(code)), "{method} {path}");
            assert!(error["message"].as_str().unwrap().contains(message), "{error}");
            assert!(!error["hint"].as_str().unwrap().is_empty());
        }
        let address = lab.sandbox.address();
        let half = format!(
            "POST /control/revoke HTTP/1.1\r\nhost: {address}\r\ncontent-length: 1\r\nconnection: close\r\n\r\n{{"
        );
        let garbled = raw(address, &half).await.unwrap();
        assert!(garbled.contains("\"code\":\"not_json\""));
        assert_eq!(lab.control.settings(), before, "half a good change is none");
    }

    #[tokio::test]
    async fn no_web_page_drives_it() {
        let lab = Lab::new().await;
        let address = lab.sandbox.address().to_string();
        let other_port = format!("127.0.0.1:{}", lab.sandbox.address().port() ^ 1);
        let foreign = [
            ("host", "evil.example", "foreign_host"),
            ("host", other_port.as_str(), "foreign_host"),
            ("origin", "https://evil.example", "web_page"),
            ("origin", "null", "web_page"),
        ];
        for (name, value, code) in foreign {
            for (method, path) in
                [("GET", "/control"), ("PUT", "/control/faults/hang"), ("GET", "/control/x")]
            {
                let refused = lab.ask(method, path, &[(name, value)], None).await;
                assert_eq!(
                    (refused.status, &refused.json()["error"]["code"]),
                    (403, &json!(code)),
                    "{method} {path}"
                );
            }
        }
        let none = raw(lab.sandbox.address(), "GET /control HTTP/1.0\r\n\r\n").await.unwrap();
        assert!(none.starts_with("HTTP/1.0 403"), "{none}");
        assert_eq!(lab.ask("GET", "/control", &[("host", &address)], None).await.status, 200);
        assert!(lab.control.faults().iter().all(|fault| fault.switched.is_none()));
    }

    #[tokio::test]
    async fn counters_count_what_they_say() {
        let lab = Lab::new().await;
        let session = lab.sign_in(Dialect::Heartbeat).await;
        lab.post("/heartbeat/api/auth/login", json!({"username": "bob", "password": "no"})).await;
        lab.renewed(Dialect::Heartbeat, &session.refresh).await;
        lab.refresh(Dialect::Heartbeat, "garbage").await;
        lab.knock(&session).await;
        lab.get("/heartbeat/api/orders", "Bearer x").await;
        lab.post_as("/heartbeat/api/notes", &session.authorization(), json!({})).await;
        let expected = json!({
            "logins": 1, "refreshes_received": 2, "refreshes_granted": 1, "refreshes_refused": 1,
            "reuse_detected": 0, "families_revoked": 0, "heartbeats": 1, "resource_requests": 2,
            "unauthorized": 1, "side_effects": 1, "max_refreshes_in_flight": 1
        });
        let told = lab.get("/control/counters", "").await.json();
        assert_eq!(told["heartbeat"], expected);
        assert_eq!(told["flask"]["logins"], 0);
    }

    #[tokio::test]
    async fn the_log_tells_requests_without_their_queries() {
        let lab = Lab::new().await;
        lab.get("/nestjs/refresh?token=secret", "").await;
        lab.on(Fault::Reset, json!({"left": 1})).await;
        let _no_answer = raw(lab.sandbox.address(), "GET /nestjs/aaa HTTP/1.1\r\nhost: x\r\n\r\n").await;
        lab.get("/nestjs/elsewhere", "").await;
        let told = lab.get("/control/log?after=0", "").await.json();
        let told: Vec<_> = told["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| {
                json!([
                    entry["n"],
                    entry["endpoint"],
                    entry["method"],
                    entry["path"],
                    entry["status"],
                    entry["fault"]
                ])
            })
            .collect();
        assert_eq!(
            told,
            [
                json!([1, "refresh", "GET", "/nestjs/refresh", 401, null]),
                json!([2, "resource", "GET", "/nestjs/aaa", null, "reset"]),
                json!([3, "other", "GET", "/nestjs/elsewhere", 404, null]),
            ]
        );
        assert_eq!(lab.control.log(2).len(), 1);
        lab.ask("DELETE", "/control/log", &[], None).await;
        assert!(lab.control.log(0).is_empty());
        lab.get("/nestjs/aaa", "").await;
        assert_eq!(lab.control.log(0)[0].n, 4, "the numbers go on");
    }

    #[tokio::test]
    async fn requests_are_numbered_as_they_arrive() {
        let lab = Lab::new().await;
        lab.on(Fault::Latency, json!({"value": 80, "left": 1})).await;
        let slow = lab.get("/nestjs/aaa", "");
        let quick = async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            lab.get("/nestjs/bbb", "").await
        };
        tokio::join!(slow, quick);
        let told: Vec<_> =
            lab.control.log(0).into_iter().map(|entry| (entry.n, entry.arrived, entry.path)).collect();
        assert_eq!(told, [(1, 2, "/nestjs/bbb".into()), (2, 1, "/nestjs/aaa".into())]);
    }
}

mod serving {
    use super::*;

    #[tokio::test]
    async fn a_connection_serves_many_requests() {
        let lab = Lab::new().await;
        let one = "GET /nestjs/aaa HTTP/1.1\r\nhost: x\r\n\r\n";
        let last = "GET /nestjs/bbb HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        let heard = raw(lab.sandbox.address(), &format!("{one}{one}{last}")).await.unwrap();
        assert_eq!(heard.matches("HTTP/1.1 401").count(), 3);
    }

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let lab = Lab::new().await;
        let port = lab.sandbox.address().port();
        let Err(error) = start(Settings { port, ..Settings::default() }).await else {
            panic!("it is in use")
        };
        assert!(matches!(error, StartError::PortInUse { port: named } if named == port));
        assert_eq!(error.to_string(), format!("port {port} on 127.0.0.1 is in use"));
    }

    #[tokio::test]
    async fn stopping_frees_the_port_and_idle_connections() {
        let lab = Lab::new().await;
        let port = lab.sandbox.address().port();
        let mut idle = TcpStream::connect(lab.sandbox.address()).await.unwrap();
        lab.get("/flask/protected", "").await;
        let began = Instant::now();
        lab.sandbox.stop().await;
        assert!(began.elapsed() < Duration::from_millis(400), "nothing had to be cut off");
        assert_eq!(idle.read(&mut [0; 1]).await.unwrap(), 0);
        start(Settings { port, ..Settings::default() }).await.unwrap().stop().await;
    }

    #[tokio::test]
    async fn dropping_stops_too() {
        let lab = Lab::new().await;
        let address = lab.sandbox.address();
        lab.on(Fault::Hang, json!({})).await;
        let asking =
            tokio::spawn(
                async move { raw(address, "GET /flask/protected HTTP/1.1\r\nhost: x\r\n\r\n").await },
            );
        lab.until(|control| !control.log(0).is_empty()).await;
        drop(lab);
        assert_eq!(asking.await.unwrap().unwrap(), "");
    }
}

/// A sandbox and a client of it.
struct Lab {
    sandbox: Sandbox,
    control: Control,
    client: reqwest::Client,
}

struct Session {
    dialect: Dialect,
    access: String,
    refresh: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Lab {
    async fn new() -> Self {
        let sandbox = start(Settings::default()).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { control: sandbox.control(), sandbox, client: client.build().unwrap() }
    }

    async fn rotating(dialect: Dialect, rotation: Rotation, grace_ms: u64) -> Self {
        let lab = Self::new().await;
        lab.control.change_settings(|settings| {
            settings.dialects[dialect].rotation = rotation;
            settings.dialects[dialect].grace = Duration::from_millis(grace_ms);
        });
        lab
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    async fn get(&self, path: &str, authorization: &str) -> Answer {
        self.ask("GET", path, &[("authorization", authorization)], None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    async fn post_as(&self, path: &str, authorization: &str, body: Value) -> Answer {
        self.ask("POST", path, &[("authorization", authorization)], Some(body)).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let mut request = self.client.request(method.parse().unwrap(), self.url(path));
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    /// Switches a fault on, over HTTP.
    async fn on(&self, fault: Fault, switch: Value) {
        let told = self.ask("PUT", &format!("/control/faults/{}", fault.name()), &[], Some(switch)).await;
        assert_eq!(told.status, 200, "{}", told.body);
    }

    /// Signs in as alice; in flask there is no access token yet.
    async fn log_in(&self, dialect: Dialect) -> Session {
        let path = match dialect {
            Dialect::Flask | Dialect::NestJs => "/login",
            Dialect::Heartbeat => "/api/auth/login",
            Dialect::SimpleJwt => "/api/token/",
        };
        let login = self.post(&format!("/{}{path}", dialect.name()), alice()).await;
        login.session(dialect, "")
    }

    async fn sign_in(&self, dialect: Dialect) -> Session {
        let session = self.log_in(dialect).await;
        match dialect {
            Dialect::Flask => self.renewed(dialect, &session.refresh).await,
            Dialect::Heartbeat | Dialect::NestJs | Dialect::SimpleJwt => session,
        }
    }

    async fn refresh(&self, dialect: Dialect, token: &str) -> Answer {
        match refresh_body(dialect, token) {
            Some((path, body)) => self.post(&path, body).await,
            None => self.get(&format!("/nestjs/refresh?token={token}"), "").await,
        }
    }

    async fn renewed(&self, dialect: Dialect, token: &str) -> Session {
        let granted = self.refresh(dialect, token).await;
        assert_eq!(granted.status, 200, "{}", granted.body);
        granted.session(dialect, token)
    }

    /// Asks the endpoint that says whether the access token is good.
    async fn knock(&self, session: &Session) -> Answer {
        let path = match session.dialect {
            Dialect::Flask => "/flask/protected",
            Dialect::Heartbeat => "/heartbeat/api/heartbeat",
            Dialect::NestJs => "/nestjs/aaa",
            Dialect::SimpleJwt => "/simplejwt/api/protected/",
        };
        self.get(path, &session.authorization()).await
    }

    async fn until(&self, happened: impl Fn(&Control) -> bool) {
        let waiting = async {
            while !happened(&self.control) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("it should have happened");
    }
}

impl Session {
    fn authorization(&self) -> String {
        if self.dialect == Dialect::NestJs { self.access.clone() } else { bearer(&self.access) }
    }
}

impl Answer {
    #[track_caller]
    fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    #[track_caller]
    fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    /// The names of the fields in the order in which they were sent.
    #[track_caller]
    fn keys(&self) -> Vec<String> {
        let json = self.json();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        keys.sort_by_key(|key| self.body.find(&format!("\"{key}\":")));
        keys
    }

    fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[track_caller]
    fn session(&self, dialect: Dialect, spent: &str) -> Session {
        let (access, refresh) = match dialect {
            Dialect::Flask => ("access_token", "refresh_token"),
            Dialect::Heartbeat | Dialect::NestJs => ("accessToken", "refreshToken"),
            Dialect::SimpleJwt => ("access", "refresh"),
        };
        let json = self.json();
        let text = |name: &str, otherwise: &str| json[name].as_str().unwrap_or(otherwise).to_owned();
        Session { dialect, access: text(access, ""), refresh: text(refresh, spent) }
    }
}

fn alice() -> Value {
    json!({"username": "alice", "password": "wonderland"})
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn claims(jwt: &str) -> Value {
    use base64::Engine;
    let payload = jwt.split('.').nth(1).unwrap();
    let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn refresh_body(dialect: Dialect, token: &str) -> Option<(String, Value)> {
    let (path, name) = match dialect {
        Dialect::Flask => ("/flask/access_token", "refresh_token"),
        Dialect::Heartbeat => ("/heartbeat/api/auth/refresh", "refreshToken"),
        Dialect::NestJs => return None,
        Dialect::SimpleJwt => ("/simplejwt/api/token/refresh/", "refresh"),
    };
    Some((path.to_owned(), json!({name: token})))
}

/// A refresh as bytes on the wire.
fn refresh_request(dialect: Dialect, token: &str) -> String {
    match refresh_body(dialect, token) {
        None => format!("GET /nestjs/refresh?token={token} HTTP/1.1\r\nhost: x\r\n\r\n"),
        Some((path, body)) => {
            let body = body.to_string();
            format!("POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        }
    }
}

/// Sends bytes and returns all that comes back until the connection ends.
async fn raw(address: std::net::SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut heard = Vec::new();
    let reading = stream.read_to_end(&mut heard);
    tokio::time::timeout(Duration::from_secs(5), reading).await.expect("the connection should have ended")?;
    Ok(String::from_utf8_lossy(&heard).into_owned())
}
