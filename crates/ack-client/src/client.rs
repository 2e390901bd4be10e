//! The client of one account. Every call of an operation goes through [`Client::call`].

mod attempt_guard;
mod failure;
mod nonces;
mod request;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request};
use tokio::time::{Instant, sleep};

use self::attempt_guard::AttemptGuard;
use self::failure::{more_specific, no_credentials, rate_limited, transport_failure};
use self::nonces::Nonces;
pub use self::request::{Call, ExplainedRequest};
use crate::budget::Budget;
use crate::call_metrics::CallMetrics;
use crate::clock::Clock;
use crate::credentials::{CachedCredentials, Credential};
use crate::error::{ApiError, ErrorKind};
use crate::limit::Limiter;
use crate::response::{self, ResponseObject};
use crate::retry;
use crate::sign::{self, Signature, SignedRequest, Stamp};
use crate::trace::RequestText;
use crate::transport::{MAX_RESPONSE, ResponseLimit, Transport};

/// The time limit of one attempt, as in Alibaba Cloud's SDKs. A longer budget is for retries.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// The message of a call whose budget was cancelled.
const CANCELLED: &str = "no reply in its share of the time, and others waited for its place";

/// The client of one account: its credentials, limits, signature scheme and transport.
#[derive(Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
    credentials: Arc<CachedCredentials>,
    signature: Signature,
    limiter: Arc<Limiter>,
    /// The limits of [`Self::in_background`].
    background_limiter: Arc<Limiter>,
    metrics: Arc<dyn CallMetrics>,
    clock: Clock,
    user_agent: HeaderValue,
    nonces: Nonces,
}

impl Client {
    /// A client that sends through `transport`, signs with `credentials` in the scheme `signature`,
    /// reports to `metrics`, and identifies itself as `user_agent`. It sends nothing by itself.
    pub fn new(
        transport: Arc<dyn Transport>,
        credentials: Arc<CachedCredentials>,
        signature: Signature,
        limiter: Arc<Limiter>,
        metrics: Arc<dyn CallMetrics>,
        clock: Clock,
        user_agent: HeaderValue,
    ) -> Self {
        let background_limiter = limiter.background();
        Self {
            transport,
            credentials,
            signature,
            limiter,
            background_limiter,
            metrics,
            clock,
            user_agent,
            nonces: Nonces::new(),
        }
    }

    /// A client of the same account with limits of its own, for a few calls that must not delay
    /// the others: five a second.
    #[must_use]
    pub fn in_background(&self) -> Self {
        self.with_limiter(Arc::clone(&self.background_limiter))
    }

    /// A client of the same account for calls that can wait: they take what others leave of the
    /// account's limit, and run beside the others, two at once.
    #[must_use]
    pub fn with_spare_calls(&self) -> Self {
        self.with_limiter(self.limiter.spare())
    }

