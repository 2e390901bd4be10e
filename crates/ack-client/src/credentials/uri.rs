//! A server of the operator that gives temporary credentials.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::Loaded;
use super::context::Context;
use super::error::{Problem, ProviderName};
use super::network::Route;
use super::response::{self, Expiry, TemporaryKeys};
use crate::credentials::CredentialsUri;
use crate::secret::Secret;

pub(super) const NAME: &str = "credentials_uri";

const URI: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";

/// The interval of requests to a server that does not say when its credentials expire.
const SERVER_CHECK_INTERVAL: Duration = Duration::from_secs(15 * 60);

pub(super) async fn load(uri: &CredentialsUri, context: &Context) -> Result<Loaded, Problem> {
    let host = uri.authority();
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri.expose().clone();
    let response = context
        .http
        .send(Route::to(uri.expose()), request)
        .await
        .map_err(|error| Problem::no_response(host, error))?;
    // A server may repeat a path that it does not know, and the path may be a secret.
    let path = Secret::new(
        uri.expose()
            .path_and_query()
            .map_or("", |path| path.as_str().trim_start_matches('/')),
    );
    if response.status() != StatusCode::OK {
        return Err(Problem::refused(response::refusal(
            host,
            &response,
            &[&path],
        )));
    }
    if let Some(refusal) = response::refusal_in_body(host, &response, &[&path]) {
        return Err(Problem::refused(refusal));
    }
    let credential =
        response::decode::<TemporaryKeys>(host, &response)?.credential(host, Expiry::Optional)?;
    let check_again = credential
        .expires_at
        .is_none()
        .then_some(SERVER_CHECK_INTERVAL);
    Ok(Loaded {
        credential,
        provider: ProviderName::new(NAME),
        check_again,
    })
}

/// Loads credentials as a link of the default chain.
pub(super) async fn load_if_configured(context: &Context) -> Result<Loaded, Problem> {
    let Some(text) = context.environment.value(URI) else {
        return Err(Problem::NotConfigured(format!("{URI} is not set")));
    };
    let uri = CredentialsUri::parse(text)
        .map_err(|complaint| Problem::Malformed(format!("{URI} {complaint}")))?;
    load(&uri, context).await
}
