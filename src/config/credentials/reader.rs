//! The `credentials` mapping → [`Provider`]. What is wrong is noted and read as absent, so that
//! the rest is still checked.

use std::path::{Path as FilePath, PathBuf};
use std::time::Duration;

use ack_client::Endpoint;
use ack_client::credentials::{
    CredentialsUri, DefaultChain, EcsRamRole, ImdsV1, OidcRoleArn, Profile, Provider, RamRoleArn,
    RoleSession, SecretSource, metadata_endpoint, sts_endpoint,
};
use ack_client::secret::Secret;
use exporter_toolkit::yaml::{document, reason};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::raw;
use crate::config::raw::Untyped;
use crate::config::{Path, Problems, Purpose};

/// What STS allows; a role's own maximum may be lower.
const DURATIONS: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(900)..=Duration::from_secs(43_200);

/// Reads the mapping at `path`, noting every mistake. Absent, it is the default chain.
pub(in crate::config) fn read(
    raw: Option<Untyped>,
    path: &Path,
    folder: &FilePath,
    purpose: Purpose,
    problems: &mut Problems,
) -> Option<Provider> {
    match raw {
        Some(Untyped(value)) => Reader {
            problems,
            folder,
            purpose,
        }
        .credentials(path, value),
        None if problems.has(path) => None,
        None => Some(Provider::default()),
    }
}

struct Reader<'a> {
    problems: &'a mut Problems,
    folder: &'a FilePath,
    purpose: Purpose,
}

