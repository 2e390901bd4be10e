//! Which way each account's calls go.

use std::fmt::Debug;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use rustls::ClientConfig;

use super::direct::Direct;
use super::proxied::Proxied;
use super::transport::{Sending, Transport, TransportError};
use crate::config::Account;
use crate::lookup::Lookup;
use crate::outgoing::is_this_machine;
use crate::trust;

/// Chooses the transport of each account.
pub trait Ways: Debug + Send + Sync {
    /// The transport of `account`.
    fn of(&self, account: &Account) -> Arc<dyn Transport>;
}

/// Whether the process's environment names a proxy (`HTTPS_PROXY` and its kin).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SystemProxy {
    /// It does.
    Named,
    /// It does not.
    Absent,
}

/// The real network: straight ahead where there is no proxy, on connections that the accounts share.
#[derive(Debug)]
pub struct Network {
    direct: Arc<Direct>,
    tls: ClientConfig,
    lookup: Lookup,
    system_proxy: SystemProxy,
}

impl Network {
    /// Ways that trust whom `tls` trusts and ask `lookup` for names.
    pub fn new(tls: ClientConfig, lookup: Lookup, system_proxy: SystemProxy) -> Self {
        Self { direct: Arc::new(Direct::new(tls.clone(), lookup.clone())), tls, lookup, system_proxy }
    }
}

impl Ways for Network {
    fn of(&self, account: &Account) -> Arc<dyn Transport> {
        let tls = if account.access.authorities.is_empty() { self.tls.clone() } else { trust::client_config(&account.access.authorities) };
        let proxied = |tls| -> Arc<dyn Transport> {
            match Proxied::new(account.access.proxy.as_ref(), tls, self.lookup.clone()) {
                Ok(proxied) => Arc::new(proxied),
                Err(error) => Arc::new(Unusable(error)),
            }
        };
        if account.access.proxy.is_some() {
            return proxied(tls);
        }
        let direct = if account.access.authorities.is_empty() {
            Arc::clone(&self.direct)
        } else {
            Arc::new(Direct::new(tls.clone(), self.lookup.clone()))
        };
        match self.system_proxy {
            SystemProxy::Named => Arc::new(AsTheSystemSays { near: direct, far: proxied(tls) }),
            SystemProxy::Absent => direct,
        }
    }
}

/// Through the proxy that the environment names, but for servers on this machine, as in curl and every Go program.
#[derive(Debug)]
struct AsTheSystemSays {
    near: Arc<Direct>,
    far: Arc<dyn Transport>,
}

impl Transport for AsTheSystemSays {
    fn send(&self, request: Request<Bytes>) -> Sending<'_> {
        if is_this_machine(request.uri()) { self.near.send(request) } else { self.far.send(request) }
    }
}

/// A way that could not be built: each call fails with the reason, and other accounts go on.
#[derive(Debug)]
struct Unusable(TransportError);

impl Transport for Unusable {
    fn send(&self, _: Request<Bytes>) -> Sending<'_> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

/// The same way for every account.
impl<T: Transport + Clone + 'static> Ways for T {
    fn of(&self, _: &Account) -> Arc<dyn Transport> {
        Arc::new(self.clone())
    }
}
