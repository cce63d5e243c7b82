//! OAuth over TLS: everything that is fetched and sent is under the same certificates.

use std::time::Duration;

use api::{Code, PhaseView, Request, Trouble};

use super::Stage;
use crate::harness::{Authority, Front, Issuer, Keeper, Say, until};
use crate::tls::Stand;

#[test]
fn a_life_over_tls_is_as_any_other() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let stand = Stand::new(&ours);
    let front = Front::new();
    front.shows(ours.vouches_for("localhost"));
    let issuer = Issuer::behind(&front);
    let stage = Stage::with(&trusting(&stand, &issuer, "work"));
    let ca_file = Some(stand.ca_file().display().to_string());
    let discover =
        |ca_file| Request::Discover { issuer: issuer.url().to_owned(), allow_http: false, ca_file };
    assert!(stage.ask(discover(ca_file)).is_ok());
    let failure = stage.ask(discover(None)).unwrap_err();
    assert_eq!(failure.code, Code::CertificateUnknown, "{failure:?}");

    stage.sign_in("work", &issuer);
    stage.keeper.refresh("work").unwrap();
    let (before, asked) = (issuer.refresh_tokens(), issuer.asked("/token").len());
    front.shows(other.vouches_for("localhost"));
    let failure = stage.keeper.refresh("work").unwrap_err();
    assert_eq!(failure.code, Code::CertificateUnknown, "{failure:?}");
    let PhaseView::Waiting { why, .. } = stage.keeper.phase("work") else { panic!("{failure:?}") };
    assert_eq!(why, Trouble::CertificateUnknown);
    assert_eq!((issuer.refresh_tokens(), issuer.asked("/token").len()), (before, asked), "nothing was sent");
    front.shows(ours.vouches_for("localhost"));
    stage.keeper.refresh("work").unwrap();
    stage.ends_discreetly(&[&issuer]);
}

/// One that was never described cannot be signed in at, and says why, in the sentence of what is wrong.
#[test]
fn a_description_that_cannot_be_trusted_is_not_fetched() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let stand = Stand::new(&ours);
    let front = Front::new();
    front.shows(other.vouches_for("localhost"));
    let issuer = Issuer::behind(&front);
    let stage = Stage::with(&trusting(&stand, &issuer, "work"));
    let failure = stage.begin_url("work").unwrap_err();
    assert_eq!(failure.code, Code::CertificateUnknown, "{failure:?}");
    front.shows(ours.vouches_for("localhost"));
    stage.sign_in("work", &issuer);
    stage.ends_discreetly(&[&issuer]);
}

/// Row G5.
/// What the provider may be asked for it, it is asked through the proxy as well.
#[test]
fn a_life_behind_a_proxy_is_as_any_other() {
    let company = Authority::new("the company's");
    let stand = Stand::new(&company);
    let proxy = Front::proxy();
    proxy.shows(company.vouches_for("id.example.test"));
    let issuer = Issuer::known_as("https://id.example.test", &proxy);
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", trusting(&stand, &issuer, "work")));
    keeper.set_env("HTTPS_PROXY", &proxy.plain());
    let stage = Stage::of(keeper);
    stage.sign_in("work", &issuer);
    for _ in 0..3 {
        stage.keeper.refresh("work").unwrap();
    }
    issuer.says_once("/token refresh_token", Say::HangUp);
    drop(stage.keeper.refresh("work"));
    until("it goes on", || stage.keeper.refresh("work").ok());
    stage.keeper.log_out("work", false);
    until("the provider is told", || (!issuer.asked("/revoke").is_empty()).then_some(()));
    assert!(proxy.seen().hosts.iter().all(|host| host == "id.example.test:443"), "{:?}", proxy.seen());
    stage.ends_discreetly(&[&issuer]);
}

fn trusting(stand: &Stand, issuer: &Issuer, name: &str) -> String {
    let ca_file =
        format!("ca_file = \"{}\"\ntimeout = \"{:?}\"", stand.ca_file().display(), Duration::from_secs(5));
    issuer.profile(name, "").replace("timeout = \"2s\"", &ca_file)
}
