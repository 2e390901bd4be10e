//! The vendor's API: sign, send, decode. One operation a file.

mod error;
mod observe;
mod operation;
mod transport;

pub use error::{ApiError, ErrorKind, Reason};
pub use observe::{Deaf, Observer};
pub use operation::Operation;
// The signer moved left of credentials; this name goes once nobody uses it.
pub use crate::sign;
pub use transport::{MAX_REPLY, Sending, Transport, TransportError};
