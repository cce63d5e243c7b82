//! G1, G2, G3: the port on this machine to which the browser comes back. Any page in any browser can call it, and so can
//! any program: what is not the answer that is waited for changes nothing.

use std::io::Write as _;
use std::net::{Ipv6Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use api::secret::Password;
use api::{Code, Request};

use super::browser::{self, Page, query};
use super::{SOON, Stage};
use crate::harness::{Bench, Browser, Issuer, Keeper, Person, at_once};

/// Rows F5, G3.
#[test]
fn strangers_change_nothing_and_the_right_one_comes_through() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    let (port, good) = (visit.port(), visit.query(&issuer));
    // Whoever connects and says nothing holds up nobody.
    let silent: Vec<TcpStream> = (0..8).map(|_| visit.connects().unwrap()).collect();
    let mut half = visit.connects().unwrap();
    half.write_all(b"GET /callback?co").unwrap();

    let target = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n");
    let host = |host: &str| format!("GET /callback?{good} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let method = |method: &str| {
        format!("{method} /callback?{good} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: 0\r\n\r\n")
    };
    let foreign = |state: &str| query(&[("code", "canary-foreign"), ("state", state), ("iss", issuer.url())]);
    let twice = format!("{good}&state={}", visit.state);
    for (status, text) in [
        (404, target("/favicon.ico")),
        (404, target("/")),
        (404, target("/exit")),
        (404, target("/done")),
        (404, target(&format!("/callback/?{good}"))),
        (404, target(&format!("/CALLBACK?{good}"))),
        (404, target(&format!("//callback?{good}"))),
        (405, method("HEAD")),
        (405, method("POST")),
        (405, method("OPTIONS")),
        (421, host("evil.example")),
        (421, host(&format!("evil.example:{port}"))),
        (421, host(&format!("localhost:{port}"))),
        (421, host(&format!("127.0.0.1:{}", port ^ 1))),
        (421, host("127.0.0.1")),
        (421, format!("GET /callback?{good} HTTP/1.0\r\n\r\n")),
        (400, target("/callback")),
        (400, target("/callback?")),
        (400, target("/callback?state=")),
        (400, target(&format!("/callback?{}", foreign("the-state-of-another")))),
        (400, target(&format!("/callback?{}", foreign(&visit.state[1..])))),
        (400, target(&format!("/callback?{}", foreign(&visit.state.to_lowercase())))),
        (400, target(&format!("/callback?{twice}"))),
        (400, target(&format!("/callback?error=access_denied&state={}x", visit.state))),
        (414, target(&format!("/callback?{good}&x={}", "y".repeat(66_000)))),
        (400, "\u{1}\u{2}garbage\r\n\r\n".to_owned()),
    ] {
        let page = visit.says(&text);
        assert_eq!(page.status, status, "{text:.200}: {page:?}");
        assert!(!page.body.contains("canary") && !page.body.contains(&visit.state), "{page:?}");
    }
    // A query that nobody reads to its end.
    let endless = visit.tries(&target(&format!("/callback?{}", "z".repeat(1 << 20))));
    assert!(endless.is_err() || endless.is_ok_and(|page| page.status >= 400));

    let page = visit.lands(&good);
    assert_eq!((page.status, page.header("location").as_str()), (303, "/done"));
    // The second one is too late, and so is one that says no.
    assert_eq!(visit.lands(&good).status, 410);
    assert_eq!(visit.comes_back_with(&issuer, &[("error", "access_denied")]).status, 410);
    stage.finish("p0").unwrap();
    assert_eq!(visit.calls("/done").status, 200);
    visit.until_closed();
    assert_eq!(issuer.asked("/token authorization_code").len(), 1);
    drop((silent, half));
    issuer.is_secret("canary-foreign");
    stage.ends_discreetly(&[&issuer]);
}

/// Row G3.
/// More than there are places for: then the right one waits, but not for ever.
#[test]
fn a_crowd_that_says_nothing_holds_the_browser_up_for_a_while_only() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    let crowd: Vec<TcpStream> = (0..100).map(|_| visit.connects().unwrap()).collect();
    let began = Instant::now();
    assert_eq!(visit.comes_back(&issuer).status, 303);
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    stage.finish("p0").unwrap();
    drop(crowd);
}

