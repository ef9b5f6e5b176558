//! LDAP URLs (RFC 4516): `ldap://host:port/dn?attributes?scope?filter?extensions`, as referrals and
//! `-H` options have them.

use std::borrow::Cow;
use std::fmt::{self, Display, Write};

use super::Scope;
use super::filter::text::hex_pair;

/// Longest URL in bytes.
pub const MAX_URL: usize = 16 * 1024;

/// Why a text is not an LDAP URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// It begins with none of `ldap://`, `ldaps://`, `ldapi://`.
    #[error("URL does not begin with ldap://, ldaps:// or ldapi://")]
    Scheme,
    /// The host is malformed.
    #[error("malformed host in LDAP URL")]
    Host,
    /// The port is not a number up to 65535.
    #[error("malformed port in LDAP URL")]
    Port,
    /// The scope is none of `base`, `one`, `sub`.
    #[error("unknown scope in LDAP URL")]
    Scope,
    /// A percent sign without two hexadecimal digits after it, or digits that do not spell UTF-8.
    #[error("malformed percent escape in LDAP URL")]
    Escape,
    /// More than five parts.
    #[error("too many question marks in LDAP URL")]
    Parts,
    /// Longer than [`MAX_URL`].
    #[error("LDAP URL of more than {MAX_URL} bytes")]
    TooLong,
}

/// How to get there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scheme {
    /// Over TCP.
    Ldap,
    /// Over TLS.
    Ldaps,
    /// Over a socket of this machine, whose path is the host.
    Ldapi,
}

impl Scheme {
    /// The text before the colon.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ldap => "ldap",
            Self::Ldaps => "ldaps",
            Self::Ldapi => "ldapi",
        }
    }
}

/// An LDAP URL. Parts that are missing are empty or `None`; escapes are resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url<'a> {
    /// How to get there.
    pub scheme: Scheme,
    /// Name or address, IPv6 without its brackets; a path for [`Scheme::Ldapi`].
    pub host: Cow<'a, str>,
    /// The port, unless the default of the scheme.
    pub port: Option<u16>,
    /// The base, as text of a DN.
    pub dn: Cow<'a, str>,
    /// Attribute descriptions.
    pub attributes: Vec<Cow<'a, str>>,
    /// How far below the base.
    pub scope: Option<Scope>,
    /// A filter as text.
    pub filter: Cow<'a, str>,
    /// Extensions, each a type with a value after `=`; those that begin with `!` are critical.
    pub extensions: Vec<Cow<'a, str>>,
}

impl<'a> Url<'a> {
    /// A URL of nothing but a server.
    pub fn new(scheme: Scheme, host: impl Into<Cow<'a, str>>, port: Option<u16>) -> Self {
        Self {
            scheme,
            host: host.into(),
            port,
            dn: Cow::Borrowed(""),
            attributes: Vec::new(),
            scope: None,
            filter: Cow::Borrowed(""),
            extensions: Vec::new(),
        }
    }

    /// Reads a URL. The schemes and the scope are read without regard to case.
    ///
    /// # Errors
    /// [`UrlError`].
    pub fn parse(text: &'a str) -> Result<Self, UrlError> {
        if text.len() > MAX_URL {
            return Err(UrlError::TooLong);
        }
        let (scheme, rest) = text.split_once("://").ok_or(UrlError::Scheme)?;
        let schemes = [Scheme::Ldap, Scheme::Ldaps, Scheme::Ldapi];
        let scheme = schemes.into_iter().find(|known| scheme.eq_ignore_ascii_case(known.as_str()));
        let scheme = scheme.ok_or(UrlError::Scheme)?;
        let (authority, rest) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, ""),
        };
        let (host, port) = authority_parts(scheme, authority)?;
        let mut parts = rest.strip_prefix('/').unwrap_or(rest).splitn(6, '?');
        let mut part = || parts.next().unwrap_or_default();
        let mut url = Self::new(scheme, unescape(host)?, port);
        url.dn = unescape(part())?;
        url.attributes = list(part())?;
        url.scope = scope(part())?;
        url.filter = unescape(part())?;
        url.extensions = list(part())?;
        if parts.next().is_some() {
            return Err(UrlError::Parts);
        }
        Ok(url)
    }
}

fn authority_parts(scheme: Scheme, authority: &str) -> Result<(&str, Option<u16>), UrlError> {
    if scheme == Scheme::Ldapi {
        return Ok((authority, None));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
            if !rest.is_empty() && !rest.starts_with(':') {
                return Err(UrlError::Host);
            }
            (host, rest.strip_prefix(':'))
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.contains(['[', ']', '@']) {
        return Err(UrlError::Host);
    }
    // An empty port is allowed and means the default (RFC 3986 §3.2.3).
    match port.filter(|port| !port.is_empty()) {
        None => Ok((host, None)),
        Some(port) if port.bytes().all(|byte| byte.is_ascii_digit()) => {
            port.parse().map(|port| (host, Some(port))).map_err(|_| UrlError::Port)
        }
        Some(_) => Err(UrlError::Port),
    }
}

fn scope(text: &str) -> Result<Option<Scope>, UrlError> {
    if text.is_empty() {
        return Ok(None);
    }
    let scopes = [Scope::Base, Scope::One, Scope::Subtree, Scope::Subordinate];
    let scope = scopes.into_iter().find(|scope| text.eq_ignore_ascii_case(scope_name(*scope)));
    scope.map(Some).ok_or(UrlError::Scope)
}

const fn scope_name(scope: Scope) -> &'static str {
    match scope {
        Scope::Base => "base",
        Scope::One => "one",
        Scope::Subtree => "sub",
        Scope::Subordinate => "subordinates",
    }
}

