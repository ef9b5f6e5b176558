//! `[ldap]`: how LDAP is served.

use std::path::{Path, PathBuf};

use netinfo_directory::{RULES_LIMIT, Rule};
use serde::Deserialize;

use super::value::{Count, Size};
use crate::limits;

/// Most URLs in `ldap.referrals`.
pub const MAX_REFERRALS: usize = 16;

/// `[ldap]`. Absent keys leave the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LdapTable {
    /// PEM file of the server's certificate and those between it and its authority. Default: one of our own making.
    pub certificate: Option<PathBuf>,
    /// PEM file of its private key.
    pub key: Option<PathBuf>,
    /// Oldest version of TLS that is spoken.
    pub min_tls: Option<MinTls>,
    /// Whether clients are asked for certificates.
    pub client_certificates: Option<ClientCertificates>,
    /// PEM file of the authorities whose client certificates are accepted.
    pub client_ca: Option<PathBuf>,
    /// What has to be protected by TLS.
    pub require_tls: Option<RequireTls>,
    /// Whether clients have to bind before they may do anything but read the root DSE.
    pub require_authentication: Option<bool>,
    /// Entries a search returns at most.
    pub size_limit: Option<Count<1, { limits::LDAP_SIZE_RANGE.1 }>>,
    /// Seconds a search takes at most.
    pub time_limit_seconds: Option<Count<{ limits::SECONDS_RANGE.0 }, { limits::SECONDS_RANGE.1 }>>,
    /// Entries a search that no index helps looks at, at most.
    pub look_through: Option<Count<1, { limits::LDAP_SIZE_RANGE.1 }>>,
    /// Longest request of a client that has bound, in bytes.
    pub message_size: Option<Size<{ limits::LDAP_MESSAGE_RANGE.0 }, { limits::LDAP_MESSAGE_RANGE.1 }>>,
    /// Longest request of a client that has not bound, in bytes.
    pub message_size_unbound:
        Option<Size<{ limits::LDAP_MESSAGE_RANGE.0 }, { limits::LDAP_MESSAGE_RANGE.1 }>>,
    /// URLs of servers to ask about what no domain here holds.
    pub referrals: Option<Vec<String>>,
    /// Access rules that come before those of each domain.
    pub access: Option<Vec<AccessRule>>,
}

/// An access rule in the words of `docs/access.md`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct AccessRule(pub Rule);

impl TryFrom<String> for AccessRule {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map(Self).map_err(|error| format!("the access rule {text:?} cannot be read: {error}"))
    }
}

/// Oldest version of TLS that is spoken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum MinTls {
    /// TLS 1.2 (RFC 5246).
    #[default]
    #[serde(rename = "1.2")]
    Tls12,
    /// TLS 1.3 (RFC 8446).
    #[serde(rename = "1.3")]
    Tls13,
}

/// Whether clients are asked for certificates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ClientCertificates {
    /// They are not.
    #[default]
    Off,
    /// They are; who has none is served as well.
    Ask,
    /// They are; who has none is not served.
    Require,
}

/// What has to be protected by TLS.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RequireTls {
    /// Nothing.
    #[default]
    Off,
    /// Passwords, except those from this machine.
    ForBind,
    /// Everything but StartTLS and the root DSE.
    Always,
}

impl LdapTable {
    /// What is wrong with the keys together, in a sentence.
    pub fn check(&self) -> Result<(), String> {
        match (&self.certificate, &self.key) {
            (Some(_), None) => return Err("ldap.certificate needs ldap.key".to_owned()),
            (None, Some(_)) => return Err("ldap.key needs ldap.certificate".to_owned()),
            _ => {}
        }
        let asked = self.client_certificates.is_some_and(|asked| asked != ClientCertificates::Off);
        if asked && self.client_ca.is_none() {
            return Err("ldap.client_certificates needs ldap.client_ca".to_owned());
        }
        let referrals = self.referrals.as_deref().unwrap_or_default();
        if referrals.len() > MAX_REFERRALS {
            return Err(format!("ldap.referrals takes at most {MAX_REFERRALS} URLs"));
        }
        let rules = self.access.as_deref().unwrap_or_default().len();
        if rules > RULES_LIMIT {
            return Err(format!("ldap.access takes at most {RULES_LIMIT} rules"));
        }
        let url = |text: &&String| text.starts_with("ldap://") || text.starts_with("ldaps://");
        match referrals.iter().find(|text| !url(text)) {
            Some(bad) => Err(format!("ldap.referrals: {bad:?} does not begin with ldap:// or ldaps://")),
            None => Ok(()),
        }
    }

    /// Makes relative paths start at `base`.
    pub fn rebase(&mut self, base: &Path) {
        for path in [&mut self.certificate, &mut self.key, &mut self.client_ca].into_iter().flatten() {
            *path = base.join(&*path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn table(text: &str) -> Result<LdapTable, String> {
        let config = Config::parse(&format!("[ldap]\n{text}"), Path::new("n.toml"));
        config.map(|config| config.ldap).map_err(|error| error.to_string())
    }

    #[test]
    fn every_key_is_read() {
        let table = table(
            "certificate = 'c'\nkey = 'k'\nmin_tls = '1.3'\nclient_certificates = 'ask'\nclient_ca = 'a'\n\
             require_tls = 'for-bind'\nrequire_authentication = true\nsize_limit = 7\ntime_limit_seconds = 8\n\
             look_through = 9\nmessage_size = '1 MiB'\nmessage_size_unbound = '64 KiB'\n\
             referrals = ['ldap://ldap.example.org']\naccess = ['deny read mail to anonymous']",
        )
        .unwrap();
        assert_eq!((table.min_tls, table.require_tls), (Some(MinTls::Tls13), Some(RequireTls::ForBind)));
        assert_eq!(table.client_certificates, Some(ClientCertificates::Ask));
        assert_eq!(table.message_size.unwrap().get(), 1 << 20);
        assert_eq!(table.access.as_ref().unwrap()[0].0.text(), "deny read mail to anonymous");
        let mut rebased = table;
        rebased.rebase(Path::new("/etc/n"));
        assert_eq!(rebased.key.unwrap(), Path::new("/etc/n/k"));
        assert_eq!(rebased.client_ca.unwrap(), Path::new("/etc/n/a"));
    }

    #[test]
    fn access_rules_are_checked() {
        let error = table("access = ['allow read', 'alow read']").unwrap_err();
        assert!(error.contains("a rule begins with \"allow\" or \"deny\" at \"alow\""), "{error}");
        let many = format!("access = [{}]", "'deny all',".repeat(RULES_LIMIT + 1));
        assert_eq!(table(&many).unwrap_err(), "n.toml: ldap.access takes at most 128 rules");
    }

    #[test]
    fn contradictions_are_named() {
        assert_eq!(table("key = 'k'").unwrap_err(), "n.toml: ldap.key needs ldap.certificate");
        assert_eq!(table("certificate = 'c'").unwrap_err(), "n.toml: ldap.certificate needs ldap.key");
        let error = table("client_certificates = 'require'").unwrap_err();
        assert_eq!(error, "n.toml: ldap.client_certificates needs ldap.client_ca");
        let error = table("referrals = ['http://x']").unwrap_err();
        assert!(error.contains("does not begin with ldap://"), "{error}");
        let many = vec!["'ldap://x'"; MAX_REFERRALS + 1].join(",");
        assert!(table(&format!("referrals = [{many}]")).unwrap_err().contains("at most 16"));
        assert!(table("min_tls = '1.1'").unwrap_err().contains("allowed: \"1.2\" or \"1.3\""));
    }
}
