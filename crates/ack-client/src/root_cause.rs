//! The innermost cause of an error.

use std::error::Error;
use std::io;

use crate::trust::tls_error;

/// The message of the innermost error. The errors around it only repeat that something failed.
pub(crate) fn root_cause(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    loop {
        if let Some(error) = tls_error(cause) {
            return tls_error::message(error);
        }
        match cause.source() {
            Some(source) => cause = source,
            None => return cause.to_string(),
        }
    }
}

/// The TLS error that `error` is or wraps.
fn tls_error<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e rustls::Error> {
    // The source of an I/O error is the source of the error inside it, which this would skip.
    let wrapped = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
        .and_then(|wrapped| wrapped.downcast_ref());
    error.downcast_ref().or(wrapped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("no luck")]
    struct Outer(#[source] io::Error);

    #[test]
    fn the_innermost_error_is_told() {
        let inner = || io::Error::other(Outer(io::Error::other("the line is dead")));
        assert_eq!(root_cause(&Outer(inner())), "the line is dead");
        assert_eq!(root_cause(&io::Error::other("alone")), "alone");
    }
}
