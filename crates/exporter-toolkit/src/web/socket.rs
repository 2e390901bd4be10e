//! The sockets that the server listens on: its own addresses, or what systemd hands over.

use std::fmt;
use std::io;
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener as StdListener, ToSocketAddrs as _,
};
use std::str::FromStr;

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;

/// An address to listen on, as in `--web.listen-address`: `:10525`, `127.0.0.1:0`, `[::1]:9`,
/// `localhost:80`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    host: Host,
    port: u16,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    /// No host, or `[::]`: every address of the machine, IPv4 and IPv6.
    Every,
    Address(IpAddr),
    Name(String),
}

/// The reason for which there is no socket to listen on.
#[derive(Debug, thiserror::Error)]
pub enum SocketError {
    /// The text is no address.
    #[error(
        "{text:?} is not an address to listen on, such as :10525, 127.0.0.1:10525 or [::1]:10525"
    )]
    NoAddress {
        /// The text.
        text: String,
    },
    /// Sockets between virtual machines, which Go's exporter-toolkit supports.
    #[error("{text:?}: vsock is not supported")]
    Vsock {
        /// The text.
        text: String,
    },
    /// A host name leads to no address.
    #[error("cannot listen on {address}: the name is not known: {source}")]
    UnknownName {
        /// The address.
        address: ListenAddress,
        /// The error of the system.
        source: io::Error,
    },
    /// The system refuses the address.
    #[error("cannot listen on {address}: {source}")]
    Refused {
        /// The address.
        address: ListenAddress,
        /// The error of the system.
        source: io::Error,
    },
    /// There is nothing from systemd.
    #[error("systemd handed over no sockets (LISTEN_FDS and LISTEN_PID)")]
    NothingHandedOver,
    /// Something from systemd cannot be listened on.
    #[error("socket {number} from systemd (file descriptor {}): {source}", number + 3)]
    Unusable {
        /// The number of the socket, counted from 0.
        number: usize,
        /// The error of the socket.
        source: io::Error,
    },
}

impl FromStr for ListenAddress {
    type Err = SocketError;

    fn from_str(text: &str) -> Result<Self, SocketError> {
        if text.starts_with("vsock://") {
            return Err(SocketError::Vsock {
                text: text.to_owned(),
            });
        }
        let parse = |(host, port)| {
            Some(Self {
                host: Host::parse(host)?,
                port: parse_port(port)?,
            })
        };
        text.rsplit_once(':')
            .and_then(parse)
            .ok_or_else(|| SocketError::NoAddress {
                text: text.to_owned(),
            })
    }
}

fn parse_port(text: &str) -> Option<u16> {
    // `u16` alone would take a sign.
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        text.parse().ok()
    } else {
        None
    }
}

impl Host {
    fn parse(text: &str) -> Option<Self> {
        let address = match text
            .strip_prefix('[')
            .and_then(|text| text.strip_suffix(']'))
        {
            Some(text) => IpAddr::V6(text.parse().ok()?),
            None if text.is_empty() => return Some(Self::Every),
            None => match text.parse::<Ipv4Addr>() {
                Ok(address) => address.into(),
                Err(_) if is_name(text) => return Some(Self::Name(text.to_owned())),
                Err(_) => return None,
            },
        };
        Some(if address == IpAddr::V6(Ipv6Addr::UNSPECIFIED) {
            Self::Every
        } else {
            Self::Address(address)
        })
    }
}

fn is_name(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Every => write!(f, ":{}", self.port),
            Host::Address(address) => write!(f, "{}", SocketAddr::new(*address, self.port)),
            Host::Name(name) => write!(f, "{name}:{}", self.port),
        }
    }
}

impl ListenAddress {
    /// Listens. Looks a host name up, so it may block; must be called within a tokio runtime.
    pub fn listen(&self) -> Result<TcpListener, SocketError> {
        let refused = |source| SocketError::Refused {
            address: self.clone(),
            source,
        };
        let listening = match &self.host {
            Host::Address(address) => listen_on(SocketAddr::new(*address, self.port)),
            Host::Name(name) => listen_on(self.look_up(name)?),
            Host::Every => listen_on((Ipv6Addr::UNSPECIFIED, self.port).into()).or_else(|error| {
                // Where the kernel has no IPv6, every address means every IPv4 one.
                if is_without_ipv6(&error) {
                    listen_on((Ipv4Addr::UNSPECIFIED, self.port).into())
                } else {
                    Err(error)
                }
            }),
        };
        listening.map_err(refused)
    }

    /// IPv4 first, as Go does.
    fn look_up(&self, name: &str) -> Result<SocketAddr, SocketError> {
        let unknown = |source| SocketError::UnknownName {
            address: self.clone(),
            source,
        };
        let mut addresses: Vec<_> = (name, self.port)
            .to_socket_addrs()
            .map_err(unknown)?
            .collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        addresses
            .first()
            .copied()
            .ok_or_else(|| unknown(io::ErrorKind::NotFound.into()))
    }
}

fn is_without_ipv6(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AddrNotAvailable | io::ErrorKind::Unsupported
    ) || error.raw_os_error() == Some(ADDRESS_FAMILY_NOT_SUPPORTED)
}

/// `EAFNOSUPPORT`.
const ADDRESS_FAMILY_NOT_SUPPORTED: i32 = 97;

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(
        Domain::for_address(address),
        Type::STREAM,
        Some(Protocol::TCP),
    )?;
    if address.is_ipv6() {
        // The system's default may be either.
        socket.set_only_v6(address.ip() != IpAddr::V6(Ipv6Addr::UNSPECIFIED))?;
    }
    // A restart must not wait for the connections of the process before.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    into_tokio(socket.into())
}

fn into_tokio(listener: StdListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Takes over all sockets that systemd hands over; `handed_over` is `ListenFd::from_env()`, which
/// takes the variables out of the environment and so belongs to the start of the process. Must be
/// called within a tokio runtime.
pub fn take_over(mut handed_over: ListenFd) -> Result<Vec<TcpListener>, SocketError> {
    let sockets = handed_over.len();
    if sockets == 0 {
        return Err(SocketError::NothingHandedOver);
    }
    let take = |number| {
        take(&mut handed_over, number).map_err(|source| SocketError::Unusable { number, source })
    };
    (0..sockets).map(take).collect()
}

fn take(handed_over: &mut ListenFd, number: usize) -> io::Result<TcpListener> {
    let listener = handed_over
        .take_tcp_listener(number)?
        .ok_or(io::ErrorKind::NotFound)?;
    into_tokio(listener)
}

#[cfg(test)]
mod tests;
