//! What the faces ask, and what becomes of it.

mod ask;
mod bench;
mod fetch;
mod status;
