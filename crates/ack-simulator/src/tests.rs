//! Requests as `ack-client` and Alibaba Cloud's SDKs send them.

mod add_ons;
mod auth;

mod checks;
mod cluster_list;
mod every_operation;
mod faults;
mod history;
mod identities;
mod maintenance;
mod metadata;
mod node_pools;
mod operations;
mod plans;
mod socket;
mod tasks;
mod versions;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use ack_client::Signature;
use ack_client::credentials::Credential;
use ack_client::names::ClusterId;
use ack_client::sign::encode::canonical_query;
use ack_client::sign::{CS_VERSION, Stamp, UnsignedRequest, sign};
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use serde_json::Value;

use crate::*;

const HOST: &str = "sim.example:8080";

/// A client that signs its requests, and its simulator.
struct SignedClient {
    simulator: Simulator,
    scheme: Signature,
    credential: Credential,
    nonces: AtomicU64,
}

impl SignedClient {
    fn new(options: Options) -> Self {
        Self {
            simulator: Simulator::new(options),
            scheme: Signature::Acs3,
            credential: demo(),
            nonces: AtomicU64::new(0),
        }
    }

    fn with_defaults() -> Self {
        Self::new(Options::default())
    }

    /// A signed request for `path`, which may have a query.
    fn request(&self, action: Action, path: &str, nonce: &str) -> Request<Bytes> {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let query = request::decode_form(query.as_bytes());
        let query: Vec<_> = query
            .iter()
            .map(|(key, value)| (key.as_str(), value.clone()))
            .collect();
        let call = UnsignedRequest {
            method: "GET",
            authority: HOST,
            action: action.as_str(),
            path,
            query: &query,
            version: CS_VERSION,
            form: None,
        };
        let stamp = Stamp {
            time: self.simulator.world().now(),
            nonce: nonce.to_owned(),
        };
        let signed = sign(self.scheme, &call, &self.credential, &stamp).expect("signs");
        let uri = format!("http://{HOST}{path}?{}", canonical_query(&query));
        let mut request = Request::get(uri.trim_end_matches('?'))
            .body(Bytes::new())
            .expect("a request");
        *request.headers_mut() = signed.headers;
        request
    }

    async fn send(&self, action: Action, path: &str) -> Response {
        let nonce = format!("nonce-{}", self.nonces.fetch_add(1, Ordering::Relaxed));
        self.simulator
            .handle(self.request(action, path, &nonce))
            .await
    }

    /// The body of a response with status 200.
    async fn json(&self, action: Action, path: &str) -> Value {
        let response = self.send(action, path).await;
        assert_eq!(response.status, StatusCode::OK, "{}", text(&response));
        serde_json::from_slice(&response.body).expect("JSON")
    }

    async fn status(&self, id: &ClusterId) -> Value {
        self.json(
            Action::GetUpgradeStatus,
            &format!("/api/v2/clusters/{id}/upgrade/status"),
        )
        .await
    }

    fn first(&self) -> ClusterId {
        self.simulator.world().clusters()[0].clone()
    }
}

fn demo() -> Credential {
    let KeyPair {
        access_key_id,
        access_key_secret,
    } = KeyPair::demo();
    Credential {
        access_key_id,
        access_key_secret,
        security_token: None,
        expires_at: None,
    }
}

fn text(response: &Response) -> String {
    String::from_utf8_lossy(&response.body).into_owned()
}

/// Status and code of an error response.
fn error_of(response: &Response) -> (u16, String) {
    let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let code = body["Code"]
        .as_str()
        .or(body["code"].as_str())
        .unwrap_or_default();
    (response.status.as_u16(), code.to_owned())
}
