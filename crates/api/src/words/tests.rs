use std::collections::BTreeMap;

use ts_rs::{Config, TS};

use super::*;
use crate::{Cause, Code, Destination, Ends, Ground, Lost, Oddity, Problem, Source, Unused, VaultTrouble};

mod told;

const LANGUAGES: [Language; 2] = [Language::English, Language::Chinese];

#[test]
fn values_are_filled_in_and_parts_without_them_left_out() {
    let values =
        |name: &str| [("host", "api"), ("empty", "")].into_iter().find(|(n, _)| *n == name).map(|(_, v)| v);
    for (text, filled) in [
        ("No connection[ to {host}].", "No connection to api."),
        ("No connection[ to {port}].", "No connection."),
        ("No connection[ to {empty}].", "No connection."),
        ("[{host} 的]应答[（{limit}）]。", "api 的应答。"),
        ("[{host}:{port}] {host}", "api"),
        ("{port} of {host}", "of api"),
        ("unfinished {host", "unfinished api"),
        ("unfinished [{host}", "unfinished api"),
        ("", ""),
    ] {
        assert_eq!(complete(text, &values), filled, "{text}");
    }
}

#[test]
fn a_value_is_never_taken_for_a_placeholder() {
    assert_eq!(complete("{a}", &|_| Some("{a} [b]")), "{a} [b]");
}

#[test]
fn the_locale_decides() {
    for chinese in ["zh_CN.UTF-8", "zh", "zh_TW.UTF-8", "zh-Hant", "zh_HK@stroke", "zh.UTF-8", "ZH_cn"] {
        assert_eq!(Language::named(chinese), Language::Chinese, "{chinese}");
    }
    for english in ["", "C", "C.UTF-8", "en_GB.UTF-8", "de_DE", "zhx_XX"] {
        assert_eq!(Language::named(english), Language::English, "{english}");
    }
}

#[test]
fn durations_are_said_as_a_person_would() {
    let (english, chinese) = (Words::of(Language::English), Words::of(Language::Chinese));
    for (ms, measured) in
        [(0, "0 ms"), (38, "38 ms"), (999, "999 ms"), (1000, "1 s"), (1449, "1.4 s"), (9949, "9.9 s")]
    {
        assert_eq!(english.measured(ms), measured);
    }
    for (ms, span) in [
        (0, "0 s"),
        (4_400, "4 s"),
        (59_499, "59 s"),
        (60_000, "1 min"),
        (80_000, "1 min 20 s"),
        (11 * 60_000 + 20_000, "11 min"),
        (3_600_000, "1 h"),
        (22_320_000, "6 h 12 min"),
        (49 * 3_600_000, "2 days"),
        (u64::MAX, "213503982334 days"),
    ] {
        assert_eq!(english.duration(ms), span);
    }
    assert_eq!(english.measured(9_950), "10 s");
    assert_eq!(chinese.duration(4_000), "4 秒");
    assert_eq!(chinese.measured(1_400), "1.4 秒");
    assert_eq!(chinese.duration(22_320_000), "6 小时 12 分");
}

/// Row D15.
#[test]
fn every_code_has_a_sentence_and_a_next_step() {
    let codes = words_of::<Code>();
    assert!(codes.len() > 30, "{codes:?}");
    for (language, code) in pairs(&codes) {
        let words = Words::of(language);
        let failure = Failure {
            code: serde_json::from_value(code.as_str().into()).unwrap(),
            profile: None,
            details: BTreeMap::new(),
            retry_in_ms: None,
        };
        let (say, next) = words.say(&failure);
        assert_ne!(&say, code, "{language:?}");
        assert_whole(&say);
        assert_whole(&next);
    }
}

/// Row D15.
#[test]
fn every_reason_has_its_words() {
    for (language, group, members) in LANGUAGES.into_iter().flat_map(|language| {
        [
            (language, "cause", words_of::<Cause>()),
            (language, "why", words_of::<Lost>()),
            (language, "odd", words_of::<Oddity>()),
            (language, "trouble", words_of::<Trouble>()),
            (language, "odd", words_of::<Oddity>()),
            (language, "place", words_of::<Destination>()),
            (language, "vault", words_of::<VaultTrouble>()),
        ]
    }) {
        let words = Words::of(language);
        assert!(members.len() > 3, "{group}");
        for member in members {
            let text = words.known(&format!("{group}.{member}"), &[]);
            assert_whole(&text.unwrap_or_else(|| panic!("{language:?} has no {group}.{member}")));
        }
    }
}

