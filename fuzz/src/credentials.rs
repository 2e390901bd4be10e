//! The responses of STS, the metadata service and credentials URIs.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use ack_client::credentials::CachedCredentials;
use ack_upgrade_exporter::config::Config;
use tokio::time::timeout;

use super::fake_api::FakeApi;
use super::{SECRETS, assert_none, folder, paused};

/// Each kind of credentials, with the secrets that it sends or signs with. A server can repeat no
/// other secret.
const KINDS: [(&str, &[&str]); 5] = [
    (
        "{type: ram_role_arn, role_arn: 'acs:ram::1:role/r', access_key_id: id, \
            access_key_secret: MARKED-key-secret, security_token: 'MARKED+security/token=='}",
        &["MARKED-key-secret", "MARKED+security/token=="],
    ),
    (
        "{type: oidc_role_arn, role_arn: 'acs:ram::1:role/r', oidc_provider_arn: \
            'acs:ram::1:oidc-provider/p', oidc_token_file: token}",
        &["MARKED.oidc.token"],
    ),
    ("{type: ecs_ram_role}", &[]),
    (
        "{type: ecs_ram_role, role_name: r, disable_imds_v1: true}",
        &[],
    ),
    (
        "{type: credentials_uri, uri: 'http://127.0.0.1/MARKED.oidc.token'}",
        &["MARKED.oidc.token"],
    ),
];

fn configs() -> &'static [Config] {
    static CONFIGS: OnceLock<Vec<Config>> = OnceLock::new();
    CONFIGS.get_or_init(|| {
        std::fs::write(folder().join("token"), SECRETS[2]).expect("writes the token");
        KINDS
            .iter()
            .map(|(kind, _)| config(kind, folder()))
            .collect()
    })
}

fn config(kind: &str, folder: &Path) -> Config {
    let text = format!(
        "accounts:\n  - name: a\n    credentials: {kind}\n    clusters: [{{id: c1, region: cn-hangzhou}}]\n"
    );
    Config::parse(&text, folder).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Fetches credentials. The error for any response of the server contains no secret.
pub fn credentials(input: &[u8]) {
    let Some((choice, input)) = input.split_first() else {
        return;
    };
    let kind = usize::from(*choice) % KINDS.len();
    let account = &configs()[kind].accounts[0];
    paused().block_on(async {
        let credentials = CachedCredentials::new(
            account.name.clone(),
            account.access().credentials,
            FakeApi::read(input).context(),
        );
        let current = timeout(Duration::from_secs(60), credentials.current())
            .await
            .expect("ends in time");
        match current {
            Ok(credential) => {
                let shown = format!("{credential:?}");
                for secret in [
                    Some(&credential.access_key_secret),
                    credential.security_token.as_ref(),
                ]
                .into_iter()
                .flatten()
                {
                    assert!(!secret.expose().is_empty());
                    // A short one may be part of something else, such as the other half.
                    assert!(
                        secret.expose().len() < 16
                            || !shown.contains(secret.expose())
                            || credential.access_key_id.contains(secret.expose())
                    );
                }
            }
            Err(error) => assert_none(KINDS[kind].1, &format!("{error} {error:?}"), "the error"),
        }
        let provider = credentials.provider().unwrap_or_default();
        assert!(
            provider.len() < 512 && !provider.contains(char::is_control),
            "{provider}"
        );
    });
}
