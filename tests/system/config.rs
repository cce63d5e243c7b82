//! The configuration file while people and programs are at it: half saved, behind a link, not a file at all, or
//! somebody else's to write.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::time::Duration;

use api::{Code, Draft, Failure, Line, Lost, PhaseView, Request};
use pilotlight_sandbox::Dialect;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use crate::harness::{Bench, Keeper, Wire, until};

/// Row H3.
/// Half of a file is often a good file with fewer profiles in it.
#[test]
fn a_file_that_is_being_saved_costs_nobody_a_session() {
    let bench = Bench::strict(Duration::from_secs(60));
    let (one, other) = (bench.profile(Dialect::NestJs, ""), bench.profile(Dialect::Flask, ""));
    let keeper = Keeper::start(&format!("{one}{other}"));
    keeper.login("nestjs");
    keeper.login("flask");
    let whole = format!("vault = \"memory\"\n\n{one}{other}");
    let generations = || ["nestjs", "flask"].map(|name| keeper.session(name).access.unwrap().generation);
    let before = generations();
    let edited = whole.replace("sandbox = true", "sandbox = true\nheartbeat = \"7m\"");
    for half in ["", "vault = \"memory\"\n\n", &format!("vault = \"memory\"\n\n{one}"), "[profile.n", &edited]
    {
        keeper.write_config(half);
        assert_eq!(keeper.fetch("flask", "/protected").unwrap().status, 200, "{half:?}");
        assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200, "{half:?}");
    }
    keeper.write_config(&whole);
    assert_eq!(generations(), before, "the sessions are the same ones");
    assert_eq!(keeper.overview().problems, []);
    assert_eq!((keeper.noted("flask", "restored"), bench.counted(Dialect::Flask).logins), (0, 1));
    assert_eq!(keeper.entries(None).iter().filter(|entry| is_problem(entry)).count(), 0);
}

/// Row B18.
/// What is written anew is what stood there, and that must not be the half of it.
#[test]
fn a_file_that_is_being_saved_is_not_written_over() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keeper = Keeper::start(&bench.profile(Dialect::Flask, ""));
    let whole = fs::read_to_string(keeper.home().config()).unwrap();
    until("the start is over", || keeper.overview().sessions.first().map(drop));
    keeper.write_config("");
    let mut wire = keeper.wire();
    let added = wire.send(draft_of(&bench));
    let asked = wire.send(Request::Status { profile: None });
    let answered = |wire: &mut Wire| {
        let line = wire.receive();
        let Line::Answer { id, .. } = line else { panic!("{line:?}") };
        id
    };
    let first = answered(&mut wire);
    keeper.write_config(&whole);
    let second = answered(&mut wire);
    assert_eq!((first, second), (asked, added), "the draft waits until the file is left alone");
    let text = fs::read_to_string(keeper.home().config()).unwrap();
    assert!(text.contains("[profile.flask]") && text.contains("[profile.more]"), "{text}");
}

/// Sessions are to be kept also while nobody asks for anything.
#[test]
fn an_edit_is_noticed_by_itself() {
    let bench = Bench::strict(Duration::from_secs(60));
    let with = format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::idle(&with);
    keeper.spawn();
    keeper.login("nestjs");
    keeper.write_config("vault = \"memory\"\n");
    until_gone(&keeper, "nestjs");
    let refreshes = || bench.counted(Dialect::NestJs).refreshes_granted;
    let before = refreshes();
    keeper.write_config(&with);
    until("the session goes on, and nobody has asked", || (refreshes() > before).then_some(()));
}

#[test]
fn an_edit_behind_a_link_is_noticed_too() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle("vault = \"memory\"\n");
    let elsewhere = keeper.home().config().with_file_name("dotfiles");
    fs::create_dir(&elsewhere).unwrap();
    let real = elsewhere.join("pilotlight.toml");
    fs::rename(keeper.home().config(), &real).unwrap();
    symlink(&real, keeper.home().config()).unwrap();
    keeper.spawn();
    let mut watching = keeper.wire();
    watching.ask(Request::Watch).unwrap();
    // As most editors do it.
    let draft = elsewhere.join("draft");
    fs::write(&draft, format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""))).unwrap();
    fs::rename(&draft, &real).unwrap();
    until("the new session is told", || watching.text().contains("\"profile\":\"nestjs\"").then_some(()));
}

#[test]
fn something_else_in_place_of_the_file_stops_nobody() {
    let bench = Bench::strict(Duration::from_secs(60));
    let with = format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let mut keeper = Keeper::idle(&with);
    let path = keeper.home().config();
    fs::remove_file(&path).unwrap();
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    keeper.spawn();
    let told = the_problem(&keeper);
    assert_eq!(told.code, Code::ConfigUnreadable, "{told:?}");
    let refused = keeper.ask(draft_of(&bench)).unwrap_err();
    assert_eq!(refused.code, Code::ConfigUnreadable, "nothing is written in its place");

    replace(&keeper, &with);
    keeper.login("nestjs");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    assert_eq!(the_problem(&keeper).code, Code::ConfigUnreadable);
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    fs::remove_dir(&path).unwrap();
    keeper.write_config(&with);
    until("it is mended", || keeper.overview().problems.is_empty().then_some(()));
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

#[test]
fn a_file_that_anybody_may_write_is_not_believed() {
    let bench = Bench::strict(Duration::from_secs(60));
    let one = format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let both = format!("{one}{}", bench.profile(Dialect::Flask, ""));
    let mut keeper = Keeper::idle(&one);
    let path = keeper.home().config();
    let allow = |mode| fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    keeper.spawn();
    keeper.login("nestjs");

    allow(0o666);
    keeper.write_config(&both);
    let told = the_problem(&keeper);
    assert_eq!(told.code, Code::ConfigUnsafe);
    assert_eq!(told.details["command"], format!("chmod go-w {}", path.display()));
    assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200, "who is signed in stays so");
    assert_eq!(keeper.fetch("flask", "/protected").unwrap_err().code, Code::ConfigUnsafe);
    let refused = keeper.ask(draft_of(&bench)).unwrap_err();
    assert_eq!(refused.code, Code::ConfigUnsafe, "what stands there is not made ours by writing it anew");
    assert_eq!(fs::read_to_string(&path).unwrap(), both);

    keeper.restart();
    assert_eq!(the_problem(&keeper).code, Code::ConfigUnsafe);
    assert!(keeper.overview().sessions.is_empty());
    allow(0o644);
    keeper.until_phase("flask", PhaseView::NeedsLogin { why: Lost::Never });
    assert_eq!(keeper.overview().problems, []);
}

fn until_gone(keeper: &Keeper, profile: &str) {
    until("the session is gone", || {
        keeper.overview().sessions.iter().all(|session| session.profile != profile).then_some(())
    });
}

fn the_problem(keeper: &Keeper) -> Failure {
    let problems = keeper.overview().problems;
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems.into_iter().next().unwrap()
}

fn is_problem(entry: &api::Entry) -> bool {
    crate::harness::kind(&entry.note) == "config_problem"
}

fn draft_of(bench: &Bench) -> Request {
    Request::Add(Box::new(Draft {
        profile: "more".to_owned(),
        preset: "nestjs".to_owned(),
        url: format!("{}/nestjs", bench.origin()),
        ..Draft::default()
    }))
}

/// In one step, as most editors do it.
fn replace(keeper: &Keeper, text: &str) {
    let draft: PathBuf = keeper.home().config().with_file_name("draft");
    fs::write(&draft, text).unwrap();
    fs::rename(&draft, keeper.home().config()).unwrap();
}
