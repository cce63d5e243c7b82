//! The configuration file on its disk: read if it is safe to read, replaced whole, and watched.

mod reading;
mod watched;
mod writing;

pub use reading::load;
pub(crate) use watched::Watched;
pub use writing::write;
