use std::fs;

use rustix::process::Signal;

/// Signals that end a process by default and mean nothing here. `ulimit -f` sends the last one besides an error.
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

/// `nohup` ignores a signal this way.
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}
