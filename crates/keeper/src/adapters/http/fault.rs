//! What went wrong below HTTP. What this machine lacks is never the provider's fault.

use std::error::Error;
use std::fs::File;

use os::error::{Lack, is_no_way_there, lack};
use session::reason::Trouble;

pub(super) fn in_sending(error: &reqwest::Error) -> Trouble {
    if let Some(own) = causes(error).find_map(of_this_machine) {
        return own;
    }
    if error.is_connect() || error.is_dns() {
        return if causes(error).any(mentions_tls) {
            Trouble::Tls
        } else if error.is_dns() || causes(error).any(is_no_way_there) {
            Trouble::NoNetwork
        } else {
            Trouble::Offline
        };
    }
    if error.is_timeout() {
        return Trouble::TimedOut;
    }
    if error.is_builder() {
        return Trouble::Misconfigured;
    }
    if error.is_redirect() {
        return Trouble::Redirected;
    }
    Trouble::Unanswered
}

pub(super) fn in_body(error: &reqwest::Error) -> Trouble {
    causes(error).find_map(of_this_machine).unwrap_or(Trouble::CutShort)
}

pub(super) fn in_making(error: &(dyn Error + 'static)) -> Trouble {
    causes(error).find_map(of_this_machine).or_else(of_the_next_file).unwrap_or(Trouble::Certificates)
}

pub(super) fn cause(error: &(dyn Error + 'static)) -> String {
    causes(error).last().unwrap_or(error).to_string()
}

/// The library says only that it found no certificates of the system. Opening another file shows why.
fn of_the_next_file() -> Option<Trouble> {
    File::open("/").err().and_then(|error| of_this_machine(&error))
}

fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        next = error.source();
        Some(error)
    })
}

fn of_this_machine(error: &(dyn Error + 'static)) -> Option<Trouble> {
    Some(match lack(error)? {
        Lack::Descriptors => Trouble::Descriptors,
        Lack::Disk => Trouble::Disk,
        Lack::Memory => Trouble::Memory,
    })
}

/// reqwest does not tell a failed handshake from a refused connection; the causes do.
fn mentions_tls(error: &(dyn Error + 'static)) -> bool {
    let text = error.to_string();
    ["certificate", "handshake", "tls", "TLS"].iter().any(|word| text.contains(word))
}

#[cfg(test)]
mod tests {
    use std::io;

    use rustix::io::Errno;

    use super::*;

    #[derive(Debug)]
    struct Wrapped(io::Error);

    impl std::fmt::Display for Wrapped {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("of the library")
        }
    }

    impl Error for Wrapped {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    #[tokio::test]
    async fn a_network_that_leads_nowhere_is_nobody_elses() {
        let name = format!("http://{}.invalid", "x".repeat(64));
        for (address, trouble) in [
            ("http://127.255.255.255:9", Trouble::NoNetwork),
            (name.as_str(), Trouble::NoNetwork),
            ("http://127.0.0.1:9", Trouble::Offline),
        ] {
            let client = reqwest::ClientBuilder::new().no_proxy().build().unwrap();
            let error = client.get(address).send().await.unwrap_err();
            assert_eq!(in_sending(&error), trouble, "{error:?}");
        }
    }

    #[test]
    fn what_this_machine_lacks_is_found_however_deep_it_lies() {
        for (errno, trouble) in [
            (Errno::MFILE, Some(Trouble::Descriptors)),
            (Errno::NFILE, Some(Trouble::Descriptors)),
            (Errno::NOMEM, Some(Trouble::Memory)),
            (Errno::NOSPC, Some(Trouble::Disk)),
            (Errno::CONNREFUSED, None),
        ] {
            let bare = || io::Error::from(errno);
            let other = io::Error::other(bare());
            let wrapped = Wrapped(io::Error::other(Wrapped(bare())));
            for error in [&bare() as &(dyn Error + 'static), &other, &wrapped] {
                assert_eq!(causes(error).find_map(of_this_machine), trouble, "{errno:?} {error:?}");
            }
        }
    }
}
