//! `netinfo enable-login`: users of NetInfo become users of this system, and back.
//!
//! Two things are changed: `nsswitch.conf`, where the system looks for users, and PAM, by the profile that is installed with
//! the module. What was there is saved before, and if the superuser could not log in afterwards it is put back.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use clap::Args;
use netinfo_client::login::Login;

use super::switch;
use crate::context::Context;
use crate::failure::{Exit, Failure, Result, When};

/// The file that says where users are looked for.
const SWITCH: &str = "/etc/nsswitch.conf";
/// The files of PAM that the profile is written into.
const PAM_FILES: [&str; 5] =
    ["common-auth", "common-account", "common-password", "common-session", "common-session-noninteractive"];
/// Where those files are.
const PAM_DIRECTORY: &str = "/etc/pam.d";
/// What writes them.
const PAM_AUTH_UPDATE: &str = "/usr/sbin/pam-auth-update";
/// The profile.
const PROFILE: &str = "/usr/share/pam-configs/netinfo";
/// Where copies of what is changed are kept.
const BACKUPS: &str = "/var/backups/netinfo-login";
/// Where modules may be, and directories of architectures among them.
const LIBRARIES: [&str; 4] = ["/usr/lib", "/lib", "/usr/lib64", "/lib64"];
/// How long a check may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Let users of NetInfo log in on this system, and check that root still can
#[derive(Debug, Args)]
pub(crate) struct EnableLogin {
    /// Show what would be changed, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// Take it back
    #[arg(long)]
    undo: bool,
}

/// Carries the command out.
pub(crate) fn enable_login(context: &mut Context, args: &EnableLogin) -> Result<()> {
    let before = fs::read_to_string(SWITCH).when(|| format!("read {SWITCH}"))?;
    let after = if args.undo { switch::remove(&before) } else { switch::add(&before) };
    if args.dry_run {
        return show(context, args, &before, &after);
    }
    if !nix::unistd::geteuid().is_root() {
        return Err(Failure::new("only root can change how this system lets users in")
            .with_exit(Exit::Denied)
            .with_hint("run it with sudo, or see with --dry-run what it would do"));
    }
    if args.undo {
        update_pam("--disable")?;
        write(Path::new(SWITCH), &after).when(|| format!("write {SWITCH}"))?;
        return context.out.line("users of NetInfo can no longer log in on this system");
    }
    check_installed(context)?;
    root_can_log_in().when(|| "find out whether root can log in now, before anything is changed")?;
    save()?;
    let done = update_pam("--enable")
        .and_then(|()| write(Path::new(SWITCH), &after).when(|| format!("write {SWITCH}")))
        .and_then(|()| root_can_log_in());
    if let Err(failure) = done {
        let undone = write(Path::new(SWITCH), &before)
            .when(|| format!("write {SWITCH}"))
            .and_then(|()| update_pam("--disable"));
        return Err(match undone {
            Ok(()) => failure.when("let users of NetInfo log in; everything is as it was before"),
            Err(_) => failure
                .when("let users of NetInfo log in, nor put back all that was changed")
                .with_hint(format!("what was there before is in {BACKUPS}")),
        });
    }
    context.out.line("users of NetInfo can log in on this system now")?;
    context
        .out
        .line(format!("what was changed is kept in {BACKUPS}; \"netinfo enable-login --undo\" takes it back"))
}

/// Says what would be done.
fn show(context: &mut Context, args: &EnableLogin, before: &str, after: &str) -> Result<()> {
    if before == after {
        context.out.line(format!("{SWITCH} stays as it is"))?;
    } else {
        context.out.line(format!("{SWITCH} would change:"))?;
        let old: Vec<&str> = before.lines().collect();
        let new: Vec<&str> = after.lines().collect();
        for line in old.iter().filter(|line| !new.contains(line)) {
            context.out.line(format!("-{line}"))?;
        }
        for line in new.iter().filter(|line| !old.contains(line)) {
            context.out.line(format!("+{line}"))?;
        }
    }
    let how = if args.undo { "--disable" } else { "--enable" };
    context.out.line(format!("this would be run: {PAM_AUTH_UPDATE} {how} netinfo"))
}

/// What is needed is there, and the daemon answers: else nobody but those in the machine's own files could log in, slowly.
fn check_installed(context: &Context) -> Result<()> {
    let install = "\"make install\" puts the modules where the system looks for them";
    for name in ["libnss_netinfo.so.2", "security/pam_netinfo.so"] {
        if !is_library(name) {
            return Err(Failure::new(format!("{name} is not installed")).with_hint(install));
        }
    }
    for file in [PROFILE, PAM_AUTH_UPDATE] {
        if !Path::new(file).exists() {
            return Err(Failure::new(format!("{file} is not there"))
                .with_hint("docs/log-in-on-linux.md has the lines for systems without pam-auth-update"));
        }
    }
    let socket = context.login_socket()?;
    Login::new(&socket, PATIENCE).keys(b"root").when(|| "ask the daemon, which has to run first")?;
    Ok(())
}

