//! What a protected resource says when it refuses (`WWW-Authenticate`; RFC 9110, section 11.6.1). Many servers get the
//! syntax wrong: what can be understood is read, and the rest is skipped.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::error::ErrorKind;
use crate::bounds;
use crate::interaction::{Interaction, Need};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// As it was written; empty for parameters before any scheme.
    pub scheme: String,
    pub token68: Option<String>,
    parameters: Vec<(String, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Meaning {
    Refresh,
    NeedsInteraction(Interaction),
    UseNonce,
    Nothing,
}

impl Challenge {
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    fn is_about_tokens(&self) -> bool {
        ["", "bearer", "dpop"].iter().any(|scheme| self.scheme.eq_ignore_ascii_case(scheme))
    }
}

/// One that is too long says nothing, and of too many the first are read: a scheme that is none is looked at twice.
pub fn parse(header: &str) -> Vec<Challenge> {
    let mut challenges = Vec::<Challenge>::new();
    if header.len() > bounds::CHALLENGE {
        return challenges;
    }
    let (mut text, mut parameters) = (Text(header), 0);
    while parameters < bounds::PARAMETERS {
        text.skip(|c| matches!(c, ' ' | '\t' | ',' | ';'));
        if text.0.is_empty() {
            break;
        }
        let name = text.take(is_token);
        if name.is_empty() {
            // Nothing begins here. What is quoted is skipped as a whole, commas and all.
            if text.quoted().is_none() {
                text.next();
            }
            continue;
        }
        match text.value() {
            Some(value) => {
                parameters += 1;
                if challenges.is_empty() {
                    challenges.push(Challenge::default());
                }
                if let Some(challenge) = challenges.last_mut() {
                    challenge.parameters.push((name.to_string(), value));
                }
            }
            None if challenges.len() == bounds::CHALLENGES => break,
            None => {
                let token68 = text.token68();
                challenges.push(Challenge { scheme: name.to_string(), token68, parameters: Vec::new() });
            }
        }
    }
    challenges
}

pub fn meaning(status: u16, challenges: &[Challenge]) -> Meaning {
    let ours = || challenges.iter().filter(|challenge| challenge.is_about_tokens());
    let errors = || ours().filter_map(|challenge| Some((challenge, challenge.get("error")?)));
    if !matches!(status, 400..500) {
        return Meaning::Nothing;
    }
    if errors().any(|(_, error)| ErrorKind::of(error) == ErrorKind::Nonce) {
        return Meaning::UseNonce;
    }
    for (challenge, error) in errors() {
        let claims_are_missing = || (error == "insufficient_claims").then_some(Need::Other);
        let Some(need) = ErrorKind::of(error).need().or_else(claims_are_missing) else { continue };
        let text = |name| challenge.get(name).filter(|text| text.len() <= bounds::DEMAND).map(str::to_string);
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
    // Also where the request is said to be wrong: some servers say so of a token that is over.
    if status == 401 { Meaning::Refresh } else { Meaning::Nothing }
}

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

    /// A text that never ends goes on to the end of the header.
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

    /// A single value in place of parameters, which may end in `=` (RFC 9110, section 11.2).
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

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    fn told(header: &str) -> String {
        let one = |challenge: &Challenge| {
            let parameters: Vec<_> =
                challenge.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let token68 = challenge.token68.as_deref().map(|text| format!(":{text}")).unwrap_or_default();
            format!("{}{token68}{{{}}}", challenge.scheme, parameters.join("|"))
        };
        parse(header).iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// Row D12.
    #[test]
    fn headers_are_read_as_far_as_anyone_can() {
        let table = [
            ("", ""),
            (" , ,, ", ""),
            ("Bearer", "Bearer{}"),
            ("Negotiate, Basic realm=x", "Negotiate{} Basic{realm=x}"),
            ("Bearer realm=\"a, b\", error=\"x\"", "Bearer{realm=a, b|error=x}"),
            (r#"Bearer realm="say \"hi\", \\o/""#, r#"Bearer{realm=say "hi", \o/}"#),
            ("Bearer realm = \"a\" ,error= b", "Bearer{realm=a|error=b}"),
            ("Bearer a=1, DPoP algs=\"ES256 EdDSA\", b=2", "Bearer{a=1} DPoP{algs=ES256 EdDSA|b=2}"),
            ("Negotiate YWJj+/-._~==", "Negotiate:YWJj+/-._~=={}"),
            ("Negotiate abc=, Bearer error=x", "Negotiate:abc={} Bearer{error=x}"),
            // Malformed headers that servers do send.
            ("Bearer error=\"x\" error_description=\"y\"", "Bearer{error=x|error_description=y}"),
            ("NTLM abc, Bearer error=\"x\"; scope=\"y\"", "NTLM:abc{} Bearer{error=x|scope=y}"),
            ("Bearer realm=\"never ends, error=x", "Bearer{realm=never ends, error=x}"),
            ("Bearer realm=\"\\", "Bearer{realm=}"),
            ("error=\"invalid_token\"", "{error=invalid_token}"),
            ("Bearer, error=\"x\"", "Bearer{error=x}"),
            ("Bearer DPoP error=x", "Bearer{} DPoP{error=x}"),
            ("Bearer realm=, error=x", "Bearer:realm={error=x}"),
            ("Bearer a=b, realm=, error=x", "Bearer{a=b|realm=|error=x}"),
            ("Bearer \"a, b\" error=x", "Bearer{error=x}"),
            ("=, Bearer @@ error=x", "Bearer{error=x}"),
            ("Bearer realm=http://a.example/b?c=d, error=x", "Bearer{realm=http://a.example/b?c=d|error=x}"),
            ("Bearer realm=\"登录\", 登录, error=x", "Bearer{realm=登录|error=x}"),
        ];
        for (header, read) in table {
            assert_eq!(told(header), read, "{header}");
        }
    }

    #[test]
    fn every_cut_of_a_header_is_read() {
        let header = r#"Bearer realm="a\"b", x==, é="ü", Negotiate abc==, DPoP error="use_dpop_nonce", "#;
        for (at, _) in header.char_indices() {
            parse(&header[..at]);
            parse(&header[at..]);
        }
    }

    #[test]
    fn refusals_mean_what_they_say() {
        use Meaning::{Nothing, Refresh, UseNonce};
        let needs = |need| Meaning::NeedsInteraction(Interaction::of(need));
        let table = [
            (401, "", Refresh),
            (401, "Bearer", Refresh),
            (401, "bearer ERROR=\"invalid_token\"", Refresh),
            (401, "Bearer realm=\"http://127.0.0.1:3100\", error=\"invalid_token\"", Refresh),
            (401, "Bearer error=\"of_our_own\"", Refresh),
            (401, "Basic realm=\"x\", error=\"insufficient_scope\"", Refresh),
            (401, "error=\"invalid_token\"", Refresh),
            (403, "Bearer error=\"invalid_token\"", Refresh),
            (400, "Bearer error=\"invalid_request\"", Nothing),
            (401, "Bearer error=\"invalid_request\"", Refresh),
            (401, "Bearer error=\"invalid_client\"", Refresh),
            (401, "Bearer error=\"invalid_scope\"", Refresh),
            (401, "DPoP error=\"invalid_dpop_proof\", algs=\"ES256\"", Refresh),
            (403, "Bearer error=\"invalid_client\"", Nothing),
            (403, "", Nothing),
            (403, "Bearer", Nothing),
            (404, "Bearer", Nothing),
            (200, "Bearer error=\"invalid_token\"", Nothing),
            (503, "Bearer error=\"insufficient_scope\"", Nothing),
            (401, "DPoP realm=\"x\", error=\"use_dpop_nonce\", algs=\"ES256\"", UseNonce),
            (401, "Bearer error=\"invalid_token\", DPoP error=\"use_dpop_nonce\"", UseNonce),
            (401, "Bearer error=\"interaction_required\"", needs(Need::Other)),
            (401, "Bearer error=\"login_required\"", needs(Need::Login)),
            (403, "Bearer error=\"insufficient_scope\"", needs(Need::Scope)),
            (401, "Bearer error=\"insufficient_scope\", DPoP error=\"invalid_token\"", needs(Need::Scope)),
        ];
        for (status, header, meant) in table {
            assert_eq!(meaning(status, &parse(header)), meant, "{status} {header}");
        }
    }

    /// RFC 9470, section 3; RFC 6750, section 3.1; and how one large provider asks for claims.
    #[test]
    fn a_demand_comes_with_what_it_takes() {
        let demand = |status, header| {
            let meaning = meaning(status, &parse(header));
            let Meaning::NeedsInteraction(interaction) = meaning else { panic!("{meaning:?}") };
            interaction
        };
        let step_up = demand(
            401,
            "Bearer error=\"insufficient_user_authentication\", error_description=\"A different authentication \
             level is required\", acr_values=\"myACR\", max_age=\"5\"",
        );
        let acr_values = Some("myACR".to_string());
        assert_eq!(step_up, Interaction { acr_values, max_age: Some(5), ..Interaction::of(Need::StepUp) });
        let scope = demand(403, "Bearer error=\"insufficient_scope\", scope=\"read write\", max_age=soon");
        assert_eq!(
            scope,
            Interaction { scope: Some("read write".to_string()), ..Interaction::of(Need::Scope) }
        );
        let claims = demand(401, "Bearer error=\"insufficient_claims\", claims=\"eyJhIjoxfQ==\"");
        assert_eq!(
            claims,
            Interaction { claims: Some("eyJhIjoxfQ==".to_string()), ..Interaction::of(Need::Other) }
        );
    }

    #[test]
    fn a_header_is_read_up_to_its_bounds_and_no_further() {
        let padded = |length: usize| {
            let start = "Bearer error=\"invalid_token\", x=";
            start.to_string() + &"y".repeat(length - start.len())
        };
        assert_eq!(parse(&padded(bounds::CHALLENGE)).len(), 1);
        assert_eq!(parse(&padded(bounds::CHALLENGE + 1)), []);

        let schemes = |count: usize| parse(&"Basic, ".repeat(count)).len();
        assert_eq!([schemes(bounds::CHALLENGES), schemes(bounds::CHALLENGES + 1)], [bounds::CHALLENGES; 2]);
        let last = format!("{}Bearer error=x", "Basic, ".repeat(bounds::CHALLENGES - 1));
        assert_eq!(parse(&last)[bounds::CHALLENGES - 1].get("error"), Some("x"));
        let parameters =
            |count: usize| parse(&format!("Bearer {}", "a=b,".repeat(count)))[0].parameters.len();
        assert_eq!(
            [parameters(bounds::PARAMETERS), parameters(bounds::PARAMETERS + 1)],
            [bounds::PARAMETERS; 2]
        );

        let scope = |length: usize| {
            let header = format!("Bearer error=insufficient_scope, scope={}", "s".repeat(length));
            let Meaning::NeedsInteraction(demand) = meaning(403, &parse(&header)) else { panic!("{header}") };
            demand.scope.map(|scope| scope.len())
        };
        assert_eq!((scope(bounds::DEMAND), scope(bounds::DEMAND + 1)), (Some(bounds::DEMAND), None));
    }
}
