//! What becomes of a refresh token when it is exchanged, and when it comes back.

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
        assert!(lab.refresh(dialect, &first.refresh).await.status >= 400, "the newest refresh token dies");
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
