//! Look-ups over real domains.
