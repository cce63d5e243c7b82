//! D1, D10, D12: what an answer to a refresh means for a session that lives: only one ends it, some want a person, and
//! none of the others costs anything.

use api::{Code, Lost, Note, PhaseView, Request, Trouble};
use serde_json::{Value, json};

use super::{Stage, all, can_be_read, each, issuers, profiles};
use crate::harness::{Mangled, Say, until};

/// Row D1.
#[test]
fn only_invalid_grant_ends_a_session() {
    let error = Say::error;
    let rows = [
        (error(400, "invalid_grant"), Means::Dead),
        (error(401, "invalid_grant"), Means::Dead),
        (error(400, "interaction_required"), Means::Person(Lost::InteractionRequired)),
        (error(400, "login_required"), Means::Person(Lost::LoginRequired)),
        (error(401, "login_required"), Means::Person(Lost::LoginRequired)),
        (error(400, "consent_required"), Means::Person(Lost::ConsentRequired)),
        (error(400, "account_selection_required"), Means::Person(Lost::InteractionRequired)),
        (subtype("invalid_rapt"), Means::Person(Lost::LoginRequired)),
        (subtype("basic_action"), Means::Person(Lost::InteractionRequired)),
        (error(400, "invalid_client"), Means::Wait(Trouble::Misconfigured)),
        (error(401, "invalid_client"), Means::Wait(Trouble::Misconfigured)),
        (error(400, "unauthorized_client"), Means::Wait(Trouble::Misconfigured)),
        (error(400, "unsupported_grant_type"), Means::Wait(Trouble::Misconfigured)),
        (error(400, "invalid_scope"), Means::Wait(Trouble::Misconfigured)),
        (error(400, "invalid_target"), Means::Wait(Trouble::Misconfigured)),
        (Say::page(404), Means::Wait(Trouble::Misconfigured)),
        (error(400, "invalid_request"), Means::Wait(Trouble::Suspect)),
        (error(400, "access_denied"), Means::Wait(Trouble::Suspect)),
        (error(400, "something_of_its_own"), Means::Wait(Trouble::Suspect)),
        // The word of death with a status that is not its own.
        (error(200, "invalid_grant"), Means::Wait(Trouble::Suspect)),
        (error(403, "invalid_grant"), Means::Wait(Trouble::Suspect)),
        (error(500, "invalid_grant"), Means::Wait(Trouble::Status)),
        (Say::Body(400, "text/html", br#"{"error":"invalid_grant"}"#.to_vec()), Means::Dead),
        (error(400, "server_error"), Means::Wait(Trouble::Status)),
        (error(503, "temporarily_unavailable"), Means::Wait(Trouble::Status)),
        (error(400, "slow_down"), Means::Wait(Trouble::RateLimited)),
        (Say::TooMany(1), Means::Wait(Trouble::RateLimited)),
        (Say::page(200), Means::Wait(Trouble::NotJson)),
        (Say::page(403), Means::Wait(Trouble::NotJson)),
        (Say::page(500), Means::Wait(Trouble::Status)),
        (Say::json(200, &json!({})), Means::Wait(Trouble::Unreadable)),
        (Say::tokens(json!({"access_token": null, "refresh_token": null})), Means::Wait(Trouble::Unreadable)),
        (Say::Body(200, "application/json", b"{'access_token': 1}".to_vec()), Means::Wait(Trouble::Garbled)),
        (Say::CutShort(json!({})), Means::Wait(Trouble::CutShort)),
        (Say::HangUp, Means::Wait(Trouble::Unanswered)),
        (Say::Hang, Means::Wait(Trouble::TimedOut)),
        (Say::Redirect("http://127.0.0.1:9/".to_owned()), Means::Wait(Trouble::Redirected)),
        (Say::Body(200, "application/json", vec![b' '; 10 << 20]), Means::Wait(Trouble::TooLarge)),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, means), profile, issuer| {
        let what = format!("{say:.90?}");
        stage.sign_in(profile, issuer);
        let (before, own) = (stage.token(profile), issuer.refresh_tokens().pop().unwrap());
        issuer.says("/token", say.clone());
        let refresh = || stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person });
        let failure = refresh().expect_err(&what);
        can_be_read(&failure);
        match means {
            Means::Dead | Means::Person(_) => {
                let why = if let Means::Person(why) = means { *why } else { Lost::Refused };
                assert_eq!(stage.keeper.phase(profile), PhaseView::NeedsLogin { why }, "{what}");
                assert_eq!(failure.code, Code::SignInNeeded, "{what}: {failure:?}");
            }
            Means::Wait(trouble) => until("it waits", || match stage.keeper.phase(profile) {
                PhaseView::Waiting { why, .. } => {
                    assert_eq!(why, *trouble, "{what}");
                    Some(())
                }
                PhaseView::NeedsLogin { why } => panic!("{what}: {why:?}"),
                PhaseView::Fresh | PhaseView::Refreshing { .. } | PhaseView::SigningIn => None,
            }),
        }
        // The access token is good until its end, whatever becomes of the rest.
        assert_eq!(stage.token(profile), before, "{what}");
        issuer.behaves();
        if *means == Means::Dead {
            assert_eq!(refresh().unwrap_err().code, Code::SignInNeeded, "{what}");
            assert_eq!(issuer.asked("/token refresh_token").len(), 1, "{what}");
            stage.sign_in(profile, issuer);
        } else {
            until("the kept token is good", || refresh().ok());
            let mut sent: Vec<_> = issuer.asked("/token refresh_token");
            assert_eq!(sent.remove(0).form["refresh_token"], own, "{what}");
            assert_eq!(sent.remove(0).form["refresh_token"], own, "{what}");
        }
        assert_ne!(stage.token(profile), before, "{what}");
        assert_eq!(stage.keeper.phase(profile), PhaseView::Fresh, "{what}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Row D10: at once and in the provider's own words, without the number of the request, which is as long as a token; and not
/// with what was sent, which some servers quote.
#[test]
fn a_refusal_is_told_in_the_words_that_the_provider_has_for_it() {
    let guid = "2ffd0b4c-7b4e-4b4e-9d5f-0123456789ab";
    let said =
        |status, code, text: &str| Say::json(status, &json!({"error": code, "error_description": text}));
    let long = format!("AADSTS90009: Application is requesting a token for itself.\r\nTrace ID: {guid}");
    let rows = [
        (
            said(400, "invalid_request", &long),
            Code::RefreshRefused,
            Some("AADSTS90009: Application is requesting a token for itself.…"),
        ),
        (
            said(200, "bad_refresh_token", "It is incorrect or expired."),
            Code::RefreshRefused,
            Some("It is incorrect or expired."),
        ),
        (said(400, "invalid_scope", "no such scope"), Code::Misconfigured, Some("no such scope")),
        (said(500, "oops", "database is away"), Code::ServerError, Some("database is away")),
        (said(400, "invalid_grant", "session revoked"), Code::SignInNeeded, Some("session revoked")),
        (Say::Body(400, "application/json", b"{}".to_vec()), Code::RefreshRefused, None),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(say, code, words), profile, issuer| {
        stage.sign_in(profile, issuer);
        issuer.says("/token", say.clone());
        let refresh = || stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person });
        for _ in 0..2 {
            let failure = refresh().unwrap_err();
            can_be_read(&failure);
            let told = ["message", "said"].iter().find_map(|name| failure.details.get(*name));
            assert_eq!((failure.code, told.map(String::as_str)), (*code, *words), "{failure:?}");
        }
        let notes = stage.keeper.notes(profile);
        let told: Vec<&str> = notes.iter().filter_map(said_by).collect();
        assert_eq!(told, Vec::from_iter(*words), "once, however often it is said");
        issuer.behaves();
        if *code == Code::SignInNeeded {
            stage.sign_in(profile, issuer);
        } else {
            refresh().unwrap();
        }
        issuer.says("/token", Say::page(503));
        assert_eq!(refresh().unwrap_err().details.get("said"), None, "that is over");
    });
    stage.ends_discreetly(&all(&issuers));
}

fn said_by(note: &Note) -> Option<&str> {
    if let Note::Said { said } = note { Some(said) } else { None }
}

/// What a provider may leave out of its answer to a refresh, or write in its own way.
#[test]
fn a_refresh_that_is_answered_in_another_way_is_one() {
    let rows = [
        (json!({"refresh_token": null}), Next::Same),
        (json!({"refresh_token": ""}), Next::Same),
        (json!({"refresh_token": 0}), Next::Same),
        (json!({"refresh_token": 7}), Next::Another),
        (json!({"token_type": "bEaReR"}), Next::Another),
        (json!({"token_type": null}), Next::Another),
        (json!({"id_token": null}), Next::Another),
        (json!({"expires_in": "3600"}), Next::Another),
        (json!({"expires_in": null}), Next::Another),
        (json!({"expires_in": -1}), Next::Another),
        (json!({"expires_in": "soon"}), Next::Another),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |(fields, next), profile, issuer| {
        stage.sign_in(profile, issuer);
        let (before, own) = (stage.token(profile), issuer.refresh_tokens().pop().unwrap());
        issuer.says("/token refresh_token", Say::tokens(fields.clone()));
        let refresh =
            || stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person }).unwrap();
        refresh();
        assert_ne!(stage.token(profile), before, "{fields}");
        let access = stage.keeper.session(profile).access.unwrap();
        assert_eq!(access.lifetime_ms / 1000, 3600, "{fields}: what it last said");
        refresh();
        let second = issuer.asked("/token refresh_token")[1].form["refresh_token"].clone();
        assert_eq!(second == own, *next == Next::Same, "{fields}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Row C6: the refresh token that was sent is spent; the new one is kept whatever stands beside it, and the next try is made
/// with it.
#[test]
fn a_new_refresh_token_beside_nothing_usable_is_kept() {
    let rows = [
        json!({"access_token": "canary with spaces"}),
        json!({"access_token": "canary\u{0}"}),
        json!({"access_token": ""}),
        json!({"access_token": 7}),
        json!({"access_token": null}),
        json!({"token_type": "mac"}),
        json!({"token_type": "N_A"}),
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |fields, profile, issuer| {
        stage.sign_in(profile, issuer);
        let before = stage.token(profile);
        issuer.says_once("/token refresh_token", Say::tokens(fields.clone()));
        let refresh = || stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person });
        let failure = refresh().expect_err(&fields.to_string());
        assert_eq!(failure.code, Code::TokenUnusable, "{fields}: {failure:?}");
        can_be_read(&failure);
        assert_eq!(stage.token(profile), before, "{fields}: the old one is good until its end");
        until("another is bought", || refresh().ok());
        assert_ne!(stage.token(profile), before, "{fields}");
        let sent = issuer.asked("/token refresh_token");
        assert_eq!(sent[1].form["refresh_token"], issuer.refresh_tokens()[1], "{fields}");
        assert!(issuer.asked("/revoke").is_empty(), "{fields}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// Row C6.
/// The same where the answer around the tokens can hardly be read, or does not come to its end.
#[test]
fn new_tokens_in_an_answer_that_cannot_be_read_are_kept() {
    let fine = Mangled::default();
    let rows = [
        Mangled { after: b"trailing", ..fine },
        Mangled { after: b"\0", ..fine },
        Mangled { after: b"{\"name\":\"Ren\xe9\"}", ..fine },
        Mangled { before: b"<br />\n<b>Notice</b>: Undefined index in <b>/app/t.php</b>\n", ..fine },
        Mangled { missing: 10, ..fine },
        Mangled { head: "X Odd: 1\r\n", ..fine },
        Mangled { head: "X-Odd : 1\r\n", ..fine },
        Mangled { head: "X-Odd: a\r\n b\r\n", ..fine },
        Mangled { head: "no colon\r\n", ..fine },
        Mangled { head: "X-Odd: 1\r\n".repeat(300).leak(), ..fine },
    ];
    let issuers = issuers(&rows);
    let stage = Stage::with(&profiles(&issuers, ""));
    each(&rows, &issuers, |mangled, profile, issuer| {
        stage.sign_in(profile, issuer);
        let before = stage.token(profile);
        issuer.says_once("/token refresh_token", Say::Mangled(*mangled));
        let refresh = || stage.ask(Request::Refresh { profile: profile.to_owned(), by: api::Asker::Person });
        let outcome = refresh();
        assert!(outcome.is_ok(), "{mangled:?}: {outcome:?}");
        assert_ne!(stage.token(profile), before, "{mangled:?}");
        until("another is bought", || refresh().ok());
        let sent = issuer.asked("/token refresh_token");
        assert_eq!(sent.len(), 2, "{mangled:?}");
        assert_eq!(sent[1].form["refresh_token"], issuer.refresh_tokens()[1], "{mangled:?}");
    });
    stage.ends_discreetly(&all(&issuers));
}

/// A provider that does not rotate sends the very same one again.
#[test]
fn a_refresh_token_that_stays_the_same_stays() {
    let issuer = crate::harness::Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    stage.sign_in("p0", &issuer);
    let own = issuer.refresh_tokens().pop().unwrap();
    issuer.says("/token refresh_token", Say::tokens(json!({"refresh_token": own})));
    for _ in 0..3 {
        stage.ask(Request::Refresh { profile: "p0".to_owned(), by: api::Asker::Person }).unwrap();
    }
    let sent = issuer.asked("/token refresh_token");
    assert!(sent.len() == 3 && sent.iter().all(|asked| asked.form["refresh_token"] == own), "{sent:?}");
    assert!(issuer.asked("/revoke").is_empty());
    stage.ends_discreetly(&[&issuer]);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Means {
    Dead,
    Person(Lost),
    Wait(Trouble),
}

#[derive(Debug, PartialEq, Eq)]
enum Next {
    Another,
    Same,
}

/// A code that is too coarse for some, with what they add to it.
fn subtype(detail: &str) -> Say {
    let said: Value = json!({"error": "invalid_grant", "error_subtype": detail});
    Say::json(400, &said)
}
