//! Certificates, and what stands between the keeper and a server that has one: what is not to be trusted is told by its
//! kind, costs no token, and is over when it is over.

mod files;
mod proxy;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use api::{Code, Lost, PhaseView, Trouble};
use pilotlight_sandbox::{Dialect, What};

use crate::harness::{Authority, Bench, Face, Front, Identity, Keeper, Scratch, at_once, can_be_read, until};

/// A handshake that fails has sent nothing. So no token is spent, and when the provider refuses it later, that is no
/// consequence of an answer that got lost.
#[test]
fn what_is_not_to_be_trusted_is_told_by_its_kind_and_costs_no_token() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let of_the_same_name = Authority::new("ours");
    let shows = Face::Shows;
    let rows = [
        (shows(ours.vouches_for("elsewhere.test")), Code::CertificateName, Trouble::CertificateName),
        (shows(other.vouches_for("localhost")), Code::CertificateUnknown, Trouble::CertificateUnknown),
        (
            shows(of_the_same_name.vouches_for("localhost")),
            Code::CertificateUnknown,
            Trouble::CertificateUnknown,
        ),
        (shows(Identity::self_signed("localhost")), Code::CertificateUnknown, Trouble::CertificateUnknown),
        (
            shows(Identity::of_its_own_authority("localhost")),
            Code::CertificateUnfit,
            Trouble::CertificateUnfit,
        ),
        (shows(ours.of_a_client("localhost")), Code::CertificateUnfit, Trouble::CertificateUnfit),
        (shows(ours.expired("localhost")), Code::CertificateDate, Trouble::CertificateDate),
        (shows(ours.not_valid_yet("localhost")), Code::CertificateDate, Trouble::CertificateDate),
        (Face::Says(PROTOCOL_VERSION.to_vec()), Code::Tls, Trouble::Tls),
        (Face::Says(TLS_1_1.to_vec()), Code::Tls, Trouble::Tls),
        (Face::Says(PLAIN.to_vec()), Code::Tls, Trouble::Tls),
        (Face::Says(b"SSH-2.0-OpenSSH_9.2\r\n".to_vec()), Code::Tls, Trouble::Tls),
        (Face::HangsUp, Code::Tls, Trouble::Tls),
        (Face::Speaks(ours.vouches_for("localhost").server_for_clients_of(&other)), Code::Tls, Trouble::Tls),
        (Face::Hangs, Code::Offline, Trouble::Offline),
        (
            Face::Dribbles(ours.vouches_for("localhost"), Duration::from_millis(30)),
            Code::Offline,
            Trouble::Offline,
        ),
    ];
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let fronts: Vec<Front> = rows.iter().map(|_| stand.front(&bench, &ours)).collect();
    let profiles = fronts.iter().enumerate();
    let profiles = profiles.map(|(n, front)| stand.profile(&format!("p{n}"), front, "timeout = \"700ms\""));
    let keeper = Keeper::start(&profiles.collect::<String>());
    let names: Vec<String> = (0..rows.len()).map(|n| format!("p{n}")).collect();
    for name in &names {
        keeper.login(name);
    }
    let refreshes = bench.counted(Dialect::NestJs).refreshes_received;
    let logins = bench.counted(Dialect::NestJs).logins;
    at_once(names.iter().zip(&rows).zip(&fronts).collect(), |((name, (face, code, trouble)), front)| {
        front.set(face.clone());
        let failure = keeper.login_as(name, "alice", "wonderland").unwrap_err();
        assert_eq!(failure.code, *code, "{name}: {failure:?}");
        let failure = keeper.refresh(name).unwrap_err();
        assert_eq!(failure.code, *code, "{name}: {failure:?}");
        can_be_read(&failure);
        assert!(failure.retry_in_ms.is_some(), "{failure:?}");
        let PhaseView::Waiting { why, .. } = keeper.phase(name) else {
            panic!("{name}: {:?}", keeper.phase(name))
        };
        assert_eq!(why, *trouble, "{name}");
    });
    assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, refreshes, "nothing was sent");
    assert_eq!(bench.counted(Dialect::NestJs).logins, logins);

    // Not one of them was ambiguous.
    bench.control.revoke(What::All, None, None).unwrap();
    for (name, front) in names.iter().zip(&fronts) {
        front.shows(ours.vouches_for("localhost"));
        drop(keeper.refresh(name));
        let refused = PhaseView::NeedsLogin { why: Lost::Refused };
        until("it is refused", || (keeper.phase(name) == refused).then_some(()));
    }
}

