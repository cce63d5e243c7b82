use super::*;

#[test]
fn an_access_token_is_good_until_its_lifetime_is_over() {
    let mut book = signed_in(&rules(Rotation::Off));
    assert_eq!(book.admit("a0", 999), Ok(ALICE));
    assert_eq!(book.admit("a0", 1_000), Err(Refused::Expired));
    assert_eq!(book.admit("nonsense", 0), Err(Refused::Unknown));
    assert_eq!(book.admit("r0", 0), Err(Refused::WrongKind));
    assert_eq!(refresh(&mut book, "a0", 1, &rules(Rotation::Off), 0), Err(Refused::WrongKind));
}

#[test]
fn without_rotation_one_refresh_token_serves_until_it_expires() {
    let rules = rules(Rotation::Off);
    let mut book = signed_in(&rules);
    for n in 1..4 {
        let granted = refresh(&mut book, "r0", n, &rules, n * 10).unwrap();
        assert_eq!((granted.refresh.as_str(), granted.rotated), ("r0", false));
        assert_eq!(book.admit(&format!("a{n}"), n * 10), Ok(ALICE));
    }
    assert_eq!(book.admit("a0", 30), Ok(ALICE), "the access tokens from before live on");
    assert_eq!(refresh(&mut book, "r0", 9, &rules, 10_000), Err(Refused::Expired));
}

#[test]
fn with_rotation_a_spent_token_is_refused_and_nothing_else_happens() {
    let rules = rules(Rotation::On);
    let mut book = signed_in(&rules);
    assert_eq!(refresh(&mut book, "r0", 1, &rules, 10).unwrap().refresh, "r1");
    assert_eq!(refresh(&mut book, "r0", 2, &rules, 20), Err(Refused::Reused { family_revoked: false }));
    assert_eq!(book.admit("a1", 20), Ok(ALICE));
    assert_eq!(refresh(&mut book, "r1", 3, &rules, 30).unwrap().refresh, "r3");
}

#[test]
fn strict_rotation_ends_the_family_of_a_reused_token_and_no_other() {
    let rules = rules(Rotation::Strict);
    let mut book = signed_in(&rules);
    book.sign_in(ALICE, fresh(50), &rules, 0);
    refresh(&mut book, "r0", 1, &rules, 10).unwrap();
    assert_eq!(refresh(&mut book, "r0", 2, &rules, 20), Err(Refused::Reused { family_revoked: true }));
    assert_eq!(book.admit("a0", 20), Err(Refused::Revoked));
    assert_eq!(book.admit("a1", 20), Err(Refused::Revoked));
    assert_eq!(refresh(&mut book, "r1", 3, &rules, 20), Err(Refused::Revoked), "the winner dies too");
    assert_eq!(refresh(&mut book, "r0", 3, &rules, 20), Err(Refused::Revoked), "a family ends once");
    assert_eq!(book.admit("a50", 20), Ok(ALICE), "her other sign-in is another family");
    assert!(refresh(&mut book, "r50", 51, &rules, 20).is_ok());
}

#[test]
fn a_session_ends_however_often_it_is_refreshed() {
    let rules = Rules { session_ttl_ms: 15_000, ..rules(Rotation::On) };
    let mut book = signed_in(&rules);
    assert_eq!(book.refresh_left(1, 0), Some(10_000));
    refresh(&mut book, "r0", 1, &rules, 8_000).unwrap();
    assert_eq!(book.refresh_left(1, 8_000), Some(7_000), "not for ten seconds");
    refresh(&mut book, "r1", 2, &rules, 14_999).unwrap();
    assert_eq!(refresh(&mut book, "r2", 3, &rules, 15_000), Err(Refused::Expired));
}

#[test]
fn within_the_grace_the_very_same_answer_comes_again() {
    let rules = Rules { grace_ms: 100, ..rules(Rotation::Strict) };
    let mut book = signed_in(&rules);
    let first = refresh(&mut book, "r0", 1, &rules, 10).unwrap();
    assert_eq!(refresh(&mut book, "r0", 2, &rules, 109).unwrap(), first);
    assert_eq!(book.admit("a2", 109), Err(Refused::Unknown), "no second pair came into the world");
    assert_eq!(refresh(&mut book, "r0", 3, &rules, 110), Err(Refused::Reused { family_revoked: true }));
}

#[test]
fn a_refresh_can_kill_the_access_tokens_from_before() {
    let rules = Rules { refresh_revokes_access: true, ..rules(Rotation::Off) };
    let mut book = signed_in(&rules);
    refresh(&mut book, "r0", 1, &rules, 10).unwrap();
    assert_eq!(book.admit("a0", 10), Err(Refused::Revoked));
    assert_eq!(book.admit("a1", 10), Ok(ALICE));
}

