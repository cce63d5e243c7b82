//! What goes wrong in the window's own program.

use api::{Code, Failure};

pub(crate) fn internal(problem: &str) -> Failure {
    Failure::new(Code::Internal).with("problem", problem)
}
