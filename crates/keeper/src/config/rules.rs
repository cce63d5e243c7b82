use url::{Host, Url};

use api::{Advice, Problem};

use super::hint::{self, Told};

/// A name also appears in the keyring and on command lines.
pub fn check_name(name: &str) -> Result<(), Told> {
    let told = |problem| Err((problem, Some(Advice::Names)));
    if name.is_empty() {
        return told(Problem::NameEmpty);
    }
    if name.chars().count() > LONGEST_NAME {
        return told(Problem::NameTooLong);
    }
    if name.starts_with([' ', '.', '-']) || name.ends_with(' ') {
        return told(Problem::NameEnds);
    }
    match name.chars().find(|c| !is_for_names(*c)) {
        Some(c) => told(Problem::NameCharacter { character: format!("{c:?}") }),
        None => Ok(()),
    }
}

/// Refuses what is secret, or would be lost when a path is appended.
pub fn check_url(text: &str, allow_http: bool) -> Result<Url, Told> {
    let written = || text.to_owned();
    let url = match Url::parse(text.trim()) {
        Ok(url) if text.contains("://") => url,
        _ if !text.contains("://") && !text.trim().is_empty() => {
            let hint = hint::write(format!("https://{}", text.trim()));
            return Err((Problem::UrlIncomplete { written: written() }, hint));
        }
        Ok(_) => return Err((Problem::NotAUrl { written: written(), said: None }, as_in())),
        Err(error) => {
            let said = Some(error.to_string());
            return Err((Problem::NotAUrl { written: written(), said }, as_in()));
        }
    };
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return Err((Problem::UrlScheme { scheme: url.scheme().to_owned() }, as_in()));
    }
    // Not repeated in the message, because it may contain a password.
    if !url.username().is_empty() || url.password().is_some() {
        return Err((Problem::UrlCredentials, Some(Advice::SignIn)));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err((Problem::UrlQuery, Some(Advice::LeaveOutQuery)));
    }
    if url.scheme() == "http" && !allow_http && !is_loopback(&url) {
        return Err((Problem::PlainHttp { host: host(&url) }, Some(Advice::AllowHttp)));
    }
    Ok(without_slash(url))
}

/// A complete URL, which may have a query (RFC 6749, section 3.2).
pub(super) fn check_endpoint(text: &str, allow_http: bool) -> Result<(), Told> {
    let base = text.split('?').next().unwrap_or_default();
    check_url(base, allow_http).map(drop)
}

pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        None => false,
    }
}

pub(crate) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Scheme, host and port (RFC 6454).
pub(super) fn origin(url: &str) -> String {
    Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.origin().ascii_serialization())
}

fn without_slash(mut url: Url) -> Url {
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    url
}

fn as_in() -> Option<Advice> {
    let (example, other) = ("https://api.example.com".to_owned(), "https://example.com/api".to_owned());
    Some(Advice::WriteEither { example, other })
}

/// The last two ranges are combining marks.
fn is_for_names(c: char) -> bool {
    c.is_alphanumeric() || " -_.".contains(c) || matches!(c, '\u{300}'..='\u{36f}' | '\u{900}'..='\u{109f}')
}

const LONGEST_NAME: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_may_be_in_any_script() {
        let longest = "x".repeat(64);
        for name in ["work", "Büro 2", "工作", "हिन्दी", "api.example.com", "a-b_c", longest.as_str()]
        {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        let too_long = "x".repeat(65);
        for name in [
            "",
            " a",
            "a ",
            ".hidden",
            "..",
            "-rf",
            "a/b",
            "a\nb",
            "a\u{202e}b",
            "a\u{200b}b",
            "a\"b",
            too_long.as_str(),
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn a_url_is_a_base_and_nothing_else() {
        for (text, base) in [
            ("https://api.example.com", "https://api.example.com/"),
            (" https://api.example.com/v1/ ", "https://api.example.com/v1"),
            ("http://127.0.0.1:9310/nestjs", "http://127.0.0.1:9310/nestjs"),
            ("http://127.8.9.1", "http://127.8.9.1/"),
            ("http://[::1]:8080/", "http://[::1]:8080/"),
            ("HTTP://LOCALHOST/", "http://localhost/"),
        ] {
            assert_eq!(check_url(text, false).map(|url| url.to_string()), Ok(base.to_owned()), "{text}");
        }
        for text in [
            "",
            "api.example.com",
            "https:api.example.com",
            "https://",
            "ftp://example.com",
            "file:///etc/passwd",
            "https://example.com/?a=b",
            "https://example.com/#a",
            "http://example.com",
            "http://10.0.0.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
        ] {
            assert!(check_url(text, false).is_err(), "{text}");
        }
        assert!(check_url("http://example.com", true).is_ok());
    }

    #[test]
    fn a_password_in_a_url_is_not_repeated() {
        for text in ["https://mia:s3cret@example.com", "https://:s3cret@example.com"] {
            let told = format!("{:?}", check_url(text, false).unwrap_err());
            assert!(!told.contains("s3cret"), "{told}");
        }
    }
}
