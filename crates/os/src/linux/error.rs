use std::error::Error;
use std::io;

use rustix::io::Errno;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lack {
    Descriptors,
    Disk,
    Memory,
}

/// The caller goes through the sources of the error.
pub fn lack(error: &(dyn Error + 'static)) -> Option<Lack> {
    match errno(error)? {
        Errno::MFILE | Errno::NFILE => Some(Lack::Descriptors),
        Errno::NOMEM | Errno::NOBUFS => Some(Lack::Memory),
        Errno::NOSPC => Some(Lack::Disk),
        _ => None,
    }
}

/// Whether a connection failed on this machine, or in its own network.
pub fn is_no_way_there(error: &(dyn Error + 'static)) -> bool {
    matches!(
        errno(error),
        Some(
            Errno::ACCESS
                | Errno::ADDRNOTAVAIL
                | Errno::AFNOSUPPORT
                | Errno::HOSTUNREACH
                | Errno::NETDOWN
                | Errno::NETUNREACH
                | Errno::PERM
        )
    )
}

fn errno(error: &(dyn Error + 'static)) -> Option<Errno> {
    let error = error.downcast_ref::<io::Error>()?;
    // An error of the system may be wrapped in one of a library's.
    Errno::from_io_error(error).or_else(|| error.get_ref().and_then(|inner| errno(inner)))
}
