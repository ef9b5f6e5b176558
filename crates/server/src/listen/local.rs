//! The UNIX sockets. Whoever can reach one may connect: the kernel tells who they are (peer credentials).

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use super::ListenError;
use crate::config::{Listen, ListenAddr};

/// Name of the socket for RPC in its directory.
pub const SOCKET_NAME: &str = "netinfod.sock";

/// Name of the socket for LDAP in its directory.
pub const LDAPI_NAME: &str = "ldapi";

/// Name of the socket of look-ups in its directory.
pub const LOOKUP_NAME: &str = "lookup.sock";

/// Name of the socket of login modules in its directory.
pub const LOGIN_NAME: &str = "login.sock";

/// Directory of the sockets of a daemon started as root.
pub const RUN_DIR: &str = "/run/netinfo";

/// Longest path of a socket, in bytes (`sockaddr_un`, less the final zero).
pub const MAX_PATH: usize = 107;

/// Permissions of the socket.
const MODE: u32 = 0o666;

/// Permissions of a directory made for it.
const PARENT_MODE: u32 = 0o755;

/// The UNIX socket and the file it is reached by.
#[derive(Debug)]
pub struct LocalListener {
    /// The socket, non-blocking.
    pub listener: UnixListener,
    /// Its file; keep it for as long as the socket serves.
    pub file: SocketFile,
}

/// A socket's file, removed when dropped, unless another daemon has put its own there meanwhile.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    identity: (u64, u64),
}

/// A UNIX socket as `--listen` knows it.
#[derive(Clone, Copy)]
struct Kind {
    /// Its `--listen` name.
    what: &'static str,
    /// Name of the socket in its directory.
    file: &'static str,
}

const LOCAL: Kind = Kind { what: "local", file: SOCKET_NAME };
const LDAPI: Kind = Kind { what: "ldapi", file: LDAPI_NAME };
const LOOKUP: Kind = Kind { what: "lookup", file: LOOKUP_NAME };
const LOGIN: Kind = Kind { what: "login", file: LOGIN_NAME };

/// Opens the UNIX socket for RPC: where `listen` says; else in [`RUN_DIR`] when started as root; else, or when
/// another daemon has that, in the data directory `data`. `None` when it is switched off.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn local(listen: &Listen, data: &Path) -> Result<Option<LocalListener>, ListenError> {
    LOCAL.open(listen, data)
}

/// Opens the UNIX socket for LDAP by the same rules.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn ldapi(listen: &Listen, data: &Path) -> Result<Option<LocalListener>, ListenError> {
    LDAPI.open(listen, data)
}

/// Opens the UNIX socket of look-ups by the same rules.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn lookup(listen: &Listen, data: &Path) -> Result<Option<LocalListener>, ListenError> {
    LOOKUP.open(listen, data)
}

/// Opens the UNIX socket of login modules by the same rules.
///
/// # Errors
/// [`ListenError`], fit to be shown as is.
pub fn login(listen: &Listen, data: &Path) -> Result<Option<LocalListener>, ListenError> {
    LOGIN.open(listen, data)
}

impl SocketFile {
    /// Path of the socket.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if identity(&self.path).is_ok_and(|now| now == self.identity) {
            // After privileges were dropped this may fail. The next daemon takes over a stale socket.
            let _ = fs::remove_file(&self.path);
        }
    }
}

impl Kind {
    fn open(self, listen: &Listen, data: &Path) -> Result<Option<LocalListener>, ListenError> {
        match listen {
            Listen::Off => Ok(None),
            Listen::Default => {
                let root = nix::unistd::geteuid().is_root();
                self.default_socket(root.then_some(Path::new(RUN_DIR)), data).map(Some)
            }
            Listen::At(addresses) => addresses
                .iter()
                .find_map(|address| match address {
                    ListenAddr::Unix(path) => Some(self.bind(path)),
                    ListenAddr::Socket(_) => None,
                })
                .transpose(),
        }
    }

    fn default_socket(self, run: Option<&Path>, data: &Path) -> Result<LocalListener, ListenError> {
        let own = data.join(self.file);
        let Some(run) = run else { return self.bind(&own) };
        self.bind(&run.join(self.file)).or_else(|error| {
            tracing::warn!(target: "netinfod", "{error}; using {} instead", own.display());
            self.bind(&own)
        })
    }

