//! One command for each thing that a person can do, with a connection and a worker thread of its own, so that it
//! blocks neither others nor drawing. Addresses for the browser come from the keeper, never from the page.

use api::paths::Home;
use api::secret::Password;
use api::words::{EntryView, FailureView, OverviewView};
use api::{
    Asker, Bench, BenchChange, Code, Discovery, Draft, Failure, Fetch, Fetched, Pending, Problem, Way,
};
use client::Client;
use client::browser;
use serde::Serialize;
use session::limits;
use tauri::{AppHandle, Runtime, State};

use crate::settings::{self, Settings};
use crate::trouble::internal;
use crate::window;

type Homed<'a> = State<'a, Home>;

#[tauri::command]
pub(crate) async fn overview(home: Homed<'_>) -> Result<OverviewView, FailureView> {
    all(&home, |_| Ok(())).await
}

#[tauri::command]
pub(crate) async fn log(
    home: Homed<'_>,
    profile: Option<String>,
    before: Option<i64>,
    limit: Option<u32>,
) -> Result<Vec<EntryView>, FailureView> {
    let entries = ask(&home, move |client| client.log(profile.as_deref(), before, limit)).await?;
    Ok(entries.into_iter().map(EntryView::from).collect())
}

#[tauri::command]
pub(crate) async fn login(
    home: Homed<'_>,
    profile: String,
    username: String,
    password: Password,
) -> Result<OverviewView, FailureView> {
    all(&home, move |client| client.login(&profile, &username, password).map(drop)).await
}

#[derive(Serialize)]
pub(crate) struct Begun {
    overview: OverviewView,
    /// For a person who opens it in another browser.
    address: Option<String>,
    unopened: Option<FailureView>,
}

#[tauri::command]
pub(crate) async fn sign_in(
    home: Homed<'_>,
    profile: String,
    way: Option<Way>,
) -> Result<Begun, FailureView> {
    let (_, address) = ask(&home, move |client| client.sign_in(&profile, way)).await?;
    let unopened = match address.clone() {
        Some(url) => open(url).await.err(),
        None => None,
    };
    match unopened {
        Some(failure) if failure.code != Code::NoBrowser => Err(failure),
        unopened => {
            let overview = all(&home, |_| Ok(())).await?;
            Ok(Begun { overview, address, unopened })
        }
    }
}

#[tauri::command]
pub(crate) async fn finish_sign_in(home: Homed<'_>, profile: String) -> Result<OverviewView, FailureView> {
    let patience = u64::try_from(limits::FACE_WITH_PERSON.as_millis()).ok();
    all(&home, move |client| client.finish_sign_in(&profile, patience).map(drop)).await
}

#[tauri::command]
pub(crate) async fn cancel_sign_in(home: Homed<'_>, profile: String) -> Result<OverviewView, FailureView> {
    all(&home, move |client| client.cancel_sign_in(&profile)).await
}

#[tauri::command]
pub(crate) async fn land_sign_in(
    home: Homed<'_>,
    profile: String,
    address: Password,
) -> Result<(), FailureView> {
    ask(&home, move |client| client.land_sign_in(&profile, address)).await
}

#[tauri::command]
pub(crate) async fn open_verification(home: Homed<'_>, profile: String) -> Result<(), FailureView> {
    let there = ask(&home, move |client| client.status(Some(&profile))).await?;
    let pending = there.sessions.into_iter().find_map(|session| session.pending);
    open(verification_page(pending)?).await
}

#[tauri::command]
pub(crate) async fn logout(home: Homed<'_>, profile: String, browser: bool) -> Result<(), FailureView> {
    match ask(&home, move |client| client.logout(&profile, browser)).await? {
        Some(page) => open(page).await,
        None => Ok(()),
    }
}

#[tauri::command]
pub(crate) async fn refresh(home: Homed<'_>, profile: String) -> Result<OverviewView, FailureView> {
    all(&home, move |client| client.refresh(&profile, Asker::Person).map(drop)).await
}

#[tauri::command]
pub(crate) async fn fetch_resource(
    home: Homed<'_>,
    profile: String,
    method: String,
    path: String,
    body: Option<String>,
) -> Result<Fetched, FailureView> {
    let fetch = Fetch { profile, path, method: Some(method), body, by: Asker::Person, ..Fetch::default() };
    ask(&home, move |client| client.fetch(fetch)).await
}

#[tauri::command(rename_all = "snake_case")]
pub(crate) async fn discover(
    home: Homed<'_>,
    issuer: String,
    allow_http: bool,
) -> Result<Discovery, FailureView> {
    ask(&home, move |client| client.discover(&issuer, allow_http, None)).await
}

#[tauri::command]
pub(crate) async fn add_session(home: Homed<'_>, draft: Draft) -> Result<OverviewView, FailureView> {
    all(&home, move |client| client.add(draft).map(drop)).await
}

#[tauri::command]
pub(crate) async fn remove_session(home: Homed<'_>, profile: String) -> Result<OverviewView, FailureView> {
    all(&home, move |client| client.remove(&profile)).await
}

#[tauri::command]
pub(crate) async fn bench(home: Homed<'_>, profile: String) -> Result<Bench, FailureView> {
    ask(&home, move |client| client.bench(&profile)).await
}

#[tauri::command]
pub(crate) async fn set_bench(
    home: Homed<'_>,
    profile: String,
    change: BenchChange,
) -> Result<Bench, FailureView> {
    ask(&home, move |client| client.set_bench(&profile, change)).await
}

#[tauri::command]
pub(crate) async fn unlock(
    home: Homed<'_>,
    passphrase: Option<Password>,
) -> Result<OverviewView, FailureView> {
    all(&home, move |client| client.unlock(passphrase).map(drop)).await
}

#[tauri::command]
pub(crate) async fn settings<R: Runtime>(app: AppHandle<R>) -> Result<Settings, FailureView> {
    on_worker(move || settings::read(&app)).await
}

#[tauri::command]
pub(crate) async fn save_settings<R: Runtime>(
    app: AppHandle<R>,
    settings: Settings,
) -> Result<(), FailureView> {
    window::magnify(&app, settings.zoom);
    on_worker(move || settings::write(&app, settings)).await
}

/// Returns the state of all sessions afterwards.
async fn all(
    home: &Home,
    run: impl FnOnce(&mut Client) -> Result<(), Failure> + Send + 'static,
) -> Result<OverviewView, FailureView> {
    let overview = ask(home, move |client| {
        run(client)?;
        client.status(None)
    });
    overview.await.map(OverviewView::from)
}

async fn ask<T: Send + 'static>(
    home: &Home,
    run: impl FnOnce(&mut Client) -> Result<T, Failure> + Send + 'static,
) -> Result<T, FailureView> {
    let home = home.clone();
    on_worker(move || run(&mut Client::connect(&home)?)).await
}

async fn open(url: String) -> Result<(), FailureView> {
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
) -> Result<T, FailureView> {
    tauri::async_runtime::spawn_blocking(run)
        .await
        .unwrap_or_else(|error| Err(internal(Problem::said(error))))
        .map_err(FailureView::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Row T27.
    #[test]
    fn nothing_but_a_web_page_is_opened() {
        for url in ["", "nowhere", "file:///etc/passwd", "javascript:alert(1)", "smb://host/share", "-h"] {
            // A provider names the address, and an opener of the desktop also starts programs.
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
