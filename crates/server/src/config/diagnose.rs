//! Errors in a configuration file: file, line, key, what is allowed, and the key that was probably meant.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// Similarity from which another key is suggested (0: nothing in common, 1: equal).
const SIMILAR: f64 = 0.75;

/// Every key of the file and what it may hold, in the order of the example file.
pub const KEYS: &[(&str, &str)] = &[
    ("data", "the path of a directory, in quotes"),
    ("hostname", "a host name in quotes"),
    ("address", "a numeric address in quotes, such as \"192.0.2.7\""),
    ("user", "the name of a user, in quotes"),
    ("log", "\"text\" or \"json\""),
    ("log_level", "\"error\", \"warn\", \"info\", \"debug\" or \"trace\""),
    ("seed", "\"machine\" or \"none\""),
    ("compat", "\"netinfo-369\""),
    ("endpoints", "the path of a file, in quotes"),
    ("table", "the path of a file, \"default\" or \"off\""),
    ("listen.ipcserver", ADDRESSES),
    ("listen.portmap", ADDRESSES),
    ("listen.local", "the path of a UNIX socket, \"default\" or \"off\""),
    ("listen.binder", ADDRESSES),
    ("listen.ldap", ADDRESSES),
    ("listen.ldaps", ADDRESSES),
    ("listen.ldapi", "the path of a UNIX socket, \"default\" or \"off\""),
    ("listen.lookup", "the path of a UNIX socket, \"default\" or \"off\""),
    ("listen.login", "the path of a UNIX socket, \"default\" or \"off\""),
    ("listen.domain.TAG", ADDRESSES),
    ("limits.connections", "a whole number from 1 to 1000000"),
    ("limits.connections_per_address", "a whole number from 1 to 1000000"),
    ("limits.record_size", "\"128 KiB\" to \"1 GiB\""),
    ("limits.idle_seconds", "a whole number from 0 (never) to 604800"),
    ("limits.stall_seconds", "a whole number from 1 to 604800"),
    ("limits.queued_replies", "\"4 KiB\" to \"1 GiB\""),
    ("limits.held", "\"16 MiB\" to \"1 TiB\""),
    ("limits.readall", "a whole number from 1 to 256"),
    ("limits.table_records", "a whole number from 0 to 10000000"),
    ("ldap.certificate", "the path of a PEM file, in quotes"),
    ("ldap.key", "the path of a PEM file, in quotes"),
    ("ldap.min_tls", "\"1.2\" or \"1.3\""),
    ("ldap.client_certificates", "\"off\", \"ask\" or \"require\""),
    ("ldap.client_ca", "the path of a PEM file, in quotes"),
    ("ldap.require_tls", "\"off\", \"for-bind\" or \"always\""),
    ("ldap.require_authentication", "true or false"),
    ("ldap.size_limit", "a whole number from 1 to 4294967295"),
    ("ldap.time_limit_seconds", "a whole number from 1 to 604800"),
    ("ldap.look_through", "a whole number from 1 to 4294967295"),
    ("ldap.message_size", "\"16 KiB\" to \"1 GiB\""),
    ("ldap.message_size_unbound", "\"16 KiB\" to \"1 GiB\""),
    ("ldap.referrals", "a list of LDAP URLs in quotes"),
    ("ldap.access", "a list of access rules in quotes"),
    ("lookup.live_seconds", "a whole number from 0 to 604800"),
    ("lookup.negative_seconds", "a whole number from 0 to 604800"),
    ("lookup.offline_days", "a whole number from 0 to 3650"),
    ("lookup.offline_login_days", "a whole number from 0 (never) to 3650"),
    ("lookup.plain_passwords", "true or false"),
    ("lookup.masters", "a table of TAG = \"ldaps://HOST/BASE\" or \"TAG@ADDRESS\""),
    ("lookup.files", "the path of a directory, in quotes"),
    ("lookup.order.users", AGENTS),
    ("lookup.order.groups", AGENTS),
    ("lookup.order.hosts", HOST_AGENTS),
    ("lookup.order.networks", AGENTS),
    ("lookup.order.services", AGENTS),
    ("lookup.order.protocols", AGENTS),
    ("lookup.order.rpcs", AGENTS),
    ("lookup.order.aliases", AGENTS),
    ("lookup.order.netgroups", AGENTS),
    ("lookup.order.mounts", AGENTS),
    ("lookup.order.printers", AGENTS),
    ("binding.check_seconds", "a whole number from 1 to 86400"),
    ("binding.answer_seconds", "a whole number from 1 to 60"),
    ("binding.no_parent_seconds", "a whole number from 1 to 86400"),
    ("binding.dns", "a DNS domain in quotes"),
    ("binding.mdns", "true or false"),
    ("binding.broadcast", "true or false"),
    ("binding.tag", "the tag of a domain in quotes"),
    ("store.map_size", "\"16 MiB\" to \"16 TiB\""),
    ("store.change_feed_retention", "a whole number from 1000 to 1000000000"),
    ("rpcbind.register", "true or false"),
];

