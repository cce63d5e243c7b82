//! Signals, by their numbers.

use std::fs;

use rustix::process::Signal;

/// Those that end a process which has set no alarm, profiles nothing and agreed on no meaning for the others with
/// anybody. The last is what a limit of the shell (`ulimit -f`) sends besides the error that the writer gets anyway.
pub fn meaningless() -> [i32; 8] {
    [
        Signal::ALARM,
        Signal::VTALARM,
        Signal::PROF,
        Signal::IO,
        Signal::POWER,
        Signal::USR1,
        Signal::USR2,
        Signal::XFSZ,
    ]
    .map(Signal::as_raw)
}

/// Whether this process was started with that signal ignored, as `nohup` does.
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
