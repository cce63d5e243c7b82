pub mod breaker;
pub mod custody;
pub mod edits;
pub mod lane;
pub mod looks;
pub mod patience;
pub mod queue;
pub mod revocation;