    /// Makes the socket at `path` and, where missing, the directory it is in.
    fn bind(self, path: &Path) -> Result<LocalListener, ListenError> {
        let failed = |source| ListenError::Unix { path: path.to_owned(), source };
        if path.as_os_str().as_bytes().len() > MAX_PATH {
            return Err(ListenError::PathTooLong { what: self.what, path: path.to_owned() });
        }
        if let Some(parent) = path.parent().filter(|parent| parent.as_os_str() != OsStr::new("")) {
            make_parent(parent).map_err(failed)?;
        }
        self.clear(path)?;
        let listener = UnixListener::bind(path).map_err(failed)?;
        let identity = identity(path).map_err(failed)?;
        let file = SocketFile { path: path.to_owned(), identity };
        fs::set_permissions(path, Permissions::from_mode(MODE)).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        Ok(LocalListener { listener, file })
    }

    /// Removes a socket nobody serves any more.
    fn clear(self, path: &Path) -> Result<(), ListenError> {
        let failed = |source| ListenError::Unix { path: path.to_owned(), source };
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(failed(error)),
            Ok(stat) if !stat.file_type().is_socket() => {
                return Err(ListenError::NotASocket { what: self.what, path: path.to_owned() });
            }
            Ok(_) => {}
        }
        match UnixStream::connect(path) {
            Ok(_) => Err(ListenError::Alive { what: self.what, path: path.to_owned() }),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(failed)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

fn make_parent(parent: &Path) -> io::Result<()> {
    if parent.is_dir() {
        return Ok(());
    }
    fs::DirBuilder::new().recursive(true).mode(PARENT_MODE).create(parent)?;
    // Whatever the umask is.
    fs::set_permissions(parent, Permissions::from_mode(PARENT_MODE))
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::symlink_metadata(path).map(|stat| (stat.dev(), stat.ino()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    fn at(path: &Path) -> Listen {
        Listen::At(vec![ListenAddr::Unix(path.to_owned())])
    }

    #[test]
    fn socket_and_directory_are_open_to_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("run/netinfo.sock");
        let local = local(&at(&path), dir.path()).unwrap().unwrap();
        assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o666, 0o755));
        assert_eq!(local.listener.accept().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        UnixStream::connect(local.file.path()).unwrap();
        drop(local);
        assert!(!path.exists());
    }

    #[test]
    fn stale_socket_is_replaced_and_a_live_one_respected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        drop(UnixListener::bind(&path).unwrap());
        assert!(path.exists());
        let live = LOCAL.bind(&path).unwrap();
        let error = LOCAL.bind(&path).unwrap_err();
        assert!(matches!(error, ListenError::Alive { .. }));
        assert!(error.to_string().contains("another netinfod answers"), "{error}");
        UnixStream::connect(live.file.path()).unwrap();
    }

    #[test]
    fn socket_of_a_successor_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("s");
        let first = LOCAL.bind(&path).unwrap();
        fs::rename(&path, dir.path().join("old")).unwrap();
        let second = LOCAL.bind(&path).unwrap();
        drop(first);
        UnixStream::connect(second.file.path()).unwrap();
    }

    #[test]
    fn other_files_are_not_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("precious");
        fs::write(&path, "text").unwrap();
        assert!(matches!(LOCAL.bind(&path).unwrap_err(), ListenError::NotASocket { .. }));
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
    }

    #[test]
    fn longest_path_works_and_the_next_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let room = MAX_PATH - dir.path().as_os_str().len() - 1;
        LOCAL.bind(&dir.path().join("x".repeat(room))).unwrap();
        let error = LOCAL.bind(&dir.path().join("x".repeat(room + 1))).unwrap_err();
        assert!(error.to_string().contains("at most 107 bytes"), "{error}");
    }

    #[test]
    fn default_is_the_run_directory_then_the_data_directory() {
        let dir = tempfile::tempdir().unwrap();
        let (run, data) = (dir.path().join("run"), dir.path().join("data"));
        let first = LOCAL.default_socket(Some(&run), &data).unwrap();
        assert_eq!(first.file.path(), run.join(SOCKET_NAME));
        let second = LOCAL.default_socket(Some(&run), &data).unwrap();
        assert_eq!(second.file.path(), data.join(SOCKET_NAME));
        assert!(matches!(LOCAL.default_socket(Some(&run), &data).unwrap_err(), ListenError::Alive { .. }));
        let other = dir.path().join("other");
        assert_eq!(LOCAL.default_socket(None, &other).unwrap().file.path(), other.join(SOCKET_NAME));
        // The socket for LDAP stands beside it.
        let ldap = LDAPI.default_socket(Some(&run), &data).unwrap();
        assert_eq!(ldap.file.path(), run.join(LDAPI_NAME));
        let error = LDAPI.bind(ldap.file.path()).unwrap_err().to_string();
        assert!(error.ends_with("--listen ldapi=PATH"), "{error}");
        assert!(local(&Listen::Off, &data).unwrap().is_none());
        assert!(ldapi(&Listen::Off, &data).unwrap().is_none());
    }
}
