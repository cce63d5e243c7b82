//! What a protected resource says when it refuses (`WWW-Authenticate`; RFC 9110, section 11.6.1).
//!
//! The header is a list of lists with the same separator, and servers get it wrong in every way there is. Whatever
//! can be understood is; the rest is skipped.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::{Interaction, Kind, Need};

/// One way in, as the resource describes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// As it was written; empty when there are parameters before any scheme.
    pub scheme: String,
    pub token68: Option<String>,
    parameters: Vec<(String, String)>,
}

/// What to do about a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// The access token is not good; a new one may be.
    Refresh,
    /// No new token of this kind will do.
    NeedsInteraction(Interaction),
    /// Send it once more, with the nonce of this answer's `DPoP-Nonce`.
    UseNonce,
    /// Nothing about the token.
    Nothing,
}

impl Challenge {
    /// A parameter, whatever the case of its name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn is_about_tokens(&self) -> bool {
        ["", "bearer", "dpop"].iter().any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }
}

/// The challenges of one header, or of several that were joined with commas.
pub fn parse(header: &str) -> Vec<Challenge> {
    let mut text = Text(header);
    let mut challenges = Vec::<Challenge>::new();
    loop {
        text.skip(|c| matches!(c, ' ' | '\t' | ',' | ';'));
        if text.0.is_empty() {
            return challenges;
        }
        let name = text.take(is_token);
        if name.is_empty() {
            // Nothing that could begin here. What is quoted is skipped as a whole, commas and all.
            if text.quoted().is_none() {
                text.next();
            }
            continue;
        }
        match text.value() {
            Some(value) => {
                if challenges.is_empty() {
                    challenges.push(Challenge::default());
                }
                if let Some(challenge) = challenges.last_mut() {
                    challenge.parameters.push((name.to_string(), value));
                }
            }
            None => {
                let token68 = text.token68();
                challenges.push(Challenge { scheme: name.to_string(), token68, parameters: Vec::new() });
            }
        }
    }
}

/// What a refusal means for the access token that was sent.
pub fn meaning(status: u16, challenges: &[Challenge]) -> Meaning {
    let ours = || challenges.iter().filter(|challenge| challenge.is_about_tokens());
    let errors = || ours().filter_map(|challenge| Some((challenge, challenge.get("error")?)));
    if !matches!(status, 400..500) {
        return Meaning::Nothing;
    }
    if errors().any(|(_, error)| Kind::of(error) == Kind::Nonce) {
        return Meaning::UseNonce;
    }
    for (challenge, error) in errors() {
        let claims_are_missing = || (error == "insufficient_claims").then_some(Need::Other);
        let Some(need) = Kind::of(error).need().or_else(claims_are_missing) else { continue };
        let text = |name| challenge.get(name).map(str::to_string);
        return Meaning::NeedsInteraction(Interaction {
            need,
            acr_values: text("acr_values"),
            max_age: challenge.get("max_age").and_then(|age| age.trim().parse().ok()),
            scope: text("scope"),
            claims: text("claims"),
        });
    }
    if errors().any(|(_, error)| error == "invalid_token") {
        return Meaning::Refresh;
    }
    // Our request is wrong, which no token mends.
    if errors().any(|(_, error)| Kind::of(error) == Kind::Misconfigured) {
        return Meaning::Nothing;
    }
    if status == 401 { Meaning::Refresh } else { Meaning::Nothing }
}

/// What is left to be read.
struct Text<'a>(&'a str);

impl<'a> Text<'a> {
    fn take(&mut self, is_part: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|c| !is_part(c)).unwrap_or(self.0.len());
        let (part, rest) = self.0.split_at(end);
        self.0 = rest;
        part
    }

    fn skip(&mut self, is_part: impl Fn(char) -> bool) {
        self.take(is_part);
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.0.chars();
        let next = chars.next();
        self.0 = chars.as_str();
        next
    }

    /// `= value`, quoted or not.
    fn value(&mut self) -> Option<String> {
        let rest = self.0.trim_start_matches([' ', '\t']).strip_prefix('=')?;
        // `abc==` is no parameter with the value `=`.
        if rest.starts_with('=') {
            return None;
        }
        self.0 = rest.trim_start_matches([' ', '\t']);
        let value = self.quoted();
        value.or_else(|| Some(self.take(|c| !matches!(c, ' ' | '\t' | ',' | ';')).to_string()))
    }

    /// With its escapes undone. One that never ends goes on to the end.
    fn quoted(&mut self) -> Option<String> {
        self.0 = self.0.strip_prefix('"')?;
        let mut value = String::new();
        while let Some(c) = self.next() {
            match c {
                '"' => break,
                '\\' => value.extend(self.next()),
                c => value.push(c),
            }
        }
        Some(value)
    }

    /// Instead of parameters, a single value that may end in `=` (RFC 9110, section 11.2).
    fn token68(&mut self) -> Option<String> {
        let start = self.0.trim_start_matches([' ', '\t']);
        let mut text = Text(start);
        let length = text.take(is_token68).len() + text.take(|c| c == '=').len();
        let after = text.0.trim_start_matches([' ', '\t']);
        if length == 0 || !(after.is_empty() || after.starts_with(',')) {
            return None;
        }
        self.0 = text.0;
        Some(start[..length].to_string())
    }
}

fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

fn is_token68(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~+/".contains(c)
}
