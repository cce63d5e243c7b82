//! What went wrong below HTTP. What this machine lacks is never the provider's fault, and a connection that is not to be
//! trusted is not the provider's answer.

use std::error::Error;
use std::fs::File;
use std::io;

use os::error::{Lack, is_no_way_there, lack};
use rustls::{AlertDescription, CertificateError};
use session::reason::Trouble;

pub(super) fn in_sending(error: &reqwest::Error) -> Trouble {
    if let Some(own) = causes(error).find_map(of_this_machine) {
        return own;
    }
    if error.is_connect() || error.is_dns() {
        return in_connecting(error);
    }
    if causes(error).any(is_turned_away) {
        return Trouble::Tls;
    }
    if let Some(unreadable) = causes(error).find_map(in_head) {
        return unreadable;
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

/// What answers is there, and says something else than HTTP, or far too much of it.
fn in_head(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let error = error.downcast_ref::<hyper::Error>()?;
    if error.is_parse_too_large() {
        return Some(Trouble::TooLarge);
    }
    error.is_parse().then_some(Trouble::Garbled)
}

fn in_connecting(error: &reqwest::Error) -> Trouble {
    if error.is_dns() || causes(error).any(is_no_way_there) {
        Trouble::NoNetwork
    } else if causes(error).any(is_of_proxy) {
        Trouble::Proxy
    } else {
        causes(error).find_map(in_handshake).unwrap_or(Trouble::Offline)
    }
}

fn in_handshake(error: &(dyn Error + 'static)) -> Option<Trouble> {
    let Some(error) = error.downcast_ref::<rustls::Error>() else {
        return is_end_of_handshake(error).then_some(Trouble::Tls);
    };
    let rustls::Error::InvalidCertificate(wrong) = error else { return Some(Trouble::Tls) };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the library's own, and more will come")]
    Some(match wrong {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Trouble::CertificateDate,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            Trouble::CertificateName
        }
        // The second and the third: an authority of that name is known, but it has another key.
        CertificateError::UnknownIssuer
        | CertificateError::BadSignature
        | CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext { .. } => {
            Trouble::CertificateUnknown
        }
        _ => Trouble::CertificateUnfit,
    })
}

/// With TLS 1.3, a server that wants a certificate of its clients says so after the handshake, and reads nothing.
fn is_turned_away(error: &(dyn Error + 'static)) -> bool {
    matches!(
        error.downcast_ref(),
        Some(rustls::Error::AlertReceived(
            AlertDescription::AccessDenied
                | AlertDescription::BadCertificate
                | AlertDescription::CertificateRequired
                | AlertDescription::HandshakeFailure
                | AlertDescription::UnknownCA
        ))
    )
}

/// Whoever takes a connection and ends it before anything was sent on it. Only a handshake is in between.
fn is_end_of_handshake(error: &(dyn Error + 'static)) -> bool {
    let kind = error.downcast_ref().map(io::Error::kind);
    matches!(
        kind,
        Some(io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset | io::ErrorKind::UnexpectedEof)
    )
}

/// The type is the library's secret.
fn is_of_proxy(error: &(dyn Error + 'static)) -> bool {
    error.to_string().starts_with("tunnel error: ")
}

/// The library says only that it found no certificates of the system. Opening another file shows why.
fn of_the_next_file() -> Option<Trouble> {
    File::open("/").err().and_then(|error| of_this_machine(&error))
}

/// Also what an error of the system is wrapped around, which is not its source.
fn causes<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    let mut next = Some(error);
    std::iter::from_fn(move || {
        let error = next?;
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| inner as _).or_else(|| error.source());
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