#[test]
fn a_refresh_can_give_the_access_token_that_is_already_there() {
    let rules = Rules { keep_access: true, ..rules(Rotation::On) };
    let mut book = signed_in(&rules);
    let granted = refresh(&mut book, "r0", 1, &rules, 10).unwrap();
    assert_eq!((granted.access.as_deref(), granted.refresh.as_str()), (Some("a0"), "r1"));

    let mut book = Book::default();
    book.sign_in(ALICE, Fresh { access: None, refresh: "r0".into() }, &rules, 0);
    let granted = refresh(&mut book, "r0", 1, &rules, 10).unwrap();
    assert_eq!(granted.access.as_deref(), Some("a1"), "there was none yet");
}

#[test]
fn signing_out_ends_one_refresh_token_and_if_asked_its_access_tokens() {
    let rules = rules(Rotation::Off);
    let mut book = signed_in(&rules);
    assert_eq!(book.sign_out("r0", false, 0), Ok(()));
    assert_eq!(book.admit("a0", 0), Ok(ALICE));
    assert_eq!(book.sign_out("r0", false, 0), Err(Refused::Revoked));
    assert_eq!(refresh(&mut book, "r0", 1, &rules, 0), Err(Refused::Revoked));

    let mut book = signed_in(&rules);
    assert_eq!(book.sign_out("r0", true, 0), Ok(()));
    assert_eq!(book.admit("a0", 0), Err(Refused::Revoked));
}

#[test]
fn revoking_meets_what_it_names() {
    let rules = rules(Rotation::Off);
    let mut book = signed_in(&rules);
    book.sign_in(BOB, fresh(1), &rules, 0);
    assert_eq!(book.revoke(true, false, Some(BOB)), Revoked { access: 1, refresh: 0 });
    assert_eq!((book.admit("a0", 0), book.admit("a1", 0)), (Ok(ALICE), Err(Refused::Revoked)));
    assert_eq!(book.revoke(true, true, None), Revoked { access: 1, refresh: 2 });
    assert_eq!(refresh(&mut book, "r1", 2, &rules, 0), Err(Refused::Revoked));
}

#[test]
fn a_good_token_has_a_standing() {
    let rules = rules(Rotation::On);
    let mut book = signed_in(&rules);
    let standing = |book: &Book, token: &str, now| {
        book.standing(token, now).map(|standing| (standing.is_access, standing.left_ms))
    };
    assert_eq!(
        (standing(&book, "a0", 1), standing(&book, "r0", 1)),
        (Some((true, 999)), Some((false, 9_999)))
    );
    assert_eq!((standing(&book, "a0", 1_000), standing(&book, "r0", 10_000)), (None, None));
    assert_eq!(standing(&book, "nonsense", 0), None);
    refresh(&mut book, "r0", 1, &rules, 10).unwrap();
    assert_eq!(standing(&book, "r0", 10), None, "it was exchanged");
    assert_eq!(book.family("r0"), book.family("a1"), "but it is known whose it was");
    book.end_access("a0");
    assert_eq!((standing(&book, "a0", 10), standing(&book, "a1", 10)), (None, Some((true, 1_000))));
}

#[test]
fn a_family_ends_as_a_whole_and_alone() {
    let rules = rules(Rotation::On);
    let mut book = signed_in(&rules);
    refresh(&mut book, "r0", 1, &rules, 0).unwrap();
    let lent = book.lend(BOB, "b".into(), &rules, 0);
    assert_eq!(book.end_family(book.family("r0").unwrap()), Revoked { access: 2, refresh: 1 });
    assert_eq!(refresh(&mut book, "r1", 2, &rules, 0), Err(Refused::Revoked));
    assert_eq!(book.admit("b", 0), Ok(BOB));
    assert_eq!(book.end_family(lent), Revoked { access: 1, refresh: 0 });
    assert_eq!(book.admit("b", 0), Err(Refused::Revoked));
}

#[test]
fn the_book_does_not_grow_for_ever() {
    let rules = rules(Rotation::On);
    let mut book = signed_in(&rules);
    let mut token = "r0".to_owned();
    for n in 1..30_000 {
        token = refresh(&mut book, &token, n, &rules, n * 1_000).unwrap().refresh;
    }
    assert!(book.access.len() <= REMEMBERED + 1, "{}", book.access.len());
    assert!(book.refresh.len() <= REMEMBERED + 1, "{}", book.refresh.len());
}

const ALICE: Person = Person::Alice;
const BOB: Person = Person::Bob;

fn rules(rotation: Rotation) -> Rules {
    Rules {
        access_ttl_ms: 1_000,
        refresh_ttl_ms: 10_000,
        session_ttl_ms: u64::MAX,
        rotation,
        grace_ms: 0,
        refresh_revokes_access: false,
        keep_access: false,
    }
}

fn fresh(n: u64) -> Fresh {
    Fresh { access: Some(format!("a{n}")), refresh: format!("r{n}") }
}

fn signed_in(rules: &Rules) -> Book {
    let mut book = Book::default();
    book.sign_in(ALICE, fresh(0), rules, 0);
    book
}

fn refresh(book: &mut Book, token: &str, n: u64, rules: &Rules, now: u64) -> Result<Granted, Refused> {
    book.refresh(token, fresh(n), rules, now)
}
