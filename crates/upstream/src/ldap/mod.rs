//! A parent that is asked over LDAP: any directory with users as in RFC 2307, RFC 2307bis or Active Directory.
//!
//! | module | holds |
//! |---|---|
//! | `stream` | sockets, TLS |
//! | `connection` | messages: searches, binds, the change of a password |
//! | `schema` | entries as records, questions as filters |
//! | `active` | what Active Directory does in its own way |
//! | `groups` | members of groups, groups in groups |
//! | `automount` | maps of the automounter as mounts |

mod active;
mod automount;
mod connection;
mod groups;
mod schema;
mod stream;

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::time::Duration;

use netinfo_directory::binding::LdapParent;
use netinfo_lookup::Table;
use netinfo_wire::ldap::ResultCode;
use netinfo_wire::ldap::control::policy::PolicyError;
use netinfo_wire::ldap::request::Scope;
use zeroize::Zeroizing;

use crate::item::{Item, Question};
use crate::limits::{LIST_STEP, MAX_FOUND, MAX_LISTED, MAX_SECRET_FILE, STEP};
use crate::remote::{Changed, Fault, Remote, Verdict};
use connection::{Connection, Ended, Found, Place, Search};

/// Why a password is not sent.
const PLAIN: &str = "passwords are not sent to the parent without encryption: bind to it with --start-tls or by ldaps://, or \
                     set plain_passwords";

/// A directory.
pub(crate) struct Ldap {
    parent: LdapParent,
    plain_passwords: bool,
    connection: Option<Connection>,
    /// Names of users by the DNs of their entries, in lower case; `None`: not a user's.
    names: HashMap<String, Option<Vec<u8>>>,
    /// Below which everything is, as far as it has been found out.
    base: Option<String>,
    /// Whether it is Active Directory, as far as it has been found out.
    is_active_directory: Option<bool>,
}

/// The question as a directory is asked it: some spellings are one to it.
pub(crate) fn canonical(question: &Question) -> Cow<'_, Question> {
    schema::canonical(question)
}

impl Ldap {
    pub(crate) fn new(parent: LdapParent, plain_passwords: bool) -> Self {
        Self {
            parent,
            plain_passwords,
            connection: None,
            names: HashMap::new(),
            base: None,
            is_active_directory: None,
        }
    }

