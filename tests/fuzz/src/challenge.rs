//! `WWW-Authenticate`: a line with the status, and the header.

use session::bounds;
use session::oauth::challenge::{Challenge, Meaning, meaning, parse};
use session::oauth::probe::{Opinion, opinion};

use crate::input::{Written, line, text};

pub fn hold(input: &[u8]) {
    let written = Written::read(input);
    let header = text(written.body);
    let challenges = parse(&header);
    assert!(challenges.len() <= bounds::CHALLENGES);
    let length: usize = challenges.iter().map(|challenge| challenge.scheme.len()).sum();
    assert!(length <= header.len(), "there is more than was said");
    for challenge in &challenges {
        let told = challenge.scheme.bytes().chain(challenge.token68.iter().flat_map(|text| text.bytes()));
        assert!(told.into_iter().all(|byte| byte.is_ascii_graphic()), "{challenge:?}");
    }
    match meaning(written.status, &challenges) {
        Meaning::Refresh => assert!((400..500).contains(&written.status)),
        Meaning::NeedsInteraction(demand) => {
            let words = [demand.acr_values, demand.scope, demand.claims];
            assert!(
                words.iter().flatten().all(|words| words.len() <= bounds::DEMAND),
                "it goes into an address"
            );
            let asked = matches!(opinion(&written.answer(), &header, &[]), Opinion::Demands(_));
            assert!(asked, "it is asked of a person");
        }
        Meaning::UseNonce | Meaning::Nothing => {}
    }
    if header.len() > bounds::CHALLENGE {
        assert!(challenges.is_empty());
    }
    reads_what_the_grammar_says(input);
}

/// RFC 9110, section 11.6.1: what is written by its rules is read as it was meant. Each line is a scheme with a token or
/// with parameters: `Bearer realm=a b`.
fn reads_what_the_grammar_says(input: &[u8]) {
    let (_, mut rest) = line(input);
    let (mut meant, mut header) = (Vec::new(), String::new());
    while !rest.is_empty() && meant.len() < bounds::CHALLENGES {
        let (one, after) = line(rest);
        rest = after;
        let mut words = one.split(',');
        let Some(scheme) = words.next().filter(|scheme| is_token(scheme)) else { continue };
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        for (name, value) in words.filter_map(|word| word.split_once('=')) {
            let is_new = parameters.iter().all(|(other, _)| !other.eq_ignore_ascii_case(name));
            if is_token(name) && is_new && parameters.len() < 3 && !value.contains(char::is_control) {
                parameters.push((name, value));
            }
        }
        header.push_str(if header.is_empty() { "" } else { " ,\t" });
        header.push_str(scheme);
        for (at, (name, value)) in parameters.iter().enumerate() {
            let value = value.replace('\\', r"\\").replace('"', "\\\"");
            header.push_str(&format!("{}{name} = \"{value}\"", if at == 0 { " " } else { ", " }));
        }
        meant.push((
            scheme.to_owned(),
            parameters.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect::<Vec<_>>(),
        ));
    }
    if header.len() > bounds::CHALLENGE {
        return;
    }
    let read = parse(&header);
    assert_eq!(read.len(), meant.len(), "{header}");
    for (challenge, (scheme, parameters)) in read.iter().zip(&meant) {
        assert_eq!(&challenge.scheme, scheme, "{header}");
        let said = |name: &str| Challenge::get(challenge, name);
        assert!(parameters.iter().all(|(name, value)| said(name) == Some(value)), "{header} {challenge:?}");
    }
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}
