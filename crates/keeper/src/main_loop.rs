//! One task that owns every session: a mailbox in, effects out, and sleep until the earliest deadline.
//!
//! Whatever takes time (an exchange, the vault) is started here and reports back as mail: a caller that gives up
//! cancels nothing, and a keyring that hangs holds up nobody. The way of a request: the door → `Mail::Ask` →
//! `requests` → a session's `step` → `perform` → mail → `step` → `settle`, which answers whoever can be answered.

pub(crate) mod answer;
mod configuration;
pub(crate) mod ending;
mod handle;
pub(crate) mod keeper;
pub(crate) mod kept;
mod lookout;
pub(crate) mod mail;
mod perform;
mod profiles;
pub(crate) mod report;
mod revocations;
mod revoke;
mod run;
mod settle;
mod stop;
mod view;

pub use ending::End;
pub use handle::Handle;
pub use keeper::Keeper;
