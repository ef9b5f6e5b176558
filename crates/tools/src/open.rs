//! Opening the domain that a tool is to work on, with the messages of the historical tools (administrative tools,
//! naming a domain).

use std::time::Duration;

use netinfo_client::limits::{READ_TIMEOUT, WRITE_TIMEOUT};
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Result, Server};

use crate::handle::{Handle, Login};
use crate::io::Io;
use crate::reach::Place;
use crate::status::{NO_HANDLE, code, text};

/// Seconds that tools wait unless told otherwise.
pub(crate) const DEFAULT_TIMEOUT: i64 = 30;

/// What to open.
pub(crate) struct Request<'a> {
    /// Name of the tool, for messages.
    pub(crate) tool: &'a str,
    /// The operand.
    pub(crate) name: &'a [u8],
    /// The operand is `host/tag`.
    pub(crate) by_tag: bool,
    /// Seconds to wait for each call.
    pub(crate) timeout: i64,
    /// Who to be.
    pub(crate) login: Option<&'a Login>,
}

/// Why an operand is not `host/tag`; the number counts from [`NO_HANDLE`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wrong {
    Format = 1,
    NoHost = 2,
    NoTag = 3,
    UnknownHost = 5,
}

/// The time-outs for `-T`. Without a sensible number they are those of the client library.
pub(crate) fn timeouts(seconds: i64) -> Timeouts {
    let given = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
    Timeouts { read: given.unwrap_or(READ_TIMEOUT), write: given.unwrap_or(WRITE_TIMEOUT) }
}

impl Request<'_> {
    /// Opens the domain and asks it for its root, so that it is known to be there.
    ///
    /// # Errors
    /// The open status; the message has been written.
    pub(crate) fn open(&self, io: &mut Io<'_>) -> Result<Handle, u32> {
        let mut handle = self.handle(io)?;
        if let Err(error) = self.probe(&mut handle) {
            let kind = if self.by_tag { "" } else { "for domain " };
            let start = format!("{}: can't connect to server {kind}", self.tool);
            io.complain(&[start.as_bytes(), self.name, b": ", text(&error).as_bytes()]);
            return Err(code(&error));
        }
        Ok(handle)
    }

    fn handle(&self, io: &mut Io<'_>) -> Result<Handle, u32> {
        let timeouts = timeouts(self.timeout);
        let reach = io.reach.clone();
        if !self.by_tag {
            return Handle::open(&reach, self.name, timeouts).map_err(|error| {
                let start = format!("{}: can't connect to server for domain ", self.tool);
                io.complain(&[start.as_bytes(), self.name]);
                drop(error);
                netinfo_client::Status::Failed.code()
            });
        }
        match place(self.name) {
            Ok(place) => Ok(Handle::at(&reach, place, timeouts)),
            Err(wrong) => {
                if wrong == Wrong::UnknownHost {
                    let host = self.name.split(|byte| *byte == b'/').next().unwrap_or_default();
                    io.complain(&[b"Can't find address for ", host]);
                }
                let start = format!("{}: incorrect format for domain ", self.tool);
                io.complain(&[start.as_bytes(), self.name, b" (", wrong.text().as_bytes(), b")"]);
                io.err("usage: -t <host>/<tag>\n<host> can be a host name or IP address\n");
                Err(NO_HANDLE + wrong as u32)
            }
        }
    }

    fn probe(&self, handle: &mut Handle) -> Result<()> {
        if let Some(login) = self.login {
            handle.log_in(login)?;
        }
        handle.domain()?.root().map(drop)
    }
}

impl Wrong {
    const fn text(self) -> &'static str {
        match self {
            Self::Format => "Bad format",
            Self::NoHost => "No host",
            Self::NoTag => "No tag",
            Self::UnknownHost => "Host not found",
        }
    }
}

/// The place that `host/tag` means. Beyond the historical tools, the host may have a port: `host:port/tag`.
fn place(name: &[u8]) -> Result<Place, Wrong> {
    let slash = name.iter().position(|byte| *byte == b'/').ok_or(Wrong::Format)?;
    let (host, tag) = (name.get(..slash).unwrap_or_default(), name.get(slash + 1..).unwrap_or_default());
    if host.is_empty() {
        return Err(Wrong::NoHost);
    }
    if tag.is_empty() {
        return Err(Wrong::NoTag);
    }
    let host = std::str::from_utf8(host).map_err(|_| Wrong::UnknownHost)?;
    let found = Server::parse(host).map_err(|_| Wrong::UnknownHost)?;
    let server = found.into_iter().next().ok_or(Wrong::UnknownHost)?;
    Ok(Place { server, tag: tag.to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_tag() {
        assert_eq!(place(b"network"), Err(Wrong::Format));
        assert_eq!(place(b"/network"), Err(Wrong::NoHost));
        assert_eq!(place(b"192.0.2.1/"), Err(Wrong::NoTag));
        assert_eq!(place(b"no.such.host.invalid/x"), Err(Wrong::UnknownHost));
        let found = place(b"192.0.2.1/a/b").unwrap();
        assert_eq!((found.tag.as_slice(), found.addr()), (&b"a/b"[..], Some("192.0.2.1".parse().unwrap())));
        assert_eq!(
            place(b"127.0.0.1:1033/x").unwrap().server,
            Server::Port("127.0.0.1:1033".parse().unwrap())
        );
    }

    #[test]
    fn time_outs() {
        assert_eq!(timeouts(7).read, Duration::from_secs(7));
        assert_eq!(timeouts(0).read, READ_TIMEOUT);
        assert_eq!(timeouts(-1).write, WRITE_TIMEOUT);
    }
}
