//! One account's way to the vendor: every call goes through [`Client::call`].

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::USER_AGENT;
use http::{HeaderValue, Request};
use tokio::time::{Instant, sleep};

use super::budget::Budget;
use super::call_metrics::CallMetrics;
use super::error::{ApiError, ErrorKind};
use super::limit::Limiter;
use super::operation::Operation;
use super::reply::Answer;
use super::transport::{Transport, TransportError};
use super::{reply, retry, trace};
use crate::clock::Clock;
use crate::credentials::{Credential, Credentials, CredentialsError};
use crate::sign::encode::{canonical_query, hex};
use crate::sign::{self, CS_VERSION, Signed, Stamp, Unsigned};
use crate::{Endpoint, Signature};

/// How long an attempt may be silent, as long as the vendor's SDKs wait: a budget that is longer is
/// for another try.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a query ended before its time.
const CALLED_OFF: &str = "no reply in its share of the time, and others waited for its place";

/// What one call asks for. All operations in use are GET.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// The operation.
    pub operation: Operation,
    /// The server.
    pub endpoint: &'a Endpoint,
    /// The path, encoded.
    pub path: &'a str,
    /// The query, decoded; no value may be empty.
    pub query: &'a [(&'a str, String)],
}

impl Call<'_> {
    fn unsigned(&self) -> Unsigned<'_> {
        Unsigned {
            method: "GET",
            authority: self.endpoint.authority(),
            action: self.operation.as_str(),
            path: self.path,
            query: self.query,
            version: CS_VERSION,
            form: None,
        }
    }

    fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.to_owned()
        } else {
            format!("{}?{}", self.path, canonical_query(self.query))
        }
    }
}

/// One account's way to the vendor: credentials, limits, signature and connections.
#[derive(Debug)]
pub struct Client {
    transport: Arc<dyn Transport>,
    credentials: Arc<Credentials>,
    signature: Signature,
    limiter: Arc<Limiter>,
    /// For what nobody waits for.
    background: Arc<Limiter>,
    metrics: Arc<dyn CallMetrics>,
    clock: Clock,
    user_agent: HeaderValue,
    nonces: Nonces,
}

impl Client {
    /// A client that sends through `transport`, signs with `credentials`, counts with `metrics`,
    /// and calls itself `user_agent`.
    pub fn new(
        transport: Arc<dyn Transport>,
        credentials: Arc<Credentials>,
        signature: Signature,
        limiter: Arc<Limiter>,
        metrics: Arc<dyn CallMetrics>,
        clock: Clock,
        user_agent: HeaderValue,
    ) -> Self {
        let background = limiter.background();
        Self {
            transport,
            credentials,
            signature,
            limiter,
            background,
            metrics,
            clock,
            user_agent,
            nonces: Nonces::new(),
        }
    }