    /// The name below which everything is: what the binding says, else what the directory says of itself.
    fn base(&mut self) -> Result<String, Fault> {
        if !self.parent.base.is_empty() {
            return Ok(self.parent.base.clone());
        }
        if let Some(base) = &self.base {
            return Ok(base.clone());
        }
        let attributes = ["defaultNamingContext", "namingContexts"];
        let search =
            Search { base: "", scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let found = self.ask(STEP, |connection| connection.search(search, 1))?;
        let value = attributes.iter().find_map(|name| found.first()?.values(name).first().cloned());
        let base = value.and_then(|value| String::from_utf8(value).ok());
        let base = base.ok_or_else(|| {
            Fault::Refused("the directory does not say what it holds; name a base in the binding".into())
        })?;
        Ok(self.base.insert(base).clone())
    }

    /// A new connection as whoever this machine is there.
    fn open(&self) -> Result<Connection, Fault> {
        let LdapParent { url, start_tls, ca_file, bind_dn, password_file, .. } = &self.parent;
        let place = Place { url, start_tls: *start_tls, ca_file: ca_file.as_deref() };
        let mut connection = Connection::open(place)?;
        let Some(dn) = bind_dn else { return Ok(connection) };
        let Some(path) = password_file else {
            return Err(Fault::Away(format!("there is no file with the password of {dn}")));
        };
        if !self.plain_passwords && !connection.is_protected() {
            return Err(Fault::Away(PLAIN.into()));
        }
        let mut password = Zeroizing::new(Vec::new());
        File::open(path)
            .and_then(|file| file.take(MAX_SECRET_FILE).read_to_end(&mut password))
            .map_err(|error| Fault::Away(format!("cannot read {}: {error}", path.display())))?;
        let password = password.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
        if password.is_empty() {
            return Err(Fault::Away(format!("there is no password in {}", path.display())));
        }
        let ended = connection.bind(dn, password)?;
        if ended.code != ResultCode::Success {
            let (Fault::Away(text) | Fault::Refused(text)) = ended.fault(&format!("cannot bind as {dn}"));
            return Err(Fault::Away(text));
        }
        Ok(connection)
    }

    /// Asks something; once more over a new connection if the one before was of no use any longer.
    fn ask<T>(
        &mut self,
        patience: Duration,
        mut ask: impl FnMut(&mut Connection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        if let Some(mut connection) = self.connection.take() {
            connection.be_patient(patience)?;
            match ask(&mut connection) {
                Err(Fault::Away(_)) => {}
                result => {
                    self.connection = Some(connection);
                    return result;
                }
            }
        }
        let mut connection = self.open()?;
        connection.be_patient(patience)?;
        let result = ask(&mut connection);
        if !matches!(result, Err(Fault::Away(_))) {
            self.connection = Some(connection);
        }
        result
    }

    fn search(
        &mut self,
        table: Table,
        filter: &str,
        limit: usize,
        patience: Duration,
    ) -> Result<Vec<Found>, Fault> {
        let attributes = schema::attributes(table);
        let base = self.base()?;
        let search = Search { base: &base, scope: Scope::Subtree, filter, attributes: &attributes };
        let mut found = self.ask(patience, |connection| connection.search(search, limit))?;
        found.iter_mut().try_for_each(|entry| self.complete(entry))?;
        Ok(found)
    }

    /// The entry of a user.
    fn user(&mut self, name: &[u8]) -> Result<Option<(String, Item)>, Fault> {
        let question = Question { table: Table::Users, key: b"name".to_vec(), value: name.to_vec() };
        let Some(filter) = schema::filter(&question) else { return Ok(None) };
        let found = self.search(Table::Users, &filter, MAX_FOUND, STEP)?;
        let items = found.into_iter().map(|found| {
            let item = schema::item(Table::Users, &found, Vec::new());
            (found.dn, item)
        });
        Ok(items.into_iter().find(|(_, item)| item.has(b"name", name)))
    }

    fn items(&mut self, table: Table, found: &[Found]) -> Result<Vec<Item>, Fault> {
        match table {
            Table::Groups => self.group_items(found),
            _ => Ok(found.iter().map(|found| schema::item(table, found, Vec::new())).collect()),
        }
    }

    /// The mounts that the maps of the automounter stand for.
    fn automounts(&mut self, patience: Duration) -> Result<Vec<Item>, Fault> {
        let base = self.base()?;
        let (filter, attributes) = (automount::FILTER, &automount::ATTRIBUTES);
        let search = Search { base: &base, scope: Scope::Subtree, filter, attributes };
        let found = self.ask(patience, |connection| connection.search(search, MAX_LISTED))?;
        Ok(automount::items(&found))
    }
}

impl Remote for Ldap {
    fn find(&mut self, question: &Question) -> Result<Vec<Item>, Fault> {
        let question = schema::canonical(question);
        // Groups may list their members by the names of their entries.
        let mut items = if question.table == Table::Groups && question.key == b"users" {
            let dn = self.user(&question.value)?.map(|(dn, _)| dn);
            self.groups_of(&question.value, dn.as_deref())?
        } else {
            let Some(filter) = schema::filter(&question) else { return Ok(Vec::new()) };
            let found = self.search(question.table, &filter, MAX_FOUND, STEP)?;
            self.items(question.table, &found)?
        };
        if question.table == Table::Mounts {
            items.append(&mut self.automounts(STEP)?);
        }
        // Directories compare without regard to case, and other attributes than ours.
        items.retain(|item| item.has(&question.key, &question.value));
        Ok(items)
    }

    fn list(&mut self, table: Table) -> Result<Vec<Item>, Fault> {
        let Some(filter) = schema::all(table) else { return Ok(Vec::new()) };
        let found = self.search(table, &filter, MAX_LISTED, LIST_STEP)?;
        let mut items = self.items(table, &found)?;
        if table == Table::Mounts {
            items.append(&mut self.automounts(LIST_STEP)?);
            items.truncate(MAX_LISTED);
        }
        Ok(items)
    }

    fn stamp(&mut self) -> Result<Option<u64>, Fault> {
        // There is none; but whether it is there shows.
        let nothing =
            Search { base: "", scope: Scope::Base, filter: "(objectClass=*)", attributes: &["1.1"] };
        self.ask(STEP, |connection| connection.search(nothing, 1)).map(|_| None)
    }

    fn time(&mut self) -> Result<Option<i64>, Fault> {
        let attributes = ["currentTime"];
        let root =
            Search { base: "", scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let found = self.ask(STEP, |connection| connection.search(root, 1))?;
        Ok(found.first().and_then(|root| schema::seconds(root.values(attributes[0]).first()?)))
    }

    fn verify(&mut self, user: &[u8], password: &[u8]) -> Result<Verdict, Fault> {
        if password.is_empty() {
            return Ok(Verdict::Wrong);
        }
        let Some((dn, _)) = self.user(user)? else { return Ok(Verdict::NoUser) };
        let mut connection = self.as_nobody()?;
        if !self.plain_passwords && !connection.is_protected() {
            return Ok(Verdict::Impossible(PLAIN.into()));
        }
        let ended = connection.bind(&dn, password)?;
        match verdict(&ended) {
            Some(verdict) => Ok(verdict),
            None => match ended.fault("the password cannot be verified") {
                Fault::Refused(text) => Ok(Verdict::Impossible(text)),
                away => Err(away),
            },
        }
    }

    fn change(&mut self, user: &[u8], old: &[u8], new: &[u8]) -> Result<Changed, Fault> {
        if old.is_empty() {
            return Ok(Changed::Wrong);
        }
        let Some((dn, _)) = self.user(user)? else { return Ok(Changed::Wrong) };
        let is_active_directory = self.is_active_directory()?;
        let mut connection = self.as_nobody()?;
        if !self.plain_passwords && !connection.is_protected() {
            return Ok(Changed::Impossible(PLAIN.into()));
        }
        if is_active_directory {
            return self.change_in_active_directory(connection, &dn, (old, new));
        }
        let ended = connection.bind(&dn, old)?;
        match verdict(&ended) {
            Some(Verdict::Right | Verdict::MustChange | Verdict::Expired)
                if ended.code == ResultCode::Success => {}
            Some(Verdict::Disabled) => return Ok(Changed::Refused("The account is locked.".into())),
            Some(_) => return Ok(Changed::Wrong),
            None => return Err(ended.fault("the old password cannot be verified")),
        }
        let ended = connection.change(&dn, old, new)?;
        Ok(match ended.code {
            ResultCode::Success => Changed::Done,
            ResultCode::InvalidCredentials => Changed::Wrong,
            ResultCode::ConstraintViolation
            | ResultCode::InsufficientAccessRights
            | ResultCode::UnwillingToPerform => Changed::Refused(objection(&ended)),
            _ => match ended.fault("the password cannot be changed") {
                Fault::Refused(text) => Changed::Impossible(text),
                away => return Err(away),
            },
        })
    }
}

impl Ldap {
    /// A connection without a name yet.
    fn as_nobody(&self) -> Result<Connection, Fault> {
        let LdapParent { url, start_tls, ca_file, .. } = &self.parent;
        Connection::open(Place { url, start_tls: *start_tls, ca_file: ca_file.as_deref() })
    }
}

/// What the end of a bind says; `None` if the password was not looked at.
fn verdict(ended: &Ended) -> Option<Verdict> {
    let error = ended.policy.and_then(|policy| policy.error);
    match (ended.code, error) {
        (ResultCode::Success, Some(PolicyError::ChangeAfterReset | PolicyError::PasswordExpired)) => {
            Some(Verdict::MustChange)
        }
        (ResultCode::Success, _) => Some(Verdict::Right),
        (ResultCode::InvalidCredentials, Some(PolicyError::AccountLocked)) => Some(Verdict::Disabled),
        (ResultCode::InvalidCredentials, Some(PolicyError::PasswordExpired)) => Some(Verdict::Expired),
        (ResultCode::InvalidCredentials, _) => Some(active::refusal(&ended.message)),
        (ResultCode::NoSuchObject | ResultCode::InappropriateAuthentication, _) => Some(Verdict::Wrong),
        _ => None,
    }
}

/// Why a new password is not taken, in words for the user.
fn objection(ended: &Ended) -> String {
    let error = ended.policy.and_then(|policy| policy.error);
    let text = match error {
        Some(PolicyError::PasswordTooShort) => "The password is too short.",
        Some(PolicyError::InsufficientPasswordQuality) => "The password is too simple.",
        Some(PolicyError::PasswordInHistory) => "The password was used before.",
        Some(PolicyError::PasswordTooYoung) => "The password was changed too recently.",
        Some(PolicyError::PasswordModNotAllowed) => "The password may not be changed by its user.",
        _ if ended.message.is_empty() => "The directory does not take the password.",
        _ => return format!("The directory does not take the password: {}", ended.message),
    };
    text.into()
}
