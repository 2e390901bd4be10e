//! A limit on the interim (1xx) responses to one request.

use http::Request;
use tokio::sync::watch;

/// The interim responses that are ignored. A server needs one or two.
const MAX_INTERIM: u32 = 8;

/// The message about a server that sends more, after its name.
pub(super) const COMPLAINT: &str = "sends interim responses (1xx) without an end";

/// Returns a future that ends when the server has sent more interim responses to `request` than
/// are ignored. hyper itself reads them without a limit.
pub(super) fn too_many_interim_responses<B>(
    request: &mut Request<B>,
) -> impl Future<Output = ()> + use<B> {
    let (count, mut seen) = watch::channel(0);
    hyper::ext::on_informational(request, move |_| count.send_modify(|count| *count += 1));
    async move {
        // The counter is dropped with the request, after which there is nothing to wait for.
        if seen.wait_for(|count| *count > MAX_INTERIM).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