/// Elements between commas; an escaped comma is part of its element.
fn list(text: &str) -> Result<Vec<Cow<'_, str>>, UrlError> {
    if text.is_empty() { Ok(Vec::new()) } else { text.split(',').map(unescape).collect() }
}

fn unescape(text: &str) -> Result<Cow<'_, str>, UrlError> {
    if !text.contains('%') {
        return Ok(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let digits = after.first_chunk::<2>().and_then(|[high, low]| hex_pair(*high, *low));
        bytes.push(digits.ok_or(UrlError::Escape)?);
        rest = after.get(2..).unwrap_or_default();
    }
    String::from_utf8(bytes).map(Cow::Owned).map_err(|_| UrlError::Escape)
}

impl Display for Url<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://", self.scheme.as_str())?;
        if self.scheme != Scheme::Ldapi && self.host.contains(':') {
            write!(f, "[{}]", Escaped(&self.host, ":"))?;
        } else {
            Escaped(&self.host, "").fmt(f)?;
        }
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        // Parts at the end that are missing leave no question mark behind.
        let given = [
            !self.dn.is_empty(),
            !self.attributes.is_empty(),
            self.scope.is_some(),
            !self.filter.is_empty(),
            !self.extensions.is_empty(),
        ];
        let count = given.iter().rposition(|given| *given).map_or(0, |last| last + 1);
        for index in 0..count {
            f.write_char(if index == 0 { '/' } else { '?' })?;
            match index {
                0 => Escaped(&self.dn, "=,+:@*();&!$'").fmt(f)?,
                1 => elements(f, &self.attributes)?,
                2 => f.write_str(self.scope.map_or("", scope_name))?,
                3 => Escaped(&self.filter, "=,+:@*();&!$'/").fmt(f)?,
                _ => elements(f, &self.extensions)?,
            }
        }
        Ok(())
    }
}

fn elements(f: &mut fmt::Formatter<'_>, elements: &[Cow<'_, str>]) -> fmt::Result {
    for (index, element) in elements.iter().enumerate() {
        f.write_str(if index == 0 { "" } else { "," })?;
        Escaped(element, "=+:@*;!").fmt(f)?;
    }
    Ok(())
}

/// Text in which everything is escaped but unreserved characters (RFC 3986 §2.3) and these.
struct Escaped<'a>(&'a str, &'static str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.bytes().try_for_each(|byte| {
            let c = char::from(byte);
            if byte.is_ascii_alphanumeric() || "-._~".contains(c) || self.1.contains(c) {
                f.write_char(c)
            } else {
                write!(f, "%{byte:02X}")
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4516 §4, those in canonical form.
    #[test]
    fn text_there_and_back() {
        for text in [
            "ldap://ldap1.example.net/o=University%20of%20Michigan,c=US",
            "ldap://ldap1.example.net/o=University%20of%20Michigan,c=US?postalAddress",
            "ldap://ldap1.example.net:6666/o=University%20of%20Michigan,c=US??sub?(cn=Babs%20Jensen)",
            "LDAP://ldap1.example.com/c=GB?objectClass?ONE",
            "ldap://ldap2.example.com/o=Question%3F,c=US?mail",
            "ldap://ldap3.example.com/o=Babsco,c=US???(four-octet=%5C00%5C00%5C00%5C04)",
            "ldap://ldap.example.com/o=An%20Example%5C2C%20Inc.,c=US",
            "ldap:///??sub??e-bindname=cn=Manager%2Cdc=example%2Cdc=com",
            "ldap:///??sub??!e-bindname=cn=Manager%2Cdc=example%2Cdc=com",
            "ldaps://[2001:db8::1]:636",
            "ldapi://%2Frun%2Fldapi",
            "ldap://",
        ] {
            let canonical = text.replace("LDAP:", "ldap:").replace("ONE", "one");
            assert_eq!(Url::parse(text).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn parts() {
        let url = Url::parse("ldap://h:389/dc=a%2Cb?cn,mail?sub?(a=b)?!x=1,y").unwrap();
        assert_eq!((url.host.as_ref(), url.port, url.dn.as_ref()), ("h", Some(389), "dc=a,b"));
        assert_eq!((url.attributes, url.scope), (vec!["cn".into(), "mail".into()], Some(Scope::Subtree)));
        assert_eq!((url.filter.as_ref(), url.extensions), ("(a=b)", vec!["!x=1".into(), "y".into()]));
        assert_eq!(Url::parse("ldap://h?cn").unwrap().attributes, ["cn"]);
        assert_eq!(Url::parse("ldapi://%2Frun%2Fldapi").unwrap().host, "/run/ldapi");
        assert_eq!(Url::parse("ldap://h:/").unwrap(), Url::new(Scheme::Ldap, "h", None));
    }

    #[test]
    fn errors() {
        for (text, error) in [
            ("http://h", UrlError::Scheme),
            ("ldap:h", UrlError::Scheme),
            ("ldap://[::1", UrlError::Host),
            ("ldap://[::1]x", UrlError::Host),
            ("ldap://user@h", UrlError::Host),
            ("ldap://h:+1", UrlError::Port),
            ("ldap://h:65536", UrlError::Port),
            ("ldap://h/??tree", UrlError::Scope),
            ("ldap://h/%2", UrlError::Escape),
            ("ldap://h/%ff", UrlError::Escape),
            ("ldap://h/?????", UrlError::Parts),
        ] {
            assert_eq!(Url::parse(text), Err(error), "{text}");
        }
        assert_eq!(Url::parse(&format!("ldap://{}", "h".repeat(MAX_URL))), Err(UrlError::TooLong));
        assert!(Url::parse(&format!("ldap://{}", "h".repeat(MAX_URL - 7))).is_ok());
    }
}