impl Reader<'_> {
    fn credentials(&mut self, path: &Path, mut value: Value) -> Option<Provider> {
        let Value::Object(map) = &mut value else {
            self.problems.note(path.clone(), "must be a mapping");
            return None;
        };
        let kind = match map.remove("type") {
            None | Some(Value::Null) => {
                if let Some((place, message)) = missing_type(path, map) {
                    self.problems.note(place, message);
                    return None;
                }
                raw::Kind::Default
            }
            Some(kind) => {
                self.accept::<raw::Tag>(path, serde_json::json!({ "type": kind }))
                    .kind?
            }
        };
        match kind {
            raw::Kind::Default => Some(self.default_chain(path, value)),
            raw::Kind::AccessKey => {
                let raw = self.accept(path, value);
                self.access_key(path, raw)
            }
            raw::Kind::RamRoleArn => self.ram_role_arn(path, value),
            raw::Kind::OidcRoleArn => Some(self.oidc_role_arn(path, value)),
            raw::Kind::EcsRamRole => Some(self.ecs_ram_role(path, value)),
            raw::Kind::CredentialsUri => self.credentials_uri(path, value),
            raw::Kind::Profile => Some(self.profile(path, value)),
        }
    }

    fn default_chain(&mut self, path: &Path, value: Value) -> Provider {
        let raw: raw::DefaultChain = self.accept(path, value);
        let sts_endpoint = self.sts_endpoint(path, raw.sts_endpoint.as_deref());
        let metadata_endpoint = self.metadata_endpoint(path, raw.metadata_endpoint.as_deref());
        Provider::Default(DefaultChain {
            sts_endpoint,
            metadata_endpoint,
        })
    }

    fn access_key(&mut self, path: &Path, raw: raw::KeyPair) -> Option<Provider> {
        let access_key_id = self.required(path, "access_key_id", raw.access_key_id);
        let access_key_secret = self.secret(
            path,
            "access_key_secret",
            raw.access_key_secret,
            raw.access_key_secret_file,
        );
        let security_token = self.secret(
            path,
            "security_token",
            raw.security_token,
            raw.security_token_file,
        );
        let said = self.problems.has(&path.key("access_key_secret"))
            || self.problems.has(&path.key("access_key_secret_file"));
        if access_key_secret.is_none() && !said {
            self.problems.note(
                path.key("access_key_secret"),
                "is missing, and so is access_key_secret_file",
            );
        }
        Some(Provider::AccessKey {
            access_key_id: access_key_id?,
            access_key_secret: access_key_secret?,
            security_token,
        })
    }

    fn ram_role_arn(&mut self, path: &Path, value: Value) -> Option<Provider> {
        let mut raw: raw::RamRoleArn = self.accept(path, value);
        let source = raw.source.take();
        let role_arn = self.required(path, "role_arn", raw.role_arn.take());
        self.check_arn(path, "role_arn", role_arn.as_deref(), ":role/");
        let session = self.session(
            path,
            raw.role_session_name.take(),
            raw.duration.map(Duration::from),
            raw.policy.take(),
        );
        let external_id = self.optional(path, "external_id", raw.external_id.take());
        let sts_endpoint = self.sts_endpoint(path, raw.sts_endpoint.as_deref());
        let mut source = self.source(path, source, raw)?;
        if let Some(endpoint) = &sts_endpoint {
            inherit(&mut source, endpoint);
        }
        Some(Provider::RamRoleArn(RamRoleArn {
            source: Box::new(source),
            role_arn: role_arn?,
            session,
            external_id,
            sts_endpoint,
        }))
    }

    /// Who assumes the role: a key pair beside it, or `source`, or else the default chain.
    fn source(
        &mut self,
        path: &Path,
        source: Option<Untyped>,
        raw: raw::RamRoleArn,
    ) -> Option<Provider> {
        let key = raw::KeyPair {
            access_key_id: raw.access_key_id,
            access_key_secret: raw.access_key_secret,
            access_key_secret_file: raw.access_key_secret_file,
            security_token: raw.security_token,
            security_token_file: raw.security_token_file,
        };
        let beside = key.access_key_id.is_some()
            || key.access_key_secret.is_some()
            || key.access_key_secret_file.is_some()
            || key.security_token.is_some()
            || key.security_token_file.is_some();
        match source {
            Some(_) if beside => {
                self.problems.note(
                    path.key("source"),
                    "is there beside an access key; one of them must go",
                );
                None
            }
            Some(Untyped(source)) => self.credentials(&path.key("source"), source),
            None if beside => self.access_key(path, key),
            None => Some(Provider::default()),
        }
    }

    fn oidc_role_arn(&mut self, path: &Path, value: Value) -> Provider {
        let raw: raw::OidcRoleArn = self.accept(path, value);
        let role_arn = self.optional(path, "role_arn", raw.role_arn);
        self.check_arn(path, "role_arn", role_arn.as_deref(), ":role/");
        let oidc_provider_arn = self.optional(path, "oidc_provider_arn", raw.oidc_provider_arn);
        self.check_arn(
            path,
            "oidc_provider_arn",
            oidc_provider_arn.as_deref(),
            ":oidc-provider/",
        );
        let oidc_token_file = self.optional(path, "oidc_token_file", raw.oidc_token_file);
        let session = self.session(
            path,
            raw.role_session_name,
            raw.duration.map(Duration::from),
            raw.policy,
        );
        let sts_endpoint = self.sts_endpoint(path, raw.sts_endpoint.as_deref());
        let oidc_token_file =
            oidc_token_file.map(|file| self.file(&path.key("oidc_token_file"), &file));
        Provider::OidcRoleArn(OidcRoleArn {
            role_arn,
            oidc_provider_arn,
            oidc_token_file,
            session,
            sts_endpoint,
        })
    }

    fn ecs_ram_role(&mut self, path: &Path, value: Value) -> Provider {
        let raw: raw::EcsRamRole = self.accept(path, value);
        let role_name = self.optional(path, "role_name", raw.role_name);
        let metadata_endpoint = self.metadata_endpoint(path, raw.metadata_endpoint.as_deref());
        let imds_v1 = if raw.disable_imds_v1 == Some(true) {
            ImdsV1::Disabled
        } else {
            ImdsV1::Allowed
        };
        Provider::EcsRamRole(EcsRamRole {
            role_name,
            metadata_endpoint,
            imds_v1,
        })
    }

    fn credentials_uri(&mut self, path: &Path, value: Value) -> Option<Provider> {
        let raw: raw::CredentialsUri = self.accept(path, value);
        let uri = self.required(path, "uri", raw.uri)?;
        self.problems
            .keep(&path.key("uri"), CredentialsUri::parse(&uri))
            .map(Provider::CredentialsUri)
    }

    fn profile(&mut self, path: &Path, value: Value) -> Provider {
        let raw: raw::Profile = self.accept(path, value);
        let name = self.optional(path, "profile", raw.profile);
        let config_file = self.optional(path, "config_file", raw.config_file);
        Provider::Profile(Profile {
            name,
            config_file: config_file.map(|file| self.file(&path.key("config_file"), &file)),
        })
    }

    fn session(
        &mut self,
        path: &Path,
        name: Option<String>,
        duration: Option<Duration>,
        policy: Option<String>,
    ) -> RoleSession {
        let name = self.optional(path, "role_session_name", name);
        let policy = self.optional(path, "policy", policy);
        let legal = |c: char| c.is_ascii_alphanumeric() || ".@-_".contains(c);
        if let Some(name) = &name
            && !((2..=64).contains(&name.len()) && name.chars().all(legal))
        {
            self.problems.note(
                path.key("role_session_name"),
                "must be 2 to 64 of A-Z a-z 0-9 . @ - _",
            );
        }
        if duration.is_some_and(|duration| !DURATIONS.contains(&duration)) {
            self.problems
                .note(path.key("duration"), "must be between 15m and 12h");
        }
        if let Some(policy) = &policy
            && !serde_json::from_str(policy).is_ok_and(|policy: Value| policy.is_object())
        {
            self.problems
                .note(path.key("policy"), "must be a RAM policy in JSON");
        }
        RoleSession {
            name,
            duration,
            policy,
        }
    }

    fn check_arn(&mut self, path: &Path, key: &str, arn: Option<&str>, part: &str) {
        if arn.is_some_and(|arn| !(arn.starts_with("acs:ram::") && arn.contains(part))) {
            self.problems.note(
                path.key(key),
                format!("must look like acs:ram::1234567890123456{part}name"),
            );
        }
    }

    fn sts_endpoint(&mut self, path: &Path, text: Option<&str>) -> Option<Endpoint> {
        self.endpoint(&path.key("sts_endpoint"), text.map(sts_endpoint))
    }

    fn metadata_endpoint(&mut self, path: &Path, text: Option<&str>) -> Option<Endpoint> {
        self.endpoint(&path.key("metadata_endpoint"), text.map(metadata_endpoint))
    }

    fn endpoint(
        &mut self,
        path: &Path,
        endpoint: Option<Result<Endpoint, String>>,
    ) -> Option<Endpoint> {
        endpoint.and_then(|endpoint| self.problems.keep(path, endpoint))
    }

    fn secret(
        &mut self,
        place: &Path,
        key: &str,
        inline: Option<Secret>,
        file: Option<String>,
    ) -> Option<SecretSource> {
        let path = place.key(key);
        match (inline, file) {
            (Some(_), Some(_)) => {
                self.problems.note(
                    path,
                    format!("is there beside {key}_file; one of them must go"),
                );
                None
            }
            (Some(secret), None) if secret.expose().trim().is_empty() => {
                self.problems.note(path, "is empty");
                None
            }
            (Some(secret), None) => Some(SecretSource::Inline(secret)),
            (None, file) => {
                let key = format!("{key}_file");
                let file = self.optional(place, &key, file)?;
                Some(SecretSource::File(self.file(&place.key(&key), &file)))
            }
        }
    }

    /// Where `file` is. While serving it may come later; who checks wants to know.
    fn file(&mut self, path: &Path, file: &str) -> PathBuf {
        let file = self.folder.join(file);
        if self.purpose == Purpose::Check {
            let complaint = match std::fs::read(&file) {
                Err(error) => Some(format!(
                    "cannot read {}: {}",
                    file.display(),
                    reason(&error)
                )),
                Ok(content) => content
                    .trim_ascii()
                    .is_empty()
                    .then(|| format!("{} is empty", file.display())),
            };
            if let Some(complaint) = complaint {
                self.problems.note(path.clone(), complaint);
            }
        }
        file
    }

    fn required(&mut self, path: &Path, key: &str, value: Option<String>) -> Option<String> {
        let value = self.optional(path, key, value);
        let path = path.key(key);
        if value.is_none() && !self.problems.has(&path) {
            self.problems.note(path, "is missing");
        }
        value
    }

    /// The value, if there is one; one that is there must not be empty.
    fn optional(&mut self, path: &Path, key: &str, value: Option<String>) -> Option<String> {
        let empty = value.as_ref().is_some_and(|value| value.trim().is_empty());
        if empty {
            self.problems.note(path.key(key), "is empty");
        }
        value.filter(|_| !empty)
    }

    fn accept<T: DeserializeOwned + Default>(&mut self, path: &Path, value: Value) -> T {
        document::accept(value, path, self.problems)
    }
}

