//! A strict provider, which shares nothing with the sandbox and nothing with what it tests: a refresh token is good
//! once. Within the grace a spent one gets the same answer again; after it, everything that came from the sign-in ends.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::trap::Trap;

#[derive(Clone)]
pub(crate) struct Provider {
    url: String,
    grace: Duration,
    book: Arc<Mutex<Book>>,
    pub(crate) trap: Trap,
}

#[derive(Default)]
struct Book {
    minted: u32,
    /// With the challenge of each.
    codes: HashMap<String, String>,
    refresh: HashMap<String, Refresh>,
    /// With the family that each belongs to.
    access: HashMap<String, u32>,
    ended: BTreeSet<u32>,
}

struct Refresh {
    family: u32,
    /// When, and for what.
    spent: Option<(Instant, Value)>,
}

impl Provider {
    pub(crate) fn start(grace: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let provider = Self { url, grace, book: Arc::default(), trap: Trap::default() };
        let serving = provider.clone();
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let provider = serving.clone();
                thread::spawn(move || provider.converse(stream).ok());
            }
        });
        provider
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A sign-in of somebody who needs no page for it.
    pub(crate) fn sign_in(&self) -> String {
        let tokens = self.book.lock().unwrap().sign_in();
        tokens["refresh_token"].as_str().unwrap().to_owned()
    }

    fn converse(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let target = line.split(' ').nth(1).unwrap_or_default().to_owned();
        let (mut length, mut bearer) = (0, String::new());
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            let Some((name, value)) = header.trim_end().split_once(':') else { break };
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "authorization" => bearer = value.trim().trim_start_matches("Bearer ").to_owned(),
                _ => {}
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let form: HashMap<String, String> = url::form_urlencoded::parse(&body).into_owned().collect();
        let given = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let mut to = reader.into_inner();
        match (path, given("grant_type")) {
            ("/token", "refresh_token") => {
                let (status, mut tokens) = self.refresh(given("refresh_token"));
                if status == 200 && given("client_id") == "msal" {
                    tokens["id_token"] = self.id_token().into();
                }
                self.trap.answer(|| answer(&mut to, status, &tokens))
            }
            ("/token", "password") => {
                let tokens = self.book.lock().unwrap().sign_in();
                answer(&mut to, 200, &tokens)
            }
            ("/token", "authorization_code") => {
                let (status, tokens) = self.redeem(given("code"), given("code_verifier"));
                answer(&mut to, status, &tokens)
            }
            ("/authorize", _) => {
                let back =
                    self.authorize(&Url::parse(&format!("{}/?{query}", self.url)).map_err(io::Error::other)?);
                write!(
                    to,
                    "HTTP/1.1 302 Found\r\nLocation: {back}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                )
            }
            ("/api", _) if self.is_good(&bearer) => answer(&mut to, 200, &json!({"hello": "you"})),
            ("/api", _) => answer(&mut to, 401, &json!({"error": "invalid_token"})),
            (path, _) if path.ends_with("/openid-configuration") => answer(&mut to, 200, &self.metadata()),
            _ => answer(&mut to, 404, &json!({"error": "not_found"})),
        }
    }

    /// Its page has nothing to press. Gives the way back to whoever asked.
    fn authorize(&self, asked: &Url) -> String {
        let asked: HashMap<_, _> = asked.query_pairs().into_owned().collect();
        let given = |name: &str| asked.get(name).cloned().unwrap_or_default();
        let mut book = self.book.lock().unwrap();
        book.minted += 1;
        let code = format!("code-{}", book.minted);
        book.codes.insert(code.clone(), given("code_challenge"));
        format!("{}?code={code}&state={}", given("redirect_uri"), given("state"))
    }

    fn redeem(&self, code: &str, verifier: &str) -> (u16, Value) {
        let mut book = self.book.lock().unwrap();
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
        if book.codes.remove(code) == Some(challenge) { (200, book.sign_in()) } else { refused() }
    }

    fn refresh(&self, token: &str) -> (u16, Value) {
        let mut book = self.book.lock().unwrap();
        let Some(Refresh { family, spent }) = book.refresh.get(token) else { return refused() };
        let family = *family;
        if book.ended.contains(&family) {
            return refused();
        }
        match spent {
            Some((when, tokens)) if when.elapsed() < self.grace => (200, tokens.clone()),
            Some(_) => {
                book.ended.insert(family);
                refused()
            }
            None => {
                let tokens = book.mint(family);
                let spent = Some((Instant::now(), tokens.clone()));
                book.refresh.insert(token.to_owned(), Refresh { family, spent });
                (200, tokens)
            }
        }
    }

    fn is_good(&self, access: &str) -> bool {
        let book = self.book.lock().unwrap();
        book.access.get(access).is_some_and(|family| !book.ended.contains(family))
    }

    /// For whoever wants one and does not look at its signature.
    fn id_token(&self) -> String {
        let claims =
            json!({"iss": self.url, "sub": "alice", "aud": "msal", "iat": 0, "exp": 4_000_000_000_u32});
        let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}.", part(json!({"alg": "none"})), part(claims))
    }

    fn metadata(&self) -> Value {
        let url = &self.url;
        json!({
            "issuer": url,
            "authorization_endpoint": format!("{url}/authorize"),
            "token_endpoint": format!("{url}/token"),
            "device_authorization_endpoint": format!("{url}/device"),
            "jwks_uri": format!("{url}/jwks"),
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "response_types_supported": ["code"],
            "scopes_supported": ["openid", "read"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
        })
    }
}

impl Book {
    fn sign_in(&mut self) -> Value {
        self.mint(self.minted)
    }

    fn mint(&mut self, family: u32) -> Value {
        self.minted += 1;
        // As long as tokens are in the field.
        let filler = "x".repeat(600);
        let (access, refresh) = (format!("at-{}", self.minted), format!("rt-{}-{filler}", self.minted));
        self.access.insert(access.clone(), family);
        self.refresh.insert(refresh.clone(), Refresh { family, spent: None });
        json!({
            "access_token": access, "token_type": "Bearer", "expires_in": 3600, "refresh_token": refresh,
            "scope": "read",
        })
    }
}

fn refused() -> (u16, Value) {
    (400, json!({"error": "invalid_grant"}))
}

fn answer(to: &mut TcpStream, status: u16, body: &Value) -> io::Result<()> {
    let body = body.to_string();
    let text = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Type: application/json\r\nCache-Control: no-store\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    to.write_all(text.as_bytes())
}