/// Whether a library is where the loader looks.
fn is_library(name: &str) -> bool {
    let in_folder = |folder: &Path| folder.join(name).exists();
    let below = |folder: &str| -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
    };
    let known = LIBRARIES
        .iter()
        .any(|folder| in_folder(Path::new(folder)) || below(folder).iter().any(|folder| in_folder(folder)));
    known || loader_knows(name)
}

/// Whether the loader's cache has a library.
fn loader_knows(name: &str) -> bool {
    let output = Command::new("/sbin/ldconfig").arg("-p").stdin(Stdio::null()).output();
    let text = output.map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&text).lines().any(|line| line.split_whitespace().next() == Some(name))
}

/// Keeps copies of what will be changed, unless there are older ones.
fn save() -> Result<()> {
    let action = || format!("keep copies in {BACKUPS}");
    fs::DirBuilder::new().recursive(true).mode(0o700).create(BACKUPS).when(action)?;
    let pam = PAM_FILES.iter().map(|name| Path::new(PAM_DIRECTORY).join(name));
    for file in pam.chain([PathBuf::from(SWITCH)]).filter(|file| file.exists()) {
        let Some(name) = file.file_name() else { continue };
        let copy = Path::new(BACKUPS).join(name);
        if !copy.exists() {
            fs::copy(&file, &copy).when(action)?;
        }
    }
    Ok(())
}

/// Writes a file in one step, with the owner and the permissions that it has.
fn write(path: &Path, text: &str) -> std::io::Result<()> {
    let stat = fs::metadata(path)?;
    let new = path.with_extension("conf.netinfo-new");
    let mut file = fs::File::create(&new)?;
    file.set_permissions(fs::Permissions::from_mode(stat.mode() & 0o7777))?;
    std::os::unix::fs::fchown(&file, Some(stat.uid()), Some(stat.gid()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&new, path)
}

/// Lets the system's tool put the profile into the files of PAM, or take it out, and sees whether it did.
fn update_pam(how: &str) -> Result<()> {
    let action = || format!("run {PAM_AUTH_UPDATE}");
    let mut command = Command::new(PAM_AUTH_UPDATE);
    command.args(["--package", how, "netinfo"]).env("DEBIAN_FRONTEND", "noninteractive");
    finish(&mut command, PATIENCE).when(action)?;
    let auth = Path::new(PAM_DIRECTORY).join(PAM_FILES[0]);
    let text = fs::read_to_string(&auth).when(|| format!("read {}", auth.display()))?;
    let wanted = how == "--enable";
    if text.contains("pam_netinfo.so") != wanted {
        return Err(Failure::new(format!("{PAM_AUTH_UPDATE} has left {} as it was", auth.display()))
            .with_hint("the file was changed by hand; \"pam-auth-update --force\" gives up those changes"));
    }
    Ok(())
}

/// Whether the superuser is still known, is still asked for the password of this machine, and gets a session.
fn root_can_log_in() -> Result<()> {
    let output = finish(Command::new("getent").args(["passwd", "root"]), PATIENCE)?;
    if output.split(':').nth(2) != Some("0") {
        return Err(Failure::new("the system does not know root any more"));
    }
    let auth = Path::new(PAM_DIRECTORY).join(PAM_FILES[0]);
    let text = fs::read_to_string(&auth).when(|| format!("read {}", auth.display()))?;
    let modules: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    let first = modules.iter().position(|line| line.contains("pam_unix.so"));
    let ours = modules.iter().position(|line| line.contains("pam_netinfo.so"));
    if first.is_none() || ours.is_some_and(|ours| Some(ours) < first) {
        return Err(Failure::new(format!(
            "{} does not ask for this machine's own passwords first",
            auth.display()
        )));
    }
    // Asks no password of root, but goes through accounts and sessions.
    finish(Command::new("su").args(["-s", "/bin/sh", "-c", "true", "root"]), PATIENCE)?;
    Ok(())
}

/// Runs a command that has to succeed within a time, and returns what it prints.
fn finish(command: &mut Command, patience: Duration) -> Result<String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let failed = |why: String| Failure::new(format!("{name}: {why}"));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
    let deadline = Instant::now() + patience;
    while child.try_wait().map_err(|error| failed(error.to_string()))?.is_none() {
        if Instant::now() > deadline {
            // It may end by itself just now.
            let _ = child.kill();
            let _ = child.wait();
            return Err(failed(format!("no end within {} seconds", patience.as_secs())));
        }
        thread::sleep(Duration::from_millis(10));
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(failed(if said.is_empty() { output.status.to_string() } else { said }));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_bounded() {
        let slow = finish(Command::new("sleep").arg("10"), Duration::from_millis(50));
        assert!(slow.unwrap_err().to_string().contains("no end"));
        assert!(finish(&mut Command::new("false"), PATIENCE).is_err());
        assert!(finish(&mut Command::new("/no/such"), PATIENCE).is_err());
        assert_eq!(finish(Command::new("echo").arg("text"), PATIENCE).unwrap(), "text\n");
    }

    #[test]
    fn files_keep_owner_and_permissions() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.conf");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        write(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o640);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn libraries_are_found() {
        assert!(is_library("libc.so.6") && is_library("security/pam_unix.so"));
        assert!(!is_library("libnss_nobody_has_this.so.2"));
    }
}
