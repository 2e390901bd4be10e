//! The switch-off of the two old operations, region by region.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use ack_client::names::Region;
use http::StatusCode;

use crate::error_response::Refusal;

/// What a call says that has been switched off. Nobody has published it, so there are several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// 404 `InvalidAction.NotFound` of the gateway.
    InvalidAction,
    /// 404 `InvalidApi.NotFound` of the gateway.
    InvalidApi,
    /// 400 in the service's own body, with a code that nobody has heard of.
    UnknownCode,
    /// 404 with a proxy's page.
    ProxyPage,
}

/// Which regions have been switched off, and what they say.
#[derive(Debug, Default)]
pub(crate) struct SwitchedOff(RwLock<HashMap<Region, Retired>>);

/// How the refusal of a switched-off call is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Notice {
    Refusal(Refusal),
    ProxyPage,
}

impl SwitchedOff {
    pub(crate) fn set(&self, region: &Region, retired: Option<Retired>) {
        let mut regions = self.0.write().unwrap_or_else(PoisonError::into_inner);
        match retired {
            Some(retired) => regions.insert(region.clone(), retired),
            None => regions.remove(region),
        };
    }

    /// What a call to `region` is told, if it is switched off there.
    pub(crate) fn notice(&self, region: &Region) -> Option<Notice> {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(region)
            .copied()
            .map(Retired::notice)
    }

    /// What a call is told that belongs to no region: it is served as long as it is served
    /// anywhere.
    pub(crate) fn notice_everywhere(&self, regions: &[Region]) -> Option<Notice> {
        let switched_off = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let told: Option<Vec<_>> = regions
            .iter()
            .map(|region| switched_off.get(region).copied())
            .collect();
        Some(told?.first()?.notice())
    }
}

impl Retired {
    fn notice(self) -> Notice {
        match self {
            Self::InvalidAction => Notice::Refusal(Refusal::no_such_action()),
            Self::InvalidApi => Notice::Refusal(Refusal::gateway(
                StatusCode::NOT_FOUND,
                "InvalidApi.NotFound",
                "The specified API has been taken offline.",
            )),
            Self::UnknownCode => Notice::Refusal(Refusal::service(
                StatusCode::BAD_REQUEST,
                "ErrorApiOffline",
                "this API is no longer available",
            )),
            Self::ProxyPage => Notice::ProxyPage,
        }
    }
}
