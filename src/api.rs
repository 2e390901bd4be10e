//! The vendor's API: sign, send, decode. One operation a file.

mod error;
mod observe;
mod operation;
pub mod sign;
mod transport;

pub use error::{ApiError, ErrorKind, Reason};
pub use observe::{Deaf, Observer};
pub use operation::Operation;
pub use transport::{MAX_REPLY, Sending, Transport, TransportError};
