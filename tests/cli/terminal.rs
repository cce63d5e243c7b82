//! A terminal of the test's own, and what can be seen on it.

use std::fs::{File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use crate::fake::Lab;

/// A terminal with nobody at it but the test.
pub(crate) struct Terminal {
    pub(crate) keys: File,
    screen: File,
}

impl Terminal {
    pub(crate) fn open() -> Self {
        let keys = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&keys).unwrap();
        unlockpt(&keys).unwrap();
        let name = ptsname(&keys, Vec::new()).unwrap();
        let path = Path::new(std::ffi::OsStr::from_bytes(name.to_bytes()));
        let mut options = OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::custom_flags(
            options.read(true).write(true),
            rustix::fs::OFlags::NOCTTY.bits().cast_signed(),
        );
        Self { keys: keys.into(), screen: options.open(path).unwrap() }
    }

    pub(crate) fn run(&self, lab: &Lab, arguments: &[&str]) -> Child {
        let stdin: OwnedFd = self.screen.try_clone().unwrap().into();
        lab.command(arguments).stdin(stdin).spawn().unwrap()
    }

    /// With standard error on it too, as wide as that.
    pub(crate) fn run_on_screen(&self, command: &mut Command, columns: u16) -> Child {
        let size = Winsize { ws_row: 50, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&self.screen, size).unwrap();
        let screen = || OwnedFd::from(self.screen.try_clone().unwrap());
        command.stdin(screen()).stderr(screen()).env("TERM", "xterm").spawn().unwrap()
    }

    /// Reads what is on the screen until it says this.
    pub(crate) fn read_until(&mut self, words: &str) -> String {
        let (mut text, mut part) = (Vec::new(), [0; 4096]);
        let since = Instant::now();
        loop {
            let shown = String::from_utf8_lossy(&text).into_owned();
            if shown.contains(words) {
                return shown;
            }
            assert!(since.elapsed() < PATIENCE, "{words:?} is not on the screen: {shown:?}");
            let ready = PollFd::new(&self.keys, PollFlags::IN);
            let wait = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            if poll(&mut [ready], Some(&wait)).unwrap() > 0 {
                let length = self.keys.read(&mut part).unwrap();
                text.extend_from_slice(&part[..length]);
            }
        }
    }

    pub(crate) fn modes(&self) -> LocalModes {
        tcgetattr(&self.screen).unwrap().local_modes
    }

    pub(crate) fn wait_until(&self, reached: impl Fn(LocalModes) -> bool) {
        let since = Instant::now();
        while !reached(self.modes()) {
            assert!(since.elapsed() < PATIENCE, "the terminal stays as it is: {:?}", self.modes());
            std::thread::yield_now();
        }
    }

    /// What the terminal showed of what was typed.
    pub(crate) fn shown(mut self) -> String {
        let mut text = vec![0; 4096];
        writeln!(self.screen, "|").unwrap();
        let length = self.keys.read(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).into_owned()
    }
}

pub(crate) fn exit_code(child: &mut Child) -> Option<i32> {
    let since = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status.code();
        }
        if since.elapsed() > PATIENCE {
            child.kill().unwrap();
            panic!("it goes on waiting for keys");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Reads standard error up to this.
pub(crate) fn wait_for(child: &mut Child, prompt: &str) {
    let stderr = child.stderr.as_mut().unwrap();
    let mut text = Vec::new();
    let mut byte = [0];
    while !String::from_utf8_lossy(&text).contains(prompt) {
        assert_eq!(stderr.read(&mut byte).unwrap(), 1, "{:?}", String::from_utf8_lossy(&text));
        text.push(byte[0]);
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