/// Where and what is to be said of a mapping without a type that has keys of another type than the
/// default one.
fn missing_type(path: &Path, map: &Map<String, Value>) -> Option<(Path, String)> {
    let stranger = map.keys().find(|key| !raw::Kind::Default.knows(key))?;
    if let Some(misspelt) = map
        .keys()
        .find(|key| document::nearest(key, ["type"].into_iter()).is_some())
    {
        return Some((
            path.key(misspelt),
            document::unknown_key(misspelt, &["type"]),
        ));
    }
    let owners = |is_one: &dyn Fn(raw::Kind) -> bool| {
        raw::Kind::ALL
            .into_iter()
            .filter(|kind| is_one(*kind))
            .collect::<Vec<_>>()
    };
    let mut kinds = owners(&|kind| map.keys().all(|key| kind.knows(key)));
    if kinds.is_empty() {
        kinds = owners(&|kind| kind.knows(stranger));
    }
    // A role may have a key pair beside it, but needs a key of its own as well.
    if kinds.contains(&raw::Kind::AccessKey) {
        kinds = vec![raw::Kind::AccessKey];
    }
    let names: Vec<_> = kinds.into_iter().map(raw::Kind::name).collect();
    let message = format!(
        "type is missing; {stranger} belongs to type: {}",
        document::one_of(&names)
    );
    (!names.is_empty()).then(|| (path.clone(), message))
}

/// An STS of the operator's own serves the whole tree: where it is needed, the usual one is seldom
/// within reach.
fn inherit(source: &mut Provider, endpoint: &Endpoint) {
    match source {
        Provider::Default(chain) => _ = chain.sts_endpoint.get_or_insert_with(|| endpoint.clone()),
        Provider::OidcRoleArn(role) => {
            _ = role.sts_endpoint.get_or_insert_with(|| endpoint.clone());
        }
        Provider::RamRoleArn(role) => {
            role.sts_endpoint.get_or_insert_with(|| endpoint.clone());
            inherit(&mut role.source, endpoint);
        }
        Provider::AccessKey { .. }
        | Provider::EcsRamRole(_)
        | Provider::CredentialsUri(_)
        | Provider::Profile(_) => {}
    }
}
