//! The failure modes and their tests lead to each other, both ways.

use std::collections::{BTreeMap, BTreeSet};

use super::{all_sources, root};

/// What says that a failure is taken care of says by which test, or says plainly that there is none.
#[test]
fn every_failure_mode_is_shown_or_is_said_not_to_be() {
    for row in rows() {
        let told = ["*not yet*", "*does not apply*"].contains(&row.shown.trim());
        assert!(told == row.tests.is_empty(), "{}: {}", row.code, row.shown);
    }
}

/// Whoever reads a row finds its tests by its code, and whoever reads one of them finds the row.
#[test]
fn every_test_of_a_row_is_there_and_carries_its_code() {
    let tests = tests();
    for row in rows() {
        for name in &row.tests {
            let named = tests.iter().filter(|test| test.name == *name).collect::<Vec<_>>();
            assert!(!named.is_empty(), "{} names {name}, and there is no such test", row.code);
            let carries = |test: &&Test| test.above.contains(&row.code) || test.begins_with(&row.code);
            let place = named[0].place.as_str();
            assert!(named.iter().any(carries), "{place}: {name} wants `Row {}.` above it", row.code);
        }
    }
}

/// A row that does not list a test is not what its reader is looking for.
#[test]
fn a_code_above_a_test_is_of_a_row_that_lists_it() {
    let rows: BTreeMap<_, _> = rows().into_iter().map(|row| (row.code.clone(), row)).collect();
    for Test { place, name, above, loose } in tests() {
        assert!(loose.is_empty(), "{place}: say of {name} that it is of `Row {}`", loose.join(", "));
        for code in above {
            let lists = rows.get(&code).is_some_and(|row| row.tests.contains(&name));
            assert!(lists, "{place}: {name} is of row {code}, which does not list it");
        }
    }
}

/// A code that leads nowhere tells its reader nothing.
#[test]
fn every_failure_mode_that_is_named_is_in_the_list() {
    let listed: BTreeSet<String> = rows().into_iter().map(|row| row.code).collect();
    for dir in PLACES {
        for (path, text) in all_sources(&root().join(dir)) {
            for (number, line) in text.lines().enumerate() {
                for code in codes_named_in(line) {
                    let place = format!("{}:{}", path.display(), number + 1);
                    assert!(listed.contains(&code), "{place} names {code}, which is not in {FAILURE_MODES}");
                }
            }
        }
    }
}

/// What is said of six others is said in signs beside the row, and in words on a page of its own.
#[test]
fn the_signs_of_the_peers_are_those_of_their_page() {
    let page = std::fs::read_to_string(root().join("docs/peers.md")).expect("the page can be read");
    let told: BTreeMap<_, _> =
        page.lines().filter_map(|line| Some((code_of(line)?, signs_in(line)))).collect();
    assert!(told.len() > 50, "the page has been read as far as {:?}", told.last_key_value());
    for Row { code, peers, .. } in rows().into_iter().filter(|row| !row.code.starts_with('T')) {
        let none = vec!["·".to_owned(); 6];
        assert_eq!(&peers, told.get(code.as_str()).unwrap_or(&none), "{code}: here, and in docs/peers.md");
    }
    let listed: BTreeSet<_> = rows().into_iter().map(|row| row.code).collect();
    assert!(told.keys().all(|code| listed.contains(*code)), "{:?}", told.keys());
}

#[test]
fn what_is_above_a_test_is_read_for_its_rows() {
    let told = |line| rows_above(line).map(|codes| codes.join(" "));
    assert_eq!(told("/// Row A4."), Some("A4".to_owned()));
    assert_eq!(told("    // Rows A10, C6, and what else there is: B1"), Some("A10 C6".to_owned()));
    assert_eq!(told("/// Row by row."), Some(String::new()));
    assert_eq!(told("/// Of row A4."), None);
    let rust = "/// Row B1, for callers.\n/// And B2.\n#[test]\nasync fn b3_wait() {\n}\n/// Row C1.\nfn helps() {}\n";
    let [test] = <[Test; 1]>::try_from(tests_in("a.rs", rust)).unwrap();
    assert_eq!(
        (test.name.as_str(), test.above.join(" "), test.loose.join(" ")),
        ("b3_wait", "B1".into(), "B2".into())
    );
    assert!(test.begins_with("B3") && !test.begins_with("B"));
    let page = "// Row A13: x\ntest.each([1])(\n  \"a title of %i\",\n);\ntest(\"another\", () => 0);\n";
    let [one, other] = <[Test; 2]>::try_from(tests_in("a.tsx", page)).unwrap();
    assert_eq!((one.name.as_str(), one.above.join(" ")), ("a title of %i", "A13".into()));
    assert_eq!((other.name.as_str(), other.above.len()), ("another", 0));
}

const FAILURE_MODES: &str = "docs/failure-modes.md";
const PLACES: [&str; 5] = ["crates", "src-tauri/src", "tests", "ui/src", "ui/test"];

struct Row {
    code: String,
    /// Names of functions, and titles.
    tests: Vec<String>,
    /// A sign for each of six.
    peers: Vec<String>,
    /// The last column.
    shown: String,
}

#[derive(Debug)]
struct Test {
    place: String,
    name: String,
    /// As `/// Row A4.` above it says.
    above: Vec<String>,
    /// Codes that are named above it in other ways.
    loose: Vec<String>,
}