#[test]
fn the_page_at_the_end_speaks_the_browsers_language_and_gives_nothing_away() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let visit = stage.begin("p0").unwrap();
    let language = |page: &Page| {
        let (_, rest) = page.body.split_once("<html lang=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let languages = [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh-CN"),
        ("zh-TW", "zh-CN"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de,fr;q=0.9", "en"),
        ("de,zh;q=0.9", "zh-CN"),
        ("", "en"),
    ];
    for (accepts, speaks) in languages {
        let page = visit.calls_with("/callback", &format!("Accept-Language: {accepts}\r\n"));
        assert_eq!((page.status, language(&page).as_str()), (400, speaks), "{accepts}");
        is_harmless(&page);
    }
    // The end can be asked for before it has come, by as many as like.
    issuer.takes_its_time("/token", Duration::from_millis(500));
    let good = visit.query(&issuer);
    assert_eq!(visit.lands(&good).status, 303);
    let pages = at_once(vec!["zh", "en", "de"], |accepts| {
        visit.calls_with("/done", &format!("Accept-Language: {accepts}\r\n"))
    });
    for (page, title) in pages.iter().zip(["已登录", "You are signed in", "You are signed in"]) {
        assert!(page.status == 200 && page.body.contains(title), "{title}: {page:?}");
        is_harmless(page);
    }
    stage.finish("p0").unwrap();
    visit.until_closed();
}

fn is_harmless(page: &Page) {
    assert!(!page.body.contains("<script") && !page.body.contains("http"), "{}", page.body);
    assert_eq!(page.header("cache-control"), "no-store");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("x-content-type-options"), "nosniff");
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.header("content-security-policy").starts_with("default-src 'none'; "), "{}", page.head);
    assert!(page.header("access-control-allow-origin").is_empty() && page.header("set-cookie").is_empty());
}

/// Row G2: the browser is on another machine, and cannot reach the port. What a person brings in its place is judged as the
/// port judges it.
#[test]
fn g2_an_address_that_a_person_brings_is_as_good_as_a_browser_that_comes() {
    let issuer = Issuer::start();
    let stage = Stage::with(&issuer.profile("p0", ""));
    let bring = |address: String| {
        stage.ask(Request::LandSignIn { profile: "p0".to_owned(), address: Password::new(address) })
    };
    assert_eq!(
        bring("http://127.0.0.1:1/callback?code=c".to_owned()).unwrap_err().code,
        Code::SignInCancelled
    );
    let visit = stage.begin("p0").unwrap();
    let (ours, good) = (visit.redirect.as_str().to_owned(), visit.query(&issuer));
    let foreign = query(&[("code", "canary-foreign"), ("state", "of-another"), ("iss", issuer.url())]);
    for wrong in [
        good.clone(),
        String::new(),
        format!("{ours}?{foreign}"),
        format!("{ours}?{good}&state={}", visit.state),
        format!("{ours}x?{good}"),
        ours.replacen(&visit.port().to_string(), &(visit.port() ^ 1).to_string(), 1) + "?" + &good,
        format!("{ours}?{good}&x={}", "y".repeat(66_000)),
    ] {
        let failure = bring(wrong.clone()).unwrap_err();
        assert_eq!(
            (failure.code, failure.details["address"].as_str()),
            (Code::WrongAddress, &*ours),
            "{wrong:.200}"
        );
        super::can_be_read(&failure);
    }
    bring(format!(" {ours}?{good}\n")).unwrap();
    stage.finish("p0").unwrap();
    assert_eq!(issuer.asked("/token authorization_code").len(), 1);
    assert_eq!(bring(format!("{ours}?{good}")).unwrap_err().code, Code::SignInCancelled, "it is over");

    // A no is a no, and another issuer another issuer, whoever brings it.
    for (said, code) in [
        ([("error", "access_denied"), ("iss", issuer.url())], Code::SignInDenied),
        ([("code", "canary-stolen"), ("iss", "https://evil.example")], Code::WrongIssuer),
    ] {
        let visit = stage.begin("p0").unwrap();
        let state = [("state", visit.state.as_str())];
        bring(format!("{}?{}", visit.redirect, query(&[&said[..], &state].concat()))).unwrap();
        assert_eq!(stage.finish("p0").unwrap_err().code, code);
    }
    assert_eq!(issuer.asked("/token authorization_code").len(), 1);
    issuer.is_secret("canary-foreign");
    issuer.is_secret("canary-stolen");
    stage.ends_discreetly(&[&issuer]);
}

