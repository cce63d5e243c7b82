//! The file that says whom to trust, and what may be wrong with it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use api::{Code, Failure, PhaseView, Trouble};
use pilotlight_sandbox::Dialect;
use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::Stand;
use crate::harness::{Authority, Bench, Keeper, Keyring, until};

/// Row G5.
/// It is told before anybody signs in, as the fault of this machine that it is, and over when the file is mended.
#[test]
fn a_file_that_is_not_what_it_should_be_is_told_by_the_status_and_at_the_sign_in() {
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    // What was good once would stay in use.
    let path = stand.ca_file();
    remove(&path);
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    let half = |path: &Path| fs::write(path, &ours.pem()[..200]).unwrap();
    let mut rows: Vec<Row> = vec![
        ("missing", &|_| {}, None),
        ("a directory", &|path| fs::create_dir(path).unwrap(), Some("not_a_file")),
        ("a FIFO", &fifo, Some("not_a_file")),
        ("a device", &|path| std::os::unix::fs::symlink("/dev/zero", path).unwrap(), Some("not_a_file")),
        ("empty", &|path| fs::write(path, "").unwrap(), Some("no_certificate")),
        ("DER", &|path| fs::write(path, [0x30, 0x82, 1, 1, 0xff]).unwrap(), Some("no_certificate")),
        ("a page", &|path| fs::write(path, "<html>").unwrap(), Some("no_certificate")),
        ("half a file", &half, Some("not_a_certificate")),
        ("endless", &|path| fs::write(path, vec![b'\n'; 5 << 20]).unwrap(), Some("too_large")),
    ];
    let unreadable = |path: &Path| {
        fs::write(path, ours.pem()).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o0)).unwrap();
    };
    // Nothing is unreadable for root.
    if !rustix::process::getuid().is_root() {
        rows.push(("unreadable", &unreadable, None));
    }
    for (what, make, problem) in rows {
        remove(&path);
        make(&path);
        let began = Instant::now();
        let told = keeper.overview().problems;
        assert!(began.elapsed() < Duration::from_secs(2), "{what}: {:?}", began.elapsed());
        let failure = keeper.login_as("work", "alice", "wonderland").unwrap_err();
        for failure in [&told[0], &failure] {
            is_of_the_file(failure, &path);
            let word = failure.details["problem"].as_str();
            assert_eq!(word, problem.unwrap_or("said"), "{what}: {failure:?}");
        }
        assert_eq!(told.len(), 1, "{what}: {told:?}");
        let status = keeper.run(&["status"]);
        assert!(status.err.contains(path.to_str().unwrap()), "{what}: {status:?}");
    }
    assert_eq!(front.seen().knocks, 0, "the server is not even asked");
    remove(&path);
    stand.trust(&ours.pem());
    assert_eq!(keeper.overview().problems, []);
    keeper.login("work");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// What was good stays in use, and everybody sees that the next process will not have it.
#[test]
fn a_file_that_goes_bad_under_a_living_session_is_told_and_costs_nothing() {
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(600));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    let keeper = Keeper::start(&stand.profile("work", &front, ""));
    keeper.login("work");
    fs::write(stand.ca_file(), &ours.pem()[..200]).unwrap();
    keeper.refresh("work").unwrap();
    assert_eq!(keeper.fetch("work", "/aaa").unwrap().status, 200);
    assert_eq!(keeper.phase("work"), PhaseView::Fresh);
    is_of_the_file(&keeper.overview().problems[0], &stand.ca_file());
    stand.trust(&ours.pem());
    assert_eq!(keeper.overview().problems, []);
}

/// Nothing can have been sent, so nothing is lost; and the session goes on when the file is there.
#[test]
fn a_session_whose_file_is_gone_at_the_start_goes_on_when_it_is_back() {
    let ours = Authority::new("ours");
    let bench = Bench::strict(Duration::from_secs(8));
    let stand = Stand::new(&ours);
    let front = stand.front(&bench, &ours);
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&stand.profile("work", &front, ""), &keyring);
    keeper.login("work");
    remove(&stand.ca_file());
    keeper.restart();
    until("it waits for the file", || {
        matches!(keeper.phase("work"), PhaseView::Waiting { why: Trouble::Certificates, .. }).then_some(())
    });
    stand.trust(&ours.pem());
    keeper.until_fresh("work");
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// What it is, how it is made, and the word for what is wrong.
type Row<'a> = (&'a str, &'a dyn Fn(&Path), Option<&'a str>);

fn is_of_the_file(failure: &Failure, path: &Path) {
    assert_eq!(failure.code, Code::CertificatesUnreadable, "{failure:?}");
    assert_eq!(failure.profile.as_deref(), Some("work"), "{failure:?}");
    assert_eq!(failure.details["file"], path.to_str().unwrap(), "{failure:?}");
}

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

fn remove(path: &Path) {
    if fs::symlink_metadata(path).is_ok_and(|data| data.is_dir()) {
        return fs::remove_dir(path).unwrap();
    }
    fs::remove_file(path).ok();
}
