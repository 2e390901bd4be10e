//! Regions in which `GetUpgradeStatus` and `DescribeClustersV1` have been switched off.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use ack_client::names::Region;
use http::StatusCode;

use crate::error_response::ErrorResponse;
use crate::faults::{Replacement, proxy_page};

/// The response to a call that has been switched off. None is documented, so there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetiredResponse {
    /// 404 `InvalidAction.NotFound` of the gateway.
    InvalidAction,
    /// 404 `InvalidApi.NotFound` of the gateway.
    InvalidApi,
    /// 400 with a body of the service and an undocumented code.
    UnknownCode,
    /// 404 with an HTML page, as of a proxy.
    ProxyPage,
}

/// The regions in which the calls have been switched off.
#[derive(Debug, Default)]
pub(crate) struct RetiredRegions(RwLock<HashMap<Region, RetiredResponse>>);

impl RetiredRegions {
    pub(crate) fn set(&self, region: &Region, response: Option<RetiredResponse>) {
        let mut regions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match response {
            Some(response) => regions.insert(region.clone(), response),
            None => regions.remove(region),
        };
    }

    /// The response to a call in `region`, if it has been switched off there.
    pub(crate) fn response(&self, region: &Region) -> Option<RetiredResponse> {
        let retired = self.0.read().unwrap_or_else(PoisonError::into_inner);
        retired.get(region).copied()
    }

    /// The response to a call without a region, which is served while any region serves it.
    pub(crate) fn response_without_region(&self, regions: &[Region]) -> Option<RetiredResponse> {
        let retired = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if regions.iter().all(|region| retired.contains_key(region)) {
            retired.get(regions.first()?).copied()
        } else {
            None
        }
    }
}

impl RetiredResponse {
    pub(crate) fn replacement(self) -> Replacement {
        Replacement::Error(match self {
            Self::InvalidAction => ErrorResponse::action_not_found(),
            Self::InvalidApi => ErrorResponse::gateway(
                StatusCode::NOT_FOUND,
                "InvalidApi.NotFound",
                "The specified API has been taken offline.",
            ),
            Self::UnknownCode => ErrorResponse::service(
                StatusCode::BAD_REQUEST,
                "ErrorApiOffline",
                "this API is no longer available",
            ),
            Self::ProxyPage => {
                return Replacement::Response(proxy_page(StatusCode::NOT_FOUND));
            }
        })
    }
}
