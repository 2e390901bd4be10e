//! Metrics pages in either of the text formats that Prometheus reads.
//!
//! A [`Metric`] declares a family. A [`Page`] takes families and their samples in the order in
//! which they are added, and writes them straight into one buffer.

mod format;
mod metric;
mod page;
mod value;

pub use format::Format;
pub use metric::{Kind, Metric};
pub use page::{Family, Page, Sample};
pub use value::Value;
