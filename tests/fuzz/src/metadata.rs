//! What a provider says about itself: a line with the issuer that was asked, and the document.

use session::bounds;
use session::oauth::metadata::{Metadata, well_known};
use url::{Host, Url};

use crate::input::{assert_silent, line};

pub fn hold(input: &[u8]) {
    let (issuer, body) = line(input);
    for address in well_known(&issuer) {
        assert!(issuer.is_ascii(), "{issuer}");
        // Some hosts are names for one parser alone. Then nothing is asked.
        let (Ok(at), Ok(asked)) = (Url::parse(&address), Url::parse(&issuer)) else { continue };
        assert_eq!(at.origin(), asked.origin(), "another is asked");
        assert!(at.query().is_none() && at.fragment().is_none(), "{address}");
    }
    for allow_http in [false, true] {
        let read = Metadata::read(body, &issuer, allow_http);
        let Ok(mut metadata) = read else {
            assert_silent(&read.map(drop).is_ok());
            continue;
        };
        assert_eq!(metadata.issuer.as_deref(), Some(&*issuer), "letter by letter");
        checked(&metadata, allow_http);
        assert_eq!(
            metadata.clone().checked(allow_http).as_ref(),
            Ok(&metadata),
            "looked at twice, it is the same"
        );
        let before = metadata.clone();
        metadata.complete(before.clone());
        assert_eq!(Metadata { ignored: Vec::new(), ..metadata }, Metadata { ignored: Vec::new(), ..before });
    }
}

/// Tokens and passwords are sent there, by a library that reads addresses itself.
fn checked(metadata: &Metadata, allow_http: bool) {
    let endpoints = [
        Some(&metadata.token_endpoint),
        metadata.authorization_endpoint.as_ref(),
        metadata.device_authorization_endpoint.as_ref(),
        metadata.end_session_endpoint.as_ref(),
        metadata.introspection_endpoint.as_ref(),
        metadata.jwks_uri.as_ref(),
        metadata.pushed_authorization_request_endpoint.as_ref(),
        metadata.revocation_endpoint.as_ref(),
        metadata.userinfo_endpoint.as_ref(),
    ];
    let elsewhere = metadata.elsewhere();
    let issuer = metadata.issuer.as_deref().filter(|issuer| !well_known(issuer).is_empty());
    let home = issuer.and_then(|issuer| Url::parse(issuer).ok());
    for endpoint in endpoints.into_iter().flatten() {
        assert!(endpoint.len() <= bounds::ADDRESS);
        let Ok(url) = Url::parse(endpoint) else { continue };
        let is_here = match url.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        assert!(url.scheme() == "https" || (url.scheme() == "http" && (is_here || allow_http)), "{endpoint}");
        assert!(
            url.username().is_empty() && url.password().is_none() && url.fragment().is_none(),
            "{endpoint}"
        );
        let is_told = elsewhere.contains(&endpoint.as_str());
        assert_eq!(is_told, home.as_ref().is_some_and(|home| url.origin() != home.origin()), "{endpoint}");
    }
    for list in [
        &metadata.code_challenge_methods_supported,
        &metadata.dpop_signing_alg_values_supported,
        &metadata.grant_types_supported,
        &metadata.id_token_signing_alg_values_supported,
        &metadata.scopes_supported,
        &metadata.token_endpoint_auth_methods_supported,
    ] {
        assert!(list.len() <= bounds::LISTED);
        assert!(list.iter().all(|word| word.bytes().all(|byte| byte.is_ascii_graphic())), "{list:?}");
    }
}
