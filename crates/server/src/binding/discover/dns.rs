//! Servers of the service in a DNS domain.

use std::io;
use std::time::Instant;

use netinfo_directory::binding::ParentName;
use simple_dns::TYPE;

use super::SERVICE;
use super::records::Heard;
use crate::dns;

/// The servers in `domain`, those of lowest priority number first.
///
/// # Errors
/// When no nameserver can be asked.
pub(super) fn find(domain: &str, usual_tag: &str, deadline: Instant) -> io::Result<Vec<ParentName>> {
    let nameservers = dns::configured()?.nameservers;
    let name = format!("{SERVICE}.{}", domain.trim_end_matches('.'));
    let mut heard = Heard::default();
    dns::ask(&nameservers, &name, TYPE::SRV, deadline, &mut |id, answer| heard.hear(Some(id), answer))?;
    let targets: Vec<String> = heard.without_address().map(str::to_owned).collect();
    for target in targets {
        for of in [TYPE::A, TYPE::AAAA] {
            dns::ask(&nameservers, &target, of, deadline, &mut |id, answer| heard.hear(Some(id), answer))?;
        }
    }
    // Without it the usual tag is meant.
    if let Err(error) =
        dns::ask(&nameservers, &name, TYPE::TXT, deadline, &mut |id, answer| heard.hear(Some(id), answer))
    {
        tracing::debug!(%error, "no answer about the tag of the parent");
    }
    Ok(heard.parents(usual_tag))
}
