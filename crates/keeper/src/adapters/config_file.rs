mod reading;
mod watched;
mod writing;

pub use reading::load;
pub(crate) use watched::Watched;
pub use writing::write;
