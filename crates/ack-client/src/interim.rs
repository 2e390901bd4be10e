//! A bound on the interim (1xx) responses before a response.

use http::Request;
use tokio::sync::watch;

/// Interim responses to one request that are passed over. A server has use for one or two.
const MAX_INTERIM: u32 = 8;

/// The complaint about a server that sends more.
pub(super) const COMPLAINT: &str = "sends interim responses (1xx) without an end";

/// Ends when more interim responses to `request` have come than are passed over. hyper reads them
/// for ever.
pub(super) fn flood<B>(request: &mut Request<B>) -> impl Future<Output = ()> + use<B> {
    let (count, mut seen) = watch::channel(0);
    hyper::ext::on_informational(request, move |_| count.send_modify(|count| *count += 1));
    async move {
        // The counter goes with the request once it is answered.
        if seen.wait_for(|count| *count > MAX_INTERIM).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
