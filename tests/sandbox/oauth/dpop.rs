//! Tokens that are bound to a key, and the proofs that it is there.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};

use super::*;

#[tokio::test]
async fn tokens_are_bound_to_the_key_that_is_shown() {
    let lab = Lab::new().await;
    let metadata = lab.get("/oauth/.well-known/openid-configuration", "").await.json();
    assert_eq!(metadata["dpop_signing_alg_values_supported"], json!(["ES256"]));
    let (key, other) = (Key::new(), Key::new());
    let tokens = bound(&lab, &key).await;
    assert_eq!(tokens.json()["token_type"], "DPoP");
    let access = tokens.text("access_token");
    let authorization = format!("DPoP {access}");
    let knock = async |authorization: &str, proof: String| {
        let mut headers = vec![("authorization", authorization)];
        if !proof.is_empty() {
            headers.push(("dpop", &proof));
        }
        lab.ask("GET", "/oauth/api/profile?n=1", &headers, None).await
    };
    let at = lab.url("/oauth/api/profile");
    let proof = key.proof(&json!({"htm": "GET", "htu": at, "ath": hash(&access)}));
    assert_eq!(knock(&authorization, proof.clone()).await.status, 200);

    let replayed = knock(&authorization, proof).await;
    replayed.refuses(401, "invalid_dpop_proof");
    assert!(replayed.challenges()[0].starts_with("DPoP realm=\"sandbox\", algs=\"ES256\", error="));
    let of_other = other.proof(&json!({"htm": "GET", "htu": at, "ath": hash(&access)}));
    knock(&authorization, of_other).await.refuses(401, "invalid_token");
    knock(&authorization, String::new()).await.refuses(401, "invalid_dpop_proof");
    let downgrade = knock(&bearer(&access), String::new()).await;
    downgrade.refuses(401, "invalid_token");
    assert!(downgrade.challenges()[0].starts_with("DPoP "));
    let bad = [
        json!({"htm": "POST", "htu": at, "ath": hash(&access)}),
        json!({"htm": "GET", "htu": lab.url("/oauth/userinfo"), "ath": hash(&access)}),
        json!({"htm": "GET", "htu": at, "ath": hash("another")}),
        json!({"htm": "GET", "htu": at}),
        json!({"htm": "GET", "htu": at, "ath": hash(&access), "iat": now() - 120}),
        json!({"htm": "GET", "htu": at, "ath": hash(&access), "iat": now() + 120}),
    ];
    for claims in bad {
        knock(&authorization, key.proof(&claims)).await.refuses(401, "invalid_dpop_proof");
    }
    assert_eq!(lab.counted().unauthorized, 10);
}

#[tokio::test]
async fn a_bound_refresh_token_needs_its_key() {
    let lab = Lab::rotating(Dialect::OAuth, Rotation::Strict, 0).await;
    let (key, other) = (Key::new(), Key::new());
    let refresh = bound(&lab, &key).await.text("refresh_token");
    let form = refresh_form(&refresh);
    lab.form("/oauth/token", &form).await.refuses(400, "invalid_dpop_proof");
    let with = async |proof: String| lab.form_with("/oauth/token", &[("dpop", &proof)], &form).await;
    with(other.for_tokens(&lab, None)).await.refuses(400, "invalid_dpop_proof");
    let proof = key.for_tokens(&lab, None);
    let renewed = with(proof.clone()).await;
    assert_eq!((renewed.status, renewed.json()["token_type"].as_str()), (200, Some("DPoP")));
    with(proof).await.refuses(400, "invalid_dpop_proof");
    let counters = lab.counted();
    assert_eq!((counters.refreshes_granted, counters.refreshes_refused), (1, 3));
    assert_eq!(counters.reuse_detected, 0, "without the key it is no reuse: the token was not looked at");
    with(key.for_tokens(&lab, None)).await.refuses(400, "invalid_grant");
    assert_eq!(lab.counted().families_revoked, 1);
}

