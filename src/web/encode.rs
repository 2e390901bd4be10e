//! Bodies made smaller for the wire.
