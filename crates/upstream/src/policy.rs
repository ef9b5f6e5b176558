//! How long what a parent has said is believed.

/// Times in seconds, and what passwords may be sent over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// For how long records are told without asking again.
    pub time_to_live: u64,
    /// For how long it is told that there is no such record.
    pub negative_time: u64,
    /// For how long records are told while the parent cannot be asked.
    pub offline_time: u64,
    /// For how long after a login the same password lets in while the parent cannot be asked; 0: not at all.
    pub offline_login_time: u64,
    /// Whether passwords may be sent over networks without encryption.
    pub plain_passwords: bool,
}

/// Five minutes.
pub const TIME_TO_LIVE: u64 = 300;
/// Fifteen seconds.
pub const NEGATIVE_TIME: u64 = 15;
/// Thirty days.
pub const OFFLINE_TIME: u64 = 30 * 86_400;
/// A week.
pub const OFFLINE_LOGIN_TIME: u64 = 7 * 86_400;

impl Default for Policy {
    fn default() -> Self {
        Self {
            time_to_live: TIME_TO_LIVE,
            negative_time: NEGATIVE_TIME,
            offline_time: OFFLINE_TIME,
            offline_login_time: OFFLINE_LOGIN_TIME,
            plain_passwords: false,
        }
    }
}
