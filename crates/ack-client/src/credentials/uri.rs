//! A server of the operator's own that hands out temporary credentials.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};

use super::Loaded;
use super::chain::Attempt;
use super::context::Context;
use super::error::{Problem, ProviderName};
use super::network::Route;
use super::reply::{self, Expiry, Keys};
use crate::credentials::CredentialsUri;
use crate::secret::Secret;

pub(super) const NAME: &str = "credentials_uri";

const URI: &str = "ALIBABA_CLOUD_CREDENTIALS_URI";

/// How often a server is asked that does not say when its credentials expire.
const CHECK_SERVER: Duration = Duration::from_secs(15 * 60);

pub(super) async fn load(uri: &CredentialsUri, context: &Context) -> Result<Loaded, Problem> {
    let host = uri.authority();
    let mut request = Request::new(Bytes::new());
    *request.uri_mut() = uri.expose().clone();
    let response = context
        .http
        .send(Route::to(uri.expose()), request)
        .await
        .map_err(|error| Problem::unanswered(host, error))?;
    // A server that does not know the path says so, path and all.
    let path = Secret::new(
        uri.expose()
            .path_and_query()
            .map_or("", |path| path.as_str().trim_start_matches('/')),
    );
    if response.status() != StatusCode::OK {
        return Err(Problem::refused(reply::refusal(host, &response, &[&path])));
    }
    if let Some(objection) = reply::objection(host, &response, &[&path]) {
        return Err(Problem::refused(objection));
    }
    let credential = reply::decode::<Keys>(host, &response)?.credential(host, Expiry::Optional)?;
    let check_again = credential.expires_at.is_none().then_some(CHECK_SERVER);
    Ok(Loaded {
        credential,
        provider: ProviderName::new(NAME),
        check_again,
    })
}

/// As part of the default chain.
pub(super) async fn attempt(context: &Context) -> Result<Attempt, Problem> {
    match context.environment.value(URI) {
        None => Ok(Attempt::NotConfigured(Problem::NotConfigured(format!(
            "{URI} is not set"
        )))),
        Some(text) => {
            let uri = CredentialsUri::parse(text)
                .map_err(|complaint| Problem::Malformed(format!("{URI} {complaint}")))?;
            load(&uri, context).await.map(Attempt::Loaded)
        }
    }
}
