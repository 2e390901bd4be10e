//! Headers and query in the form that signatures are computed from.

use std::borrow::Cow;

use crate::auth::errors::incomplete;
use crate::error_response::ErrorResponse;
use crate::request::ReceivedRequest;

/// The headers that `is_signed` selects, sorted; several of one name become one value.
pub(super) fn collect_headers(
    request: &ReceivedRequest,
    is_signed: impl Fn(&str) -> bool,
) -> Result<Vec<(&str, Cow<'_, str>)>, ErrorResponse> {
    let mut headers = Vec::with_capacity(12);
    for name in request.headers.keys().map(http::HeaderName::as_str) {
        if is_signed(name) {
            headers.push((name, value_of(request, name)?));
        }
    }
    headers.sort_unstable();
    Ok(headers)
}

fn value_of<'a>(request: &'a ReceivedRequest, name: &str) -> Result<Cow<'a, str>, ErrorResponse> {
    let mut values = Vec::with_capacity(1);
    for value in request.headers.get_all(name) {
        let text = value
            .to_str()
            .map_err(|_| incomplete(&format!("{name} is not text")))?;
        values.push(text.trim());
    }
    values.sort_unstable();
    Ok(match values[..] {
        [value] => Cow::Borrowed(value),
        _ => Cow::Owned(values.join(",")),
    })
}

pub(super) fn borrow_headers<'a>(
    headers: &'a [(&'a str, Cow<'a, str>)],
) -> Vec<(&'a str, &'a str)> {
    headers
        .iter()
        .map(|(name, value)| (*name, value.as_ref()))
        .collect()
}

pub(super) fn borrow_query(query: &[(String, String)]) -> Vec<(&str, &str)> {
    query
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}
