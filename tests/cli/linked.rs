//! What the command is made of. It is run in loops: what is not in it need not be loaded.

use std::fs;
use std::path::Path;

use crate::programs::program;

/// Code leaves its names in the symbol table; the crate's name with its length before it is how they are written.
#[test]
fn nothing_of_http_tls_or_a_runtime_is_linked_in() {
    let command = names(Path::new(env!("CARGO_BIN_EXE_pilotlight")));
    let keeper = names(&program("pilotlight-keeper"));
    for name in ["5tokio", "5hyper", "6rustls", "7reqwest", "8rusqlite", "4zbus"] {
        if !keeper.contains(name) {
            // A build without symbols; the keeper has them all.
            eprintln!("skipped: this build has no symbols to look at");
            return;
        }
        assert!(!command.contains(name), "{name} is linked into pilotlight");
    }
    assert!(command.contains("12clap_builder"), "this looks at the wrong thing");
}

/// As text, because searching text is quick even in a debug build.
fn names(program: &Path) -> String {
    String::from_utf8_lossy(&fs::read(program).unwrap()).into_owned()
}