#[tokio::test]
async fn a_code_can_be_bound_before_it_is_exchanged() {
    let lab = Lab::new().await;
    let (key, other) = (Key::new(), Key::new());
    let code = lab.code(&[("dpop_jkt", &key.thumbprint())]).await;
    lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_dpop_proof");
    let with =
        async |proof: String| lab.form_with("/oauth/token", &[("dpop", &proof)], &code_form(&code)).await;
    with(other.for_tokens(&lab, None)).await.refuses(400, "invalid_dpop_proof");
    assert_eq!(with(key.for_tokens(&lab, None)).await.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn a_pushed_request_can_bind_the_code() {
    let lab = Lab::new().await;
    let (key, other) = (Key::new(), Key::new());
    let push = async |changes: &[(&str, &str)]| {
        let proof = key.proof(&json!({"htm": "POST", "htu": lab.url("/oauth/par")}));
        lab.form_with("/oauth/par", &[("dpop", &proof)], &request(changes)).await
    };
    push(&[("dpop_jkt", &other.thumbprint())]).await.refuses(400, "invalid_dpop_proof");
    assert_eq!(push(&[("dpop_jkt", &key.thumbprint())]).await.status, 201);
    let uri = push(&[]).await.text("request_uri");
    let short =
        format!("/oauth/authorize?{}", encoded(&[("client_id", "pilotlight"), ("request_uri", &uri)]));
    let code = parameter(&lab.back_from(&lab.open(&short).await).await, "code").unwrap();
    lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_dpop_proof");
    let (proof, twice) = (key.for_tokens(&lab, None), key.for_tokens(&lab, None));
    let two = [("dpop", proof.as_str()), ("dpop", twice.as_str())];
    lab.form_with("/oauth/token", &two, &code_form(&code)).await.refuses(400, "invalid_dpop_proof");
    let tokens = lab.form_with("/oauth/token", &two[..1], &code_form(&code)).await;
    assert_eq!(tokens.json()["token_type"], "DPoP");
}

#[tokio::test]
async fn a_nonce_is_demanded_and_given() {
    let lab = Lab::with_oauth(|oauth| oauth.dpop_nonce = true).await;
    let key = Key::new();
    let code = lab.code(&[]).await;
    let form = code_form(&code);
    let with = async |proof: String| lab.form_with("/oauth/token", &[("dpop", &proof)], &form).await;
    for nonce in [None, Some("made-up")] {
        let refused = with(key.for_tokens(&lab, nonce)).await;
        refused.refuses(400, "use_dpop_nonce");
        assert!(!refused.header("dpop-nonce").is_empty());
    }
    let nonce = with(key.for_tokens(&lab, None)).await.header("dpop-nonce");
    let tokens = with(key.for_tokens(&lab, Some(&nonce))).await;
    assert_eq!((tokens.status, tokens.header("dpop-nonce")), (200, nonce.clone()), "the code was not spent");

    let access = tokens.text("access_token");
    let knock = async |nonce: &str| {
        let at = lab.url("/oauth/userinfo");
        let proof = key.proof(&json!({"htm": "GET", "htu": at, "ath": hash(&access), "nonce": nonce}));
        let headers = [("authorization", &*format!("DPoP {access}")), ("dpop", &*proof)];
        lab.ask("GET", "/oauth/userinfo", &headers, None).await
    };
    let refused = knock(&nonce).await;
    refused.refuses(401, "use_dpop_nonce");
    assert!(refused.challenges()[0].contains("error=\"use_dpop_nonce\""), "the API has nonces of its own");
    let own = refused.header("dpop-nonce");
    assert_eq!(knock(&own).await.status, 200);

    lab.control.change_settings(|settings| settings.oauth.nonce_ttl = Duration::from_millis(1));
    tokio::time::sleep(Duration::from_millis(10)).await;
    knock(&own).await.refuses(401, "use_dpop_nonce");
}

#[tokio::test]
async fn proofs_can_be_required_or_ignored() {
    let lab = Lab::with_oauth(|oauth| oauth.dpop = Dpop::Required).await;
    let code = lab.code(&[]).await;
    lab.form("/oauth/token", &code_form(&code)).await.refuses(400, "invalid_dpop_proof");
    assert_eq!(lab.get("/oauth/api/profile", "").await.challenges().len(), 1);

    let lab = Lab::with_oauth(|oauth| oauth.dpop = Dpop::Off).await;
    let metadata = lab.get("/oauth/.well-known/openid-configuration", "").await.json();
    assert_eq!(metadata.get("dpop_signing_alg_values_supported"), None);
    assert_eq!(bound(&lab, &Key::new()).await.json()["token_type"], "Bearer");
}

#[tokio::test]
async fn a_clock_that_is_off_makes_good_proofs_bad() {
    let lab = Lab::new().await;
    let (key, code) = (Key::new(), lab.code(&[]).await);
    lab.on(Fault::ClockSkew, json!({"left": 1, "on": ["login"]})).await;
    let proof = key.for_tokens(&lab, None);
    let refused = lab.form_with("/oauth/token", &[("dpop", &proof)], &code_form(&code)).await;
    refused.refuses(400, "invalid_dpop_proof");
    assert!(refused.text("error_description").contains("`iat`"));
}

struct Key(EcdsaKeyPair);

impl Key {
    fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    fn jwk(&self) -> Value {
        let point = self.0.public_key().as_ref();
        json!({"crv": "P-256", "kty": "EC", "x": BASE64.encode(&point[1..33]), "y": BASE64.encode(&point[33..])})
    }

    /// serde_json sorts the members, which is what RFC 7638 asks for.
    fn thumbprint(&self) -> String {
        hash(&self.jwk().to_string())
    }

    fn proof(&self, claims: &Value) -> String {
        let header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk()});
        let id = now_ns();
        let mut payload = json!({"iat": now(), "jti": format!("proof-{id}")});
        payload.as_object_mut().unwrap().extend(claims.as_object().unwrap().clone());
        let message = format!("{}.{}", BASE64.encode(header.to_string()), BASE64.encode(payload.to_string()));
        let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", BASE64.encode(signature.as_ref()))
    }

    fn for_tokens(&self, lab: &Lab, nonce: Option<&str>) -> String {
        let mut claims = json!({"htm": "POST", "htu": lab.url("/oauth/token")});
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        self.proof(&claims)
    }
}

async fn bound(lab: &Lab, key: &Key) -> Answer {
    let (code, proof) = (lab.code(&[]).await, key.for_tokens(lab, None));
    let tokens = lab.form_with("/oauth/token", &[("dpop", &proof)], &code_form(&code)).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    tokens
}

fn now() -> i64 {
    now_ns() as i64 / 1_000_000_000
}

fn now_ns() -> u128 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos()
}
