//! `netinfo ssh-keys`: what sshd asks by its `AuthorizedKeysCommand` (sshd_config(5)).

use std::time::Duration;

use clap::Args;
use netinfo_client::login::{Decision, Login};
use netinfo_wire::login::{MAX_NAME, Outcome};
use nix::unistd::User;

use crate::args::Text;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};
use crate::output::safe;

/// How long the daemon may take. sshd waits with a login for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// Print the SSH keys of a user, as sshd wants them
#[derive(Debug, Args)]
pub(crate) struct SshKeys {
    /// Name of the user
    user: Text,
}

/// Prints the keys of a user, one a line. Users who are not known, or may not log in, have none.
pub(crate) fn ssh_keys(context: &mut Context, args: &SshKeys) -> Result<()> {
    let name = plain_name(&args.user.0)?;
    let mut login = Login::new(&context.login_socket()?, PATIENCE);
    let asked = login.keys(name.as_bytes()).when(|| format!("read the keys of \"{name}\""))?;
    let (decision, keys) = asked;
    match decision.outcome {
        Outcome::Ok if is_the_same(name, &decision)? => {}
        Outcome::Unavailable => return Err(Failure::new("the daemon cannot tell the keys now")),
        // sshd looks elsewhere, and takes anything but success for a defect.
        _ => return Ok(()),
    }
    for key in keys {
        context.out.raw(&key).and_then(|()| context.out.raw(b"\n")).when(|| "write the keys")?;
    }
    Ok(())
}

/// A name that can be a user's: sshd passes on whatever a stranger says.
fn plain_name(name: &[u8]) -> Result<&str> {
    let odd =
        || Failure::new(format!("\"{}\" cannot be the name of a user", safe(name))).with_exit(Exit::Usage);
    let plain =
        |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b'$' | b'@' | b'+');
    if name.is_empty() || name.len() > MAX_NAME as usize || name[0] == b'-' || !name.iter().all(plain) {
        return Err(odd());
    }
    str::from_utf8(name).map_err(|_| odd())
}

/// Whether the system means the same user by this name: another one's keys must not open its account.
fn is_the_same(name: &str, decision: &Decision) -> Result<bool> {
    let system = User::from_name(name).map_err(|error| {
        Failure::new(format!("the system cannot say who \"{name}\" is: {}", error.desc()))
    })?;
    Ok(match (system, decision.uid) {
        (Some(system), Some(uid)) if system.uid.as_raw() != uid => {
            eprintln!("netinfo: {name} is {uid} in NetInfo and {} on this system; no keys", system.uid);
            false
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_names_are_refused() {
        for name in ["alice", "a.b-c_d", "host$", "alice@example.org", "0"] {
            assert_eq!(plain_name(name.as_bytes()).unwrap(), name);
        }
        for name in ["", "-u", "a/b", "a b", "a\nb", "ä", "a;b", "a\0", &"a".repeat(MAX_NAME as usize + 1)] {
            assert_eq!(plain_name(name.as_bytes()).unwrap_err().exit(), Exit::Usage, "{name}");
        }
    }
}