    fn with_limiter(&self, limiter: Arc<Limiter>) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            credentials: Arc::clone(&self.credentials),
            signature: self.signature,
            limiter,
            background_limiter: Arc::clone(&self.background_limiter),
            metrics: Arc::clone(&self.metrics),
            clock: self.clock,
            user_agent: self.user_agent.clone(),
            nonces: Nonces::new(),
        }
    }

    /// The account's limits.
    pub fn limiter(&self) -> &Arc<Limiter> {
        &self.limiter
    }

    /// The account's credentials.
    pub fn credentials(&self) -> &Arc<CachedCredentials> {
        &self.credentials
    }

    /// The receiver of call metrics.
    pub fn metrics(&self) -> &dyn CallMetrics {
        &*self.metrics
    }

    /// Returns a function that reports an unknown value under the name of its field.
    pub(crate) fn unknown_values(&self) -> impl FnMut(&'static str, &str) {
        |field, value| self.metrics.unknown_value(field, value)
    }

    /// Makes `call` and decodes its response, with retries within `budget`. Reports the unexpected
    /// fields of the response, except those of items of lists, since the caller may not use all.
    ///
    /// The first attempt uses a token of the budget if one is left; every other attempt waits for a
    /// token of its own. The error is that of the last attempt, or the first of several timeouts in
    /// a row. Dropping the future cancels the call.
    pub(crate) async fn call<T: ResponseObject>(
        &self,
        call: &Call<'_>,
        budget: &Budget,
    ) -> Result<T, ApiError> {
        if !budget.start_call() && !self.first_token(budget).await {
            return Err(rate_limited(call.operation));
        }
        let mut attempt = 1;
        let mut is_renewed = false;
        let mut earlier: Option<ApiError> = None;
        loop {
            let sent = Instant::now();
            let result: Result<T, _> = self.attempt(call, budget).await;
            self.adjust_limiter(attempt, sent, result.as_ref().err());
            let error = match result {
                Ok(object) => {
                    object.report_unexpected_fields(&mut self.unknown_values());
                    return Ok(object);
                }
                Err(error) => more_specific(earlier.take(), error),
            };
            budget.start_backoff(error.clone());
            match error.kind {
                ErrorKind::TokenExpired | ErrorKind::NonceUsed if !is_renewed => is_renewed = true,
                // While all calls are throttled, the calls for other clusters find out when that
                // ends.
                ErrorKind::Throttled if self.limiter.is_congested() => return Err(error),
                kind if kind.is_retryable() && attempt < retry::max_attempts(kind) => {
                    let delay = retry::delay(attempt, error.retry_after);
                    if !wait(delay, budget).await {
                        return Err(error);
                    }
                }
                _ => return Err(error),
            }
            if !self.next_token(budget).await {
                return Err(error);
            }
            attempt += 1;
            budget.start_retry();
            self.metrics.retried(call.operation);
            earlier = Some(error);
        }
    }

    /// Returns the request of `call` as it would be sent now. The secret and the token of the
    /// credential are not in it. Fetches credentials if there are none.
    pub async fn explain(&self, call: &Call<'_>) -> Result<ExplainedRequest, ApiError> {
        let credential = self.credentials.current().await;
        let credential = credential.map_err(|error| no_credentials(call.operation, &error))?;
        let signed = self.sign(call, &credential)?;
        Ok(ExplainedRequest::new(call, &signed, &credential))
    }

    fn sign(&self, call: &Call<'_>, credential: &Credential) -> Result<SignedRequest, ApiError> {
        let stamp = Stamp {
            time: self.clock.now(),
            nonce: self.nonces.next(),
        };
        sign::sign(self.signature, &call.unsigned(), credential, &stamp).map_err(|error| {
            ApiError::local(call.operation, ErrorKind::Credentials, error.to_string())
        })
    }

    /// Adjusts the rate after an attempt that was sent at `sent` and ended with `failure`, if any.
    fn adjust_limiter(&self, attempt: u32, sent: Instant, failure: Option<&ApiError>) {
        match failure {
            Some(error) if error.asks_to_slow_down() => {
                // Retries for one cluster say little about the account.
                if attempt == 1 {
                    self.limiter.throttled(sent);
                }
            }
            Some(error) if error.status.is_none() => {}
            Some(_) | None => self.limiter.succeeded(),
        }
    }

    /// Takes the token of a call's first attempt. Returns false if `budget` expires before.
    async fn first_token(&self, budget: &Budget) -> bool {
        if let Some(mut token) = self.limiter.try_acquire() {
            return token.spend();
        }
        budget.start_rate_limit_wait();
        let is_acquired = self.next_token(budget).await;
        if is_acquired {
            budget.end_rate_limit_wait();
        }
        is_acquired
    }

    /// Waits for a token. Returns false if `budget` expires before.
    async fn next_token(&self, budget: &Budget) -> bool {
        tokio::select! {
            biased;
            mut token = self.limiter.acquire(1) => token.spend(),
            () = budget.expired() => false,
        }
    }

    async fn attempt<T: ResponseObject>(
        &self,
        call: &Call<'_>,
        budget: &Budget,
    ) -> Result<T, ApiError> {
        let timeout = |message| {
            let message = if budget.is_cancelled() {
                CANCELLED
            } else {
                message
            };
            ApiError::local(call.operation, ErrorKind::Timeout, message)
        };
        let prepare = async { (self.limiter.enter().await, self.credentials.current().await) };
        let prepared = tokio::select! {
            biased;
            prepared = prepare => Some(prepared),
            () = budget.expired() => None,
        };
        let Some((_permit, credential)) = prepared.filter(|_| !budget.is_expired()) else {
            return Err(timeout("the time was over before the call could be made"));
        };
        let credential = credential.map_err(|error| no_credentials(call.operation, &error))?;
        let request = self.request(call, &credential)?;
        let traced = budget
            .trace()
            .map(|trace| (trace, RequestText::new(&request)));
        let mut guard = AttemptGuard::new(&*self.metrics, call.operation);
        let response = tokio::select! {
            biased;
            response = self.transport.send(request) => response,
            () = budget.expired_by(guard.started + ATTEMPT_TIMEOUT) => {
                return Err(timeout("no reply in time"));
            }
        };
        if let Some((trace, request)) = traced {
            let elapsed = guard.started.elapsed();
            trace.record(&request, response.as_ref(), elapsed, &credential);
        }
        let result = match response {
            Ok(response) => {
                response::decode(call.operation, &response, self.clock.now(), &credential)
            }
            Err(error) => Err(transport_failure(call.operation, &error)),
        };
        guard.failure = result.as_ref().err().map(|error| error.kind);
        match guard.failure {
            Some(ErrorKind::TokenExpired) => self.credentials.report_expired(&credential),
            Some(ErrorKind::Credentials) => self.credentials.report_rejected(&credential),
            _ => {}
        }
        result
    }

    fn request(
        &self,
        call: &Call<'_>,
        credential: &Credential,
    ) -> Result<Request<Bytes>, ApiError> {
        let signed = self.sign(call, credential)?;
        let uri = call.endpoint.uri(&call.target()).map_err(|error| {
            ApiError::local(call.operation, ErrorKind::Rejected, error.to_string())
        })?;
        let mut request = Request::new(Bytes::new());
        *request.uri_mut() = uri;
        *request.headers_mut() = signed.headers;
        request
            .headers_mut()
            .insert(USER_AGENT, self.user_agent.clone());
        let limit = call.operation.max_response();
        // Extensions are allocated, so the usual limit goes without one.
        if limit != MAX_RESPONSE {
            request.extensions_mut().insert(ResponseLimit(limit));
        }
        Ok(request)
    }
}

