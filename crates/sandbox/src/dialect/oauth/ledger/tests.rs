use super::*;

#[test]
fn a_code_is_good_once_and_for_its_own_client_address_and_verifier() {
    let mut codes = issued();
    let terms = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 99).unwrap();
    assert_eq!((terms.person, terms.nonce.as_deref(), terms.signed_in_s), (Person::Alice, Some("n"), 7));
    codes.spend("c", 3);
    let replayed = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 99);
    assert_eq!(replayed, Err(BadCode { family: Some(3) }));
    let long_after = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 9_999);
    assert_eq!(long_after, Err(BadCode { family: Some(3) }), "also when it would have expired");

    let wrong = [
        (CLIENT, "http://127.0.0.1:1/callback", "guess"),
        (CLIENT, "http://127.0.0.1:2/callback", "verifier"),
        (Client::Service, "http://127.0.0.1:1/callback", "verifier"),
    ];
    for (client, redirect, verifier) in wrong {
        let mut codes = issued();
        assert_eq!(codes.redeem("c", client, redirect, verifier, 0), Err(BadCode { family: None }));
        let after = codes.redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 0);
        assert_eq!(after, Err(BadCode { family: None }), "one guess is all there is");
    }
    let late = issued().redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 100);
    assert_eq!(late, Err(BadCode { family: None }));
}

#[test]
fn a_shelf_gives_things_out_while_they_are_good() {
    let mut shelf = Shelf::default();
    assert!(shelf.put("a".into(), 1, 10, 0));
    assert!(!shelf.put("a".into(), 2, 10, 9), "there was one");
    assert!(shelf.put("a".into(), 3, 20, 10), "that was over");
    assert_eq!((shelf.see("a", 19), shelf.see("a", 20)), (Some(&3), None));
    assert_eq!((shelf.take("a", 19), shelf.take("a", 19)), (Some(3), None));
    for n in 0..3 * REMEMBERED as u64 {
        shelf.put(n.to_string(), 0, n + 10, n);
    }
    assert!(shelf.0.len() <= REMEMBERED);
}

#[test]
fn a_nonce_is_good_while_it_is_given_out_and_as_long_again() {
    let mut nonces = Nonces::default();
    let current = |nonces: &mut Nonces, fresh: &str, now| nonces.current(fresh.into(), 10, now);
    assert_eq!(current(&mut nonces, "a", 0), "a");
    assert_eq!(current(&mut nonces, "b", 9), "a");
    assert_eq!(current(&mut nonces, "c", 10), "c");
    assert!(nonces.knows("a") && nonces.knows("c") && !nonces.knows("b"));
    assert_eq!(current(&mut nonces, "d", 20), "d");
    assert!(!nonces.knows("a") && nonces.knows("c"));
    assert_eq!(current(&mut nonces, "e", 99), "e");
    assert!(!nonces.knows("d"), "nobody asked for so long");
}

#[test]
fn what_was_agreed_is_not_kept_for_ever() {
    let mut ledger = Ledger::default();
    let terms = issued().redeem("c", CLIENT, "http://127.0.0.1:1/callback", "verifier", 0).unwrap();
    for family in 0..=REMEMBERED as u64 {
        ledger.agree(family, terms.clone());
    }
    assert_eq!((ledger.agreed(0), ledger.agreed(1)), (None, Some(&terms)));
}

const CLIENT: Client = Client::Pilotlight;

fn issued() -> Codes {
    let request = Request {
        client: CLIENT,
        redirect: "http://127.0.0.1:1/callback".into(),
        scopes: Scopes::parse("openid").unwrap(),
        state: None,
        nonce: Some("n".into()),
        challenge: sha256(b"verifier"),
        jkt: None,
        stepped_up: false,
        login_hint: None,
    };
    let mut codes = Codes::default();
    codes.issue("c".into(), request, Person::Alice, 7, (0, 100));
    codes
}
