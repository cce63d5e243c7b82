//! What a keeper does about the signals that it gets, and about a terminal that goes away.

use std::fs::{self, File, OpenOptions};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use api::{Lost, PhaseView, Request};
use pilotlight_sandbox::Dialect;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::harness::{Bench, Keeper, Keyring, PROGRAM, Wire, until};

/// Row B13: whatever ends it, the exchange that is on its way is seen through.
#[test]
fn every_signal_that_ends_a_keeper_ends_it_in_good_order() {
    let bench = Bench::strict(Duration::from_secs(60));
    let keyring = Keyring::start();
    let mut keeper = Keeper::with_keyring(&bench.profile(Dialect::NestJs, ""), &keyring);
    keeper.login("nestjs");
    keeper.stop();
    let mut rounds = 0;
    for (word, signals) in [
        ("keeper", &[Signal::HUP, Signal::QUIT, Signal::INT, Signal::TERM][..]),
        ("run", &[Signal::QUIT, Signal::INT, Signal::TERM][..]),
    ] {
        for signal in signals {
            // Whoever runs the tests may have this one ignored, and children inherit that.
            let mut program = Command::new("env");
            program.args(["--default-signal=HUP", PROGRAM]);
            let mut command = keeper.command_of(program, word);
            keeper.spawn_for_a_person(command.stdout(Stdio::null()));
            keeper.until_fresh("nestjs");
            let _wire = a_refresh_on_its_way(&bench, &keeper);
            keeper.signal(*signal);
            until("the keeper has ended", || keeper.has_ended().then_some(()));
            bench.control.clear_faults();
            rounds += 1;
            let counted = bench.counted(Dialect::NestJs);
            // One at the start, the other when it was to end.
            assert_eq!(counted.refreshes_granted, 2 * rounds, "{word} {signal:?}");
        }
    }
    keeper.spawn();
    keeper.until_fresh("nestjs");
    assert_eq!(keeper.noted("nestjs", "interrupted"), 0);
    assert_eq!(bench.counted(Dialect::NestJs).logins, 1);
}

/// Another one has the home and does not answer: until that is given up, nothing has begun that must be finished.
#[test]
fn a_keeper_that_has_not_begun_ends_at_once() {
    let keeper = Keeper::idle("vault = \"memory\"\n");
    let _lock = keeper::door::lock::acquire(&keeper.home().lock()).unwrap();
    let mut command = keeper.command_of(Command::new(PROGRAM), "keeper");
    let mut child = command.stdout(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    until("it hears signals", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        let caught = u64::from_str_radix(caught.trim(), 16).unwrap();
        (caught & (1 << (Signal::TERM.as_raw() - 1)) != 0).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let status = until("it has ended", || child.try_wait().unwrap());
    assert!(status.success(), "{status}");
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
}

/// Row H11.
/// It serves every terminal: the one in which somebody first wanted it is closed, and it goes on.
#[test]
fn a_daemon_does_not_care_for_a_terminal_that_closes() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::start(&bench.profile(Dialect::NestJs, ""));
    keeper.login("nestjs");
    keeper.signal(Signal::HUP);
    goes_on(&mut keeper);
}

/// Row H11.
/// Tools that rotate logs, and mistyped commands, send them to anybody.
#[test]
fn signals_that_mean_nothing_to_a_keeper_do_nothing_to_it() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    for word in ["keeper", "run"] {
        let mut command = keeper.command_of(Command::new(PROGRAM), word);
        keeper.spawn_for_a_person(command.stdout(Stdio::null()));
        keeper.login("nestjs");
        let mut wire = a_refresh_on_its_way(&bench, &keeper);
        for signal in [
            Signal::ALARM,
            Signal::IO,
            Signal::POWER,
            Signal::PROF,
            Signal::USR1,
            Signal::USR2,
            Signal::VTALARM,
            Signal::XFSZ,
        ] {
            keeper.signal(signal);
        }
        assert!(wire.text().contains("\"ok\":\"status\""), "the exchange is seen through");
        bench.control.clear_faults();
        goes_on(&mut keeper);
        keeper.stop();
    }
}

#[test]
fn a_keeper_that_nohup_started_does_not_either() {
    let bench = Bench::strict(Duration::from_secs(60));
    let mut keeper = Keeper::idle(&format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, "")));
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\"", PROGRAM]);
    let mut command = keeper.command_of(shell, "keeper");
    keeper.spawn_for_a_person(command.stdout(Stdio::null()));
    keeper.login("nestjs");
    keeper.signal(Signal::HUP);
    goes_on(&mut keeper);
}

/// Row H11.
#[test]
fn a_keeper_outlives_its_standard_error() {
    let bench = Bench::strict(Duration::from_secs(60));
    let config = format!("vault = \"memory\"\n\n{}", bench.profile(Dialect::NestJs, ""));
    let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
    for word in ["keeper", "run"] {
        let mut keeper = Keeper::idle(&config);
        let mut command = keeper.command_of(Command::new(PROGRAM), word);
        keeper.spawn_for_a_person(command.stdout(full()).stderr(full()));
        keeper.login("nestjs");
        goes_on(&mut keeper);
        keeper.stop();

        let mut keeper = Keeper::idle(&config);
        let (terminal, shown) = terminal();
        let mut command = keeper.command_of(Command::new(PROGRAM), word);
        keeper.spawn_for_a_person(command.stdout(shown.try_clone().unwrap()).stderr(shown));
        keeper.login("nestjs");
        drop((terminal, command));
        goes_on(&mut keeper);
        keeper.stop();
    }
}

/// With a level at which it says something all the time, and the end of what it says it to.
fn goes_on(keeper: &mut Keeper) {
    for _ in 0..5 {
        keeper.refresh("nestjs").unwrap();
        assert_eq!(keeper.fetch("nestjs", "/aaa").unwrap().status, 200);
    }
    assert!(!keeper.has_ended());
    assert_ne!(keeper.phase("nestjs"), PhaseView::NeedsLogin { why: Lost::Refused });
}

fn a_refresh_on_its_way(bench: &Bench, keeper: &Keeper) -> Wire {
    let before = bench.counted(Dialect::NestJs).refreshes_received;
    bench.slow_refreshes(Duration::from_millis(400));
    let mut wire = keeper.wire();
    wire.send(Request::Refresh { profile: "nestjs".to_owned(), by: api::Asker::Person });
    until("the refresh is on its way", || {
        (bench.counted(Dialect::NestJs).refreshes_received > before).then_some(())
    });
    wire
}

/// The side of whoever looks at it, and the other one.
fn terminal() -> (std::os::fd::OwnedFd, File) {
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let shown = OpenOptions::new().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    (terminal, shown)
}
