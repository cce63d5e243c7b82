//! Without this list every command would be open to any page in any window; with it, only to those that
//! `capabilities/` names.

use tauri_build::{AppManifest, Attributes};

fn main() {
    let attributes = Attributes::new().app_manifest(AppManifest::new().commands(COMMANDS));
    if let Err(error) = tauri_build::try_build(attributes) {
        eprintln!("{error:#}");
        std::process::exit(1);
    }
}

const COMMANDS: &[&str] = &[
    "overview",
    "log",
    "login",
    "sign_in",
    "finish_sign_in",
    "cancel_sign_in",
    "land_sign_in",
    "open_verification",
    "logout",
    "refresh",
    "fetch_resource",
    "discover",
    "add_session",
    "remove_session",
    "bench",
    "set_bench",
    "unlock",
    "settings",
    "save_settings",
];
