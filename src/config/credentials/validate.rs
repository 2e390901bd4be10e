//! The checks of the `credentials` mapping that concern several keys.

use std::collections::BTreeSet;

use exporter_toolkit::yaml::complaint::{nearest, one_of, unknown_key};
use serde_json::Value;

use super::{Credentials, Kind};
use crate::config::Path;
use crate::config::text::{File, StsEndpoint};
use crate::config::validate::Validator;

impl Validator<'_> {
    /// Checks the mapping at `path`, and fills in the values that depend on other keys.
    pub(in crate::config) fn credentials(&mut self, path: &Path, credentials: &mut Credentials) {
        if self.problems.has(&path.key("type")) {
            // The keys that belong to the mapping depend on its type.
            return;
        }
        let written = self.written(path, credentials);
        if credentials.kind.is_none()
            && let Some(message) = missing_type(&written)
        {
            self.missing_type(path, &written, message);
            return;
        }
        let kind = *credentials.kind.get_or_insert(Kind::Default);
        for key in &written {
            if !kind.has(key) {
                let message = unknown_key(key, kind.keys());
                self.problems.replace(path.key(key), message);
            }
        }
        if let Some(key) = kind.required()
            && !written.contains(key)
        {
            self.problems.note(path.key(key), "is missing");
        }
        for (key, file) in credentials.files() {
            if let Some(file) = file {
                self.file(&path.key(key), file);
            }
        }
        match kind {
            Kind::AccessKey => self.access_key(path, &written),
            Kind::RamRoleArn => self.role(path, &written, credentials),
            Kind::EcsRamRole => _ = credentials.disable_imds_v1.get_or_insert(false),
            Kind::Default | Kind::OidcRoleArn | Kind::CredentialsUri | Kind::Profile => {}
        }
    }

    /// The keys beside the type that have a value, including values that were refused.
    fn written(&self, path: &Path, credentials: &Credentials) -> BTreeSet<String> {
        let mut keys: BTreeSet<_> = self.problems.keys_in(path).map(str::to_owned).collect();
        if let Ok(Value::Object(accepted)) = serde_json::to_value(credentials) {
            keys.extend(accepted.into_iter().map(|(key, _)| key));
        }
        keys.remove("type");
        keys
    }

    /// Notes that the type is missing, in place of mistakes in values whose meaning depends on it.
    fn missing_type(&mut self, path: &Path, written: &BTreeSet<String>, message: String) {
        let is_misspelt = |key: &String| nearest(key, ["type"].into_iter()).is_some();
        if written.iter().any(is_misspelt) {
            // The key is unknown, which was noted with the suggestion.
            return;
        }
        for key in written {
            if Kind::ALL.iter().any(|kind| kind.has(key)) {
                self.problems.forget(&path.key(key));
            }
        }
        self.problems.note(path.clone(), message);
    }

    fn access_key(&mut self, path: &Path, written: &BTreeSet<String>) {
        let secrets = [
            ("access_key_secret", "access_key_secret_file"),
            ("security_token", "security_token_file"),
        ];
        for (inline, file) in secrets {
            if written.contains(inline) && written.contains(file) {
                let message = format!("is there beside {file}; one of them must go");
                self.problems.note(path.key(inline), message);
            }
        }
        let [(inline, file), _] = secrets;
        if !written.contains(inline) && !written.contains(file) {
            let message = format!("is missing, and so is {file}");
            self.problems.note(path.key(inline), message);
        }
    }

    /// Checks the credentials that assume the role: an access key beside it, or `source`, or else
    /// the default chain.
    fn role(&mut self, path: &Path, written: &BTreeSet<String>, credentials: &mut Credentials) {
        let has_key = written.iter().any(|key| Kind::AccessKey.has(key));
        if has_key && written.contains("source") {
            self.problems.note(
                path.key("source"),
                "is there beside an access key; one of them must go",
            );
            return;
        }
        let source = if has_key {
            if !written.contains("access_key_id") {
                self.problems.note(path.key("access_key_id"), "is missing");
            }
            self.access_key(path, written);
            let key = credentials.take_key();
            credentials.source.insert(Box::new(key))
        } else {
            let source = credentials.source.get_or_insert_default();
            self.credentials(&path.key("source"), source);
            source
        };
        if let Some(endpoint) = &credentials.sts_endpoint {
            source.inherit(endpoint);
        }
    }
}

impl Credentials {
    /// The files that it names, by their keys.
    fn files(&mut self) -> [(&'static str, Option<&mut File>); 4] {
        [
            (
                "access_key_secret_file",
                self.access_key_secret_file.as_mut(),
            ),
            ("security_token_file", self.security_token_file.as_mut()),
            ("oidc_token_file", self.oidc_token_file.as_mut()),
            ("config_file", self.config_file.as_mut()),
        ]
    }

    /// The access key that stands here, as credentials of its own.
    fn take_key(&mut self) -> Self {
        Self {
            kind: Some(Kind::AccessKey),
            access_key_id: self.access_key_id.take(),
            access_key_secret: self.access_key_secret.take(),
            access_key_secret_file: self.access_key_secret_file.take(),
            security_token: self.security_token.take(),
            security_token_file: self.security_token_file.take(),
            ..Self::default()
        }
    }

    /// Sets `endpoint` as the STS server wherever none is configured. Where an operator needs an
    /// STS server of their own, the usual one is seldom reachable.
    fn inherit(&mut self, endpoint: &StsEndpoint) {
        if let Some(Kind::Default | Kind::OidcRoleArn | Kind::RamRoleArn) = self.kind {
            self.sts_endpoint.get_or_insert_with(|| endpoint.clone());
        }
        if let Some(source) = &mut self.source {
            source.inherit(endpoint);
        }
    }
}

/// The complaint about a mapping without a type in which keys of another type than the default one
/// are `written`.
fn missing_type(written: &BTreeSet<String>) -> Option<String> {
    let stranger = Kind::ALL
        .into_iter()
        .flat_map(Kind::keys)
        .find(|key| written.contains(**key) && !Kind::Default.has(key))?;
    let mut kinds = Kind::ALL.to_vec();
    kinds.retain(|kind| written.iter().all(|key| kind.has(key)));
    if kinds.is_empty() {
        kinds = Kind::ALL.to_vec();
        kinds.retain(|kind| kind.has(stranger));
    }
    // A role may have an access key beside it, but needs a key of its own as well.
    if kinds.contains(&Kind::AccessKey) {
        kinds = vec![Kind::AccessKey];
    }
    let names: Vec<_> = kinds.into_iter().map(Kind::name).collect();
    Some(format!(
        "type is missing; {stranger} belongs to type: {}",
        one_of(&names)
    ))
}
