//! Behind a proxy that speaks for every server with a certificate of its own, as in many companies.

use std::time::{Duration, Instant};

use api::{Code, PhaseView, Trouble};
use pilotlight_sandbox::{Dialect, What};

use super::Stand;
use crate::harness::{Authority, Bench, Front, Keeper, Lets, until};

/// Row G5.
#[test]
fn a_life_behind_a_proxy_with_certificates_of_its_own() {
    let Company { bench, stand, proxy, profile, .. } = Company::new(Duration::from_secs(8));
    let mut keeper = Keeper::idle(&format!("{profile}heartbeat = \"1s\"\n"));
    keeper.set_env("HTTPS_PROXY", &proxy.plain());
    keeper.spawn();
    keeper.login("work");
    for _ in 0..3 {
        keeper.refresh("work").unwrap();
        assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);
    }
    until("the heart beats", || keeper.session("work").heartbeat.last.filter(|last| last.good));
    bench.control.revoke(What::Access, None, None).unwrap();
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200, "with a new token");
    let of_itself = keeper.session("work").access.unwrap().generation;
    until("it refreshes in time by itself", || {
        let generation = keeper.session("work").access.unwrap().generation;
        (generation > of_itself).then_some(())
    });
    assert!(proxy.seen().hosts.iter().all(|host| host == "api.example.test:443"), "{:?}", proxy.seen());
    assert!(proxy.seen().names.iter().all(|name| name.as_deref() == Some("api.example.test")));

    // The company changes its authority, and who keeps the machine puts the new one into the file.
    let next = Authority::new("the company's next");
    proxy.shows(next.vouches_for("api.example.test"));
    assert_eq!(keeper.refresh("work").unwrap_err().code, Code::CertificateUnknown);
    stand.trust(&next.pem());
    keeper.until_fresh("work");

    // The proxy goes away for a while.
    for (lets, trouble) in [
        (Lets::Nobody(407), Trouble::Proxy),
        (Lets::Nobody(403), Trouble::Proxy),
        (Lets::Nobody(502), Trouble::Proxy),
        (Lets::Nobody(503), Trouble::Proxy),
    ] {
        proxy.lets(lets.clone());
        let refreshes = bench.counted(Dialect::NestJs).refreshes_received;
        let failure = keeper.refresh("work").unwrap_err();
        assert_eq!(failure.code, Code::Proxy, "{lets:?}: {failure:?}");
        let PhaseView::Waiting { why, .. } = keeper.phase("work") else {
            panic!("{:?}", keeper.phase("work"))
        };
        assert_eq!(why, trouble);
        assert_eq!(bench.counted(Dialect::NestJs).refreshes_received, refreshes, "nothing was sent");
        proxy.lets(Lets::Everybody);
        keeper.until_fresh("work");
    }
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1, "nobody had to sign in again");
}

/// Row G5.
/// A name and a password for the proxy stand in its address, and are said to nobody else.
#[test]
fn a_proxy_that_wants_a_password_gets_it_and_nobody_else_does() {
    let Company { bench, stand: _stand, proxy, profile, .. } = Company::new(Duration::from_secs(600));
    // alice:canary-of-the-proxy
    proxy.lets(Lets::Whoever("Basic YWxpY2U6Y2FuYXJ5LW9mLXRoZS1wcm94eQ=="));
    let mut without = Keeper::idle(&profile);
    without.set_env("HTTPS_PROXY", &proxy.plain());
    without.set_env("PILOTLIGHT_LOG", "trace");
    without.spawn();
    let failure = without.login_as("work", "alice", "wonderland").unwrap_err();
    assert_eq!(failure.code, Code::Proxy, "{failure:?}");
    let told = without.run_typing(&["login", "work", "--user", "alice"], "wonderland\n");
    assert!(told.err.contains("HTTPS_PROXY") && told.code == Some(4), "{told:?}");

    let mut with = Keeper::idle(&profile);
    with.set_env("HTTPS_PROXY", &format!("http://alice:canary-of-the-proxy@127.0.0.1:{}", proxy.port()));
    with.set_env("PILOTLIGHT_LOG", "trace");
    with.spawn();
    with.login("work");
    assert_eq!(with.fetch("work", "/aaa").unwrap().status, 200);
    let wrong = [with.log(), format!("{:?}", with.entries(None)), format!("{:?}", with.overview())];
    assert!(wrong.iter().all(|said| !said.contains("canary-of-the-proxy")), "it is said somewhere");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

#[test]
fn a_proxy_that_is_not_there_or_says_nothing_is_not_the_providers_fault() {
    let Company { bench, stand: _stand, proxy, profile, .. } = Company::new(Duration::from_secs(600));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut keeper = Keeper::idle(&profile);
    keeper.set_env("HTTPS_PROXY", &format!("http://{closed}"));
    keeper.spawn();
    let failure = keeper.login_as("work", "alice", "wonderland").unwrap_err();
    assert_eq!(failure.code, Code::Proxy, "{failure:?}");

    proxy.lets(Lets::Hangs);
    let mut keeper = Keeper::idle(&format!("{profile}timeout = \"500ms\"\n"));
    keeper.set_env("HTTPS_PROXY", &proxy.plain());
    keeper.spawn();
    let began = Instant::now();
    let failure = keeper.login_as("work", "alice", "wonderland").unwrap_err();
    assert_eq!(failure.code, Code::Offline, "{failure:?}");
    assert!(began.elapsed() < Duration::from_secs(3));
    assert_eq!(bench.counted(Dialect::NestJs).logins, 0);
}

/// And this machine itself is never asked for from a proxy.
#[test]
fn what_needs_no_proxy_is_not_asked_from_one() {
    let Company { bench, stand, proxy, authority, profile } = Company::new(Duration::from_secs(600));
    let near = stand.front(&bench, &authority);
    let mut keeper = Keeper::idle(&format!("{profile}\n{}", stand.profile("near", &near, "")));
    keeper.set_env("HTTPS_PROXY", &proxy.plain());
    keeper.set_env("NO_PROXY", "elsewhere.test,.example.test");
    keeper.spawn();
    keeper.login("near");
    // The name exists at the proxy only.
    let failure = keeper.login_as("work", "alice", "wonderland").unwrap_err();
    assert_eq!(failure.code, Code::Offline, "{failure:?}");
    assert_eq!(proxy.seen().knocks, 0);
}

struct Company {
    bench: Bench,
    stand: Stand,
    proxy: Front,
    authority: Authority,
    profile: String,
}

impl Company {
    fn new(access_ttl: Duration) -> Self {
        let authority = Authority::new("the company's");
        let bench = Bench::strict(access_ttl);
        let stand = Stand::new(&authority);
        let proxy = Front::proxy();
        proxy.lead_to(bench.origin());
        proxy.shows(authority.vouches_for("api.example.test"));
        let ca_file = stand.ca_file();
        let profile = format!(
            "vault = \"memory\"\n\n[profile.work]\npreset = \"nestjs\"\nurl = \"https://api.example.test/nestjs\"\n\
             ca_file = \"{}\"\n",
            ca_file.display()
        );
        Self { bench, stand, proxy, authority, profile }
    }
}
