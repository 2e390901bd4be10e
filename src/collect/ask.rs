//! Asking one query.

use std::panic::AssertUnwindSafe;

use ack_client::{ApiError, ErrorKind};
use futures_util::FutureExt as _;

use crate::queries::{FetchContext, Query};

/// Asks `query` about `subject`. A query that panics is a failure of its subject and nothing else.
/// Dropping the future abandons the query.
pub(super) async fn ask<Q: Query>(
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
            Err(ApiError::local(
                query.first_operation(),
                ErrorKind::Rejected,
                message,
            ))
        })
}