const ADDRESSES: &str = "\"ADDR:PORT\", a list of such, \"default\" or \"off\"";
const AGENTS: &str = "a list of \"domains\" and \"files\", in the order in which they are asked";
const HOST_AGENTS: &str =
    "a list of \"domains\", \"files\" and \"dns\", in the order in which they are asked";

/// What is wrong with a configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    file: PathBuf,
    line: Option<usize>,
    message: String,
}

impl ConfigError {
    /// An error about `file`, at `line` (from 1) when it is about one.
    pub fn new(file: &Path, line: Option<usize>, message: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line, message: message.into() }
    }

    /// The line in question, from 1.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}

/// Puts what the TOML reader says about `text` into the terms of this file's keys.
pub fn explain(error: &toml::de::Error, text: &str, file: &Path) -> ConfigError {
    let table = DeTable::parse(text).ok();
    let root = table.as_ref().map(|table| table.get_ref());
    let unknown = between_backticks(error.message(), "unknown field ");
    let place = root.and_then(|root| match unknown {
        Some(name) => find_unknown(root, "", name, error.span()),
        None => error.span().and_then(|span| find_at(root, "", &span)),
    });
    let at = place.as_ref().map(|place| place.start).or_else(|| error.span().map(|span| span.start));
    let line = at.map(|at| line_of(text, at));
    let message = match (unknown, place) {
        (Some(name), place) => unknown_key(&place.map_or_else(|| name.to_owned(), |place| place.key)),
        (None, Some(place)) => wrong_value(&place.key, error.message()),
        (None, None) => error.message().trim().replace('\n', ", "),
    };
    ConfigError::new(file, line, message)
}

/// A key of the file and where it stands.
struct Place {
    key: String,
    start: usize,
}

/// The innermost key whose name or value covers the start of `span`.
fn find_at(table: &DeTable<'_>, prefix: &str, span: &Range<usize>) -> Option<Place> {
    for (name, value) in table {
        let key = join(prefix, name.get_ref());
        let covers = |range: Range<usize>| range.contains(&span.start);
        let table = match value.get_ref() {
            DeValue::Table(inner) if allowed(&key).is_none() => Some(inner),
            _ => None,
        };
        if let Some(found) = table.and_then(|inner| find_at(inner, &key, span)) {
            return Some(found);
        }
        if covers(name.span()) || (table.is_none() && covers(value.span())) || value.span() == *span {
            return Some(Place { key, start: name.span().start });
        }
    }
    None
}

/// The key called `wanted` nobody knows; the one at `span` when there are several.
fn find_unknown(
    table: &DeTable<'_>,
    prefix: &str,
    wanted: &str,
    span: Option<Range<usize>>,
) -> Option<Place> {
    let mut found = None;
    for (name, value) in table {
        let key = join(prefix, name.get_ref());
        if name.get_ref() == wanted && !is_known(&key) {
            let start = name.span().start;
            if span.as_ref().is_some_and(|span| span.contains(&start)) {
                return Some(Place { key, start });
            }
            found = found.or(Some(Place { key, start }));
        } else if let DeValue::Table(inner) = value.get_ref() {
            found = found.or_else(|| find_unknown(inner, &key, wanted, span.clone()));
        }
    }
    found
}

