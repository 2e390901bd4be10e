//! The endpoint of STS.

use crate::Endpoint;
use crate::credentials::context::Environment;
use crate::credentials::sts_endpoint;
use crate::names::Region;

/// The keys of a profile that choose the endpoint of STS.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::credentials) struct ProfileKeys<'a> {
    pub(in crate::credentials) sts_endpoint: Option<&'a str>,
    pub(in crate::credentials) sts_region: Option<&'a str>,
    pub(in crate::credentials) enable_vpc: Option<bool>,
}

const ENDPOINT: &str = "ALIBABA_CLOUD_STS_ENDPOINT";
const REGION: &str = "ALIBABA_CLOUD_STS_REGION";
const VPC: &str = "ALIBABA_CLOUD_VPC_ENDPOINT_ENABLED";

/// Chooses the endpoint of STS: the configured one, else that of the profile, else that of the
/// environment, else that of the region, inside the VPC if that is set, else the central one. The
/// region and the VPC switch of the profile precede those of the environment. The error names the
/// key or the variable with the mistake.
pub(in crate::credentials) fn endpoint(
    configured: Option<&Endpoint>,
    profile: ProfileKeys<'_>,
    environment: &Environment,
) -> Result<Endpoint, String> {
    if let Some(endpoint) = configured {
        return Ok(endpoint.clone());
    }
    if let Some((name, host)) = setting(profile.sts_endpoint, "sts_endpoint", ENDPOINT, environment)
    {
        return sts_endpoint(host).map_err(|error| format!("{name}: {error}"));
    }
    let Some((name, region)) = setting(profile.sts_region, "sts_region", REGION, environment)
    else {
        return sts_endpoint("sts.aliyuncs.com");
    };
    let region = Region::parse(region).map_err(|error| format!("{name}: {error}"))?;
    let region = match region.as_str() {
        // The only finance region without an STS of its own.
        "cn-hangzhou-finance" => "cn-hangzhou",
        region => region,
    };
    let is_in_vpc = profile.enable_vpc.unwrap_or_else(|| environment.is_on(VPC));
    let service = if is_in_vpc { "sts-vpc" } else { "sts" };
    sts_endpoint(&format!("{service}.{region}.aliyuncs.com"))
}

/// The value of a profile's key, else that of a variable, with the name of the one that has it.
fn setting<'a>(
    key: Option<&'a str>,
    name: &'static str,
    variable: &'static str,
    environment: &'a Environment,
) -> Option<(&'static str, &'a str)> {
    key.map(|value| (name, value))
        .or_else(|| environment.value(variable).map(|value| (variable, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[expect(clippy::too_many_lines, reason = "a table")]
    #[test]
    fn the_most_explicit_setting_decides_on_the_endpoint() {
        let none = ProfileKeys::default();
        let region = ProfileKeys {
            sts_region: Some("cn-beijing"),
            ..none
        };
        let vpc = ProfileKeys {
            enable_vpc: Some(true),
            ..none
        };
        let no_vpc = ProfileKeys {
            enable_vpc: Some(false),
            ..region
        };
        let host = ProfileKeys {
            sts_endpoint: Some("sts.profile"),
            enable_vpc: Some(true),
            ..region
        };
        for (configured, profile, environment, expected) in [
            (None, none, &[][..], "sts.aliyuncs.com"),
            (None, none, &[(VPC, "true")], "sts.aliyuncs.com"),
            (
                None,
                none,
                &[(REGION, "cn-hangzhou")],
                "sts.cn-hangzhou.aliyuncs.com",
            ),
            (
                None,
                none,
                &[(REGION, "cn-hangzhou"), (VPC, "true")],
                "sts-vpc.cn-hangzhou.aliyuncs.com",
            ),
            (
                None,
                none,
                &[(REGION, "cn-hangzhou-finance"), (VPC, "true")],
                "sts-vpc.cn-hangzhou.aliyuncs.com",
            ),
            (
                None,
                none,
                &[
                    (REGION, "cn-hangzhou"),
                    (VPC, "true"),
                    (ENDPOINT, "sts.environment"),
                ],
                "sts.environment",
            ),
            (None, vpc, &[], "sts.aliyuncs.com"),
            (
                None,
                vpc,
                &[(REGION, "cn-hangzhou")],
                "sts-vpc.cn-hangzhou.aliyuncs.com",
            ),
            (None, region, &[], "sts.cn-beijing.aliyuncs.com"),
            (
                None,
                region,
                &[(REGION, "cn-hangzhou")],
                "sts.cn-beijing.aliyuncs.com",
            ),
            (
                None,
                region,
                &[(VPC, "true")],
                "sts-vpc.cn-beijing.aliyuncs.com",
            ),
            (
                None,
                region,
                &[(ENDPOINT, "sts.environment")],
                "sts.environment",
            ),
            (
                None,
                no_vpc,
                &[(VPC, "true")],
                "sts.cn-beijing.aliyuncs.com",
            ),
            (
                None,
                host,
                &[
                    (ENDPOINT, "sts.environment"),
                    (REGION, "cn-hangzhou"),
                    (VPC, "true"),
                ],
                "sts.profile",
            ),
            (
                Some("sts.configured"),
                host,
                &[
                    (ENDPOINT, "sts.environment"),
                    (REGION, "cn-hangzhou"),
                    (VPC, "true"),
                ],
                "sts.configured",
            ),
        ] {
            let configured =
                configured.map(|host| crate::credentials::sts_endpoint(host).expect("an endpoint"));
            let variables: Environment = environment
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let endpoint = endpoint(configured.as_ref(), profile, &variables).expect("an endpoint");
            assert_eq!(
                endpoint.authority(),
                expected,
                "{configured:?} {profile:?} {environment:?}"
            );
        }
    }
}
