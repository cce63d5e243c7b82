//! What every parser that meets the outside is held to, whatever comes in: one function a target, which panics where a
//! property does not hold. `make fuzz` runs them under libFuzzer, `cargo test` on what is in the corpora and on mutations
//! of it, so there is one way.

pub mod answers;
pub mod challenge;
pub mod config;
pub mod dates;
pub mod frame;
pub mod jwt;
pub mod key_set;
pub mod loopback;
pub mod metadata;
pub mod recipe;
pub mod sealed;
pub mod token_answer;

mod input;

/// It needs the folder beside it, which a module with a path of its own would not find.
#[path = "../../../crates/keeper/src"]
mod keeper {
    #[allow(dead_code, unreachable_pub, unused_imports)]
    pub(crate) mod config;
}

pub type Hold = fn(&[u8]);

pub const TARGETS: [(&str, Hold); 12] = [
    ("answers", answers::hold),
    ("challenge", challenge::hold),
    ("config", config::hold),
    ("dates", dates::hold),
    ("frame", frame::hold),
    ("jwt", jwt::hold),
    ("key_set", key_set::hold),
    ("loopback", loopback::hold),
    ("metadata", metadata::hold),
    ("recipe", recipe::hold),
    ("sealed", sealed::hold),
    ("token_answer", token_answer::hold),
];

/// Stands in inputs where a secret would, and in nothing that is said about them. No code of an error looks like it.
pub const CANARY: &str = "cAnArY/0123456789~abcdefghijklmnopqrstuvwxyz";
