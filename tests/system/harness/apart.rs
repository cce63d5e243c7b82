//! A test in a network of its own, where it makes links and routes that are otherwise the whole machine's.

use std::env;
use std::io::Write as _;
use std::process::{Command, Stdio};

/// Runs `body` in a process of its own, in a network with nothing but `lo`. `test` is the name of the test that calls
/// this. It takes a kernel that lets this user divide it, `unshare` (util-linux) and `ip` (iproute2).
pub(crate) fn in_a_network_of_its_own(test: &str, body: impl FnOnce()) {
    if env::var_os(INSIDE).is_some() {
        ip("link set lo up");
        return body();
    }
    if !divides(&NETWORK, "ip link set lo up") {
        return;
    }
    let mut inside = Command::new("unshare");
    inside.args(NETWORK).arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let ended = inside.env(INSIDE, "yes").stdin(Stdio::null()).output().unwrap();
    let said = [ended.stdout, ended.stderr].concat();
    assert!(ended.status.success(), "in a network of its own:\n{}", String::from_utf8_lossy(&said));
}

/// Says to `ip` what stands in the line.
pub(crate) fn ip(line: &str) {
    let ended = Command::new("ip").args(line.split(' ')).output();
    let ended = ended.unwrap_or_else(|error| panic!("ip: {error}. Install it: apt-get install iproute2"));
    assert!(ended.status.success(), "ip {line}: {}", String::from_utf8_lossy(&ended.stderr));
}

/// Whether that can be done in such namespaces. Some containers let nobody divide them, and nothing can be shown there;
/// where everything has to be shown, that is a failure.
pub(crate) fn divides(namespaces: &[&str], try_it: &str) -> bool {
    let tried = Command::new("unshare").args(namespaces).args(["sh", "-c", try_it]).output();
    let why = match tried {
        Ok(tried) if tried.status.success() => return true,
        Ok(tried) => String::from_utf8_lossy(&tried.stderr).trim().to_owned(),
        Err(error) => format!("unshare: {error}"),
    };
    let note =
        format!("note: this machine lets nobody have namespaces of their own ({namespaces:?}): {why}\n");
    assert!(env::var_os("CI").is_none_or(|ci| ci != "true"), "{note}");
    // Past what holds back the words of a test that passes.
    std::io::stderr().write_all(note.as_bytes()).unwrap();
    false
}

const INSIDE: &str = "PILOTLIGHT_TEST_APART";

const NETWORK: [&str; 3] = ["--user", "--map-root-user", "--net"];
