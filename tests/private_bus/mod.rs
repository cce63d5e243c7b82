//! A bus of a test's own, with nothing on it, and nothing that it would start by being asked for.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Ends with the test.
pub(crate) struct Bus {
    address: String,
    daemon: Child,
}

impl Bus {
    /// Its files are in `dir`, and what it says goes to `log`. It listens where D-Bus's `listen` says.
    pub(crate) fn start(dir: &Path, listen: &str, log: File) -> Self {
        let config = dir.join("bus.conf");
        fs::write(&config, CONFIG.replace("LISTEN", listen)).unwrap();
        let mut daemon = Command::new("dbus-daemon")
            .arg(format!("--config-file={}", config.display()))
            .args(["--nofork", "--print-address"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("dbus-daemon: {error}. Install it: apt-get install dbus"));
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self { address: address.trim().to_owned(), daemon }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        drop(self.daemon.kill());
        drop(self.daemon.wait());
    }
}

const CONFIG: &str = r#"<busconfig>
  <type>session</type>
  <listen>LISTEN</listen>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"#;
