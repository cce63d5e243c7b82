//! OAuth and OpenID Connect messages, against the examples of the standards and what real servers say.
