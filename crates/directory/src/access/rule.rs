//! One rule: what it says, and how it is read from text (the grammar is in `docs/access.md`).

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use super::Action;
use super::words::{Word, Words};

/// Longest text of a rule, in bytes.
pub const RULE_LIMIT: usize = 4096;

/// A rule that allows or denies. Read from text by [`str::parse`]; [`Rule::text`] gives it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    text: String,
    pub(super) allows: bool,
    pub(super) actions: Vec<Action>,
    /// Names as they were written, in lower case; `None` for all.
    pub(super) names: Option<Vec<Vec<u8>>>,
    /// Empty for everything.
    pub(super) targets: Vec<Target>,
    /// Empty for anyone.
    pub(super) subjects: Vec<Subject>,
    /// Empty for anywhere.
    pub(super) networks: Vec<Network>,
}

/// Directories a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    /// The session's own.
    Own,
    Path {
        steps: Vec<Step>,
        /// Ends in `/**`: everything below.
        below: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// `*`
    Any,
    Name(Vec<u8>),
    /// `key=value`
    Keyed(Vec<u8>, Vec<u8>),
}

/// Callers a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Subject {
    Anyone,
    Anonymous,
    /// Whoever has logged in.
    Users,
    /// The user whose directory it is.
    Own,
    User(Vec<u8>),
    /// Members of this group.
    Group(Vec<u8>),
    /// Users whose name is a value of this property of the directory.
    Listed(Vec<u8>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Network {
    /// The host's own sockets.
    Local,
    Net {
        address: IpAddr,
        bits: u8,
    },
}

impl Network {
    pub(super) fn admits(&self, peer: Option<IpAddr>) -> bool {
        match (self, peer) {
            (Self::Local, None) => true,
            (Self::Net { address: IpAddr::V4(net), bits }, Some(IpAddr::V4(peer))) => {
                (net.to_bits() ^ peer.to_bits()).leading_zeros() >= u32::from(*bits)
            }
            (Self::Net { address: IpAddr::V6(net), bits }, Some(IpAddr::V6(peer))) => {
                (net.to_bits() ^ peer.to_bits()).leading_zeros() >= u32::from(*bits)
            }
            _ => false,
        }
    }
}

/// What is wrong with the text of a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}{}", where_it_is(near))]
pub struct RuleError {
    what: String,
    /// The word at which reading ended.
    near: Option<String>,
}

impl RuleError {
    pub(super) fn new(what: String) -> Self {
        Self { what, near: None }
    }
}

fn where_it_is(word: &Option<String>) -> String {
    word.as_ref().map_or_else(|| " at its end".into(), |word| format!(" at \"{word}\""))
}

impl Rule {
    /// The text the rule was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Self, RuleError> {
        let text = text.trim();
        if text.len() > RULE_LIMIT {
            return Err(RuleError { what: format!("a rule is longer than {RULE_LIMIT} bytes"), near: None });
        }
        let words = Words::of(text).map_err(|what| RuleError { what: what.into(), near: None })?;
        Reader { words }.rule(text)
    }
}

struct Reader<'a> {
    words: Words<'a>,
}

