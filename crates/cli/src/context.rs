//! What commands work with: the options, the open domain, the current directory, the output.

use std::path::PathBuf;
use std::time::Duration;

use netinfo_client::lookup::Lookup;
use netinfo_client::rpc::Timeouts;
use netinfo_client::{Control, Domain, Finder, Path, Server, hierarchy};

use crate::args::{Options, Text};
use crate::failure::{Failure, Result, When};
use crate::output::{Output, safe};
use crate::password;

/// Environment variable naming the daemon's socket.
const SOCKET_VARIABLE: &str = "NETINFO_SOCKET";
/// Where the daemon's socket is looked for.
const SOCKETS: [&str; 2] = ["/run/netinfo/netinfod.sock", "netinfo-data/netinfod.sock"];
/// The domain worked on unless another one is asked for.
pub(crate) const DEFAULT_DOMAIN: &str = "local";

/// The surroundings of a command.
pub(crate) struct Context {
    /// Options of the command line.
    pub(crate) options: Options,
    /// Where results go.
    pub(crate) out: Output,
    /// The directory that relative paths start from.
    pub(crate) current: Path,
    domain: Option<Domain>,
}

impl Context {
    /// Surroundings with nothing open yet.
    pub(crate) fn new(options: Options) -> Self {
        let out = Output::stdout(options.json);
        Self { options, out, current: Path::root(), domain: None }
    }

    /// The domain, opened and authenticated at the first use.
    pub(crate) fn domain(&mut self) -> Result<&mut Domain> {
        if self.domain.is_none() {
            if self.options.data.is_some() {
                return Err(Failure::usage(
                    "this command needs a running daemon; --data is for bind, domain, schema, app-password, access, check, backup, restore, import, export and diff",
                ));
            }
            self.domain = Some(self.open().when(|| format!("open domain \"{}\"", self.domain_name()))?);
        }
        self.domain.as_mut().ok_or_else(|| Failure::new("no domain is open"))
    }

    /// The domain as the user names it.
    pub(crate) fn domain_name(&self) -> String {
        self.options.domain.clone().unwrap_or_else(|| DEFAULT_DOMAIN.to_owned())
    }

    /// The domain's tag, for commands that cannot use its place in the hierarchy.
    pub(crate) fn tag(&self) -> Result<String> {
        let name = self.domain_name();
        if hierarchy::is_path(&name) {
            return Err(Failure::usage(format!(
                "this command needs the tag of a domain, not its place \"{name}\""
            )));
        }
        Ok(name)
    }

    fn open(&self) -> Result<Domain> {
        let finder = Finder::default();
        let name = self.options.domain.as_deref();
        let place = name.filter(|name| hierarchy::is_path(name));
        let tag = name.filter(|_| place.is_none());
        let mut failure = Failure::new("the server has no address");
        for server in self.servers()? {
            let opened = finder.open(&server, tag).and_then(|mut domain| {
                if let Some(place) = place {
                    domain = finder.open_path(domain, place)?;
                }
                Ok(domain)
            });
            match opened {
                Ok(mut domain) => {
                    self.login(&mut domain)?;
                    return Ok(domain);
                }
                Err(error) => failure = error.into(),
            }
        }
        Err(failure)
    }

    fn login(&self, domain: &mut Domain) -> Result<()> {
        let Some(user) = &self.options.acting_user else { return Ok(()) };
        let password = password::of_caller(user, self.options.password_file.as_deref())?;
        domain.login(user.as_bytes(), &password).when(|| format!("act as \"{user}\""))
    }

    /// The servers to try: one, or all addresses of a host.
    pub(crate) fn servers(&self) -> Result<Vec<Server>> {
        match &self.options.server {
            Some(host) => Ok(Server::parse(host)?),
            None => Ok(vec![Server::Local(self.socket())]),
        }
    }

    /// The socket of the daemon on this machine.
    fn socket(&self) -> PathBuf {
        let explicit =
            self.options.socket.clone().or_else(|| std::env::var_os(SOCKET_VARIABLE).map(PathBuf::from));
        explicit.unwrap_or_else(|| {
            let [first, second] = SOCKETS.map(PathBuf::from);
            if !first.exists() && second.exists() { second } else { first }
        })
    }

