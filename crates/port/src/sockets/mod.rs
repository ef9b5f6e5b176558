//! The sockets of this machine, in this network namespace.
//!
//! * [`diag`] — asks the kernel over netlink (`sock_diag`), which is quick: the kernel filters;
//! * [`table`] — reads `/proc/net/{tcp,udp}{,6}`, where the kernel does not answer.

#[cfg(target_os = "linux")]
pub mod diag;
pub mod table;

use crate::Error;
use crate::socket::Socket;

/// Which sockets to list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those that wait for others.
    Listening,
    /// All.
    All,
}

/// Lists sockets, ordered by port, transport and state.
///
/// # Errors
/// [`Error::Sockets`] if the kernel tells nothing, [`Error::Elsewhere`] on systems other than Linux.
pub fn list(which: Which) -> Result<Vec<Socket>, Error> {
    let mut sockets = read(which)?;
    sockets.sort_by_cached_key(Socket::order);
    Ok(sockets)
}

#[cfg(target_os = "linux")]
fn read(which: Which) -> Result<Vec<Socket>, Error> {
    // Containers and old kernels may lack sock_diag; the files tell the same, more slowly.
    diag::list(which).or_else(|_| table::list(which)).map_err(Error::Sockets)
}

#[cfg(not(target_os = "linux"))]
fn read(_which: Which) -> Result<Vec<Socket>, Error> {
    Err(Error::Elsewhere)
}
