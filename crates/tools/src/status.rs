//! Statuses as exit codes and texts (administrative tools, exit codes).

use netinfo_client::Error;

/// Opening by tag failed before there was a server to ask.
pub(crate) const NO_HANDLE: u32 = 10_000;

/// The code of [`Status::Failed`].
const FAILED: u32 = 9999;

/// The exit code of niutil, nigrep and nireport for a status.
pub(crate) const fn exit_code(status: u32) -> u8 {
    match status {
        0 => 0,
        FAILED => 199,
        NO_HANDLE => 200,
        // What the tag cannot be parsed for is meant to be 201 and so on; scripts know these numbers.
        status if status > NO_HANDLE => (status.wrapping_add(200) & 0xff) as u8,
        status => (status.wrapping_add(100) & 0xff) as u8,
    }
}

/// The number of an error.
pub(crate) const fn code(error: &Error) -> u32 {
    error.status().code()
}

/// The text of an error: one that concerns communication is not told apart, as scripts expect.
pub(crate) const fn text(error: &Error) -> &'static str {
    error.status().text()
}

#[cfg(test)]
mod tests {
    use netinfo_client::Status;

    use super::*;

    #[test]
    fn exit_codes() {
        for (status, code) in
            [(0, 0), (1, 101), (5, 105), (24, 124), (9999, 199), (10_000, 200), (10_001, 217), (10_005, 221)]
        {
            assert_eq!(exit_code(status), code, "{status}");
        }
        assert_eq!(text(&Error::Status(Status::NoDir)), "No such directory");
        let closed = Error::Closed { endpoint: "x".into() };
        assert_eq!((code(&closed), text(&closed)), (9999, "Communication failure"));
    }
}