/// Whether `key` is a key or a table of the file.
fn is_known(key: &str) -> bool {
    KEYS.iter()
        .any(|(known, _)| *known == key || known.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')))
}

fn unknown_key(key: &str) -> String {
    match suggestion(key) {
        Some(meant) => format!("unknown key \"{key}\"; did you mean \"{meant}\"?"),
        None => format!("unknown key \"{key}\"; the annotated example file lists all keys"),
    }
}

/// The known key or table most like `key`: by its full name, or by its last part in another table.
fn suggestion(key: &str) -> Option<&'static str> {
    let last = |key: &'_ str| key.rfind('.').map_or(0, |dot| dot + 1);
    let tables = ["listen", "limits", "ldap", "lookup", "lookup.order", "binding", "store", "rpcbind"];
    let known = KEYS.iter().map(|(known, _)| *known).chain(tables);
    let rated = known.map(|known| {
        let whole = strsim::normalized_damerau_levenshtein(known, key);
        let part = strsim::normalized_damerau_levenshtein(&known[last(known)..], &key[last(key)..]);
        (if known.contains('.') || key.contains('.') { whole.max(part) } else { whole }, known)
    });
    let best = rated.max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 >= SIMILAR).then_some(best.1)
}

fn wrong_value(key: &str, message: &str) -> String {
    let message = match between_backticks(message, "unknown variant ") {
        Some(value) => format!("unknown value \"{value}\""),
        None => message.trim().replace('\n', ", "),
    };
    match allowed(key) {
        Some(allowed) => format!("{key}: {message}; allowed: {allowed}"),
        None => format!("{key}: {message}"),
    }
}

/// What `key` may hold, unless it is a table or unknown.
fn allowed(key: &str) -> Option<&'static str> {
    // `listen.domain.network` and `listen."domain.network"` both stand under the general name.
    let general = if key.starts_with("listen.domain.") { "listen.domain.TAG" } else { key };
    KEYS.iter().find(|(known, _)| *known == general).map(|(_, allowed)| *allowed)
}