/// However long nobody is there who can be trusted.
#[test]
fn a_certificate_that_is_not_trusted_is_not_asked_for_again_all_the_time() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let bench = Bench::strict(Duration::from_secs(4));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    keeper.login("work");
    front.shows(other.vouches_for("localhost"));
    until("it waits", || matches!(keeper.phase("work"), PhaseView::Waiting { .. }).then_some(()));
    let knocks = front.seen().knocks;
    let kept = keeper.noted("work", "kept");
    until("it has tried again a few times", || (keeper.noted("work", "kept") >= kept + 3).then_some(()));
    let tried = keeper.noted("work", "kept") - kept;
    assert!(front.seen().knocks - knocks <= tried + 1, "one knock a try");
    front.shows(ours.vouches_for("localhost"));
    keeper.until_fresh("work");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// The authority is replaced before the certificates that it vouches for, or after them.
#[test]
fn an_authority_of_ones_own_is_replaced_while_the_keeper_runs() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let bench = Bench::strict(Duration::from_secs(8));
    let stand = Stand::new(&old);
    let front = stand.front(&bench, &old);
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    keeper.login("work");
    keeper.refresh("work").unwrap();

    stand.trust(&format!("{}\n{}", old.pem(), new.pem()));
    keeper.refresh("work").unwrap();
    front.shows(new.vouches_for("localhost"));
    keeper.refresh("work").unwrap();
    stand.trust(&new.pem());
    keeper.refresh("work").unwrap();
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);

    // What was good does not stay good.
    front.shows(old.vouches_for("localhost"));
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::CertificateUnknown);
    stand.trust(&old.pem());
    keeper.until_fresh("work");
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

#[test]
fn a_certificate_is_renewed_while_the_keeper_runs() {
    let (ours, other) = (Authority::new("ours"), Authority::new("another"));
    let bench = Bench::strict(Duration::from_secs(8));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    keeper.login("work");
    front.shows(ours.vouches_for("localhost"));
    keeper.refresh("work").unwrap();

    front.shows(other.vouches_for("localhost"));
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::CertificateUnknown);
    // The access token lives on, and so does whoever reads what it says.
    let status = keeper.run(&["status"]);
    assert!(status.out.contains("vouches for the server’s certificate"), "{}", status.out);
    front.shows(ours.vouches_for("localhost"));
    keeper.until_fresh("work");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1, "nobody had to sign in");
}

/// Row G5.
/// What this machine trusts may change as well, and nobody starts a keeper again for it.
#[test]
fn what_the_machine_trusts_is_read_again_when_it_changes() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let bench = Bench::strict(Duration::from_secs(8));
    let stand = Stand::new(&old);
    let front = stand.front(&bench, &old);
    let profile = stand.profile("work", &front, "");
    let profile: String =
        profile.lines().filter(|line| !line.starts_with("ca_file")).map(|line| format!("{line}\n")).collect();
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{profile}"));
    keeper.set_env("SSL_CERT_FILE", stand.ca_file().to_str().unwrap());
    keeper.spawn();
    keeper.login("work");
    front.shows(new.vouches_for("localhost"));
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::CertificateUnknown);
    stand.trust(&new.pem());
    keeper.until_fresh("work");
    keeper.refresh("work").unwrap();
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);
    // Whoever is trusted no longer is not believed.
    front.shows(old.vouches_for("localhost"));
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::CertificateUnknown);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

