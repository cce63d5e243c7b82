//! Fetches provider metadata (OpenID Connect Discovery, RFC 8414), checks the issuer, and keeps it for a day.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{Advice, Code, Discovery, Failure, Problem};
use session::limits;
use session::oauth;
use session::oauth::client::{ClientAuth, ClientRegistration};
use session::oauth::id_token::ASYMMETRIC;
use session::oauth::metadata::{Metadata, MetadataProblem, well_known};
use session::patience::Patience;
use session::reason::Trouble;
use session::verdict::Verdict;
use session::wire::message::Message;
use url::Url;

use super::Known;
use crate::adapters::clock;
use crate::adapters::http::{self, Http, NoClient, Received};
use crate::adapters::provider::Provider;
use crate::config::Oauth;

#[derive(Clone, Debug)]
pub(crate) enum Undescribed {
    Trouble {
        trouble: Trouble,
        status: Option<u16>,
        retry_after: Option<Duration>,
    },
    /// For example the page of a captive portal or of maintenance.
    Unreadable(Trouble, Failure),
    Unasked(NoClient),
    Unusable(Failure),
}

impl Undescribed {
    pub(super) fn trouble(&self) -> Trouble {
        match self {
            Self::Trouble { trouble, .. } => *trouble,
            Self::Unreadable(trouble, _) => *trouble,
            Self::Unasked(none) => none.trouble(),
            Self::Unusable(_) => Trouble::Discovery,
        }
    }

    /// The refresh token has not been sent.
    pub(super) fn verdict(self) -> Verdict {
        match self {
            Self::Trouble { trouble, status, retry_after } => {
                Verdict::Unsent { trouble, status, retry_after }
            }
            Self::Unasked(_) | Self::Unreadable(..) => {
                Verdict::Unsent { trouble: self.trouble(), status: None, retry_after: None }
            }
            Self::Unusable(_) => Verdict::Misconfigured { trouble: Trouble::Discovery, status: None },
        }
    }

    pub(crate) fn failure(self, host: &str) -> Failure {
        match self {
            Self::Trouble { trouble, status, .. } => Failure::provider(trouble, status, host),
            Self::Unasked(none) => none.failure(host),
            Self::Unreadable(_, failure) | Self::Unusable(failure) => failure.with("host", host),
        }
    }

    /// The earlier one is reported, but a wrong document says more than an unreadable page.
    fn unless(self, earlier: Option<Self>) -> Self {
        match (earlier, &self) {
            (Some(Self::Unreadable(..)), Self::Unusable(_)) | (None, _) => self,
            (Some(earlier), _) => earlier,
        }
    }
}

impl Provider {
    /// Endpoints written by hand take precedence.
    pub(super) async fn described(
        &self,
        oauth: &Oauth,
        patience: &mut Patience,
    ) -> Result<Arc<oauth::Provider>, Undescribed> {
        let old = {
            let facts = self.oauth.lock();
            match &facts.provider {
                Some(provider) if clock::now() < facts.stale => return Ok(Arc::clone(provider)),
                old => old.clone(),
            }
        };
        match self.describe(oauth, patience).await {
            Ok(provider) => {
                let provider = Arc::new(provider);
                let mut facts = self.oauth.lock();
                facts.stale = clock::now() + limits::DESCRIBED;
                facts.provider = Some(Arc::clone(&provider));
                Ok(provider)
            }
            Err(undescribed) => match old {
                Some(old) if !matches!(undescribed, Undescribed::Unusable(_)) => Ok(old),
                _ => Err(undescribed),
            },
        }
    }

    async fn describe(&self, oauth: &Oauth, patience: &mut Patience) -> Result<oauth::Provider, Undescribed> {
        let mut metadata = match (&oauth.issuer, &oauth.endpoints.token) {
            (Some(issuer), None) => {
                let reader = Reader {
                    http: &self.http,
                    ca_file: self.profile.ca_file.as_deref(),
                    allow_http: self.profile.allow_http,
                    known: Some(&self.oauth),
                };
                reader.read(issuer, patience).await?
            }
            (issuer, _) => Metadata {
                issuer: issuer.clone(),
                // None are named, so the configured keys decide. Each of these needs a private key.
                id_token_signing_alg_values_supported: ASYMMETRIC.map(str::to_owned).to_vec(),
                ..Metadata::default()
            },
        };
        oauth.endpoints.lay_over(&mut metadata);
        let metadata = metadata
            .checked(self.profile.allow_http)
            .map_err(|problem| unusable(&problem, oauth.address()))?;
        let secret = oauth.client.secret.is_some();
        let supported = &metadata.token_endpoint_auth_methods_supported;
        let client = ClientRegistration {
            auth: oauth.auth.unwrap_or_else(|| ClientAuth::suited(supported, secret)),
            scopes: oauth.scopes.clone().unwrap_or_else(|| proposed_scopes(&metadata)),
            ..oauth.client.clone()
        };
        Ok(oauth::Provider { metadata, client })
    }
}

