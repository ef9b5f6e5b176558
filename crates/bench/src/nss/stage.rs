//! The machine: mounts and a network of its own, with the programs that `scripts/clients.sh` has unpacked laid over it, and
//! the same users and groups in files and in slapd.

use std::fs::{self, File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use netinfo_testkit::software::lay_over;

use crate::Result;
use crate::ldap::tree::{GROUPS, PEOPLE, SUFFIX};

/// Id of user 0.
pub const FIRST_UID: u32 = 100_000;
/// Id of group 0.
pub const FIRST_GID: u32 = 9_000_000;
/// Groups, all of them with user 0 in it.
pub const ALL_GROUPS: u32 = 100;
/// Members of a group.
pub const MEMBERS: u32 = 10;
/// Owners of files in the folder that is listed.
pub const OWNERS: u32 = 1000;

/// The machine.
#[derive(Debug)]
pub struct Stage {
    scratch: PathBuf,
    /// What the machine's own files say.
    passwd: String,
    group: String,
}

impl Stage {
    /// Prepares this namespace, which must be one.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn prepare(scratch: &Path, module: &Path) -> Result<Self> {
        lay_over();
        let (passwd, group) = (fs::read_to_string("/etc/passwd")?, fs::read_to_string("/etc/group")?);
        let place = modules()?.join("libnss_netinfo.so.2");
        fs::copy(module, &place).map_err(|error| format!("{}: {error}", module.display()))?;
        // Services would look at the names of servers in it.
        fs::write("/etc/hosts", "127.0.0.1 localhost alpha\n")?;
        Ok(Self { scratch: scratch.to_owned(), passwd, group })
    }

    /// A folder for whatever is made on the way.
    #[must_use]
    pub fn scratch(&self) -> &Path {
        &self.scratch
    }

    /// Lets glibc look users and groups up in `service`, and nowhere else.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn switch_to(&self, service: &str) -> Result<()> {
        Ok(fs::write("/etc/nsswitch.conf", format!("passwd: {service}\ngroup: {service}\nhosts: files\n"))?)
    }

    /// Puts so many users into the files of the machine, behind its own; none leaves its own alone.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn fill_files(&self, users: u32) -> Result<()> {
        let mut passwd = BufWriter::new(File::create("/etc/passwd")?);
        passwd.write_all(self.passwd.as_bytes())?;
        for n in 0..users {
            writeln!(passwd, "user{n}:x:{}:20:Some Body:/home/user{n}:/bin/bash", FIRST_UID + n)?;
        }
        passwd.flush()?;
        let mut group = BufWriter::new(File::create("/etc/group")?);
        group.write_all(self.group.as_bytes())?;
        for g in (0..ALL_GROUPS).filter(|_| users > 0) {
            writeln!(group, "group{g}:x:{}:{}", FIRST_GID + g, members(g).join(","))?;
        }
        Ok(group.flush()?)
    }

    /// The folder that is listed.
    ///
    /// # Errors
    /// A file cannot be made.
    pub fn folder_of_owners(&self, users: u32) -> Result<PathBuf> {
        let folder = self.scratch.join(format!("owners-{users}"));
        if !folder.exists() {
            fs::create_dir(&folder)?;
            for n in 0..OWNERS {
                let file = folder.join(format!("file{n}"));
                File::create(&file)?;
                chown(&file, Some(FIRST_UID + n * (users / OWNERS)), Some(FIRST_GID + n % ALL_GROUPS))?;
            }
        }
        Ok(folder)
    }
}

/// The users and groups as LDIF for slapd.
///
/// # Errors
/// The file cannot be written.
pub fn write_ldif(path: &Path, users: u32) -> Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    writeln!(out, "dn: {SUFFIX}\nobjectClass: domain\ndc: example\n")?;
    for (dn, name) in [(PEOPLE, "people"), (GROUPS, "groups")] {
        writeln!(out, "dn: {dn}\nobjectClass: organizationalUnit\nou: {name}\n")?;
    }
    for n in 0..users {
        writeln!(
            out,
            "dn: uid=user{n},{PEOPLE}\nobjectClass: account\nobjectClass: posixAccount\nuid: user{n}\ncn: Some Body\n\
             gecos: Some Body\nuidNumber: {}\ngidNumber: 20\nhomeDirectory: /home/user{n}\nloginShell: /bin/bash\n",
            FIRST_UID + n
        )?;
    }
    for g in 0..ALL_GROUPS {
        write!(
            out,
            "dn: cn=group{g},{GROUPS}\nobjectClass: posixGroup\ncn: group{g}\ngidNumber: {}\n",
            FIRST_GID + g
        )?;
        for member in members(g) {
            writeln!(out, "memberUid: {member}")?;
        }
        writeln!(out)?;
    }
    Ok(out.flush()?)
}

/// Writes a file of the machine that is for root alone: it has the password of the directory in it.
///
/// # Errors
/// It cannot be written.
pub fn write_secret(path: &str, text: &str) -> Result<()> {
    let path = Path::new(path);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    // A package may have put a link there.
    if path.symlink_metadata().is_ok() {
        fs::remove_file(path)?;
    }
    fs::write(path, text)?;
    Ok(fs::set_permissions(path, Permissions::from_mode(0o600))?)
}

/// Names of the members of a group: user 0, and nine others.
fn members(g: u32) -> Vec<String> {
    let others = (1..MEMBERS).map(|k| g * (MEMBERS - 1) + k);
    [0].into_iter().chain(others).map(|n| format!("user{n}")).collect()
}

/// Where the modules of glibc are.
fn modules() -> Result<PathBuf> {
    for entry in fs::read_dir("/usr/lib")? {
        let folder = entry?.path();
        if folder.join("libnss_sss.so.2").exists() {
            return Ok(folder);
        }
    }
    Err("SSSD's module is not there; run scripts/clients.sh".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ldif_has_everybody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ldif");
        write_ldif(&path, 5000).unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("dn: ")).count(), 3 + 5000 + 100);
        assert_eq!(text.lines().filter(|line| *line == "memberUid: user0").count(), 100);
        assert!(text.contains("memberUid: user900\n"));
    }
}