    /// The same account's client for the few calls that no reading may wait for, with limits of
    /// their own.
    #[must_use]
    pub fn in_background(&self) -> Self {
        Self {
            transport: Arc::clone(&self.transport),
            credentials: Arc::clone(&self.credentials),
            signature: self.signature,
            limiter: Arc::clone(&self.background),
            background: Arc::clone(&self.background),
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
    pub fn credentials(&self) -> &Arc<Credentials> {
        &self.credentials
    }

    /// Who counts.
    pub fn metrics(&self) -> &dyn CallMetrics {
        &*self.metrics
    }

    /// Makes `call` and decodes its reply, repeating it within `budget` while that can help. The
    /// first attempt uses a token of the budget's, if one is left; every other waits for its own.
    /// The error is the last attempt's, or the first of several timeouts in a row. Dropping the
    /// future abandons the call.
    pub(super) async fn call<T: Answer>(
        &self,
        call: &Call<'_>,
        budget: &Budget,
    ) -> Result<T, ApiError> {
        if !budget.begin_call() && !self.first_token(budget).await {
            return Err(unadmitted(call.operation));
        }
        let mut attempt = 1;
        let mut renewed = false;
        let mut earlier: Option<ApiError> = None;
        loop {
            let sent = Instant::now();
            let result = self.attempt(call, budget).await;
            self.pace(attempt, sent, result.as_ref().err());
            let error = match result {
                Ok(answer) => return Ok(answer),
                Err(error) => more_telling(earlier.take(), error),
            };
            budget.back_off(error.clone());
            match error.kind {
                ErrorKind::TokenExpired | ErrorKind::NonceUsed if !renewed => renewed = true,
                // While every call is throttled, those of other clusters find out as well when that
                // is over.
                ErrorKind::Throttled if self.limiter.is_congested() => return Err(error),
                kind if kind.is_retryable() && attempt < retry::max_attempts(kind) => {
                    let delay = retry::delay(attempt, error.retry_after);
                    // A vendor may ask to wait longer than there is time to count.
                    if Instant::now()
                        .checked_add(delay)
                        .is_none_or(|next| next >= budget.end())
                    {
                        return Err(error);
                    }
                    tokio::select! {
                        () = sleep(delay) => {}
                        () = budget.spent() => return Err(error),
                    }
                }
                _ => return Err(error),
            }
            if !self.next_token(budget).await {
                return Err(error);
            }
            attempt += 1;
            budget.retry();
            self.metrics.retried(call.operation);
            earlier = Some(error);
        }
    }

    /// What `call` would send now, without sending it. The secret half and the token are not in it.
    pub async fn explain(&self, call: &Call<'_>) -> Result<Explained, ApiError> {
        let credential = self.credentials.current().await;
        let credential = credential.map_err(|error| without_credentials(call.operation, &error))?;
        let signed = self.sign(call, &credential)?;
        let text = |value: &HeaderValue| {
            credential
                .hide_in(&String::from_utf8_lossy(value.as_bytes()))
                .into_owned()
        };
        Ok(Explained {
            url: format!("{}{}", call.endpoint, call.target()),
            headers: signed
                .headers
                .iter()
                .map(|(name, value)| (name.to_string(), text(value)))
                .collect(),
            canonical_request: signed
                .canonical_request
                .map(|request| credential.hide_in(&request).into_owned()),
            string_to_sign: credential.hide_in(&signed.string_to_sign).into_owned(),
        })
    }

    fn sign(&self, call: &Call<'_>, credential: &Credential) -> Result<Signed, ApiError> {
        let stamp = Stamp {
            time: self.clock.now(),
            nonce: self.nonces.next(),
        };
        sign::sign(self.signature, &call.unsigned(), credential, &stamp).map_err(|error| {
            ApiError::local(call.operation, ErrorKind::Credentials, error.to_string())
        })
    }

    /// Tells the limiter how the `attempt` that was made at `sent` ended. What a single cluster's
    /// repetitions meet says little of the account.
    fn pace(&self, attempt: u32, sent: Instant, failure: Option<&ApiError>) {
        match failure {
            Some(error) if error.asks_to_slow_down() => {
                if attempt == 1 {
                    self.limiter.throttled(sent);
                }
            }
            Some(error) if error.status.is_none() => {}
            Some(_) | None => self.limiter.succeeded(),
        }
    }

    /// Waits for a token of a call's first attempt. Returns false if there is none within `budget`.
    async fn first_token(&self, budget: &Budget) -> bool {
        if let Some(mut token) = self.limiter.try_acquire() {
            return token.spend();
        }
        budget.hold_up();
        let is_there = self.next_token(budget).await;
        if is_there {
            budget.go_on();
        }
        is_there
    }

    /// Waits for a token. Returns false if there is none within `budget`.
    async fn next_token(&self, budget: &Budget) -> bool {
        tokio::select! {
            biased;
            mut token = self.limiter.acquire(1) => token.spend(),
            () = budget.spent() => false,
        }
    }

    async fn attempt<T: Answer>(&self, call: &Call<'_>, budget: &Budget) -> Result<T, ApiError> {
        let timeout = |message| {
            let message = if budget.is_called_off() {
                CALLED_OFF
            } else {
                message
            };
            ApiError::local(call.operation, ErrorKind::Timeout, message)
        };
        let ready = tokio::select! {
            biased;
            ready = async { (self.limiter.enter().await, self.credentials.current().await) } => Some(ready),
            () = budget.spent() => None,
        };
        let Some((_permit, credential)) = ready.filter(|_| !budget.is_spent()) else {
            return Err(timeout("the time was over before the call could be made"));
        };
        let credential = credential.map_err(|error| without_credentials(call.operation, &error))?;
        let request = self.request(call, &credential)?;
        let traced = budget.trace().map(|trace| (trace, trace::head(&request)));
        let started = Instant::now();
        self.metrics.started(call.operation);
        // Told in every case, so that a query that is dropped half-way does not stay in flight for
        // ever.
        let mut told = Told {
            client: self,
            operation: call.operation,
            started,
            failure: Some(ErrorKind::Timeout),
        };
        let response = tokio::select! {
            biased;
            response = self.transport.send(request) => response,
            () = budget.spent_by(started + PATIENCE) => return Err(timeout("no reply in time")),
        };
        if let Some((trace, head)) = traced {
            trace.note(&head, response.as_ref(), started.elapsed(), &credential);
        }
        let result = match response {
            Ok(response) => reply::read(call.operation, &response, self.clock.now(), &credential),
            Err(error) => Err(unsent(call.operation, &error)),
        };
        told.failure = result.as_ref().err().map(|error| error.kind);
        match told.failure {
            Some(ErrorKind::TokenExpired) => self.credentials.invalidate(&credential),
            Some(ErrorKind::Credentials) => self.credentials.doubt(&credential),
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
        Ok(request)
    }
}

fn without_credentials(operation: Operation, error: &CredentialsError) -> ApiError {
    let kind = if error.may_pass() {
        ErrorKind::NoCredentials
    } else {
        ErrorKind::Credentials
    };
    ApiError::local(operation, kind, error.to_string())
}

/// A request that is not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explained {
    /// The whole URL.
    pub url: String,
    /// All signed headers and the signature; where the token would be, it says `<secret>`.
    pub headers: Vec<(String, String)>,
    /// The canonical request, in schemes that have one.
    pub canonical_request: Option<String>,
    /// The text under the signature.
    pub string_to_sign: String,
}

/// Counts an attempt's end when it goes out of scope.
struct Told<'a> {
    client: &'a Client,
    operation: Operation,
    started: Instant,
    failure: Option<ErrorKind>,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.client.metrics.finished(
            self.operation,
            self.started.elapsed(),
            self.failure.map(ErrorKind::reason),
        );
    }
}

