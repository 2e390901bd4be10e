//! Pages of a list: the parameters of the query, and `page_info` of the response.

use serde::Serialize;

use crate::api::invalid_parameter;
use crate::error_response::ErrorResponse;
use crate::request::ReceivedRequest;
use crate::world::index::Page;

/// The largest page; a larger `page_size` counts as this.
const MAX_PAGE_SIZE: usize = 100;

const DEFAULT_PAGE_SIZE: usize = 10;

/// The page that a query asks for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestedPage {
    number: usize,
    size: usize,
}

/// The position of a page in its list.
#[derive(Serialize)]
pub(crate) struct PageInfo {
    page_number: usize,
    page_size: usize,
    total_count: usize,
}

impl RequestedPage {
    pub(crate) fn of(request: &ReceivedRequest) -> Result<Self, ErrorResponse> {
        let number = |name: &str, default| match request.parameter(name) {
            None | Some("") => Ok(default),
            Some(text) => text
                .parse()
                .ok()
                .filter(|number| *number > 0)
                .ok_or_else(|| invalid_parameter(name, text)),
        };
        Ok(Self {
            number: number("page_number", 1)?,
            size: number("page_size", DEFAULT_PAGE_SIZE)?.min(MAX_PAGE_SIZE),
        })
    }

    pub(crate) fn page(self) -> Page {
        Page {
            skip: (self.number - 1).saturating_mul(self.size),
            size: self.size,
        }
    }

    pub(crate) fn info(self, total_count: usize) -> PageInfo {
        PageInfo {
            page_number: self.number,
            page_size: self.size,
            total_count,
        }
    }
}
