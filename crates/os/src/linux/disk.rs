//! How much room a disk has.

use std::path::Path;

/// Bytes that this user may still write where `dir` is; `None` when nobody can say.
pub fn room(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}
