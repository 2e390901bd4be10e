//! Fetching the answer of one query.

use std::panic::AssertUnwindSafe;

use ack_client::{ApiError, ErrorKind};
use futures_util::FutureExt as _;

use crate::queries::{FetchContext, Query};

/// Fetches the answer about `subject`. A panic of the query is an error of it and nothing else.
/// Dropping the future abandons the query.
pub(super) async fn fetch<Q: Query>(
    query: &Q,
    subject: &Q::Subject,
    context: FetchContext<'_>,
    last: Option<&Q::Answer>,
) -> Result<Q::Answer, ApiError> {
    AssertUnwindSafe(async { query.fetch(subject, context, last).await })
        .catch_unwind()
        .await
        .unwrap_or_else(|_| {
            let message = "the query panicked; please report this";
            let operation = query.first_operation();
            Err(ApiError::local(operation, ErrorKind::Rejected, message))
        })
}
