//! What comes to the port that a browser is sent back to: whatever it is, it is answered once, and only the answer of the
//! provider counts.

use std::cell::OnceCell;
use std::sync::Arc;

use session::oauth::Provider;
use session::oauth::authorize::{CallbackProblem, Randomness, Started};
use session::oauth::client::ClientRegistration;
use session::oauth::metadata::Metadata;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{Notify, watch};

use crate::CANARY;
use crate::input::text;

use desk::Desk;

#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/provider/oauth/desk.rs"]
mod desk;
#[allow(dead_code)]
#[path = "../../../crates/keeper/src/adapters/provider/oauth/landing.rs"]
mod landing;

pub fn hold(input: &[u8]) {
    thread_local!(static RUNTIME: OnceCell<Runtime> = const { OnceCell::new() });
    RUNTIME.with(|runtime| {
        let runtime = runtime.get_or_init(|| match Builder::new_current_thread().enable_time().build() {
            Ok(runtime) => runtime,
            Err(error) => panic!("{error}"),
        });
        runtime.block_on(visited(input));
    });
    query(&text(input));
    by_hand(&text(input));
}

async fn visited(input: &[u8]) {
    let (_outcome, told) = watch::channel(Some(true));
    let (desk, mut arrived) =
        Desk::new(started(), HOST.to_owned(), "/callback".to_owned(), told, Arc::new(Notify::new()));
    let desk = Arc::new(desk);
    let said = visit(&desk, input).await;
    answered(&said, input);
    if let Ok(outcome) = arrived.try_recv() {
        let asked = text(input);
        assert!(asked.contains(STATE), "nobody else knows the state");
        assert!(asked.to_ascii_lowercase().contains(HOST), "by another name");
        assert!(asked.trim_start().starts_with("GET "), "it is a browser that comes back: {asked}");
        assert!(outcome.is_ok() || !said.is_empty());
        return;
    }
    // Whoever came first has taken nothing away.
    let good = format!(
        "GET /callback?state={STATE}&code=c-1&iss=https://id.example HTTP/1.1\r\nHost: {HOST}\r\n\r\n"
    );
    let said = visit(&desk, good.as_bytes()).await;
    assert!(said.starts_with(b"HTTP/1.1 303 "), "{}", text(&said));
    assert!(matches!(arrived.try_recv(), Ok(Ok(_))), "the right answer is not taken");
    let said = visit(&desk, good.as_bytes()).await;
    assert!(said.starts_with(b"HTTP/1.1 410 "), "a code is taken once: {}", text(&said));
}

async fn visit(desk: &Arc<Desk>, request: &[u8]) -> Vec<u8> {
    let (mut browser, server) = duplex(ROOM);
    let mut said = Vec::new();
    let ask = async {
        // A server that has heard enough stops listening. One that hears the end before it has answered does not answer.
        drop(browser.write_all(request).await);
        for _ in 0..TURNS {
            tokio::task::yield_now().await;
        }
        drop(browser.shutdown().await);
        drop(browser.read_to_end(&mut said).await);
    };
    tokio::join!(desk::converse(server, Arc::clone(desk)), ask);
    said
}

fn answered(said: &[u8], asked: &[u8]) {
    let said = text(said);
    assert!(said.is_empty() || said.starts_with("HTTP/1."), "{said}");
    assert!(said.matches("HTTP/1.1 ").count() <= 1, "one request, one answer: {said}");
    assert!(!said.contains(CANARY) && !said.contains(STATE), "the page repeats what it was asked: {said}");
    let asked = text(asked);
    if !asked.to_ascii_lowercase().contains(HOST) {
        assert!(!said.starts_with("HTTP/1.1 2") && !said.starts_with("HTTP/1.1 3"), "{said}");
    }
    if said.starts_with("HTTP/1.1 2") || said.starts_with("HTTP/1.1 3") {
        assert!(said.to_ascii_lowercase().contains("cache-control: no-store"), "{said}");
    }
}

/// The query alone, without what HTTP makes impossible.
fn query(query: &str) {
    match started().read_callback(query) {
        Ok(code) => {
            assert!(query.contains("state=") || query.contains('%'));
            assert!(!format!("{code:?}").contains(CANARY), "a code is a secret");
        }
        Err(CallbackProblem::Refused(error)) => assert!(!format!("{error:?}").contains(CANARY), "{error:?}"),
        Err(CallbackProblem::TooLong) => assert!(query.len() > session::bounds::QUERY),
        Err(CallbackProblem::Issuer | CallbackProblem::MissingCode | CallbackProblem::Repeated(_)) => {}
        Err(CallbackProblem::State) => assert!(
            !query.starts_with(&format!("state={STATE}&code="))
                || query.matches("state").count() > 1
                || query.contains('%')
        ),
    }
}

/// What a person brings is of this port, and is then as good as what the browser would have.
fn by_hand(copied: &str) {
    let started = started();
    let Some(brought) = started.query_of(copied) else { return };
    assert!(copied.contains("127.0.0.1:9999/callback?"), "{copied} is another's");
    assert!(copied.contains(brought) && !brought.contains('#'));
    query(brought);
}

fn started() -> Started {
    let metadata = Metadata { issuer: Some("https://id.example".to_owned()), ..Metadata::default() };
    let provider = Provider { metadata, client: ClientRegistration::public("app") };
    let randomness = Randomness { state: [0; 32], nonce: [1; 32], verifier: [2; 32] };
    Started::new(&provider, "http://127.0.0.1:9999/callback", &randomness)
}

const HOST: &str = "127.0.0.1:9999";

/// 32 zeros in base64url.
const STATE: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// Of the server, which needs two to read and to answer.
const TURNS: usize = 8;

/// More than an input and an answer.
const ROOM: usize = 1 << 20;