/// Waits for `delay`. Returns false, at once if possible, if `budget` expires before.
async fn wait(delay: Duration, budget: &Budget) -> bool {
    // The API may ask for a delay that is too long for an `Instant`.
    let end = Instant::now().checked_add(delay);
    if end.is_none_or(|end| end >= budget.end()) {
        return false;
    }
    tokio::select! {
        () = sleep(delay) => true,
        () = budget.expired() => false,
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::budget::Deadline;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn a_delay_within_the_budget_is_waited_for_and_another_fails_at_once() {
        let budget = Budget::lasting(3 * SECOND);
        let began = Instant::now();
        assert!(wait(2 * SECOND, &budget).await);
        assert_eq!(began.elapsed(), 2 * SECOND);
        for delay in [SECOND, 2 * SECOND, Duration::MAX] {
            assert!(!wait(delay, &budget).await, "{delay:?}");
        }
        assert_eq!(began.elapsed(), 2 * SECOND);
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_ends_when_the_budget_is_cancelled() {
        let began = Instant::now();
        let cancelled = CancellationToken::new();
        let budget = Budget::new(Deadline::at(began + 9 * SECOND), cancelled.clone());
        let cancel = async {
            sleep(SECOND).await;
            cancelled.cancel();
        };
        let (is_over, ()) = tokio::join!(wait(5 * SECOND, &budget), cancel);
        assert!(!is_over);
        assert_eq!(began.elapsed(), SECOND);
    }
}
