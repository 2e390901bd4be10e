//! What the client wants, by the quality values of its headers.
