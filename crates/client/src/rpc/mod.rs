//! ONC RPC calls (RFC 5531): over streams with [`Connection`], by datagram with [`udp`].
//!
//! * [`connection`] — one connection to one endpoint, made on demand and remade once when the server closed it;
//! * [`credentials`] — user id and password as NetInfo sends them;
//! * [`endpoint`] — where to connect, with a reserved source port for the superuser;
//! * [`udp`] — calls with retransmission;
//! * `channel` — one open stream; `reply` — takes replies of any length apart as they arrive.

mod channel;
pub mod connection;
pub mod credentials;
pub mod endpoint;
mod reply;
mod reserved;
pub mod udp;

pub use connection::{Call, Connection, Timeouts};
pub use credentials::Credentials;
pub use endpoint::{Endpoint, SourcePort};
