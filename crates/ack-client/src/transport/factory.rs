//! The transport of each account.

use std::fmt::Debug;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use super::Transport;
use super::http_transport::HttpTransport;
use super::pool::Pools;
use crate::lookup::Lookup;
use crate::proxy::{Proxies, Proxy};
use crate::trust;

/// The settings of one account's connections.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnectionSettings {
    /// The proxy, in place of those of the environment.
    pub proxy: Option<Proxy>,
    /// Certificates to trust in addition to those of the system.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Makes the transport of each account.
pub trait TransportFactory: Debug + Send + Sync {
    /// The transport for `settings`.
    fn of(&self, settings: &ConnectionSettings) -> Arc<dyn Transport>;

    /// Uses the present connections for no further calls, so that names are resolved again.
    fn refresh(&self) {}

    /// Closes the connections that no call uses, for want of file descriptors.
    fn close_idle(&self) {}
}

/// Transports over the network. Accounts share connections, except those with certificates or a
/// proxy of their own.
#[derive(Debug)]
pub struct Network {
    shared: Arc<HttpTransport>,
    tls: ClientConfig,
    lookup: Lookup,
    proxies: Proxies,
    pools: Pools,
}

impl Network {
    /// Transports that use `tls` for https, resolve names by `lookup`, and use `proxies` for
    /// accounts without a proxy of their own.
    pub fn new(tls: ClientConfig, lookup: Lookup, proxies: Proxies) -> Self {
        let pools = Pools::default();
        let shared = Arc::new(HttpTransport::with_proxies(
            proxies.clone(),
            tls.clone(),
            lookup.clone(),
            pools.clone(),
        ));
        Self {
            shared,
            tls,
            lookup,
            proxies,
            pools,
        }
    }
}

impl TransportFactory for Network {
    fn of(&self, settings: &ConnectionSettings) -> Arc<dyn Transport> {
        let ConnectionSettings { proxy, authorities } = settings;
        if authorities.is_empty() && proxy.is_none() {
            return Arc::clone(&self.shared) as Arc<dyn Transport>;
        }
        let tls = if authorities.is_empty() {
            self.tls.clone()
        } else {
            trust::client_config(authorities)
        };
        let proxies = proxy
            .clone()
            .map_or_else(|| self.proxies.clone(), Proxies::all);
        Arc::new(HttpTransport::with_proxies(
            proxies,
            tls,
            self.lookup.clone(),
            self.pools.clone(),
        ))
    }

    fn refresh(&self) {
        self.pools.refresh();
    }

    fn close_idle(&self) {
        self.pools.close_idle();
    }
}

/// One transport serves every account.
impl<T: Transport + Clone + 'static> TransportFactory for T {
    fn of(&self, _: &ConnectionSettings) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}
