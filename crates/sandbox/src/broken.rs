//! Why the sandbox itself can fail; nothing that a client could have caused.

#[derive(Debug, thiserror::Error)]
pub(crate) enum Broken {
    #[error("the system has no random bytes: {0}")]
    Random(#[from] getrandom::Error),
    #[error("a token could not be signed: {0}")]
    Signature(#[from] jsonwebtoken::errors::Error),
    #[error("a key could not be made or used: {0}")]
    Key(#[from] aws_lc_rs::error::Unspecified),
}
