//! One task owns every session. Whatever takes time is started here and reports back as mail, so a caller that gives
//! up cancels nothing, and a keyring that hangs blocks no session.

mod admission;
pub(crate) mod answer;
mod configuration;
mod doze;
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
