pub mod binding;
mod demand;
pub mod event;
mod facts;
mod foresight;
mod heartbeat;
mod moment;
pub mod note;
mod outcome;
mod outlook;
pub mod policy;
mod refresh;
mod session;
mod sign_in;
mod stored;
pub mod view;

pub use facts::Session;
