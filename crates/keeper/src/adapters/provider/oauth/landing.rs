//! The page after a sign-in: no script, no external content, and no query, because it would stay in the history.

use std::sync::Arc;

use session::limits;
use tokio::runtime::Handle;
use tokio::sync::{Notify, watch};
use tokio::task::AbortHandle;

use api::words::{Language, Words};

/// Closes the port afterwards. Dropping it reports a failure.
pub(crate) struct Landing(Option<Open>);

struct Open {
    outcome: watch::Sender<Option<bool>>,
    shown: Arc<Notify>,
    serving: AbortHandle,
}

impl Landing {
    pub(crate) fn none() -> Self {
        Self(None)
    }

    pub(super) fn new(
        outcome: watch::Sender<Option<bool>>,
        shown: Arc<Notify>,
        serving: AbortHandle,
    ) -> Self {
        Self(Some(Open { outcome, shown, serving }))
    }

    pub(crate) fn tell(mut self, good: bool) {
        self.end(good);
    }

    pub(super) fn close(mut self) {
        if let Some(open) = self.0.take() {
            open.serving.abort();
        }
    }

    fn end(&mut self, good: bool) {
        let Some(Open { outcome, shown, serving }) = self.0.take() else { return };
        outcome.send_replace(Some(good));
        let Ok(runtime) = Handle::try_current() else { return serving.abort() };
        runtime.spawn(async move {
            // A browser that was closed never requests the page.
            drop(tokio::time::timeout(limits::LANDING, shown.notified()).await);
            serving.abort();
            drop(outcome);
        });
    }
}

impl Drop for Landing {
    fn drop(&mut self) {
        self.end(false);
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Page {
    Done,
    Failed,
    /// It does not belong to the current sign-in.
    Stranger,
    Used,
}

impl Page {
    pub(super) fn html(self, accept_language: &str) -> String {
        let language = Language::accepted(accept_language);
        let words = Words::of(language);
        let (key, mark) = match self {
            Self::Done => ("done", "✓"),
            Self::Failed => ("failed", "!"),
            Self::Stranger => ("stranger", "?"),
            Self::Used => ("used", "–"),
        };
        let lang = match language {
            Language::Chinese => "zh-CN",
            Language::English => "en",
        };
        let title = words.fill(&format!("page.{key}.title"), &[]);
        let body = words.fill(&format!("page.{key}.body"), &[]);
        format!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n<title>Pilotlight</title>\n\
             <style>{STYLE}</style>\n</head>\n<body class=\"{key}\">\n<main>\n<p class=\"mark\" aria-hidden=\"true\">{mark}</p>\n\
             <h1>{title}</h1>\n<p>{body}</p>\n</main>\n</body>\n</html>\n"
        )
    }
}

const STYLE: &str = "\
:root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,'Noto Sans CJK SC',sans-serif;\
background:Canvas;color:CanvasText}\
main{max-width:28rem;padding:2rem;text-align:center}\
h1{font-size:1.4rem;margin:.5rem 0}\
.mark{width:3.5rem;height:3.5rem;line-height:3.5rem;margin:0 auto;border-radius:50%;font-size:1.8rem;color:#fff;background:#b45309}\
.done .mark{background:#15803d}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_in_the_browsers_language_and_run_nothing() {
        for page in [Page::Done, Page::Failed, Page::Stranger, Page::Used] {
            let (english, chinese) = (page.html("en-GB,en;q=0.9"), page.html("zh-CN,zh;q=0.9,en;q=0.8"));
            assert_ne!(english, chinese);
            for html in [english, chinese] {
                assert!(!html.contains("<script") && !html.contains("page."), "{html}");
            }
        }
    }
}