#[test]
fn every_note_has_a_sentence() {
    let kinds = tags::<Note>("kind");
    let notes = notes();
    let told: Vec<_> = notes.iter().map(|note| serde_json::to_value(note).unwrap()["kind"].clone()).collect();
    for kind in &kinds {
        assert!(told.iter().any(|told| told == kind), "give `notes` below an example of {kind}");
    }
    for language in LANGUAGES {
        let words = Words::of(language);
        for note in &notes {
            let sentence = words.note(note);
            assert!(!sentence.starts_with("note."), "{language:?}: {sentence}");
            assert!(
                !sentence.contains("trouble.") && !sentence.contains("vault."),
                "{language:?}: {sentence}"
            );
            assert_whole(&sentence);
        }
    }
}

#[test]
fn notes_read_like_this() {
    let words = Words::of(Language::English);
    let said: Vec<_> = notes().iter().map(|note| words.note(note)).collect();
    for sentence in [
        "Configuration, line 3: `url` is missing",
        "Configuration: `url` is missing",
        "Configuration, line 7: no url",
        "Kept the session: server error 503; trying again in 4 s",
        "Kept the session: no connection, 3 times in a row; trying again in 12 s",
        "Refreshed before it ran out (token 2)",
        "Refreshed because a request needed it (token 3), after 4 tries",
        "Refreshed in good time (token 5; nobody said how long it lives)",
        "Signed in as mia",
        "Signed in",
        "Sign-in failed. The provider did not accept this sign-in.",
        "401 from /api/orders: token 2 was refused",
        "One held request sent after 900 ms",
        "Woke from sleep (6 h 12 min): checking before anything is sent",
    ] {
        assert!(said.iter().any(|said| said == sentence), "{sentence:?} is not among {said:#?}");
    }
}

/// A refresh fails because of a verified identity; a sign-in, because of an unverified one.
#[test]
fn who_it_is_and_who_it_may_be_are_told_apart() {
    let other = Failure::provider(Trouble::Identity, Some(200), "id.example");
    let unproved = Failure::new(Code::IdentityUnverified).because(Problem::IdTokenExpired);
    let kept = |words: Words| words.fill("trouble.identity", &[]);
    let english = Words::of(Language::English);
    let told = [english.say(&other).0, english.say(&unproved).0, kept(english)];
    let sentences = [
        "The provider id.example says that somebody else is signed in now than before.",
        "The ID token does not prove who signed in: it has run out.",
        "the provider says that somebody else is signed in now",
    ];
    assert_eq!(told, sentences);
    let chinese = Words::of(Language::Chinese);
    for sentence in [chinese.say(&other).0, kept(chinese)] {
        assert!(sentence.contains("另一个人") && !sentence.contains("验证"), "{sentence}");
    }
}

#[test]
fn every_phase_has_its_words() {
    for name in tags::<PhaseView>("name") {
        for language in LANGUAGES {
            assert!(
                Words::of(language).known(&format!("phase.{name}"), &[]).is_some(),
                "{language:?}: {name}"
            );
        }
    }
    let waiting =
        PhaseView::Waiting { why: Trouble::Status, status: Some(503), failures: 1, retry_in_ms: 4_000 };
    assert_eq!(Words::of(Language::English).phase(&waiting), "server error 503, again in 4 s");
    assert_eq!(Words::of(Language::Chinese).phase(&waiting), "服务器错误 503，4 秒后重试");
}

#[test]
fn what_the_command_says_is_there_in_both_languages() {
    let keys = |language: Language| -> Vec<String> {
        let mut keys: Vec<_> = Words::of(language).texts.into_keys().map(Cow::into_owned).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(Language::English), keys(Language::Chinese));
}

#[track_caller]
fn assert_whole(sentence: &str) {
    assert!(!sentence.is_empty());
    assert!(!sentence.contains(['{', '}', '[', ']']), "{sentence}");
    assert!(!sentence.contains("  ") && !sentence.contains(" ,") && !sentence.contains(" ."), "{sentence}");
}

fn pairs(codes: &[String]) -> impl Iterator<Item = (Language, &String)> {
    LANGUAGES.into_iter().flat_map(move |language| codes.iter().map(move |code| (language, code)))
}

fn words_of<T: TS>() -> Vec<String> {
    let declaration = T::inline(&Config::default());
    declaration.split('|').map(|word| word.trim().trim_matches('"').to_owned()).collect()
}

