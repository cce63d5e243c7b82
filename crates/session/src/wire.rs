//! Requests and answers, for recipes and OAuth alike.

pub mod answer;
pub(crate) mod escape;
pub mod flaw;
pub mod lifetime;
pub mod matching;
pub mod meaning;
pub mod message;
pub mod pointer;
pub(crate) mod salvage;
