//! What is ten times as long takes ten times as long, and not a hundred times: for each parser, the shapes of input that
//! would show it. Counted is the time of the processor, so that a busy machine does not matter.

#![allow(clippy::unwrap_used)]

mod processor;

use std::time::Duration;

use pilotlight_fuzz::{CANARY, TARGETS};

#[test]
fn no_parser_takes_more_than_its_input_is_long() {
    for (target, shape, make) in SHAPES {
        let (_, hold) = TARGETS.into_iter().find(|(name, _)| *name == target).unwrap();
        let took = |size: usize| {
            let input = make(size);
            (0..3).map(|_| timed(|| hold(&input))).min().unwrap()
        };
        let [short, long] = [took(SHORT), took(SHORT * 10)];
        println!("{target:13} {shape:32} {:8} µs {:8} µs", short.as_micros(), long.as_micros());
        assert!(
            long < short * 30 + SLACK,
            "{target}, {shape}: {short:?} for {SHORT}, {long:?} for ten times that"
        );
    }
}

type Shape = fn(usize) -> Vec<u8>;

const SHAPES: [(&str, &str, Shape); 29] = [
    ("answers", "an error in many words", |n| {
        answer(400, &format!(r#"{{"error":"x","error_description":"{}"}}"#, "a b".repeat(n)))
    }),
    ("answers", "a deep answer", |n| answer(200, &nested(n))),
    ("challenge", "schemes", |n| answer(401, &"Basic ".repeat(n))),
    ("challenge", "tokens that are none", |n| answer(401, &format!("Bearer {}", "a/".repeat(n)))),
    ("challenge", "quotes", |n| answer(401, &format!("Bearer a=\"{}", "\\\"".repeat(n)))),
    ("challenge", "blanks", |n| answer(401, &format!("a{}", " ".repeat(n)))),
    ("config", "keys that are none", |n| numbered("k{n} = 1\n", n)),
    ("config", "profiles that are none", |n| numbered("[profile.p{n}]\nx = 1\n", n)),
    ("config", "a long key", |n| format!("{} = 1", "k".repeat(n)).into_bytes()),
    ("config", "a long list", |n| format!("[profile.a]\nresources = [{}]", "'/a',".repeat(n)).into_bytes()),
    ("config", "comments", |n| "# a\n\n".repeat(n).into_bytes()),
    ("dates", "digits", |n| "9".repeat(n).into_bytes()),
    ("frame", "a byte at a time", |n| format!("1\n{}", "x".repeat(n)).into_bytes()),
    ("frame", "empty lines", |n| format!("7\n{}", "\n".repeat(n)).into_bytes()),
    ("frame", "a deep call", |n| format!("\n{}", "[".repeat(n)).into_bytes()),
    ("jwt", "dots", |n| ".".repeat(n).into_bytes()),
    ("jwt", "claims", |n| [b"\n{".to_vec(), numbered(r#""k{n}":1,"#, n), br#""exp":1}"#.to_vec()].concat()),
    ("key_set", "keys", |n| {
        let keys = r#"{"kty":"RSA","n":"AQ","e":"AQAB"},"#.repeat(n);
        format!("\n{{\"keys\":[{keys}0]}}").into_bytes()
    }),
    ("loopback", "a query", |n| {
        format!("GET /callback?{} HTTP/1.1\r\n\r\n", "state=a&".repeat(n)).into_bytes()
    }),
    ("loopback", "headers", |n| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(n)).into_bytes()),
    ("metadata", "scopes", |n| {
        let start =
            r#"{"issuer":"https://a.example","token_endpoint":"https://a.example/t","scopes_supported":["#;
        format!("https://a.example\n{start}{}7]}}", r#""a","#.repeat(n)).into_bytes()
    }),
    ("recipe", "rules", |n| recipe("/r", &r#"{"status":401},"#.repeat(n))),
    ("recipe", "a deep pointer", |n| recipe(&"/a".repeat(n), "")),
    ("sealed", "a label without an end", |n| "{\"".repeat(n).into_bytes()),
    ("sealed", "a long token", |n| format!("r{}", CANARY.repeat(n / 40)).into_bytes()),
    ("token_answer", "tokens of which none is whole", |n| answer(200, &r#""refresh_token":"\"#.repeat(n))),
    ("token_answer", "tokens that are cut", |n| answer(200, &r#""refresh_token":1"#.repeat(n))),
    ("token_answer", "blanks", |n| answer(200, &format!(r#""refresh_token"{}"#, " ".repeat(n)))),
    ("token_answer", "a deep answer", |n| answer(200, &nested(n))),
];

/// Ten times that is within every bound, or the bound would be measured.
const SHORT: usize = 800;

/// What starts slowly, once.
const SLACK: Duration = Duration::from_millis(20);

fn timed(work: impl FnOnce()) -> Duration {
    let begun = processor::time();
    work();
    processor::time() - begun
}

fn answer(status: u16, body: &str) -> Vec<u8> {
    format!("{status} application/json\n{body}").into_bytes()
}

fn nested(depth: usize) -> String {
    format!("{}\"refresh_token\":\"r\"", "{\"a\":".repeat(depth))
}

fn recipe(pointer: &str, rules: &str) -> Vec<u8> {
    let send = format!(r#""send":{{"refresh_token":"{pointer}"}},"take":{{"access_token":"/a"}}"#);
    let refused = format!(r#""refused":[{rules}{{"status":400}}]"#);
    format!("{{\"refresh\":{{\"path\":\"/r\",{send},{refused}}}}}\n401 application/json\n{{}}").into_bytes()
}

fn numbered(line: &str, count: usize) -> Vec<u8> {
    (0..count).map(|n| line.replace("{n}", &n.to_string())).collect::<String>().into_bytes()
}
