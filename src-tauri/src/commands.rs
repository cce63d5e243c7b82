//! What the page can ask for: one command per thing that a person can do, each forwarded to the keeper.
//!
//! Every call has a connection and a worker thread of its own, so that a slow sign-in holds up nothing else, and the
//! main thread, which draws, never waits.

use keeper::api::{
    Bench, BenchChange, Code, Draft, Entry, Failure, Fetch, Fetched, Overview, Reply, Request,
};
use keeper::client::Client;
use keeper::paths::Home;
use keeper::secret::Password;
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

#[tauri::command]
pub(crate) async fn logout(home: Homed<'_>, profile: String) -> Result<(), Failure> {
    ask(&home, Request::Logout { profile }).await.map(drop)
}

#[tauri::command]
pub(crate) async fn refresh(home: Homed<'_>, profile: String) -> Result<Overview, Failure> {
    ask(&home, Request::Refresh { profile }).await?;
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
    let fetch = Fetch { profile, path, method: Some(method), body, ..Fetch::default() };
    let Reply::Fetched(fetched) = ask(&home, Request::Fetch(fetch)).await? else {
        return Err(unexpected());
    };
    Ok(fetched)
}

#[tauri::command]
pub(crate) async fn add_session(home: Homed<'_>, draft: Draft) -> Result<Overview, Failure> {
    ask(&home, Request::Add(draft)).await?;
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
    let home = home.clone();
    on_worker(move || Client::connect(&home)?.ask(request)).await
}

async fn on_worker<T: Send + 'static>(
    run: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tauri::async_runtime::spawn_blocking(run).await.unwrap_or_else(|error| Err(internal(&error.to_string())))
}

pub(crate) fn internal(problem: &str) -> Failure {
    let details = [("problem".to_owned(), problem.to_owned())].into();
    Failure { code: Code::Internal, profile: None, details, retry_in_ms: None }
}

pub(crate) fn unexpected() -> Failure {
    internal("the keeper answered something else")
}
