//! `client_auth_type` and what goes with it.

use std::sync::Arc;

use rustls::RootCertStore;
use safe_input::authorities::system_roots;

use super::pem::{self, Pem};
use super::{Reader, raw};
use crate::web::tls::{AllowedNames, ClientAuth, Presence, Trust};
use crate::yaml::Path;

/// Go's `ClientAuthType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Policy {
    NotAsked,
    Asked(Presence, Verification),
}

/// The verification of a client's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verification {
    None,
    Chain,
}

impl Reader<'_> {
    pub(super) fn clients(
        &mut self,
        path: &Path,
        policy: Option<&str>,
        authorities: Option<Pem>,
        names: Option<Vec<Option<raw::Text>>>,
    ) -> Option<ClientAuth> {
        let policy_path = path.key("client_auth_type");
        let policy = self
            .problems
            .keep(&policy_path, policy_named(policy.unwrap_or_default()))?;
        let allowed =
            names.map(|names| self.allowed_names(&path.key("client_allowed_sans"), names, policy));
        let verifying = matches!(policy, Policy::Asked(_, Verification::Chain));
        if let Some(pem) = authorities.as_ref().filter(|_| !verifying) {
            let message = "verifies nothing unless client_auth_type is RequireAndVerifyClientCert \
                or VerifyClientCertIfGiven";
            self.problems.note(pem.path.clone(), message);
        }
        let Policy::Asked(presence, verification) = policy else {
            return Some(ClientAuth::NotAsked);
        };
        if presence == Presence::Optional && allowed.is_some() {
            self.warnings.note(
                policy_path.clone(),
                "lets nobody in without a certificate, since client_allowed_sans asks for a name",
            );
        }
        let trust = match (verification, authorities) {
            (Verification::None, _) => Trust::Anyone,
            (Verification::Chain, Some(pem)) => {
                Trust::Authorities(Arc::new(self.problems.keep(&pem.path, roots(&pem.text))?))
            }
            (Verification::Chain, None) => {
                let message = "without client_ca_file, a certificate from any authority that this \
                    system trusts will do";
                self.warnings.note(policy_path, message);
                Trust::Authorities(Arc::new(system_roots()))
            }
        };
        Some(ClientAuth::Asked {
            presence,
            trust,
            allowed,
        })
    }

    fn allowed_names(
        &mut self,
        path: &Path,
        names: Vec<Option<raw::Text>>,
        policy: Policy,
    ) -> AllowedNames {
        match policy {
            Policy::NotAsked if !names.is_empty() => {
                self.problems.note(
                    path.clone(),
                    "is looked at only where client_auth_type asks for a certificate",
                );
            }
            Policy::Asked(..) if names.is_empty() => self
                .problems
                .note(path.clone(), "is empty, so that no client could connect"),
            Policy::Asked(_, Verification::None) => {
                self.warnings.note(
                    path.clone(),
                    "anyone can make a certificate with these names, \
                    since client_auth_type verifies nothing",
                );
            }
            Policy::NotAsked | Policy::Asked(..) => {}
        }
        AllowedNames::new(names.into_iter().flatten().map(|name| name.0))
    }
}

fn policy_named(name: &str) -> Result<Policy, &'static str> {
    match name {
        "" | "NoClientCert" => Ok(Policy::NotAsked),
        "RequestClientCert" => Ok(Policy::Asked(Presence::Optional, Verification::None)),
        "RequireAnyClientCert" | "RequireClientCert" => {
            Ok(Policy::Asked(Presence::Required, Verification::None))
        }
        "VerifyClientCertIfGiven" => Ok(Policy::Asked(Presence::Optional, Verification::Chain)),
        "RequireAndVerifyClientCert" => Ok(Policy::Asked(Presence::Required, Verification::Chain)),
        _ => Err(
            "must be NoClientCert, RequestClientCert, RequireAnyClientCert, \
                VerifyClientCertIfGiven or RequireAndVerifyClientCert",
        ),
    }
}

fn roots(text: &[u8]) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for (index, certificate) in pem::certificates(text)?.into_iter().enumerate() {
        roots
            .add(certificate)
            .map_err(|error| pem::unusable(index + 1, error))?;
    }
    Ok(roots)
}
