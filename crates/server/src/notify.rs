//! What the service manager is told (`sd_notify`). Without a `NOTIFY_SOCKET` every call does nothing.

use sd_notify::NotifyState;

/// Requests are served; `status` is one line for `systemctl status`, such as the addresses in use.
pub fn ready(status: &str) {
    send(&[NotifyState::Ready, NotifyState::Status(status)]);
}

/// The configuration is being read again. Follow with [`ready`].
pub fn reloading() {
    // The time stamp lets the manager tell this reload from an earlier one (`Type=notify-reload`).
    match NotifyState::monotonic_usec_now() {
        Ok(now) => send(&[NotifyState::Reloading, now]),
        Err(_) => send(&[NotifyState::Reloading]),
    }
}

/// The daemon is finishing its work.
pub fn stopping() {
    send(&[NotifyState::Stopping]);
}

/// A service manager that does not listen must not stop the daemon: failures are only logged.
fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "service manager not notified");
    }
}