impl Reader<'_> {
    fn rule(mut self, text: &str) -> Result<Rule, RuleError> {
        let allows = match self.keyword().as_deref() {
            Some("allow") => true,
            Some("deny") => false,
            _ => return self.refuse("a rule begins with \"allow\" or \"deny\""),
        };
        self.words.advance();
        let actions = self.actions()?;
        let names = self.names()?;
        if names.is_some() && actions.iter().any(|a| matches!(a, Action::Add | Action::Delete)) {
            return self
                .refuse("\"add\", \"delete\" and \"all\" are about directories and take no properties:");
        }
        let targets = self.clause("of", Self::target)?;
        let subjects = self.clause("to", Self::subject)?;
        let networks = self.clause("from", Self::network)?;
        if self.words.peek().is_some() {
            return self.refuse("expected \"of\", \"to\" or \"from\" (in this order), or the end,");
        }
        Ok(Rule { text: text.into(), allows, actions, names, targets, subjects, networks })
    }

    fn actions(&mut self) -> Result<Vec<Action>, RuleError> {
        let mut actions = Vec::new();
        for list in self.list(|reader| match reader.keyword().as_deref() {
            Some("read") => Ok(&[Action::Read, Action::Search, Action::Compare][..]),
            Some("search") => Ok(&[Action::Search, Action::Compare]),
            Some("compare") => Ok(&[Action::Compare]),
            Some("write") => Ok(&[Action::Write]),
            Some("add") => Ok(&[Action::Add]),
            Some("delete") => Ok(&[Action::Delete]),
            Some("all") => Ok(&Action::ALL),
            _ => reader.refuse("expected read, search, compare, write, add, delete or all"),
        })? {
            actions.extend_from_slice(list);
        }
        Ok(actions)
    }

    /// The properties, if there are any.
    fn names(&mut self) -> Result<Option<Vec<Vec<u8>>>, RuleError> {
        if self.words.peek().is_none() || matches!(self.keyword().as_deref(), Some("of" | "to" | "from")) {
            return Ok(None);
        }
        let names = self.list(|reader| match reader.words.peek() {
            Some(Word::Text { text, .. }) if !text.is_empty() => Ok(text.to_ascii_lowercase().into_bytes()),
            _ => reader.refuse("expected the name of a property"),
        })?;
        Ok(if names.iter().any(|name| name == b"*") { None } else { Some(names) })
    }

    fn target(&mut self) -> Result<Target, RuleError> {
        if self.keyword().as_deref() == Some("self") {
            return Ok(Target::Own);
        }
        match self.words.peek() {
            Some(Word::Text { text, .. }) if text.starts_with('/') => {
                path(text).map_or_else(|what| self.refuse(what), Ok)
            }
            _ => self.refuse("expected a path that begins with \"/\", or self"),
        }
    }

    fn subject(&mut self) -> Result<Subject, RuleError> {
        Ok(match self.keyword().as_deref() {
            Some("anyone") => Subject::Anyone,
            Some("anonymous") => Subject::Anonymous,
            Some("users") => Subject::Users,
            Some("self") => Subject::Own,
            Some("user") => Subject::User(self.argument("the name of a user")?),
            Some("group") => Subject::Group(self.argument("the name of a group")?),
            Some("listed") => Subject::Listed(self.argument("the name of a property")?),
            _ => {
                return self.refuse(
                    "expected anyone, anonymous, users, self, user NAME, group NAME or listed PROPERTY",
                );
            }
        })
    }

    fn network(&mut self) -> Result<Network, RuleError> {
        if self.keyword().as_deref() == Some("local") {
            return Ok(Network::Local);
        }
        let parsed = match self.words.peek() {
            Some(Word::Text { text, .. }) => network(text),
            _ => None,
        };
        parsed.map_or_else(|| self.refuse("expected local, an address, or ADDRESS/BITS"), Ok)
    }

    /// The word behind a keyword.
    fn argument(&mut self, what: &str) -> Result<Vec<u8>, RuleError> {
        self.words.advance();
        match self.words.peek() {
            Some(Word::Text { text, .. }) if !text.is_empty() => Ok(text.as_bytes().to_vec()),
            _ => self.refuse(&format!("expected {what}")),
        }
    }

    /// `keyword item, item…`, if the keyword is there.
    fn clause<T>(
        &mut self,
        keyword: &str,
        item: impl Fn(&mut Self) -> Result<T, RuleError>,
    ) -> Result<Vec<T>, RuleError> {
        if self.keyword().as_deref() != Some(keyword) {
            return Ok(Vec::new());
        }
        self.words.advance();
        self.list(item)
    }

    /// Items with commas between them. `item` reads one, and leaves its last word to be passed over.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, RuleError>) -> Result<Vec<T>, RuleError> {
        let mut items = Vec::new();
        loop {
            items.push(item(self)?);
            self.words.advance();
            if self.words.peek() != Some(&Word::Comma) {
                return Ok(items);
            }
            self.words.advance();
        }
    }

    /// The word at hand in lower case, unless it is quoted.
    fn keyword(&self) -> Option<String> {
        match self.words.peek() {
            Some(Word::Text { text, quoted: false }) => Some(text.to_ascii_lowercase()),
            _ => None,
        }
    }

    fn refuse<T>(&self, what: &str) -> Result<T, RuleError> {
        Err(RuleError { what: what.into(), near: self.words.peek().map(ToString::to_string) })
    }
}

/// A path pattern: steps behind `/`, each a name, `key=value` or `*`; a last step `**` means everything below.
fn path(text: &str) -> Result<Target, &'static str> {
    if text == "/" {
        return Ok(Target::Path { steps: Vec::new(), below: false });
    }
    let mut steps = Vec::new();
    let (mut step, mut key) = (Vec::new(), None);
    let mut raw = String::new();
    let mut below = false;
    let mut letters = text[1..].chars().chain(['/']);
    while let Some(letter) = letters.next() {
        match letter {
            _ if below => return Err("\"**\" can only be the last step of a path"),
            '\\' => {
                let escaped = letters.next().unwrap_or('\\');
                raw.push('\\');
                step.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
            }
            '=' if key.is_none() => {
                raw.push('=');
                key = Some(std::mem::take(&mut step));
            }
            '/' => {
                let name = std::mem::take(&mut step);
                match (key.take(), raw.as_str()) {
                    (None, "*") => steps.push(Step::Any),
                    (None, "**") => below = true,
                    (Some(key), _) if !key.is_empty() => steps.push(Step::Keyed(key, name)),
                    (None, _) if !name.is_empty() => steps.push(Step::Name(name)),
                    _ => return Err("a step of the path is empty"),
                }
                raw.clear();
            }
            other => {
                raw.push(other);
                step.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            }
        }
    }
    if raw.is_empty() { Ok(Target::Path { steps, below }) } else { Err("the path ends in a single \"\\\"") }
}

fn network(text: &str) -> Option<Network> {
    let (address, bits) = match text.split_once('/') {
        Some((address, bits)) => (address, Some(bits.parse().ok()?)),
        None => (text, None),
    };
    let address: IpAddr = address.parse().ok()?;
    let most = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.unwrap_or(most);
    (bits <= most).then_some(Network::Net { address, bits })
}