pub(crate) async fn discover(
    http: &Http,
    issuer: &str,
    allow_http: bool,
    ca_file: Option<&Path>,
) -> Result<Metadata, Failure> {
    let host = Url::parse(issuer).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    let reader = Reader { http, ca_file, allow_http, known: None };
    let read = reader.read(issuer, &mut Patience::new(limits::DESCRIBE)).await;
    read.map_err(|undescribed| undescribed.failure(&host))
}

struct Reader<'a> {
    http: &'a Http,
    ca_file: Option<&'a Path>,
    allow_http: bool,
    known: Option<&'a Known>,
}

impl Reader<'_> {
    /// When the time is up, returns what was found until then.
    async fn read(&self, issuer: &str, patience: &mut Patience) -> Result<Metadata, Undescribed> {
        let mut found: Option<Metadata> = None;
        let mut problem: Option<Undescribed> = None;
        for address in well_known(issuer) {
            match self.document(&address, patience).await {
                Ok(Some(received)) => {
                    match (Metadata::of(&received.answer(), issuer, self.allow_http), &mut found) {
                        (Ok(metadata), Some(found)) => found.complete(metadata),
                        (Ok(metadata), None) => found = Some(metadata),
                        (Err(wrong), _) => problem = Some(unusable(&wrong, issuer).unless(problem)),
                    }
                }
                Ok(None) => {}
                Err(_) if found.is_some() => {}
                // Many applications redirect unknown paths to a sign-in page, so the other place is tried.
                Err(elsewhere @ Undescribed::Trouble { trouble: Trouble::Redirected, .. }) => {
                    problem = Some(elsewhere.unless(problem));
                }
                Err(undescribed) => return Err(undescribed),
            }
            if found.as_ref().is_some_and(Metadata::is_complete) {
                break;
            }
        }
        found.ok_or_else(|| problem.unwrap_or_else(|| nothing(issuer)))
    }

    async fn document(
        &self,
        address: &str,
        patience: &mut Patience,
    ) -> Result<Option<Received>, Undescribed> {
        let trouble = |trouble, status| Undescribed::Trouble { trouble, status, retry_after: None };
        let url = Url::parse(address).map_err(|_| trouble(Trouble::Misconfigured, None))?;
        let client =
            self.http.about_tokens(&url, self.ca_file, patience).await.map_err(Undescribed::Unasked)?;
        let message = Message::get(address);
        let received = http::exchange(&client, &url, &message, &[], patience)
            .await
            .and_then(Received::whole)
            .map_err(|reason| trouble(reason, None))?;
        if let Some(known) = self.known {
            known.heard(&url, &received);
        }
        match received.status {
            200..300 => Ok(Some(received)),
            300..400 => Err(trouble(Trouble::Redirected, Some(received.status))),
            429 => Err(Undescribed::Trouble {
                trouble: Trouble::RateLimited,
                status: Some(received.status),
                retry_after: received.answer().pause(),
            }),
            400..500 => Ok(None),
            status => Err(trouble(Trouble::Status, Some(status))),
        }
    }
}

fn nothing(issuer: &str) -> Undescribed {
    let problem = Problem::NoDescription { issuer: issuer.to_owned() };
    let failure = Failure::new(Code::NoMetadata).because(problem);
    Undescribed::Unusable(failure.hint(Some(Advice::IssuerAddress)))
}