/// The text within backticks directly after `prefix` at the start of `message`.
fn between_backticks<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.strip_prefix('`')?.split_once('`').map(|(inner, _)| inner)
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Config};
    use crate::limits;
    use proptest::prelude::*;

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("n.toml")).unwrap_err().to_string()
    }

    #[test]
    fn unknown_keys_come_with_line_and_suggestion() {
        assert_eq!(error("\nhostnam = 'a'"), "n.toml:2: unknown key \"hostnam\"; did you mean \"hostname\"?");
        assert_eq!(
            error("data = '/d'\n[limits]\n\nconections = 3"),
            "n.toml:4: unknown key \"limits.conections\"; did you mean \"limits.connections\"?"
        );
        assert_eq!(
            error("record_size = 3"),
            "n.toml:1: unknown key \"record_size\"; did you mean \"limits.record_size\"?"
        );
        assert_eq!(error("[limit]"), "n.toml:1: unknown key \"limit\"; did you mean \"limits\"?");
        assert_eq!(
            error("[listen]\nportmap = 'off'\nipcservr = 'off'"),
            "n.toml:3: unknown key \"listen.ipcservr\"; did you mean \"listen.ipcserver\"?"
        );
        assert_eq!(
            error("qqq = 1"),
            "n.toml:1: unknown key \"qqq\"; the annotated example file lists all keys"
        );
        // A known key elsewhere that has the same last part is not mistaken for it.
        assert_eq!(
            error("[limits]\nreadall = 1\n[store]\nreadall = 1"),
            "n.toml:4: unknown key \"store.readall\"; did you mean \"limits.readall\"?"
        );
    }

    #[test]
    fn wrong_values_name_the_key_and_what_is_allowed() {
        assert_eq!(
            error("[limits]\nconnections = 'many'"),
            "n.toml:2: limits.connections: invalid type: string \"many\", expected a whole number; \
             allowed: a whole number from 1 to 1000000"
        );
        assert_eq!(
            error("# c\nlimits.stall_seconds = 0"),
            "n.toml:2: limits.stall_seconds: 0 is less than 1; allowed: a whole number from 1 to 604800"
        );
        assert_eq!(
            error("log = 'xml'"),
            "n.toml:1: log: unknown value \"xml\"; allowed: \"text\" or \"json\""
        );
        assert_eq!(
            error("data = '/d'\naddress = 'here'"),
            "n.toml:2: address: invalid IP address syntax; \
             allowed: a numeric address in quotes, such as \"192.0.2.7\""
        );
        assert_eq!(
            error("[listen]\nlocal = '/s'\nipcserver = [\n '0.0.0.0:945',\n 'x']"),
            "n.toml:3: listen.ipcserver: \"x\" is not a numeric address with a port, such as 127.0.0.1:945 \
             or [::1]:945; allowed: \"ADDR:PORT\", a list of such, \"default\" or \"off\""
        );
        for text in
            ["[listen]\n'domain.network' = 7", "[listen]\ndomain.network = 7", "[listen.domain]\nnetwork = 7"]
        {
            let error = error(text);
            assert!(error.starts_with("n.toml:2: listen.domain.network: invalid type: integer"), "{error}");
            assert!(error.ends_with("\"default\" or \"off\""), "{error}");
        }
        assert!(error("listen = 'off'").starts_with("n.toml:1: listen: invalid type"));
        assert!(error("hostname = 'a/b'").starts_with("n.toml:1: hostname: '/' cannot be part"));
        assert!(error("rpcbind.register = 1").ends_with("allowed: true or false"));
    }

    #[test]
    fn syntax_errors_have_a_line() {
        for text in ["data = '/d'\nhostname = \n", "log = 'text'\nlog = 'json'"] {
            let error = error(text);
            assert!(error.starts_with("n.toml:2: "), "{error}");
            assert!(!error.contains('\n'), "{error}");
        }
    }

    #[test]
    fn every_key_explains_its_own_bad_value() {
        for (key, allowed) in KEYS {
            let error = error(&format!("{key} = {{ x = [1] }}").replace("TAG", "t"));
            assert!(error.ends_with(&format!("allowed: {allowed}")), "{key}: {error}");
        }
    }

    #[test]
    fn stated_bounds_are_the_real_ones() {
        let allowed = |key: &str| KEYS.iter().find(|(known, _)| *known == key).unwrap().1;
        let count = |(low, high): (u64, u64)| format!("a whole number from {low} to {high}");
        assert_eq!(allowed("limits.connections"), count(limits::CONNECTIONS_RANGE));
        assert_eq!(allowed("limits.connections_per_address"), count(limits::CONNECTIONS_RANGE));
        assert_eq!(allowed("limits.stall_seconds"), count(limits::SECONDS_RANGE));
        assert_eq!(allowed("limits.readall"), count(limits::READALL_RANGE));
        assert_eq!(allowed("limits.table_records"), count(limits::TABLE_RECORDS_RANGE));
        assert_eq!(allowed("store.change_feed_retention"), count(config::RETENTION_RANGE));
        assert_eq!(allowed("lookup.live_seconds"), count((0, config::lookup::LONGEST_SECONDS)));
        assert_eq!(allowed("lookup.offline_days"), count((0, config::lookup::LONGEST_DAYS)));
        assert_eq!(allowed("ldap.size_limit"), count(limits::LDAP_SIZE_RANGE));
        assert_eq!(allowed("ldap.look_through"), count(limits::LDAP_SIZE_RANGE));
        assert_eq!(allowed("ldap.time_limit_seconds"), count(limits::SECONDS_RANGE));
        for (key, (low, high)) in [
            ("limits.record_size", limits::RECORD_SIZE_RANGE),
            ("limits.queued_replies", limits::QUEUED_REPLIES_RANGE),
            ("limits.held", limits::HELD_RANGE),
            ("ldap.message_size", limits::LDAP_MESSAGE_RANGE),
            ("ldap.message_size_unbound", limits::LDAP_MESSAGE_RANGE),
            ("store.map_size", config::MAP_SIZE_RANGE),
        ] {
            let (least, most) = allowed(key).split_once(" to ").unwrap();
            for text in [least.to_owned(), most.to_owned(), low.to_string(), high.to_string()] {
                Config::parse(&format!("{key} = {text}"), Path::new("n.toml")).unwrap();
            }
            for number in [low - 1, high + 1] {
                Config::parse(&format!("{key} = {number}"), Path::new("n.toml")).unwrap_err();
            }
        }
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in "\\PC{0,40}|(\\[?(listen|limits|log|domain)[.\\]= '\n]{0,3}){0,6}") {
            let _ = Config::parse(&text, Path::new("n.toml"));
        }
    }
}
