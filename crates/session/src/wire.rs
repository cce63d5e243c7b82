//! Requests and answers, whoever they are for: what JSON recipes and OAuth both stand on.

pub mod answer;
pub(crate) mod escape;
pub mod flaw;
pub mod lifetime;
pub mod matching;
pub mod meaning;
pub mod message;
pub mod pointer;
pub(crate) mod salvage;