/// The error to report of two attempts in a row. A time-out that the budget has cut short knows
/// less than one before it that ran into a limit of its own.
fn more_telling(earlier: Option<ApiError>, error: ApiError) -> ApiError {
    earlier
        .filter(|earlier| (earlier.kind, error.kind) == (ErrorKind::Timeout, ErrorKind::Timeout))
        .unwrap_or(error)
}

/// The query has waited for the rate limit and for nothing else, however that wait ended.
fn unadmitted(operation: Operation) -> ApiError {
    ApiError::local(
        operation,
        ErrorKind::RateLimited,
        "the account's rate_limit leaves no room within the budget",
    )
}

fn unsent(operation: Operation, error: &TransportError) -> ApiError {
    let kind = match error {
        TransportError::Connect(_) | TransportError::Broken(_) => ErrorKind::Network,
        TransportError::ConnectTimeout(_) => ErrorKind::Timeout,
        TransportError::TooLarge => ErrorKind::Decode,
    };
    ApiError::local(operation, kind, error.to_string())
}

/// Values that are never used twice: random for this process, counted within it.
#[derive(Debug)]
struct Nonces {
    process: u64,
    count: AtomicU64,
}

impl Nonces {
    fn new() -> Self {
        let process = getrandom::u64().unwrap_or_else(|_| fastrand::u64(..));
        Self {
            process,
            count: AtomicU64::new(0),
        }
    }

    fn next(&self) -> String {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        hex(&(u128::from(self.process) << 64 | u128::from(count)).to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_several_time_outs_in_a_row_is_told_and_else_the_last_failure() {
        let error =
            |kind, message: &str| ApiError::local(Operation::GetUpgradeStatus, kind, message);
        let told = |earlier, kind| more_telling(earlier, error(kind, "last")).message;
        let connecting = || Some(error(ErrorKind::Timeout, "no connection in 3 s"));
        assert_eq!(
            told(connecting(), ErrorKind::Timeout),
            "no connection in 3 s"
        );
        assert_eq!(told(connecting(), ErrorKind::Server), "last");
        assert_eq!(
            told(Some(error(ErrorKind::Server, "first")), ErrorKind::Timeout),
            "last"
        );
        assert_eq!(told(None, ErrorKind::Timeout), "last");
    }
}
