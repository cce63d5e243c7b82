//! The sandbox through real sockets: its dialects to the byte, its rotation, every fault, its control.

// The exemption of tests covers their functions, not their helpers.
#![allow(clippy::unwrap_used)]

use std::time::{Duration, Instant};

use pilotlight_sandbox::{
    Control, Dialect, Endpoint, Fault, Rotation, Sandbox, Settings, StartError, Switch, TokenFormat, What,
    start,
};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[path = "sandbox/control.rs"]
mod control;
#[path = "sandbox/dialects.rs"]
mod dialects;
#[path = "sandbox/faults.rs"]
mod faults;
#[path = "sandbox/oauth.rs"]
mod oauth;
#[path = "sandbox/rotation.rs"]
mod rotation;
#[path = "sandbox/serving.rs"]
mod serving;

/// A sandbox and a client of it.
struct Lab {
    sandbox: Sandbox,
    control: Control,
    client: reqwest::Client,
}

struct Session {
    dialect: Dialect,
    access: String,
    refresh: String,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    body: String,
}

impl Lab {
    async fn new() -> Self {
        let sandbox = start(Settings::default()).await.unwrap();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        Self { control: sandbox.control(), sandbox, client: client.build().unwrap() }
    }

    async fn rotating(dialect: Dialect, rotation: Rotation, grace_ms: u64) -> Self {
        let lab = Self::new().await;
        lab.control.change_settings(|settings| {
            settings.dialects[dialect].rotation = rotation;
            settings.dialects[dialect].grace = Duration::from_millis(grace_ms);
        });
        lab
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.sandbox.url())
    }

    async fn get(&self, path: &str, authorization: &str) -> Answer {
        self.ask("GET", path, &[("authorization", authorization)], None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.ask("POST", path, &[], Some(body)).await
    }

    async fn post_as(&self, path: &str, authorization: &str, body: Value) -> Answer {
        self.ask("POST", path, &[("authorization", authorization)], Some(body)).await
    }

    async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> Answer {
        let mut request = self.client.request(method.parse().unwrap(), self.url(path));
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Answer { status, headers, body: response.text().await.unwrap() }
    }

    /// Switches a fault on, over HTTP.
    async fn on(&self, fault: Fault, switch: Value) {
        let told = self.ask("PUT", &format!("/control/faults/{}", fault.name()), &[], Some(switch)).await;
        assert_eq!(told.status, 200, "{}", told.body);
    }

    /// Signs in as alice; in flask there is no access token yet.
    async fn log_in(&self, dialect: Dialect) -> Session {
        let path = match dialect {
            Dialect::Flask | Dialect::NestJs => "/login",
            Dialect::Heartbeat => "/api/auth/login",
            Dialect::OAuth => return self.through_the_browser().await,
            Dialect::SimpleJwt => "/api/token/",
        };
        let login = self.post(&format!("/{}{path}", dialect.name()), alice()).await;
        login.session(dialect, "")
    }

    async fn sign_in(&self, dialect: Dialect) -> Session {
        let session = self.log_in(dialect).await;
        match dialect {
            Dialect::Flask => self.renewed(dialect, &session.refresh).await,
            Dialect::Heartbeat | Dialect::NestJs | Dialect::OAuth | Dialect::SimpleJwt => session,
        }
    }

    async fn refresh(&self, dialect: Dialect, token: &str) -> Answer {
        match dialect {
            Dialect::NestJs => self.get(&format!("/nestjs/refresh?token={token}"), "").await,
            Dialect::OAuth => self.form("/oauth/token", &oauth::refresh_form(token)).await,
            Dialect::Flask | Dialect::Heartbeat | Dialect::SimpleJwt => {
                let (path, body) = refresh_body(dialect, token);
                self.post(path, body).await
            }
        }
    }

    async fn renewed(&self, dialect: Dialect, token: &str) -> Session {
        let granted = self.refresh(dialect, token).await;
        assert_eq!(granted.status, 200, "{}", granted.body);
        granted.session(dialect, token)
    }

    /// Asks the endpoint that says whether the access token is good.
    async fn knock(&self, session: &Session) -> Answer {
        let path = match session.dialect {
            Dialect::Flask => "/flask/protected",
            Dialect::Heartbeat => "/heartbeat/api/heartbeat",
            Dialect::NestJs => "/nestjs/aaa",
            Dialect::OAuth => "/oauth/api/profile",
            Dialect::SimpleJwt => "/simplejwt/api/protected/",
        };
        self.get(path, &session.authorization()).await
    }

    async fn until(&self, happened: impl Fn(&Control) -> bool) {
        let waiting = async {
            while !happened(&self.control) {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), waiting).await.expect("it should have happened");
    }
}

