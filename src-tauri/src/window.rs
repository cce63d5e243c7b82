//! The only window. It shows nothing but the built-in page.

use tauri::webview::NewWindowResponse;
use tauri::{AppHandle, Manager, Runtime, Url, WebviewUrl, WebviewWindow, WebviewWindowBuilder};

use crate::settings::{self, Zoom};

pub(crate) const LABEL: &str = "main";

pub(crate) fn open<R: Runtime>(app: &AppHandle<R>) -> tauri::Result<WebviewWindow<R>> {
    let window = WebviewWindowBuilder::new(app, LABEL, WebviewUrl::default())
        .title("Pilotlight")
        .inner_size(1080.0, 760.0)
        .min_inner_size(360.0, 480.0)
        .center()
        .on_navigation(is_own)
        .on_new_window(|_, _| NewWindowResponse::Deny)
        .disable_drag_drop_handler()
        .devtools(cfg!(debug_assertions))
        // The page's content is not written to disk. WebKit allows no WebDriver in such a window.
        .incognito(!is_driven())
        .build()?;
    magnify(app, settings::read(app).map(|settings| settings.zoom).unwrap_or_default());
    Ok(window)
}

/// The page handles the keys. Tauri's own would need a permission by which a page could ask for any factor.
pub(crate) fn magnify<R: Runtime>(app: &AppHandle<R>, zoom: Zoom) {
    if let Some(window) = app.get_webview_window(LABEL) {
        drop(window.set_zoom(zoom.factor()));
    }
}

pub(crate) fn focus<R: Runtime>(app: &AppHandle<R>) {
    if let Some(window) = app.get_webview_window(LABEL) {
        drop(window.unminimize());
        drop(window.show());
        drop(window.set_focus());
    }
}

pub(crate) fn is_out_of_sight<R: Runtime>(app: &AppHandle<R>) -> bool {
    app.get_webview_window(LABEL).is_some_and(|window| window.is_minimized().unwrap_or(false))
}

fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        // On Windows.
        "http" | "https" => url.host_str() == Some("tauri.localhost") && url.port().is_none(),
        _ => false,
    }
}

/// Tauri lets in a WebDriver by the same variable.
fn is_driven() -> bool {
    std::env::var_os("TAURI_WEBVIEW_AUTOMATION").is_some_and(|value| value == "true")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_built_in_page_may_be_opened() {
        for (url, own) in [
            ("tauri://localhost", true),
            ("tauri://localhost/index.html?a#b", true),
            ("http://tauri.localhost/", true),
            ("tauri://elsewhere/", false),
            ("http://tauri.localhost.example/", false),
            ("http://tauri.localhost:8080/", false),
            ("http://localhost/", false),
            ("https://example.com/", false),
            ("about:blank", false),
            ("data:text/html,hello", false),
            ("javascript:alert(1)", false),
            ("file:///etc/passwd", false),
        ] {
            assert_eq!(is_own(&url.parse().unwrap()), own, "{url}");
        }
    }
}