fn tags<T: TS>(tag: &str) -> Vec<String> {
    let declaration = T::inline(&Config::default());
    let start = format!("\"{tag}\": \"");
    let tags: Vec<_> = declaration
        .split(&start)
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect();
    assert!(tags.len() > 3, "{declaration}");
    tags
}

fn notes() -> Vec<Note> {
    let text = |text: &str| text.to_owned();
    let refreshed = |cause, source, generation, tries| Note::Refreshed {
        cause,
        generation,
        lifetime_ms: 300_000,
        source,
        took_ms: 38,
        rotated: true,
        tries,
    };
    let kept = |trouble, status, failures, retry_in_ms| Note::Kept {
        cause: Cause::Needed,
        trouble,
        status,
        failures,
        retry_in_ms,
    };
    let signed_in = |user| Note::SignedIn {
        user,
        generation: Some(1),
        lifetime_ms: Some(300_000),
        source: Source::Told,
        took_ms: 40,
    };
    let foreseen = |ground| Note::Foreseen {
        ends: Some(Ends { in_ms: 1_200_000, lasts_ms: 1_209_600_000, ground, times: 2 }),
        unused: Some(Unused { after_ms: 1_209_600_000, ground }),
    };
    vec![
        Note::BreakerOpened { host: text("api.example"), for_ms: 30_000 },
        Note::EndsSoon { in_ms: 86_400_000, ground: Ground::Told, times: 0 },
        Note::EndsSoon { in_ms: 86_400_000, ground: Ground::Seen, times: 2 },
        Note::EntriesLost { count: 12 },
        foreseen(Ground::Seen),
        foreseen(Ground::Set),
        foreseen(Ground::Told),
        Problem::Missing { key: text("url") }.note(Some(3)),
        Problem::Missing { key: text("url") }.note(None),
        // The form of older versions.
        Note::ConfigProblem { line: Some(7), problem: text("no url"), details: BTreeMap::new() },
        Note::Elsewhere { places: vec![Destination::Token, Destination::Client] },
        Note::EndedInFlight,
        Note::EndedUnsaved,
        Note::Heartbeat { good: true, took_ms: 12 },
        Note::Heartbeat { good: false, took_ms: 12 },
        Note::HeartbeatUnanswered { trouble: Trouble::Status, status: Some(502) },
        Note::Interrupted,
        Note::KeeperStarted { version: text("0.1.0"), vault: text("keyring") },
        Note::KeeperStarted { version: text("0.1.0"), vault: text("drawer") },
        Note::KeeperStopped,
        Note::KeyMoved,
        Note::KeyReturned,
        Note::LeftSealed { count: 2 },
        Note::LateAnswer { revoked: true },
        Note::LateAnswer { revoked: false },
        Note::Odd { what: Oddity::IdTokenUnverified },
        Note::OtherPerson { before: Some("alice".to_owned()) },
        kept(Trouble::Status, Some(503), 1, 4_000),
        kept(Trouble::Offline, None, 3, 12_000),
        Note::Moved { count: 2 },
        Note::NeedsLogin { why: Lost::Refused },
        refreshed(Cause::BeforeExpiry, Source::Told, 2, 1),
        refreshed(Cause::Needed, Source::Learned, 3, 4),
        refreshed(Cause::BeforeExpiry, Source::Assumed, 5, 1),
        Note::Rejected { path: text("/api/orders"), status: 401, generation: 2 },
        Note::Replayed { count: 1, waited_ms: 900 },
        Note::Replayed { count: 8, waited_ms: 1_900 },
        Note::Restored,
        Note::Said { said: "no".to_owned() },
        Note::Saved,
        Note::SignInFailed { code: text("sign_in_refused"), took_ms: 30 },
        Note::SignInFailed { code: text("something_new"), took_ms: 30 },
        signed_in(Some(text("mia"))),
        signed_in(None),
        Note::SignedOut,
        Note::RevocationUnsupported,
        Note::Revocation { trouble: None, status: None },
        Note::Revocation { trouble: Some(Trouble::TimedOut), status: None },
        Note::Thawed { stood_still_ms: 120_000 },
        Note::Unsaved { trouble: VaultTrouble::Locked },
        Note::VaultWaiting { trouble: VaultTrouble::Slow },
        Note::Woke { slept_ms: 22_320_000 },
    ]
}
