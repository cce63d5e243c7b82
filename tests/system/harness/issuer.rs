//! A provider of OAuth that says what a test tells it to, by the book where it is told nothing, and that remembers
//! what it was asked and when.
//!
//! Whatever it hands out has `canary` in it, so that a test can look for it where it must not be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::front::Front;
use super::say::{Given, Mangled, Say};
use super::signer::Signer;

pub(crate) struct Issuer {
    url: String,
    address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    url: String,
    signer: Signer,
    state: Mutex<State>,
    over: AtomicBool,
}

#[derive(Default)]
struct State {
    asked: Vec<Asked>,
    /// What to say where, and how many more times; the newest first.
    told: Vec<(&'static str, Option<u32>, Say)>,
    slow: HashMap<&'static str, Duration>,
    /// By the code that was given for it.
    nonces: HashMap<String, String>,
    /// Refresh tokens, the oldest first.
    refresh_tokens: Vec<String>,
    /// Whatever nobody but the keeper and this server may know.
    secrets: BTreeSet<String>,
    count: u32,
}

/// One request, as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    pub(crate) place: String,
    pub(crate) form: BTreeMap<String, String>,
}

impl Issuer {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        Self::listening(listener, url)
    }

    /// Whoever wants to speak to it has to come through that front.
    pub(crate) fn behind(front: &Front) -> Self {
        Self::known_as(&front.origin(), front)
    }

    pub(crate) fn known_as(url: &str, front: &Front) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        front.lead_to(&format!("http://{}", listener.local_addr().unwrap()));
        Self::listening(listener, url.to_owned())
    }

    fn listening(listener: TcpListener, url: String) -> Self {
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            url: url.clone(),
            signer: Signer::new(),
            state: Mutex::default(),
            over: AtomicBool::new(false),
        });
        let serving = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if serving.over.load(Ordering::Relaxed) {
                    return;
                }
                let serving = Arc::clone(&serving);
                thread::spawn(move || drop(serving.converse(stream)));
            }
        });
        Self { url, address, shared }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The lines of a profile with this provider.
    pub(crate) fn profile(&self, name: &str, more: &str) -> String {
        let issuer = &self.url;
        format!(
            "[profile.{name}]\ntimeout = \"2s\"\n[profile.{name}.oauth]\nissuer = \"{issuer}\"\n\
             client_id = \"the-client\"\nprobe = \"none\"\n{more}\n\n"
        )
    }

    /// From now on, at that place: a path, or `/token refresh_token`, which is a path and a grant.
    pub(crate) fn says(&self, place: &'static str, say: Say) {
        self.shared.lock().told.insert(0, (place, None, say));
    }

    pub(crate) fn says_once(&self, place: &'static str, say: Say) {
        self.shared.lock().told.insert(0, (place, Some(1), say));
    }

    /// By the book, but only after a while.
    pub(crate) fn takes_its_time(&self, place: &'static str, how_long: Duration) {
        self.shared.lock().slow.insert(place, how_long);
    }

    /// Each of them once, in this order.
    pub(crate) fn says_in_turn(
        &self,
        place: &'static str,
        all: impl IntoIterator<Item = Say, IntoIter: DoubleEndedIterator>,
    ) {
        all.into_iter().rev().for_each(|say| self.says_once(place, say));
    }

    /// Its metadata, with changes.
    pub(crate) fn describes_itself(&self, changes: Value) {
        self.describes_itself_at(OPENID, changes);
    }

    /// A code for another device, with changes.
    pub(crate) fn offers(&self, changes: Value) {
        let device = merged(self.shared.device(), changes);
        self.says("/device", Say::json(200, &device));
    }

    pub(crate) fn describes_itself_at(&self, place: &'static str, changes: Value) {
        let metadata = merged(self.shared.metadata(), changes);
        self.says(place, Say::json(200, &metadata));
    }

    /// By the book again.
    pub(crate) fn behaves(&self) {
        self.shared.lock().told.clear();
    }

    /// What came to a place so far, the oldest first.
    pub(crate) fn asked(&self, place: &str) -> Vec<Asked> {
        let state = self.shared.lock();
        state.asked.iter().filter(|asked| is_at(place, &asked.place)).cloned().collect()
    }

    /// A code for somebody who signed in with that nonce.
    pub(crate) fn code(&self, nonce: &str) -> String {
        let code = self.shared.mint("code");
        self.remember_code(&code, nonce);
        code
    }

    pub(crate) fn remember_code(&self, code: &str, nonce: &str) {
        let mut state = self.shared.lock();
        state.nonces.insert(code.to_owned(), nonce.to_owned());
        state.secrets.insert(code.to_owned());
    }

    /// Those that it handed out, the oldest first.
    pub(crate) fn refresh_tokens(&self) -> Vec<String> {
        self.shared.lock().refresh_tokens.clone()
    }

    pub(crate) fn is_secret(&self, what: &str) {
        self.shared.is_secret(what);
    }

    pub(crate) fn secrets(&self) -> BTreeSet<String> {
        self.shared.lock().secrets.clone()
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // Wakes the thread that waits for the next connection.
        drop(TcpStream::connect(self.address));
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn mint(&self, what: &str) -> String {
        let mut state = self.lock();
        state.count += 1;
        let port = self.url.rsplit(':').next().unwrap();
        let minted = format!("canary-{what}-{port}-{}", state.count);
        state.secrets.insert(minted.clone());
        minted
    }

    fn converse(&self, stream: TcpStream) -> std::io::Result<()> {
        let mut reader = BufReader::new(stream);
        let (method, path, form) = read(&mut reader)?;
        let place = match form.get("grant_type") {
            Some(grant) => format!("{path} {grant}"),
            None => path,
        };
        let say = {
            let mut state = self.lock();
            // Whoever knows these can take the place of the keeper.
            let telling = ["code_verifier", "client_secret", "password"];
            let secrets: Vec<_> = telling.iter().filter_map(|name| form.get(*name)).cloned().collect();
            state.secrets.extend(secrets);
            state.asked.push(Asked { at: Instant::now(), place: place.clone(), form: form.clone() });
            let found = state.told.iter().position(|(where_, ..)| is_at(where_, &place));
            found.map(|index| {
                let (_, left, say) = &mut state.told[index];
                let say = say.clone();
                if left.is_some() {
                    state.told.remove(index);
                }
                say
            })
        };
        let slow = self.lock().slow.iter().find(|(where_, _)| is_at(where_, &place)).map(|(_, wait)| *wait);
        thread::sleep(slow.unwrap_or_default());
        let say = say.unwrap_or_else(|| self.by_the_book(&method, &place));
        self.answer(reader.get_mut(), say, &form)
    }

    fn by_the_book(&self, method: &str, place: &str) -> Say {
        let (path, grant) = place.split_once(' ').unwrap_or((place, ""));
        match (method, path) {
            ("GET", OPENID) => Say::json(200, &self.metadata()),
            ("GET", "/jwks") => Say::json(200, &json!({"keys": [self.signer.jwk()]})),
            ("POST", "/token") if grant.ends_with("device_code") => Say::error(400, "authorization_pending"),
            ("POST", "/token") => Say::tokens(Value::Null),
            ("POST", "/device") => Say::json(200, &self.device()),
            ("POST", "/revoke") => Say::Body(200, "text/plain", Vec::new()),
            ("POST", "/introspect") => Say::json(200, &json!({"active": true})),
            _ => Say::error(404, "not_found"),
        }
    }

    fn metadata(&self) -> Value {
        let at = |path: &str| format!("{}{path}", self.url);
        json!({
            "issuer": self.url,
            "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/token"),
            "device_authorization_endpoint": at("/device"),
            "revocation_endpoint": at("/revoke"),
            "introspection_endpoint": at("/introspect"),
            "jwks_uri": at("/jwks"),
            "scopes_supported": ["openid", "offline_access"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "authorization_response_iss_parameter_supported": true,
        })
    }

    fn device(&self) -> Value {
        json!({
            "device_code": self.mint("device"),
            "user_code": "WDJB-MJHT",
            "verification_uri": format!("{}/enter", self.url),
            "expires_in": 60,
            "interval": 1,
        })
    }

    fn answer(&self, to: &mut TcpStream, say: Say, form: &BTreeMap<String, String>) -> std::io::Result<()> {
        let (status, kind, more, body) = match say {
            Say::Body(status, kind, body) => (status, kind, String::new(), body),
            Say::Challenge(challenge) => {
                (401, "text/plain", format!("WWW-Authenticate: {challenge}\r\n"), Vec::new())
            }
            Say::CutShort(body) => {
                let body = body.to_string();
                return write!(
                    to,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                    body.len() + 100
                );
            }
            Say::Hang => {
                while !self.over.load(Ordering::Relaxed) {
                    thread::sleep(Duration::from_millis(50));
                }
                return Ok(());
            }
            Say::HangUp => return Ok(()),
            Say::Mangled(Mangled { head, before, after, missing }) => {
                let tokens = self.tokens(&Given::default(), form).to_string();
                let body = [before, tokens.as_bytes(), after].concat();
                let length = body.len() + missing;
                write!(
                    to,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{head}\r\n"
                )?;
                return to.write_all(&body);
            }
            Say::Redirect(there) => (302, "text/plain", format!("Location: {there}\r\n"), Vec::new()),
            Say::Tokens(given) => {
                (200, "application/json", String::new(), self.tokens(&given, form).to_string().into_bytes())
            }
            Say::TooMany(wait) => (429, "text/plain", format!("Retry-After: {wait}\r\n"), Vec::new()),
        };
        write!(
            to,
            "HTTP/1.1 {status} Whatever\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{more}Connection: close\r\n\r\n",
            body.len()
        )?;
        to.write_all(&body)
    }

    fn tokens(&self, given: &Given, form: &BTreeMap<String, String>) -> Value {
        let access = self.mint("access");
        let nonce = form.get("code").and_then(|code| self.lock().nonces.get(code).cloned());
        let now = now();
        let claims = json!({
            "iss": self.url, "sub": "alice-1", "aud": "the-client", "exp": now + 3600, "iat": now,
            "nonce": nonce, "at_hash": super::signer::half_hash(&access), "preferred_username": "alice",
        });
        let claims = merged(claims, given.claims.clone());
        let header = merged(json!({"alg": "ES256", "typ": "JWT", "kid": "k1"}), given.header.clone());
        let id_token = self.signer.sign(&header, &claims, given.forged);
        // The signature is enough to be missed.
        self.is_secret(id_token.rsplit('.').next().unwrap_or_default());
        let tokens = json!({
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": self.mint("refresh"),
            "id_token": id_token,
        });
        let tokens = merged(tokens, given.fields.clone());
        let refresh = tokens["refresh_token"].as_str().map(str::to_owned);
        self.lock().refresh_tokens.extend(refresh);
        tokens
    }

    fn is_secret(&self, what: &str) {
        if what.len() > 8 {
            self.lock().secrets.insert(what.to_owned());
        }
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What stands in `changes` in place of what was there, `null` for nothing.
pub(crate) fn merged(mut whole: Value, changes: Value) -> Value {
    if let (Value::Object(whole), Value::Object(changes)) = (&mut whole, changes) {
        whole.extend(changes);
        whole.retain(|_, value| !value.is_null());
    } else if let Value::Object(whole) = &mut whole {
        whole.retain(|_, value| !value.is_null());
    }
    whole
}

fn is_at(wanted: &str, place: &str) -> bool {
    wanted == place || place.split(' ').next() == Some(wanted)
}

fn read(reader: &mut BufReader<TcpStream>) -> std::io::Result<(String, String, BTreeMap<String, String>)> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let (method, path) = (method.to_owned(), target.split('?').next().unwrap_or_default().to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let Some((name, value)) = header.split_once(':') else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap_or(0);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let form = url::form_urlencoded::parse(&body).into_owned().collect();
    Ok((method, path, form))
}

pub(crate) const OPENID: &str = "/.well-known/openid-configuration";