/// Row G2, with the command, which asks again after a slip.
#[test]
fn g2_the_command_takes_the_address_that_is_pasted() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.oauth("work", "", ""));
    let mut running = keeper.begin_to_type(&["login", "work", "--paste", "--json"]);
    let url = running.line()["sign_in"]["url"].as_str().unwrap().to_owned();
    let mut browser = Browser::new();
    let ended = browser.ends_at(&url, Person::ALICE);
    assert!(ended.starts_with("http://127.0.0.1:") && ended.contains("code="), "{ended}");
    running.types(&format!("{url}\n"));
    assert_eq!(running.line()["error"]["code"], "wrong_address");
    running.types(&format!("{ended}\n"));
    let ran = running.end().went_well();
    assert!(ran.out.contains("\"Fresh\""), "{ran:?}");
    assert!(!ran.out.contains("code=") && !ran.err.contains("code="), "{ran:?}");
    assert_eq!(bench.told().codes_issued, 1);
}

/// Row G1.
#[test]
fn a_port_that_is_taken_is_told_with_its_number_and_free_again_soon() {
    let (issuer, taken) = (Issuer::start(), TcpListener::bind("127.0.0.1:0").unwrap());
    let port = taken.local_addr().unwrap().port();
    let stage = Stage::with(&issuer.profile("p0", &format!("redirect_port = {port}")));
    let began = Instant::now();
    let failure = stage.begin("p0").unwrap_err();
    assert!(began.elapsed() < SOON);
    assert_eq!(
        (failure.code, failure.details["port"].as_str()),
        (Code::RedirectPortInUse, &*port.to_string())
    );
    stage.is_told("p0", &failure);
    drop(taken);

    // Given up, taken over, finished: each time the next one gets the very same port.
    let first = stage.begin("p0").unwrap();
    assert_eq!(first.port(), port);
    assert!(stage.ask(Request::CancelSignIn { profile: "p0".to_owned() }).is_ok());
    let second = stage.begin("p0").unwrap();
    let third = stage.begin("p0").unwrap();
    assert_eq!((second.port(), third.port()), (port, port));
    assert_eq!(third.lands(&second.query(&issuer)).status, 400, "that sign-in is over");
    assert_eq!(third.comes_back(&issuer).status, 303);
    stage.finish("p0").unwrap();
    // Nobody has fetched the page at the end, for which the port would stay open a while.
    let fourth = stage.begin("p0");
    assert!(fourth.as_ref().is_ok_and(|visit| visit.port() == port), "{fourth:?}");
    let fourth = fourth.unwrap();
    assert_eq!(fourth.comes_back(&issuer).status, 303);
    assert_eq!(fourth.calls("/done").status, 200);
    fourth.until_closed();
    stage.ends_discreetly(&[&issuer]);
}

/// Row G1.
/// Browsers try either protocol first.
#[test]
fn localhost_is_open_on_every_protocol_there_is() {
    let issuer = Issuer::start();
    let stage =
        Stage::with(&issuer.profile("p0", "redirect_host = \"localhost\"\nredirect_path = \"/done\""));
    let visit = stage.begin("p0").unwrap();
    let port = visit.port();
    assert_eq!(visit.redirect.as_str(), format!("http://localhost:{port}/done"));
    for host in [format!("127.0.0.1:{port}"), format!("[::1]:{port}")] {
        let foreign = format!("GET /done?{} HTTP/1.1\r\nHost: {host}\r\n\r\n", visit.query(&issuer));
        assert_eq!(visit.says(&foreign).status, 421, "{host}");
    }
    let target = format!("GET /done?{} HTTP/1.1\r\nHost: LOCALHOST:{port}\r\n\r\n", visit.query(&issuer));
    let page = if TcpListener::bind((Ipv6Addr::LOCALHOST, 0)).is_ok() {
        let mut stream = TcpStream::connect((Ipv6Addr::LOCALHOST, port)).unwrap();
        stream.write_all(target.as_bytes()).unwrap();
        browser::read(&mut stream).unwrap()
    } else {
        visit.says(&target)
    };
    assert_eq!((page.status, page.header("location").as_str()), (303, "/finished"));
    assert_eq!(visit.calls("/finished").status, 200);
    stage.finish("p0").unwrap();
    visit.until_closed();
    assert!(TcpStream::connect((Ipv6Addr::LOCALHOST, port)).is_err());
}
