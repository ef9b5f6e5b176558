//! `[binding]`: how the parents of the domains are found.

use serde::Deserialize;

use super::value::Count;

/// Longest time between two checks of a parent, and longest that "no parent" is believed, in seconds.
pub const LONGEST_SECONDS: u64 = 86_400;
/// Longest time a candidate has to answer, in seconds.
pub const LONGEST_ANSWER: u64 = 60;

/// `[binding]`. Absent keys leave the defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingTable {
    /// Seconds between two checks of a parent.
    pub check_seconds: Option<Count<1, LONGEST_SECONDS>>,
    /// Seconds a candidate has to answer.
    pub answer_seconds: Option<Count<1, LONGEST_ANSWER>>,
    /// Seconds that "no parent" is believed.
    pub no_parent_seconds: Option<Count<1, LONGEST_SECONDS>>,
    /// DNS domain in which `_netinfo._tcp` names servers of the parent of `local`.
    pub dns: Option<String>,
    /// Whether multicast DNS is asked for them.
    pub mdns: Option<bool>,
    /// Whether hosts of the attached networks are asked, by broadcast.
    pub broadcast: Option<bool>,
    /// Tag of the parent where those who name its servers do not say it.
    pub tag: Option<String>,
}

impl BindingTable {
    /// Checks what the types do not.
    ///
    /// # Errors
    /// A sentence naming the key.
    pub fn check(&self) -> Result<(), String> {
        let label = |label: &str| {
            let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            !label.is_empty() && label.len() <= 63 && label.bytes().all(good)
        };
        if let Some(domain) = &self.dns
            && !(domain.len() <= 200 && domain.trim_end_matches('.').split('.').all(label))
        {
            return Err(format!(
                "binding.dns: {domain:?} is not a DNS domain; allowed: one such as \"example.com\""
            ));
        }
        if let Some(tag) = &self.tag {
            netinfo_directory::check_tag(tag).map_err(|error| format!("binding.tag: {error}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::config::Config;

    #[test]
    fn what_types_do_not_say() {
        let parse = |text: &str| Config::parse(text, Path::new("n.toml")).map_err(|error| error.to_string());
        assert!(parse("[binding]\ndns = 'example.com.'\ntag = 'net'").is_ok());
        for (bad, key) in [("dns = 'a..b'", "binding.dns"), ("tag = 'a/b'", "binding.tag")] {
            let error = parse(&format!("[binding]\n{bad}")).unwrap_err();
            assert!(error.contains(key), "{error}");
        }
    }
}
