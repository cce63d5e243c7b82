//! What the page can ask for: one command per thing that a person can do, each forwarded to the keeper.
//!
//! Every call has a connection and a worker thread of its own, so that a slow sign-in holds up nothing else, and the
//! main thread, which draws, never waits.
//!
//! What is opened in the browser comes from the keeper and goes to the browser; the page has no say in it.

use std::time::Duration;

use api::paths::Home;
use api::secret::Password;
use api::{
    Asker, Bench, BenchChange, Code, Discovery, Draft, Entry, Failure, Fetch, Fetched, Overview, Pending,
    Problem, Reply, Request, Way,
};
use client::Client;
use client::browser;
use session::limits;
use tauri::{AppHandle, Runtime, State};

use crate::settings::{self, Settings};

type Homed<'a> = State<'a, Home>;

#[tauri::command]
pub(crate) async fn overview(home: Homed<'_>) -> Result<Overview, Failure> {
    all(&home).await
}

#[tauri::command]
pub(crate) async fn log(
    home: Homed<'_>,
    profile: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
) -> Result<Vec<Entry>, Failure> {
    let Reply::Log { entries } = ask(&home, Request::Log { profile, before, limit }).await? else {
        return Err(unexpected());
    };
    Ok(entries)
}

#[tauri::command]
pub(crate) async fn login(
    home: Homed<'_>,
    profile: String,
    username: String,
    password: Password,
) -> Result<Overview, Failure> {
    ask(&home, Request::Login { profile, username, password }).await?;
    all(&home).await
}

/// Begins a sign-in at a browser, and opens it there where it is to be this one.
#[tauri::command]
pub(crate) async fn sign_in(home: Homed<'_>, profile: String, way: Option<Way>) -> Result<Overview, Failure> {
    let Reply::SignIn { url, .. } = ask(&home, Request::SignIn { profile, way }).await? else {
        return Err(unexpected());
    };
    if let Some(url) = url {
        open(url).await?;
    }
    all(&home).await
}

/// Answers when the person has finished, or given up.
#[tauri::command]
pub(crate) async fn finish_sign_in(home: Homed<'_>, profile: String) -> Result<Overview, Failure> {
    let patience = u64::try_from(limits::FACE_WITH_PERSON.as_millis()).ok();
    let request = Request::FinishSignIn { profile, timeout_ms: patience };
    ask_patiently(&home, request, Some(limits::FACE_WITH_PERSON)).await?;
    all(&home).await
}

#[tauri::command]
pub(crate) async fn cancel_sign_in(home: Homed<'_>, profile: String) -> Result<Overview, Failure> {
    ask(&home, Request::CancelSignIn { profile }).await?;
    all(&home).await
}

/// Opens the page on which a code is entered, in the browser of this machine.
#[tauri::command]
pub(crate) async fn open_verification(home: Homed<'_>, profile: String) -> Result<(), Failure> {
    let Reply::Status(there) = ask(&home, Request::Status { profile: Some(profile) }).await? else {
        return Err(unexpected());
    };
    let pending = there.sessions.into_iter().find_map(|session| session.pending);
    open(verification_page(pending)?).await
}

#[tauri::command]
pub(crate) async fn logout(home: Homed<'_>, profile: String, browser: bool) -> Result<(), Failure> {
    if let Reply::Open { url } = ask(&home, Request::Logout { profile, browser }).await? {
        open(url).await?;
    }
    Ok(())
}

#[tauri::command]
pub(crate) async fn refresh(home: Homed<'_>, profile: String) -> Result<Overview, Failure> {
    ask(&home, Request::Refresh { profile, by: Asker::Person }).await?;
    all(&home).await
}

