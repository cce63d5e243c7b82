pub mod binding;
mod demand;
pub mod event;
mod facts;
mod heartbeat;
pub mod note;
mod outcome;
pub mod policy;
mod refresh;
mod session;
mod sign_in;
mod stored;
pub mod view;

pub use facts::Session;
