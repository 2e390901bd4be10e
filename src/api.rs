//! The vendor's API: sign, send, decode. One operation a file.
//!
//! [`Client`] is one account's way out. It takes a ticket from the account's [`Limiter`], signs each attempt anew, sends
//! it through a [`Transport`], reads the reply, and repeats what may succeed within the query's [`Budget`].

mod budget;
mod client;
mod clusters;
mod direct;
mod error;
mod limit;
mod observe;
mod operation;
mod pages;
mod reply;
mod retry;
mod tasks;
mod transport;
mod upgrade_status;

pub use budget::{Budget, Deadline};
pub use client::{Call, Client};
pub use clusters::{ClusterList, ListedCluster, describe_cluster, list_clusters};
pub use direct::Direct;
pub use error::{ApiError, ErrorKind, Reason};
pub use limit::{Limiter, Ticket};
pub use observe::{Deaf, Observer};
pub use operation::Operation;
pub use tasks::{Task, TaskInfo, describe_task, newest_task};
pub use transport::{MAX_REPLY, Sending, Transport, TransportError};
pub use upgrade_status::get_upgrade_status;
