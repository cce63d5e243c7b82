//! The window shows what the keeper does and forwards what a person wants. It holds no session itself.

#![cfg_attr(not(debug_assertions), windows_subsystem = "windows")]

use std::process::ExitCode;

use api::Failure;
use api::paths::Home;
use api::words::Words;
use tauri::utils::config::AppDirectoriesOverride;
use tauri::{App, AppHandle, Builder, Context, Runtime};
use tokio::signal::unix::{SignalKind, signal};

use crate::demo::Demo;

mod commands;
mod demo;
mod settings;
#[cfg(test)]
mod tests;
mod trouble;
mod watch;
mod window;

fn main() -> ExitCode {
    // Passwords pass through this process, and through WebKit's, which inherit this.
    if let Err(error) = os::process::forbid_core_dumps() {
        eprintln!("pilotlight-window: a crash may leave a core dump: {error}");
    }
    let demo = match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [] => false,
        [only] if only == "--demo" => true,
        _ => {
            eprintln!("Usage: pilotlight-window [--demo]");
            return ExitCode::from(2);
        }
    };
    match run(demo) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pilotlight: {error}");
            ExitCode::FAILURE
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum Error {
    #[error("{}", Words::for_locale().say(.0).0)]
    Home(Failure),
    #[error(transparent)]
    Tauri(#[from] tauri::Error),
}

fn run(demo: bool) -> Result<(), Error> {
    let home = if demo { demo::home() } else { Home::from_env() }.map_err(Error::Home)?;
    let app = build(Builder::default(), tauri::generate_context!(), home.clone())?;
    window::open(app.handle())?;
    let demo = demo.then(|| Demo::start(home.clone()));
    let watching = watch::start(app.handle().clone(), home);
    close_on_signals(app.handle().clone());
    app.run_return(|_, _| ());
    // It would start the keeper again that the demo ends.
    watching.end();
    if let Some(demo) = demo {
        demo.end();
    }
    Ok(())
}

/// SIGINT and SIGTERM close the window as its button does, and end a demo.
fn close_on_signals(app: AppHandle) {
    tauri::async_runtime::spawn(async move {
        let (Ok(mut interrupt), Ok(mut terminate)) =
            (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
        else {
            return;
        };
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        app.exit(0);
    });
}

/// Without the window, tests need no display.
fn build<R: Runtime>(builder: Builder<R>, mut context: Context<R>, home: Home) -> tauri::Result<App<R>> {
    let identifier = &context.config().identifier;
    let id = if home.root().is_some() { format!("{identifier}.h{}", home.id()) } else { identifier.clone() };
    if let Some(root) = home.root() {
        context.config_mut().app.app_directories_override =
            Some(AppDirectoriesOverride::Root(root.join("window")));
    }
    let app = builder
        // First, because a second window of the home must find out before it does anything.
        .plugin(
            tauri_plugin_single_instance::Builder::new()
                .dbus_id(id)
                .callback(|app, _, _| window::focus(app))
                .build(),
        )
        .plugin(tauri_plugin_store::Builder::new().build())
        .manage(home)
        .invoke_handler(tauri::generate_handler![
            commands::overview,
            commands::log,
            commands::login,
            commands::sign_in,
            commands::finish_sign_in,
            commands::cancel_sign_in,
            commands::land_sign_in,
            commands::open_verification,
            commands::logout,
            commands::refresh,
            commands::fetch_resource,
            commands::discover,
            commands::add_session,
            commands::remove_session,
            commands::bench,
            commands::set_bench,
            commands::unlock,
            commands::settings,
            commands::save_settings,
        ])
        .build(context)?;
    settings::prepare(app.handle());
    Ok(app)
}