impl Test {
    fn begins_with(&self, code: &str) -> bool {
        self.name.split_once('_').is_some_and(|(first, _)| first.to_ascii_uppercase() == code)
    }
}

fn rows() -> Vec<Row> {
    let text = std::fs::read_to_string(root().join(FAILURE_MODES)).expect("the list can be read");
    let row = |line: &str| {
        let code = code_of(line)?;
        let peers = signs_in(line.rsplit('|').nth(2)?)
            .first()
            .map(|signs| signs.split(' ').map(str::to_owned).collect());
        let shown = line.trim_end().trim_end_matches('|').rsplit('|').next().unwrap_or_default().to_owned();
        let between = |open: char, close: char| {
            let parts = shown.split(open).skip(1).filter_map(move |rest| rest.split_once(close));
            parts.map(|(inner, _)| inner.to_owned()).collect::<Vec<_>>()
        };
        let names = shown.split('`').skip(1).step_by(2).map(str::to_owned);
        let tests = names.chain(between('“', '”')).collect();
        Some(Row { code: code.to_owned(), tests, peers: peers.unwrap_or_default(), shown })
    };
    let rows: Vec<_> = text.lines().filter_map(row).collect();
    let codes: BTreeSet<_> = rows.iter().map(|row| &row.code).collect();
    assert_eq!(codes.len(), rows.len(), "a code stands for one failure");
    assert!(rows.len() > 100, "the list has been read as far as {:?}", rows.last().map(|row| &row.code));
    rows
}

fn code_of(line: &str) -> Option<&str> {
    line.strip_prefix("| ")?.split(' ').next().filter(|code| is_code(code))
}

/// What is between backticks and begins with one of the four.
fn signs_in(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2);
    quoted.filter(|quoted| quoted.starts_with(['+', '~', '−', '·'])).map(str::to_owned).collect()
}

fn tests() -> Vec<Test> {
    let sources = PLACES.iter().flat_map(|dir| all_sources(&root().join(dir)));
    sources.flat_map(|(path, text)| tests_in(&path.display().to_string(), &text)).collect()
}

fn tests_in(path: &str, text: &str) -> Vec<Test> {
    let mut tests = Vec::new();
    let (mut comments, mut is_test) = (Vec::<&str>::new(), false);
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if line.starts_with("//") {
            comments.push(line);
            continue;
        }
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        // The title of a test may be some lines below what begins it.
        if let Some(name) =
            if path.ends_with(".rs") { function(line).filter(|_| is_test) } else { title(line) }
        {
            let above = comments.iter().filter_map(|line| rows_above(line)).flatten().collect();
            let others = comments.iter().filter(|line| rows_above(line).is_none());
            let loose = others.flat_map(|line| codes_named_in(line)).collect();
            tests.push(Test { place: format!("{path}:{}", number + 1), name, above, loose });
        }
        if !line.ends_with(")(") {
            comments.clear();
        }
        is_test = false;
    }
    tests
}

fn function(line: &str) -> Option<String> {
    let (_, rest) = line.split_once("fn ")?;
    Some(rest.split('(').next()?.to_owned())
}

fn title(line: &str) -> Option<String> {
    let begins = ["test(", "t.test(", "test.each("].iter().any(|word| line.starts_with(word));
    let is_all = line.starts_with('"') && line.ends_with("\",");
    if !begins && !is_all {
        return None;
    }
    let (_, rest) =
        if line.starts_with("test.each(") { line.split_once(")(\"")? } else { line.split_once('"')? };
    Some(rest.split('"').next()?.to_owned())
}

/// `/// Row A4.`, `// Rows A10, C6: why`; `None` if the line says no rows.
fn rows_above(line: &str) -> Option<Vec<String>> {
    let said = line.trim_start().trim_start_matches('/').trim_start();
    let (first, rest) = said.split_once(' ')?;
    let words = rest.split(|char: char| !char.is_alphanumeric()).filter(|word| !word.is_empty());
    ["Row", "Rows"]
        .contains(&first)
        .then(|| words.take_while(|word| is_code(word)).map(str::to_owned).collect())
}

/// In a comment, at the beginning of a test's name, or at the beginning of what an assertion says.
fn codes_named_in(line: &str) -> Vec<String> {
    let line = line.trim_start();
    if line.starts_with("//") {
        let words = line.split(|char: char| !char.is_alphanumeric() && char != '_');
        return words.filter(|word| is_code(word)).map(str::to_owned).collect();
    }
    let said = line.strip_prefix('"').and_then(|text| text.split_once(": ")).map(|(code, _)| code.to_owned());
    let test = line.strip_prefix("fn ").and_then(|name| name.split_once('_'));
    let named = test.map(|(code, _)| code.to_ascii_uppercase());
    said.into_iter().chain(named).filter(|code| is_code(code)).collect()
}

/// A letter that the list has, and a number. X11 is none.
fn is_code(word: &str) -> bool {
    let mut bytes = word.bytes();
    bytes.next().is_some_and(|letter| matches!(letter, b'A'..=b'H' | b'T'))
        && (2..=3).contains(&word.len())
        && bytes.all(|digit| digit.is_ascii_digit())
}
