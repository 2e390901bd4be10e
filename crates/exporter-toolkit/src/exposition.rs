//! The pages that Prometheus reads, in either of its text formats.

mod format;
mod metric;
mod page;
mod value;

pub use format::Format;
pub use metric::{Kind, Metric};
pub use page::{Family, Page, Sample};
pub use value::Value;
