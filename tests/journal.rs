//! The journal through a real file: what of it survives, and what is never in it.
