//! What is wrong: a word for scripts, and a sentence in the language of whoever reads it.

use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::fake::{Lab, Ran};

#[test]
fn what_the_keeper_finds_wrong_is_said_in_the_language_of_whoever_asks() {
    let details = json!({
        "line": "3", "problem": "wrong_kind", "key": "user", "kind": "integer", "hint": "wanted", "wanted": "string",
    });
    let lab = Lab::refusing(json!({ "code": "bad_config", "details": details }));
    assert_eq!(
        lab.run(["token", "work"]).err,
        "pilotlight: The configuration file has a mistake on line 3: `user` is of the wrong kind (integer).\n  \
         → Wanted: string. Correct it; the other sessions go on meanwhile. [bad_config]\n"
    );
    assert_eq!(
        lab.run_in_chinese(&["token", "work"]).err,
        "pilotlight: 配置文件第 3 行有误：`user` 的类型不对（整数）。\n  \
         → 这里应是文本。请修正；其他会话不受影响。 [bad_config]\n"
    );
    assert_eq!(lab.run(["token", "work", "--json"]).json()["error"]["details"], details);
}

#[test]
fn so_is_what_the_command_finds_wrong_itself() {
    let lab = Lab::empty();
    set_permissions(&lab.dir, Permissions::from_mode(0o777)).unwrap();
    let folder = lab.dir.display().to_string();
    let keeper = lab.program("exit 1");
    let run = |arguments: &[&str]| {
        let mut command = lab.command(arguments);
        Ran::from(command.env("PILOTLIGHT_KEEPER", &keeper).env("LC_ALL", "zh_CN.UTF-8").output().unwrap())
    };
    let ran = run(&["token", "work"]);
    assert!(
        ran.err.contains(&format!("无法使用自己的目录：其他人可以写入 {folder}（请执行 `chmod 700`）。")),
        "{}",
        ran.err
    );
    let told = run(&["token", "work", "--json"]).json();
    assert_eq!(told["error"]["details"], json!({ "problem": "folder_shared", "folder": folder }));
}

#[test]
fn a_command_that_cannot_work_says_how_and_tells_scripts_a_word() {
    let lab = Lab::empty();
    for (arguments, problem, english, chinese) in [
        (
            &["fetch", "work", "/", "-H", "nothing"][..],
            "header_form",
            "a header is written as `Name: value`.",
            "请求头的写法是 `Name: value`。",
        ),
        (
            &["add", "work", "--client-id", "x", "--endpoint", "nothing"],
            "not_written_as",
            "`--endpoint nothing` is not written as `NAME=URL`.",
            "`--endpoint nothing` 没有写成 `NAME=URL` 的形式。",
        ),
        (
            &["fetch", "work", "/", "--data", "@/nowhere/at/all"],
            "said_of",
            "/nowhere/at/all: “No such file or directory (os error 2)”.",
            "/nowhere/at/all：“No such file or directory (os error 2)”。",
        ),
    ] {
        let (ran, in_chinese) = (lab.run(arguments), lab.run_in_chinese(arguments));
        assert_eq!((ran.code, in_chinese.code), (Some(2), Some(2)), "{problem}");
        assert!(ran.err.contains(english), "{}", ran.err);
        assert!(in_chinese.err.contains(chinese), "{}", in_chinese.err);
        let told = lab.run(arguments.iter().chain(&["--json"])).json();
        assert_eq!(
            (&told["error"]["code"], &told["error"]["details"]["problem"]),
            (&json!("bad_request"), &json!(problem))
        );
    }
}

/// It has a sentence where this version expects a word.
#[test]
fn what_an_older_keeper_says_is_repeated() {
    let lab = Lab::refusing(json!({ "code": "bad_config", "details": { "line": "7", "problem": "no url" } }));
    let ran = lab.run(["token", "work"]);
    assert!(ran.err.contains("has a mistake on line 7: no url.\n"), "{}", ran.err);
}
