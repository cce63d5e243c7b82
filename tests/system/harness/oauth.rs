//! The sandbox as an OAuth provider: profiles for it, people who sign in there, and what it says about tokens.

use std::time::Duration;

use api::{Failure, Pending, Reply, Request, Way};
use pilotlight_sandbox::{Counters, Dialect};
use serde_json::Value;

use super::{Bench, Browser, Keeper, Page, Person, given, token};

impl Bench {
    /// Of the issuer, and what the paths of its API are appended to.
    pub(crate) fn issuer(&self) -> String {
        format!("{}/oauth", self.origin())
    }

    /// A profile of the public client. `of_oauth` are more lines of its table.
    pub(crate) fn oauth(&self, name: &str, more: &str, of_oauth: &str) -> String {
        let url = self.issuer();
        format!(
            "[profile.{name}]\nurl = \"{url}\"\n{more}\n[profile.{name}.oauth]\nissuer = \"{url}\"\n\
             client_id = \"pilotlight\"\n{of_oauth}\n\n"
        )
    }

    /// A profile of the client that comes for itself.
    pub(crate) fn service(&self, name: &str, more: &str, of_oauth: &str) -> String {
        let own = format!("grant = \"client_credentials\"\nscopes = [\"api\"]\n{of_oauth}");
        self.oauth(name, more, &own).replace("\"pilotlight\"", "\"pilotlight-service\"")
    }

    pub(crate) fn told(&self) -> Counters {
        self.counted(Dialect::OAuth)
    }

    /// The statuses of the answers at the path, below the issuer, in their order.
    pub(crate) fn statuses(&self, path: &str) -> Vec<u16> {
        let path = format!("/oauth{path}");
        let log = self.control.log(0);
        log.iter().filter(|entry| entry.path == path).filter_map(|entry| entry.status).collect()
    }

    /// What the issuer knows of a token (RFC 7662).
    pub(crate) fn introspect(&self, token: &str) -> Value {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let request = client.post(format!("{}/introspect", self.issuer())).form(&[("token", token)]);
            let response = request.basic_auth("pilotlight-service", Some(SECRET)).send().await.unwrap();
            serde_json::from_slice(&response.bytes().await.unwrap()).unwrap()
        })
    }
}

impl Keeper {
    /// What a person is shown, and what the browser is to open.
    pub(crate) fn begin_sign_in(&self, profile: &str, way: Way) -> (Pending, Option<String>) {
        match self.ask(Request::SignIn { profile: profile.to_owned(), way: Some(way) }) {
            Ok(Reply::SignIn { pending, url }) => (pending, url),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn finish_sign_in(&self, profile: &str) -> Result<(), Failure> {
        let request = Request::FinishSignIn { profile: profile.to_owned(), timeout_ms: Some(20_000) };
        self.ask(request).map(|reply| assert!(matches!(reply, Reply::Status(_)), "{reply:?}"))
    }

    /// Signs in as alice in a browser of her own; returns what that shows in the end.
    pub(crate) fn sign_in(&self, profile: &str) -> Page {
        let (_, url) = self.begin_sign_in(profile, Way::Browser);
        let mut browser = Browser::new();
        let page = browser.follow(&url.unwrap(), Person::ALICE);
        assert!(browser.has_typed_a_password(), "nobody was asked anything: {page:?}");
        self.finish_sign_in(profile).unwrap();
        self.until_fresh(profile);
        page
    }

    pub(crate) fn access_token(&self, profile: &str) -> String {
        given(self.ask(token(profile, Duration::ZERO))).unwrap().access_token
    }

    pub(crate) fn log_out(&self, profile: &str, browser: bool) -> Reply {
        self.ask(Request::Logout { profile: profile.to_owned(), browser }).unwrap()
    }
}

/// Endpoints by hand, all of them below that origin, except these.
pub(crate) fn by_hand(name: &str, origin: &str, without: &[&str]) -> String {
    let all = [
        ("authorization", "authorize"),
        ("device_authorization", "device_authorization"),
        ("end_session", "end_session"),
        ("introspection", "introspect"),
        ("jwks_uri", "jwks"),
        ("revocation", "revoke"),
        ("token", "token"),
        ("userinfo", "userinfo"),
    ];
    let lines = all.iter().filter(|(endpoint, _)| !without.contains(endpoint));
    let lines = lines.map(|(endpoint, path)| format!("{endpoint} = \"{origin}/oauth/{path}\"\n"));
    format!("[profile.{name}.oauth.endpoints]\n{}", lines.collect::<String>())
}

/// Of the client that comes for itself.
pub(crate) const SECRET: &str = "sandbox-secret";
