//! OpenLDAP's slapd with back-mdb, configured as its manual advises for such a directory: every attribute that is
//! searched for has an index, commits are on disk before they are answered, access rules are decided for every entry.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use super::server::{Loaded, Name, Server, disk_use, sync};
use super::tree::{self, ADMIN, Attribute, GROUPS, HASH, PEOPLE, SHA1, SUFFIX};
use crate::Result;
use crate::child::failure;

/// Where Debian's package has the server.
pub const PROGRAM: &str = "/usr/sbin/slapd";
/// Where it has the modules.
const MODULES: &str = "/usr/lib/ldap";
/// Where it has the schema.
const SCHEMA: &str = "/etc/ldap/schema";
/// What is needed of the schema.
const SCHEMAS: [&str; 4] = ["core", "cosine", "nis", "inetorgperson"];
/// Largest database, in bytes of address space.
const MAX_SIZE: u64 = 16 << 30;
/// Prefix of a stored argon2 hash.
const SCHEME: &str = "{ARGON2}";

/// A directory of slapd's, in a folder of its own.
#[derive(Debug)]
pub struct Slapd {
    program: PathBuf,
    folder: PathBuf,
}

impl Slapd {
    /// Prepares the folder, which must not exist, with a configuration.
    ///
    /// # Errors
    /// Parts of slapd are not installed, or the folder cannot be made.
    pub fn prepare(program: &Path, folder: PathBuf) -> Result<Self> {
        for needed in [program, Path::new(MODULES), Path::new(SCHEMA)] {
            if !needed.exists() {
                let hint = "install Debian's package slapd (scripts/deps.sh bench), or give --only netinfod";
                return Err(format!("there is no {}; {hint}", needed.display()).into());
            }
        }
        fs::create_dir_all(folder.join("db"))?;
        // A copy, because on many machines AppArmor ties the installed one to its usual folders.
        let copy = folder.join("slapd");
        fs::copy(program, &copy)?;
        fs::write(folder.join("slapd.conf"), configuration(&folder))?;
        Ok(Self { program: copy, folder })
    }

    /// The server of a folder that has been prepared and loaded.
    #[must_use]
    pub fn prepared(folder: PathBuf) -> Self {
        Self { program: folder.join("slapd"), folder }
    }

    /// Loads the directory offline, by `slapadd -q`. Writing its input beforehand does not count.
    ///
    /// # Errors
    /// slapadd fails; its last words say why.
    pub fn load(&self, users: u32) -> Result<Loaded> {
        let ldif = self.folder.join("input.ldif");
        write_ldif(&ldif, users)?;
        self.load_file(&ldif)
    }

    /// Loads an LDIF file in the same way, and removes it.
    ///
    /// # Errors
    /// slapadd fails; its last words say why.
    pub fn load_file(&self, ldif: &Path) -> Result<Loaded> {
        let log = self.folder.join("slapadd.log");
        let mut command = Command::new(&self.program);
        command.args(["-Tadd", "-q", "-f"]).arg(self.folder.join("slapd.conf")).arg("-l").arg(ldif);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log)?);
        let start = Instant::now();
        let status = command.status()?;
        if !status.success() {
            return Err(failure(&log, &format!("slapadd ended ({status})")));
        }
        sync(&self.database())?;
        let time = start.elapsed();
        fs::remove_file(ldif)?;
        Ok(Loaded { time, bytes: disk_use(&self.database())? })
    }

    /// Starts the server.
    ///
    /// # Errors
    /// It does not start; the end of its log says why.
    pub fn start(&self) -> Result<Server> {
        Server::start(Name::Slapd, &self.folder.join("slapd.log"), |address| {
            let mut command = Command::new(&self.program);
            // A debug level, even 0, keeps it in the foreground.
            command.args(["-d", "0", "-h", &format!("ldap://{address}"), "-f"]);
            command.arg(self.folder.join("slapd.conf")).stdin(Stdio::null()).stdout(Stdio::null());
            command
        })
    }

    /// The folder with the database.
    #[must_use]
    pub fn database(&self) -> PathBuf {
        self.folder.join("db")
    }
}

/// Version of the server, as it calls itself.
#[must_use]
pub fn version(program: &Path) -> String {
    let output = Command::new(program).arg("-VV").stdin(Stdio::null()).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stderr).into_owned()).unwrap_or_default();
    let line =
        text.lines().find_map(|line| line.split_once("$OpenLDAP: ")?.1.split(" (").next().map(str::to_owned));
    line.unwrap_or_else(|| "unknown".into())
}

fn configuration(folder: &Path) -> String {
    let schemas: String = SCHEMAS.iter().map(|name| format!("include {SCHEMA}/{name}.schema\n")).collect();
    let folder = folder.display();
    let processors = thread::available_parallelism().map_or(1, usize::from);
    format!(
        "{schemas}\
         pidfile {folder}/pid\n\
         modulepath {MODULES}\n\
         moduleload back_mdb\n\
         moduleload argon2\n\
         loglevel none\n\
         sizelimit unlimited\n\
         timelimit unlimited\n\
         tool-threads {processors}\n\
         database mdb\n\
         suffix {SUFFIX}\n\
         rootdn {ADMIN}\n\
         rootpw {SCHEME}{HASH}\n\
         directory {folder}/db\n\
         maxsize {MAX_SIZE}\n\
         index objectClass,uidNumber,gidNumber,memberUid,telephoneNumber eq\n\
         index uid,cn,sn,givenName,mail eq,sub\n\
         access to attrs=userPassword by self =xw by anonymous auth by * none\n\
         access to * by users read by * none\n"
    )
}

fn write_ldif(path: &Path, users: u32) -> Result<()> {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let unit =
        |name: &str| vec![("objectClass", vec!["organizationalUnit".into()]), ("ou", vec![name.into()])];
    let domain = vec![("objectClass", vec!["domain".into()]), ("dc", vec!["example".into()])];
    put_entry(&mut out, SUFFIX, &domain)?;
    put_entry(&mut out, PEOPLE, &unit("people"))?;
    put_entry(&mut out, GROUPS, &unit("groups"))?;
    for i in 0..users {
        let mut attributes = tree::user(i);
        let argon2 = || format!("{SCHEME}{HASH}");
        attributes.push(("userPassword", vec![if tree::has_sha1(i) { SHA1.into() } else { argon2() }]));
        put_entry(&mut out, &tree::user_dn(i), &attributes)?;
    }
    for g in 0..tree::groups(users) {
        put_entry(&mut out, &tree::group_dn(g, users), &tree::group(g, users))?;
    }
    Ok(out.into_inner()?.sync_all()?)
}

/// No value needs base64: all are ASCII without spaces at the ends.
fn put_entry(out: &mut impl Write, dn: &str, attributes: &[Attribute]) -> Result<()> {
    writeln!(out, "dn: {dn}")?;
    for (name, values) in attributes {
        for value in values {
            writeln!(out, "{name}: {value}")?;
        }
    }
    Ok(writeln!(out)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ldif_holds_every_entry() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.ldif");
        write_ldif(&path, 1000).unwrap();
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().filter(|line| line.starts_with("dn: ")).count(), 3 + 1000 + 20);
        assert!(text.contains(&format!("\nuserPassword: {{ARGON2}}{HASH}\n")));
    }

    #[test]
    fn what_is_not_installed_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let error = Slapd::prepare(Path::new("/nonexistent/slapd"), dir.path().join("x")).unwrap_err();
        assert!(error.to_string().contains("/nonexistent/slapd"), "{error}");
    }
}