#[test]
fn a_server_is_asked_for_by_its_name_and_one_without_a_name_by_its_address() {
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let (named, numbered) = (stand.front(&bench, &ours), stand.front(&bench, &ours));
    let by_address = stand.profile("numbered", &numbered, "").replace("localhost", "127.0.0.1");
    let keeper = Keeper::start(&format!("{}{by_address}", stand.profile("named", &named, "")));
    keeper.login("named");
    assert_eq!(keeper.login_as("numbered", "alice", "wonderland").unwrap_err().code, Code::CertificateName);
    numbered.shows(ours.vouches_for("127.0.0.1"));
    keeper.login("numbered");
    assert!(named.seen().names.iter().all(|name| name.as_deref() == Some("localhost")));
    assert!(numbered.seen().names.iter().all(Option::is_none), "{:?}", numbered.seen());
}

#[test]
fn a_slow_handshake_is_a_handshake() {
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    front.set(Face::Dribbles(ours.vouches_for("localhost"), Duration::from_micros(1)));
    let keeper = Keeper::start(&stand.profile("work", &front, "timeout = \"15s\""));
    keeper.login("work");
    keeper.refresh("work").unwrap();
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);
}

/// An answer that was cut may have been given: then the same token is sent again, as after any answer that got lost.
#[test]
fn an_answer_that_is_cut_without_a_word_is_a_lost_answer() {
    let ours = Authority::new("ours");
    let bench = Bench::with_grace(Duration::from_secs(600), Duration::from_secs(30));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    keeper.login("work");
    for (length, code) in [(0, Code::Unanswered), (10, Code::Unanswered), (200, Code::AnswerCutShort)] {
        front.set(Face::Cuts(ours.vouches_for("localhost"), length));
        let failure = keeper.refresh("work").unwrap_err();
        assert_eq!(failure.code, code, "{length}: {failure:?}");
        front.shows(ours.vouches_for("localhost"));
        keeper.until_fresh("work");
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// A front before each server, and the file that says whom to trust.
pub(crate) struct Stand {
    dir: Scratch,
}

impl Stand {
    pub(crate) fn new(trusted: &Authority) -> Self {
        let stand = Self { dir: Scratch::new() };
        stand.trust(&trusted.pem());
        stand
    }

    pub(crate) fn ca_file(&self) -> PathBuf {
        self.dir.path().join("ca.pem")
    }

    /// Replaces the file at once, as whoever is careful does.
    pub(crate) fn trust(&self, pem: &str) {
        let next = self.dir.path().join("next.pem");
        fs::write(&next, pem).unwrap();
        fs::rename(next, self.ca_file()).unwrap();
    }

    pub(crate) fn front(&self, bench: &Bench, authority: &Authority) -> Front {
        let front = Front::new();
        front.lead_to(bench.origin());
        front.shows(authority.vouches_for("localhost"));
        front
    }

    pub(crate) fn profile(&self, name: &str, front: &Front, more: &str) -> String {
        let (origin, ca_file) = (front.origin(), self.ca_file());
        format!(
            "[profile.{name}]\npreset = \"nestjs\"\nurl = \"{origin}/nestjs\"\nca_file = \"{}\"\n{more}\n\n",
            ca_file.display()
        )
    }
}

/// What a server that knows nothing newer than TLS 1.1 says to a client of today: alert 70.
const PROTOCOL_VERSION: &[u8] = &[0x15, 3, 2, 0, 2, 2, 70];

/// One that goes on all the same: its hello, of TLS 1.1.
const TLS_1_1: &[u8] = &[
    0x16, 3, 2, 0, 42, 2, 0, 0, 38, 3, 2, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0x2f, 0,
];

const PLAIN: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n\
    <h1>The plain HTTP request was sent to HTTPS port</h1>";
