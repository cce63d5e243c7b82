//! The vault against a real keyring on a bus of its own.