    /// The socket of login modules, which is beside the daemon's other one.
    pub(crate) fn login_socket(&self) -> Result<PathBuf> {
        if self.options.server.is_some() || self.options.data.is_some() {
            return Err(Failure::usage(
                "this asks the daemon on this machine; use neither --server nor --data",
            ));
        }
        Ok(self.socket().with_file_name("login.sock"))
    }

    /// The administration of the daemon on this machine. Each use makes its own connection: a request that was
    /// carried out must not be repeated because an idle connection had been closed.
    pub(crate) fn control(&self) -> Result<Control> {
        if self.options.server.is_some() {
            return Err(Failure::usage("this works on this machine only; run it there, without --server"));
        }
        Ok(Control::new(&self.socket(), Timeouts::default()))
    }

    /// The look-ups of the daemon on this machine.
    pub(crate) fn lookups(&self, patience: Duration) -> Result<Lookup> {
        if self.options.server.is_some() || self.options.data.is_some() {
            return Err(Failure::usage("look-ups are those of this machine, without --server or --data"));
        }
        Ok(Lookup::new(&self.socket(), patience))
    }

    /// The absolute path that `text` means in the current directory. `.` and `..` at the beginning are the current
    /// directory and the one above it; elsewhere they are names like any other.
    pub(crate) fn path(&self, text: &Text) -> Result<Path> {
        let parse = |bytes: &[u8]| {
            Path::parse(bytes)
                .map_err(|error| Failure::usage(format!("\"{}\" is not a path: {error}", safe(&text.0))))
        };
        let mut at = self.current.clone();
        let mut rest = text.0.as_slice();
        loop {
            let end = rest.iter().position(|b| *b == b'/').unwrap_or(rest.len());
            match rest.get(..end) {
                Some(b".") => {}
                Some(b"..") => at = at.split_last().map_or_else(Path::root, |(above, _)| above),
                _ => return Ok(at.join(&parse(rest)?)),
            }
            let slashes = rest.iter().skip(end).take_while(|b| **b == b'/').count();
            rest = rest.get(end + slashes..).unwrap_or_default();
            if rest.is_empty() {
                return Ok(at);
            }
        }
    }

    /// The object id of the directory that `text` names, and its absolute path.
    pub(crate) fn resolve(&mut self, text: &Text) -> Result<(u32, Path)> {
        let path = self.path(text)?;
        let object = self.resolve_path(&path)?;
        Ok((object, path))
    }

    /// The object id of the directory at an absolute path.
    pub(crate) fn resolve_path(&mut self, path: &Path) -> Result<u32> {
        self.domain()?.resolve(path).when(|| format!("find {path}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(current: &str, text: &str) -> String {
        let mut context = Context::new(Options::default());
        context.current = Path::parse(current.as_bytes()).unwrap();
        context.path(&Text(text.into())).map_or_else(|e| e.to_string(), |path| path.to_string())
    }

    #[test]
    fn relative_paths() {
        assert_eq!(at("/", "users"), "/users");
        assert_eq!(at("/users", "alice"), "/users/alice");
        assert_eq!(at("/users", "."), "/users");
        assert_eq!(at("/users/alice", "../bob"), "/users/bob");
        assert_eq!(at("/users", "../../.."), "/");
        assert_eq!(at("/users/alice", "..//../groups/"), "/groups");
        assert_eq!(at("/users", "./alice"), "/users/alice");
        assert_eq!(at("/users", "name=.."), "/users/..");
        assert_eq!(at("/users", "alice/.."), "/users/alice/..");
        assert_eq!(at("/users", "/groups"), "/groups");
        assert_eq!(at("/users", "#5"), "#5");
        assert_eq!(at("#5", ".."), "/");
        assert_eq!(at("/", ""), "\"\" is not a path: the path is empty");
    }

    #[test]
    fn commands_that_need_a_tag() {
        let mut context = Context::new(Options::default());
        assert_eq!(context.tag().unwrap(), "local");
        context.options.domain = Some("network".into());
        assert_eq!(context.tag().unwrap(), "network");
        context.options.domain = Some("/".into());
        assert_eq!(context.tag().unwrap_err().exit(), crate::failure::Exit::Usage);
        context.options.server = Some("host".into());
        assert_eq!(context.control().unwrap_err().exit(), crate::failure::Exit::Usage);
    }
}
