//! A screen of the test's own, with somebody in front of it.

use std::fs::File;
use std::process::{Command, Stdio};

use super::stage::{Process, output, until};

pub(crate) struct Screen {
    windows: Process,
    display: String,
    server: Process,
}

impl Screen {
    pub(crate) fn new(log: File) -> Self {
        let mut command = Command::new("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", "1280x900x24", "-nolisten", "tcp"]);
        // Otherwise it starts afresh when a client leaves before the next one has come, and loses that one.
        command.arg("-noreset").stdin(Stdio::null()).stdout(Stdio::piped());
        let mut server = Process::spawn(command.stderr(log.try_clone().unwrap()));
        let display = format!(":{}", server.first_line());
        let mut command = Command::new("openbox");
        command.arg("--sm-disable").env("DISPLAY", &display).stdin(Stdio::null());
        let windows = Process::spawn(command.stdout(log.try_clone().unwrap()).stderr(log));
        let screen = Self { windows, display, server };
        until("windows are looked after", || screen.point(&["get_num_desktops"]));
        screen
    }

    pub(crate) fn display(&self) -> &str {
        &self.display
    }

    pub(crate) fn shows(&self, title: &str) -> bool {
        self.window(title).is_some()
    }

    /// Types into the window, once it is there, presses the key, and sees the window go.
    pub(crate) fn answer(&self, title: &str, text: &str, keys: &[&str]) {
        let window = until(&format!("{title} has the keyboard"), || {
            let window = self.window(title)?;
            self.point(&["windowactivate", &window])?;
            (self.point(&["getwindowfocus"])? == window).then_some(window)
        });
        if !text.is_empty() {
            self.point(&["type", text]).unwrap();
        }
        self.point(&[&["key"], keys].concat()).unwrap();
        until(&format!("{title} goes away"), || (self.window(title).as_ref() != Some(&window)).then_some(()));
    }

    /// Presses keys in the window, once it is there.
    pub(crate) fn press(&self, title: &str, keys: &[&str]) {
        until(&format!("{title} has the keyboard"), || {
            let window = self.window(title)?;
            self.point(&["windowactivate", &window])?;
            (self.point(&["getwindowfocus"])? == window).then_some(())
        });
        self.point(&[&["key"], keys].concat()).unwrap();
    }

    fn window(&self, title: &str) -> Option<String> {
        let found = self.point(&["search", "--onlyvisible", "--name", title])?;
        found.lines().last().map(str::to_owned)
    }

    /// What xdotool answers, unless it fails.
    fn point(&self, arguments: &[&str]) -> Option<String> {
        let mut command = Command::new("xdotool");
        let ran = output(command.args(arguments).env("DISPLAY", &self.display), "");
        ran.status.success().then(|| String::from_utf8(ran.stdout).unwrap().trim().to_owned())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        self.windows.kill();
        // Killed, it would leave its socket behind.
        self.server.end();
    }
}
