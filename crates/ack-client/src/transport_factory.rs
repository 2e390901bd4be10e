//! Which way each account's calls go.

use std::fmt::Debug;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;

use super::direct::Direct;
use super::idle::Generation;
use super::transport::Transport;
use crate::lookup::Lookup;
use crate::outgoing::{Proxies, Proxy};
use crate::trust;

/// What an account's connections need that is not the same for all.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ConnectionSettings {
    /// The proxy to go through, ahead of those of the environment.
    pub proxy: Option<Proxy>,
    /// Certificates to trust beside the usual ones.
    pub authorities: Vec<CertificateDer<'static>>,
}

/// Chooses the transport of each account.
pub trait TransportFactory: Debug + Send + Sync {
    /// The transport for connections of these `settings`.
    fn of(&self, settings: &ConnectionSettings) -> Arc<dyn Transport>;

    /// Has names looked up again: connections that are there now are used for no more calls.
    fn refresh(&self) {}
}

/// The real network, on connections that the accounts share but for those with authorities or a
/// proxy of their own.
#[derive(Debug)]
pub struct Network {
    shared: Arc<Direct>,
    tls: ClientConfig,
    lookup: Lookup,
    proxies: Proxies,
    generation: Generation,
}

impl Network {
    /// Ways that trust whom `tls` trusts, ask `lookup` for names, and go through `proxies` where an
    /// account names none.
    pub fn new(tls: ClientConfig, lookup: Lookup, proxies: Proxies) -> Self {
        let generation = Generation::default();
        let shared = Arc::new(Direct::through(
            proxies.clone(),
            tls.clone(),
            lookup.clone(),
            generation.clone(),
        ));
        Self {
            shared,
            tls,
            lookup,
            proxies,
            generation,
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
        Arc::new(Direct::through(
            proxies,
            tls,
            self.lookup.clone(),
            self.generation.clone(),
        ))
    }

    fn refresh(&self) {
        self.generation.advance();
    }
}

/// The same way for every account.
impl<T: Transport + Clone + 'static> TransportFactory for T {
    fn of(&self, _: &ConnectionSettings) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}
