//! `/oauth`, as a client and a browser meet it. The browser is a script: it keeps a cookie and fills in forms.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use pilotlight_sandbox::{Dpop, OAuthSettings};
use url::{Url, form_urlencoded};

use super::*;

#[path = "oauth/device.rs"]
mod device;
#[path = "oauth/dpop.rs"]
mod dpop;
#[path = "oauth/ending.rs"]
mod ending;
#[path = "oauth/faults.rs"]
mod faults;
#[path = "oauth/grants.rs"]
mod grants;
#[path = "oauth/resources.rs"]
mod resources;
#[path = "oauth/signing_in.rs"]
mod signing_in;

/// A page with a form, as a browser holds it.
struct Page {
    cookie: String,
    ticket: String,
    answer: Answer,
}

impl Lab {
    async fn with_oauth(change: impl FnOnce(&mut OAuthSettings)) -> Self {
        let lab = Self::new().await;
        lab.control.change_settings(|settings| change(&mut settings.oauth));
        lab
    }

    pub(super) async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.form_with(path, &[], fields).await
    }

    async fn form_with(&self, path: &str, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
        let mut request = self.client.post(self.url(path)).form(fields);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    fn issuer(&self) -> String {
        self.url("/oauth")
    }

    /// Opens a page and finds what its form needs.
    async fn open(&self, path: &str) -> Page {
        let answer = self.get(path, "").await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        let (_, ticket) = answer.body.split_once("name=\"ticket\" value=\"").unwrap();
        let ticket = ticket.split('"').next().unwrap().to_owned();
        Page { cookie, ticket, answer }
    }

    async fn send(&self, page: &Page, path: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("ticket", page.ticket.as_str())], fields].concat();
        self.form_with(path, &[("cookie", &page.cookie)], &fields).await
    }

    /// Signs alice in and returns where the browser is sent.
    async fn back_from(&self, page: &Page) -> Url {
        let sent =
            self.send(page, "/oauth/sign_in", &[("username", "alice"), ("password", "wonderland")]).await;
        sent.location()
    }

    /// A code for a request with these changes.
    async fn code(&self, changes: &[(&str, &str)]) -> String {
        parameter(&self.back_from(&self.open(&authorize(changes)).await).await, "code").unwrap()
    }

    async fn signed_in(&self, changes: &[(&str, &str)]) -> Answer {
        let tokens = self.form("/oauth/token", &code_form(&self.code(changes).await)).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        tokens
    }

    pub(super) async fn through_the_browser(&self) -> Session {
        self.signed_in(&[]).await.session(Dialect::OAuth, "")
    }

    fn counted(&self) -> pilotlight_sandbox::Counters {
        self.control.counters().oauth
    }
}

impl Answer {
    #[track_caller]
    fn location(&self) -> Url {
        assert_eq!(self.status, 303, "{}", self.body);
        Url::parse(&self.header("location")).unwrap()
    }

    #[track_caller]
    fn refuses(&self, status: u16, error: &str) {
        assert_eq!((self.status, self.text("error").as_str()), (status, error), "{}", self.body);
        assert_eq!(self.header("cache-control"), "no-store");
    }

    fn challenges(&self) -> Vec<&str> {
        self.headers.get_all("www-authenticate").iter().map(|value| value.to_str().unwrap()).collect()
    }
}

/// The address that a client sends a browser to.
fn authorize(changes: &[(&str, &str)]) -> String {
    format!("/oauth/authorize?{}", encoded(&request(changes)))
}

fn request<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields = vec![
        ("response_type", "code"),
        ("client_id", "pilotlight"),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile api"),
        ("state", "the-state"),
        ("nonce", "the-nonce"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    for change in changes {
        fields.retain(|(name, _)| *name != change.0);
        fields.push(*change);
    }
    fields
}

fn code_form(code: &str) -> [(&str, &str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", "pilotlight"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ]
}

pub(super) fn refresh_form(token: &str) -> [(&str, &str); 3] {
    [("grant_type", "refresh_token"), ("client_id", "pilotlight"), ("refresh_token", token)]
}

pub(super) fn encoded(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(it, _)| it == name).map(|(_, value)| value.into_owned())
}

fn hash(text: &str) -> String {
    BASE64.encode(digest(&SHA256, text.as_bytes()))
}

const REDIRECT: &str = "http://127.0.0.1:47123/callback";
/// The pair that RFC 7636 prints.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