#[tauri::command]
pub(crate) async fn fetch_resource(
    home: Homed<'_>,
    profile: String,
    method: String,
    path: String,
    body: Option<String>,
) -> Result<Fetched, Failure> {
    let fetch = Fetch { profile, path, method: Some(method), body, by: Asker::Person, ..Fetch::default() };
    let Reply::Fetched(fetched) = ask(&home, Request::Fetch(fetch)).await? else {
        return Err(unexpected());
    };
    Ok(fetched)
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn discover(
    home: Homed<'_>,
    issuer: String,
    allow_http: bool,
) -> Result<Discovery, Failure> {
    let request = Request::Discover { issuer, allow_http, ca_file: None };
    let Reply::Discovered(discovery) = ask(&home, request).await? else {
        return Err(unexpected());
    };
    Ok(discovery)
}

#[tauri::command]
pub(crate) async fn add_session(home: Homed<'_>, draft: Draft) -> Result<Overview, Failure> {
    ask(&home, Request::Add(Box::new(draft))).await?;
    all(&home).await
}

#[tauri::command]
pub(crate) async fn remove_session(home: Homed<'_>, profile: String) -> Result<Overview, Failure> {
    ask(&home, Request::Remove { profile }).await?;
    all(&home).await
}

#[tauri::command]
pub(crate) async fn bench(home: Homed<'_>, profile: String) -> Result<Bench, Failure> {
    faults(&home, Request::Bench { profile }).await
}

#[tauri::command]
pub(crate) async fn set_bench(
    home: Homed<'_>,
    profile: String,
    change: BenchChange,
) -> Result<Bench, Failure> {
    faults(&home, Request::SetBench { profile, change }).await
}

#[tauri::command]
pub(crate) async fn settings<R: Runtime>(app: AppHandle<R>) -> Result<Settings, Failure> {
    on_worker(move || settings::read(&app)).await
}

#[tauri::command]
pub(crate) async fn save_settings<R: Runtime>(app: AppHandle<R>, settings: Settings) -> Result<(), Failure> {
    on_worker(move || settings::write(&app, settings)).await
}

/// Requests about one profile are answered with that profile; the page is always given the whole.
async fn all(home: &Home) -> Result<Overview, Failure> {
    let Reply::Status(overview) = ask(home, Request::Status { profile: None }).await? else {
        return Err(unexpected());
    };
    Ok(overview)
}

async fn faults(home: &Home, request: Request) -> Result<Bench, Failure> {
    let Reply::Bench(bench) = ask(home, request).await? else {
        return Err(unexpected());
    };
    Ok(bench)
}

async fn ask(home: &Home, request: Request) -> Result<Reply, Failure> {
    ask_patiently(home, request, None).await
}

async fn ask_patiently(home: &Home, request: Request, patience: Option<Duration>) -> Result<Reply, Failure> {
    let home = home.clone();
    on_worker(move || {
        let mut client = Client::connect(&home)?;
        if let Some(patience) = patience {
            client.set_patience(patience);
        }
        client.ask(request)
    })
    .await
}

async fn open(url: String) -> Result<(), Failure> {
    on_worker(move || browser::open(&url)).await
}

fn verification_page(pending: Option<Pending>) -> Result<String, Failure> {
    match pending {
        Some(Pending::Device { verification_uri, verification_uri_complete, .. }) => {
            Ok(verification_uri_complete.unwrap_or(verification_uri))
        }
        Some(Pending::Browser { .. }) | None => Err(Failure::new(Code::SignInExpired)),
    }
}

async fn on_worker<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tauri::async_runtime::spawn_blocking(run)
        .await
        .unwrap_or_else(|error| Err(internal(Problem::said(error))))
}

pub(crate) fn internal(problem: Problem) -> Failure {
    Failure::new(Code::Internal).because(problem)
}

pub(crate) fn unexpected() -> Failure {
    internal(Problem::AnsweredElse)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_but_a_web_page_is_opened() {
        for url in ["", "nowhere", "file:///etc/passwd", "javascript:alert(1)", "smb://host/share", "-h"] {
            // The provider named the address, and a desktop's opener also starts programs.
            let failure = tauri::async_runtime::block_on(open(url.to_owned())).unwrap_err();
            assert_eq!(failure.code, Code::BadUrl, "{url}");
            assert!(failure.details.is_empty(), "an address may hold what nobody else should see");
        }
    }

    #[test]
    fn a_code_is_entered_at_the_page_that_has_it_already() {
        let device = |complete: Option<&str>| Pending::Device {
            user_code: "WDJB-MJHT".to_owned(),
            verification_uri: "https://a.example/device".to_owned(),
            verification_uri_complete: complete.map(str::to_owned),
            qr: Vec::new(),
            expires_in_ms: 1,
        };
        let page = |pending| verification_page(Some(pending)).unwrap();
        assert_eq!(page(device(None)), "https://a.example/device");
        assert_eq!(page(device(Some("https://a.example/device?c"))), "https://a.example/device?c");
        for pending in [None, Some(Pending::Browser { expires_in_ms: 1, open_within_ms: None })] {
            assert_eq!(verification_page(pending).unwrap_err().code, Code::SignInExpired);
        }
    }
}
