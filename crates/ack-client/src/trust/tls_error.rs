//! TLS errors as sentences about the server.

use rustls::{CertificateError, Error, InvalidMessage, OtherError};

use super::is_authority_itself;

/// The message of a TLS failure.
pub(crate) fn message(error: &Error) -> String {
    match error {
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "it answers without TLS; is the endpoint http://?".to_owned()
        }
        Error::InvalidCertificate(error) => certificate_message(error),
        error => spaced(&error.to_string()),
    }
}

fn certificate_message(error: &CertificateError) -> String {
    let message = match error {
        CertificateError::UnknownIssuer => "its certificate is of no authority that is trusted",
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "its certificate has expired"
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet; the clock may be wrong"
        }
        CertificateError::NotValidForNameContext { expected, .. } => {
            let name = expected.to_str();
            return format!("its certificate is not valid for the name {name}");
        }
        error if is_authority_itself(error) => {
            "its certificate is an authority's, which no server may show unless ca_file holds it"
        }
        CertificateError::Other(OtherError(error)) => {
            return format!("its certificate is refused: {}", spaced(&error.to_string()));
        }
        error => {
            let name = variant_name(error);
            return format!("its certificate is refused: {}", spaced(&name));
        }
    };
    message.to_owned()
}

/// The name of the variant, such as `BadEncoding`.
fn variant_name(error: &CertificateError) -> String {
    format!("{error:?}")
        .chars()
        .take_while(char::is_ascii_alphanumeric)
        .collect()
}

/// Splits names such as `HandshakeFailure` in `text` into words.
fn spaced(text: &str) -> String {
    let mut words = String::new();
    for name in text.split_inclusive(char::is_whitespace) {
        if is_camel_case(name) {
            push_words(&mut words, name);
        } else {
            words.push_str(name);
        }
    }
    words
}

fn is_camel_case(name: &str) -> bool {
    name.chars()
        .zip(name.chars().skip(1))
        .any(|(one, next)| one.is_ascii_lowercase() && next.is_ascii_uppercase())
}

fn push_words(words: &mut String, name: &str) {
    for c in name.chars() {
        let ends_word = |before: char| before.is_ascii_lowercase() || before.is_ascii_digit();
        if c.is_ascii_uppercase() && words.ends_with(ends_word) {
            words.push(' ');
        }
        words.push(c.to_ascii_lowercase());
    }
}
