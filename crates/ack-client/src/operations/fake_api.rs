//! A client whose transport has the responses of a test.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, Response};

use crate::budget::Budget;
use crate::call_metrics::CallMetrics;
use crate::client::Client;
use crate::clock::Clock;
use crate::credentials::{CachedCredentials, Credential};
use crate::endpoint::Endpoint;
use crate::error::Reason;
use crate::limit::{Limiter, RateLimit};
use crate::names::{AccountName, ClusterId, Region};
use crate::operation::Operation;
use crate::operations::fields;
use crate::secret::Secret;
use crate::sign::Signature;
use crate::transport::{ResponseFuture, ResponseLimit, Transport, TransportError};

/// The client, and what it sends and reports.
pub(super) struct FakeApi {
    pub(super) client: Client,
    pub(super) endpoint: Endpoint,
    records: Arc<Records>,
}

#[derive(Debug, Default)]
struct Records {
    requests: Mutex<Vec<String>>,
    unknown_values: Mutex<Vec<(&'static str, String)>>,
}

impl FakeApi {
    /// An API that responds to every request with `body`.
    pub(super) fn with_body(body: impl Into<String>) -> Self {
        let body = body.into();
        Self::new(move |_| (200, body.clone()))
    }

    /// An API that responds to a request with the status and the body that `respond` returns for
    /// its path and query.
    pub(super) fn new(respond: impl Fn(&str) -> (u16, String) + Send + Sync + 'static) -> Self {
        let records = Arc::new(Records::default());
        let transport = FakeTransport {
            respond,
            records: Arc::clone(&records),
        };
        let credential = Credential {
            access_key_id: "LTAI5tTest".to_owned(),
            access_key_secret: Secret::new("hunter2secret"),
            security_token: None,
            expires_at: None,
        };
        let account = AccountName::parse("test").expect("a name");
        let client = Client::new(
            Arc::new(transport),
            Arc::new(CachedCredentials::fixed(credential)),
            Signature::Acs3,
            Limiter::new(account, RateLimit::default(), 1, 16),
            Arc::clone(&records) as Arc<dyn CallMetrics>,
            Clock::System,
            HeaderValue::from_static("test"),
        );
        Self {
            client,
            endpoint: Endpoint::parse("http://cs.example").expect("an endpoint"),
            records,
        }
    }

    /// Takes the requests since the last call, as `Operation /path?query`.
    pub(super) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut *self.records.requests.lock().expect("no panic"))
    }

    /// Takes the unknown values that were reported since the last call.
    pub(super) fn take_unknown_values(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut *self.records.unknown_values.lock().expect("no panic"))
    }
}

/// A budget that no test uses up.
pub(super) fn budget() -> Budget {
    Budget::lasting(Duration::from_secs(60))
}

pub(super) fn cluster() -> ClusterId {
    ClusterId::parse("c1").expect("an ID")
}

pub(super) fn region() -> Region {
    Region::parse("cn-hangzhou").expect("a region")
}

/// The body of a JSON object with `count` kilobytes of text under a key that nobody reads.
pub(super) fn kilobytes(count: usize) -> String {
    "dXNlcg==".repeat(128 * count)
}

struct FakeTransport<F> {
    respond: F,
    records: Arc<Records>,
}

impl<F> fmt::Debug for FakeTransport<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FakeTransport")
    }
}

impl<F: Fn(&str) -> (u16, String) + Send + Sync> Transport for FakeTransport<F> {
    fn send(&self, request: Request<Bytes>) -> ResponseFuture<'_> {
        let target = request.uri().path_and_query().expect("a path").as_str();
        let action = request.headers()["x-acs-action"].to_str().expect("text");
        let mut requests = self.records.requests.lock().expect("no panic");
        requests.push(format!("{action} {target}"));
        drop(requests);
        let (status, body) = (self.respond)(target);
        let ResponseLimit(limit) = ResponseLimit::of(&request);
        Box::pin(async move {
            if body.len() > limit {
                return Err(TransportError::TooLarge);
            }
            let response = Response::builder().status(status);
            Ok(response.body(Bytes::from(body)).expect("a response"))
        })
    }
}

impl CallMetrics for Records {
    fn started(&self, _: Operation) {}
    fn finished(&self, _: Operation, _: Duration, _: Option<Reason>) {}
    fn retried(&self, _: Operation) {}
    fn unknown_value(&self, field: &'static str, value: &str) {
        // Its counter starts at 0.
        assert!(fields().any(|known| known == field), "{field}");
        let mut values = self.unknown_values.lock().expect("no panic");
        values.push((field, value.to_owned()));
    }
}
