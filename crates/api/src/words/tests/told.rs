//! Problems and advice: every variant, in both languages.

use std::collections::BTreeSet;

use session::wire::flaw::Flaw;

use super::*;
use crate::{Advice, Kind};

#[test]
fn whatever_is_told_has_a_sentence_with_all_its_values_in_both_languages() {
    for (group, word, values) in told() {
        let key = format!("{group}.{word}");
        for language in LANGUAGES {
            let words = Words::of(language);
            let text = words.texts.get(&*key).unwrap_or_else(|| panic!("{language:?} has no {key}"));
            let mut named = text.split('{').skip(1).filter_map(|rest| rest.split('}').next());
            assert!(
                named.all(|name| values.iter().any(|value| value == name)),
                "{key} has no such value: {text}"
            );
            for value in &values {
                assert!(
                    text.contains(&format!("{{{value}}}")),
                    "{language:?}, {key}: {value} is not said: {text}"
                );
            }
            let filled: Vec<_> = values.iter().map(|value| (value.as_str(), "1")).collect();
            assert_whole(&words.fill(&key, &filled));
        }
    }
}

#[test]
fn every_sentence_about_what_is_wrong_is_of_something_that_can_be() {
    let told = told();
    let texts = Words::of(Language::English).texts;
    for key in
        texts.keys().filter(|key| ["problem.", "hint.", "kind."].iter().any(|group| key.starts_with(group)))
    {
        let known = told.iter().any(|(group, word, _)| *key == format!("{group}.{word}"));
        assert!(known, "nobody says {key}");
    }
}

#[test]
fn what_is_wrong_is_said_in_chinese_to_whoever_reads_chinese() {
    let chinese = Words::of(Language::Chinese);
    for (group, word, values) in told() {
        let filled: Vec<_> = values.iter().map(|value| (value.as_str(), "1")).collect();
        let sentence = chinese.fill(&format!("{group}.{word}"), &filled);
        assert_eq!(foreign(&sentence), "", "{group}.{word}: {sentence}");
    }
}

#[test]
fn no_value_takes_anothers_place() {
    let told = told();
    let values = |wanted: &str| -> BTreeSet<&String> {
        told.iter().filter(|(group, ..)| *group == wanted).flat_map(|(.., values)| values).collect()
    };
    let (problems, hints) = (values("problem"), values("hint"));
    assert_eq!(problems.intersection(&hints).collect::<Vec<_>>(), [&&""; 0]);
    for own in ["code", "command", "field", "hint", "line", "log", "path", "problem", "profile", "url"] {
        assert!(!problems.contains(&own.to_owned()) && !hints.contains(&own.to_owned()), "{own}");
    }
}

#[test]
fn what_is_wrong_reads_like_this() {
    let wrong = |problem: Problem, hint| Failure::new(Code::BadConfig).because(problem).hint(hint);
    let key = || "user".to_owned();
    let failures = [
        wrong(Problem::UnknownKey { written: "usr".to_owned() }, Some(Advice::DidYouMean { meant: key() })),
        wrong(
            Problem::WrongKind { key: key(), kind: Kind::Integer },
            Some(Advice::Wanted { wanted: Kind::String }),
        ),
        wrong(Flaw::NeverRefused { status: 500 }.into(), None),
        wrong(Problem::said("expected `=`"), None),
        // The form of older versions.
        Failure::new(Code::BadConfig).with("problem", "no such thing").with("hint", "Do it"),
    ];
    let said = |language| {
        let words = Words::of(language);
        failures.each_ref().map(|failure| {
            let (say, next) = words.say(failure);
            (say.replace("The configuration file has a mistake: ", "").replace("配置文件有误：", ""), next)
        })
    };
    let [english, chinese] = LANGUAGES.map(said);
    let next = "Correct it; the other sessions go on meanwhile.";
    assert_eq!(
        english.each_ref().map(|(say, next)| (say.as_str(), next.as_str())),
        [
            ("unknown key `usr`.", &*format!("Did you mean `user`? {next}")),
            ("`user` is of the wrong kind (integer).", &*format!("Wanted: string. {next}")),
            (
                "500 alone never means refused, because gateways and broken servers send it: a `refused` rule for it \
                 has a `body` that says with `at` and `equals` what stands where.",
                next,
            ),
            ("“expected `=`”.", next),
            ("no such thing.", &*format!("Do it {next}")),
        ]
    );
    assert_eq!(chinese[0], ("未知的键 `usr`。".into(), "是不是 `user`？请修正；其他会话不受影响。".into()));
    assert_eq!(
        chinese[1],
        ("`user` 的类型不对（整数）。".into(), "这里应是文本。请修正；其他会话不受影响。".into())
    );
}

fn told() -> Vec<(&'static str, String, Vec<String>)> {
    let mut told = Vec::new();
    for (group, declaration) in [
        ("problem", Problem::inline(&Config::default())),
        ("problem", Flaw::inline(&Config::default())),
        ("hint", Advice::inline(&Config::default())),
    ] {
        for variant in declaration.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
            let mut fields = variant.split(',').filter_map(|field| field.split_once(':'));
            let (_, word) = fields.next().unwrap();
            let values = fields.map(|(name, _)| name.trim().to_owned()).collect();
            told.push((group, word.trim_matches([' ', '"']).to_owned(), values));
        }
    }
    told.extend(words_of::<Kind>().into_iter().map(|kind| ("kind", kind, Vec::new())));
    assert!(told.len() > 140, "{told:#?}");
    told
}

fn foreign(sentence: &str) -> String {
    let prose: String = sentence.split('`').step_by(2).collect();
    let words = prose.split(|c: char| !c.is_ascii_alphabetic());
    words.filter(|word| !word.is_empty() && !NAMES.contains(word)).collect::<Vec<_>>().join(" ")
}

const NAMES: [&str; 8] = ["HTTP", "ID", "JSON", "URI", "URL", "UTF", "http", "https"];