fn unusable(problem: &MetadataProblem, issuer: &str) -> Undescribed {
    let told = |problem| Failure::new(Code::NoMetadata).because(problem);
    let owned = |field: &str| field.to_owned();
    Undescribed::Unusable(match problem {
        MetadataProblem::Issuer { found } => {
            let failure = Failure::new(Code::WrongIssuer).with("issuer", issuer);
            match found.as_deref().filter(|found| is_showable(found)) {
                Some(found) => failure.with("found", found),
                None => failure,
            }
        }
        MetadataProblem::Missing(field) => told(Problem::Missing { key: owned(field) }),
        MetadataProblem::Garbled => {
            let failure = Failure::new(Code::AnswerGarbled);
            return Undescribed::Unreadable(Trouble::Garbled, failure);
        }
        MetadataProblem::NotJson => {
            return Undescribed::Unreadable(Trouble::NotJson, told(Problem::NotJson));
        }
        MetadataProblem::Unsafe { field, url } if is_showable(url) => {
            let problem = Problem::UnsafeAddress { key: owned(field), address: url.clone() };
            told(problem).hint(Some(Advice::AllowHttp))
        }
        MetadataProblem::Unsafe { field, .. } => told(Problem::NoAddress { key: owned(field) }),
    })
}

fn is_showable(text: &str) -> bool {
    !text.is_empty() && text.len() <= 200 && text.bytes().all(|byte| byte.is_ascii_graphic())
}

fn proposed_scopes(metadata: &Metadata) -> Vec<String> {
    ["openid", "offline_access"]
        .into_iter()
        .filter(|scope| metadata.scopes_supported.iter().any(|known| known == scope))
        .map(str::to_owned)
        .collect()
}

pub(crate) fn describe(metadata: &Metadata) -> Discovery {
    let endpoints = [
        ("authorization", metadata.authorization_endpoint.as_ref()),
        ("device_authorization", metadata.device_authorization_endpoint.as_ref()),
        ("end_session", metadata.end_session_endpoint.as_ref()),
        ("introspection", metadata.introspection_endpoint.as_ref()),
        ("jwks_uri", metadata.jwks_uri.as_ref()),
        ("pushed_authorization_request", metadata.pushed_authorization_request_endpoint.as_ref()),
        ("revocation", metadata.revocation_endpoint.as_ref()),
        ("token", Some(&metadata.token_endpoint)),
        ("userinfo", metadata.userinfo_endpoint.as_ref()),
    ];
    Discovery {
        issuer: metadata.issuer.clone().unwrap_or_default(),
        endpoints: endpoints
            .into_iter()
            .filter_map(|(name, url)| Some((name.to_owned(), url?.clone())))
            .collect(),
        scopes: metadata.scopes_supported.clone(),
        proposed_scopes: proposed_scopes(metadata),
        browser: metadata.authorization_endpoint.is_some(),
        device: metadata.device_authorization_endpoint.is_some(),
        dpop: metadata.supports_dpop(),
        pushed: metadata.pushed_authorization_request_endpoint.is_some(),
        revocation: metadata.revocation_endpoint.is_some(),
        elsewhere: metadata.elsewhere().into_iter().map(str::to_owned).collect(),
        ignored: metadata.ignored.iter().map(|name| (*name).to_owned()).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Protocol};

    #[tokio::test]
    async fn an_old_description_is_better_than_certificates_that_cannot_be_read() {
        let text = "[profile.a]\nurl = 'https://127.0.0.1:9'\nca_file = '/nowhere/ca.pem'\n\
            [profile.a.oauth]\nissuer = 'https://127.0.0.1:9'\nclient_id = 'x'\n";
        let config = Config::read(text, Path::new("/nowhere.toml"));
        let profile = Arc::new(config.profiles[0].clone());
        let Protocol::Oauth(oauth) = &profile.protocol else { panic!("{:?}", config.mistakes) };
        let provider = Provider::new(Arc::clone(&profile), Http::default());
        let patience = || Patience::new(profile.timeout);
        let undescribed = provider.described(oauth, &mut patience()).await.unwrap_err();
        assert_eq!(undescribed.trouble(), Trouble::Certificates);
        let failure = undescribed.failure("here");
        assert_eq!(failure.code, Code::CertificatesUnreadable);
        assert_eq!(failure.details["file"], "/nowhere/ca.pem");
        let old = oauth::Provider { metadata: Metadata::default(), client: oauth.client.clone() };
        provider.oauth.lock().provider = Some(Arc::new(old));
        assert!(provider.described(oauth, &mut patience()).await.is_ok());
    }
}
