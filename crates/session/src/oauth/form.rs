use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::tokens::Secret;
use crate::wire::escape::escape;
use crate::wire::message::Message;

/// Of two with the same name, which RFC 6749, section 3.1, forbids, the first one stays.
#[derive(Default)]
pub(super) struct Form(Vec<(String, Secret)>);

impl Form {
    pub(super) fn grant(grant_type: &str) -> Self {
        Self::default().with("grant_type", grant_type)
    }

    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.put(name, value);
        self
    }

    pub(super) fn put(&mut self, name: &str, value: &str) {
        if !self.0.iter().any(|(other, _)| other == name) {
            self.0.push((name.to_string(), Secret::new(value)));
        }
    }

    pub(super) fn put_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.put(name, value);
        }
    }

    /// The one parameter that may come several times (RFC 8707, section 2).
    pub(super) fn put_resources(&mut self, resources: &[String]) {
        self.0.extend(
            resources.iter().map(|resource| ("resource".to_string(), Secret::new(resource.as_str()))),
        );
    }

    pub(super) fn put_all(&mut self, extra: &BTreeMap<String, String>) {
        for (name, value) in extra {
            self.put(name, value);
        }
    }

    pub(super) fn message(self, url: &str) -> Message {
        let mut message = Message::bare("POST", url);
        // Without it some servers answer with a form or a page.
        message.headers.push(("Accept".to_string(), Secret::new("application/json")));
        message.body = Some(Secret::new(self.text()));
        message.content_type = Some("application/x-www-form-urlencoded");
        message
    }

    /// Extends the query that is there (RFC 6749, section 3.1). A space is `%20`, which every server reads.
    pub(super) fn url(self, url: &str) -> Secret {
        let separator = match url.split_once('?') {
            None => "?",
            Some((_, query)) if query.is_empty() || query.ends_with('&') => "",
            Some(_) => "&",
        };
        Secret::new([url, separator, &self.text().replace('+', "%20")].concat())
    }

    fn text(&self) -> String {
        let mut text = String::new();
        for (name, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            escape(&mut text, name);
            text.push('=');
            escape(&mut text, value.expose());
        }
        text
    }
}

/// `None` stands for a pair whose escapes make no text.
pub(super) fn pairs(query: &str) -> impl Iterator<Item = Option<(String, Secret)>> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((unescape(name)?, Secret::new(unescape(value)?)))
    })
}

fn unescape(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => digit(rest.next())? << 4 | digit(rest.next())?,
            byte => *byte,
        });
    }
    String::from_utf8(bytes).ok()
}

fn digit(byte: Option<&u8>) -> Option<u8> {
    u8::try_from(char::from(*byte?).to_digit(16)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_first_stays() {
        let extra = [("state", "theirs"), ("x", "a b+c")].map(|(name, value)| (name.into(), value.into()));
        let mut form = Form::default().with("state", "ours");
        form.put_all(&extra.into());
        form.put("x", "default");
        assert_eq!(form.text(), "state=ours&x=a+b%2Bc");
        assert_eq!(
            form.url("https://a.example/x?y=1").expose(),
            "https://a.example/x?y=1&state=ours&x=a%20b%2Bc"
        );
    }

    #[test]
    fn a_query_that_is_there_already_is_kept() {
        let url = |url| Form::default().with("a", "b").url(url).expose().to_string();
        assert_eq!(url("https://a.example"), "https://a.example?a=b");
        assert_eq!(url("https://a.example?"), "https://a.example?a=b");
        assert_eq!(url("https://a.example?x&"), "https://a.example?x&a=b");
    }

    #[test]
    fn escapes_are_undone_or_refused() {
        for (text, read) in [
            ("a+b%20c", Some("a b c")),
            ("%E7%99%BB", Some("登")),
            ("%e7%99%bb", Some("登")),
            ("%", None),
            ("%4", None),
            ("%+1", None),
            ("%ff", None),
        ] {
            assert_eq!(unescape(text).as_deref(), read, "{text}");
        }
    }
}