impl Session {
    fn authorization(&self) -> String {
        if self.dialect == Dialect::NestJs { self.access.clone() } else { bearer(&self.access) }
    }
}

impl Answer {
    #[track_caller]
    fn is(&self, status: u16, body: &str) {
        assert_eq!((self.status, self.body.as_str()), (status, body));
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    #[track_caller]
    fn text(&self, name: &str) -> String {
        self.json()[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.body)).to_owned()
    }

    /// The names of the fields in the order in which they were sent.
    #[track_caller]
    fn keys(&self) -> Vec<String> {
        let json = self.json();
        let mut keys: Vec<_> = json.as_object().unwrap().keys().cloned().collect();
        keys.sort_by_key(|key| self.body.find(&format!("\"{key}\":")));
        keys
    }

    fn header(&self, name: &str) -> String {
        self.headers.get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
    }

    #[track_caller]
    fn session(&self, dialect: Dialect, spent: &str) -> Session {
        let (access, refresh) = match dialect {
            Dialect::Flask | Dialect::OAuth => ("access_token", "refresh_token"),
            Dialect::Heartbeat | Dialect::NestJs => ("accessToken", "refreshToken"),
            Dialect::SimpleJwt => ("access", "refresh"),
        };
        let json = self.json();
        let text = |name: &str, otherwise: &str| json[name].as_str().unwrap_or(otherwise).to_owned();
        Session { dialect, access: text(access, ""), refresh: text(refresh, spent) }
    }
}

fn alice() -> Value {
    json!({"username": "alice", "password": "wonderland"})
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn claims(jwt: &str) -> Value {
    use base64::Engine;
    let payload = jwt.split('.').nth(1).unwrap();
    let payload = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap();
    serde_json::from_slice(&payload).unwrap()
}

fn refresh_body(dialect: Dialect, token: &str) -> (&'static str, Value) {
    let (path, name) = match dialect {
        Dialect::Flask => ("/flask/access_token", "refresh_token"),
        Dialect::Heartbeat => ("/heartbeat/api/auth/refresh", "refreshToken"),
        Dialect::NestJs | Dialect::OAuth => panic!("{dialect:?} takes no JSON"),
        Dialect::SimpleJwt => ("/simplejwt/api/token/refresh/", "refresh"),
    };
    (path, json!({name: token}))
}

/// A refresh as bytes on the wire.
fn refresh_request(dialect: Dialect, token: &str) -> String {
    let post = |path: &str, kind: &str, body: &str| {
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n{body}"
        )
    };
    match dialect {
        Dialect::NestJs => format!("GET /nestjs/refresh?token={token} HTTP/1.1\r\nhost: x\r\n\r\n"),
        Dialect::OAuth => {
            let form = oauth::encoded(&oauth::refresh_form(token));
            post("/oauth/token", "application/x-www-form-urlencoded", &form)
        }
        Dialect::Flask | Dialect::Heartbeat | Dialect::SimpleJwt => {
            let (path, body) = refresh_body(dialect, token);
            post(path, "application/json", &body.to_string())
        }
    }
}

/// Sends bytes and returns all that comes back until the connection ends.
async fn raw(address: std::net::SocketAddr, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut heard = Vec::new();
    let reading = stream.read_to_end(&mut heard);
    tokio::time::timeout(Duration::from_secs(5), reading).await.expect("the connection should have ended")?;
    Ok(String::from_utf8_lossy(&heard).into_owned())
}
