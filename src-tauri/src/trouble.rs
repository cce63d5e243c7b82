use api::{Code, Failure, Problem};

pub(crate) fn internal(problem: Problem) -> Failure {
    Failure::new(Code::Internal).because(problem)
}
