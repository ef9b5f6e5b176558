//! `[lookup.order]`: who is asked about what, in which order.

use std::fmt;

use netinfo_lookup::Table;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

/// Somebody who is asked in look-ups.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Agent {
    /// The domains from `local` to the root, with what is remembered of those on other machines.
    Domains,
    /// The files of this machine, such as `/etc/passwd`.
    Files,
    /// The nameservers of this machine, about hosts.
    Dns,
}

impl fmt::Display for Agent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Domains => "domains",
            Self::Files => "files",
            Self::Dns => "dns",
        })
    }
}

/// One or more agents, none twice; `dns` among them only where it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agents<const DNS: bool>(Vec<Agent>);

impl<'de, const DNS: bool> Deserialize<'de> for Agents<DNS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = Vec::<Agent>::deserialize(deserializer)?;
        if list.is_empty() {
            return Err(D::Error::custom("nobody would be asked"));
        }
        if !DNS && list.contains(&Agent::Dns) {
            return Err(D::Error::custom("the DNS knows hosts only"));
        }
        if let Some(agent) = list.iter().enumerate().find_map(|(i, a)| list[..i].contains(a).then_some(a)) {
            return Err(D::Error::custom(format_args!("\"{agent}\" is there twice")));
        }
        Ok(Self(list))
    }
}

/// `[lookup.order]`. Absent keys leave the domains alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderTable {
    /// Users and their passwords' dates.
    pub users: Option<Agents<false>>,
    /// Groups, and who is in them.
    pub groups: Option<Agents<false>>,
    /// Hosts and Ethernet addresses.
    pub hosts: Option<Agents<true>>,
    /// Networks.
    pub networks: Option<Agents<false>>,
    /// Services.
    pub services: Option<Agents<false>>,
    /// Protocols.
    pub protocols: Option<Agents<false>>,
    /// RPC programs.
    pub rpcs: Option<Agents<false>>,
    /// Mail aliases.
    pub aliases: Option<Agents<false>>,
    /// What netgroups say of themselves.
    pub netgroups: Option<Agents<false>>,
    /// Mounts, of the historical queries.
    pub mounts: Option<Agents<false>>,
    /// Printers, of the historical queries.
    pub printers: Option<Agents<false>>,
}

/// Who is asked about each table, in order. The default are the domains alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Order {
    /// Those that are not the default.
    lists: Vec<(Table, Vec<Agent>)>,
}

/// The domains alone.
const DOMAINS: &[Agent] = &[Agent::Domains];

impl Order {
    /// The table with its defaults.
    #[must_use]
    pub fn of_table(table: OrderTable) -> Self {
        let lists = [
            (Table::Users, table.users),
            (Table::Groups, table.groups),
            (Table::Networks, table.networks),
            (Table::Services, table.services),
            (Table::Protocols, table.protocols),
            (Table::Rpcs, table.rpcs),
            (Table::Aliases, table.aliases),
            (Table::Netgroups, table.netgroups),
            (Table::Mounts, table.mounts),
            (Table::Printers, table.printers),
        ];
        let lists = lists.into_iter().filter_map(|(table, list)| Some((table, list?.0)));
        let hosts = table.hosts.map(|list| (Table::Machines, list.0));
        Self { lists: lists.chain(hosts).filter(|(_, list)| list != DOMAINS).collect() }
    }

    /// Who is asked about a table, in order.
    #[must_use]
    pub fn agents(&self, table: Table) -> &[Agent] {
        let list = self.lists.iter().find(|(known, _)| *known == table);
        list.map_or(DOMAINS, |(_, list)| list)
    }

    /// Whether nobody but the domains is asked about a table.
    #[must_use]
    pub fn is_domains(&self, table: Table) -> bool {
        self.agents(table) == DOMAINS
    }

    /// Whether an agent is asked about a table before, or after, the domains. Where they are not asked at all, it is before.
    #[must_use]
    pub fn is_asked(&self, agent: Agent, table: Table, after: bool) -> bool {
        let list = self.agents(table);
        let place = |wanted| list.iter().position(|agent| *agent == wanted);
        let domains = place(Agent::Domains).unwrap_or(list.len());
        place(agent).is_some_and(|place| (place > domains) == after && place != domains)
    }

    /// The agents that are asked about anything before, or after, the domains, in an order that is right for every table.
    #[must_use]
    pub fn beside(&self, after: bool) -> Vec<Agent> {
        // Hosts are the only table about which two of them are asked.
        let hosts = self.agents(Table::Machines).iter().copied();
        let mut beside: Vec<Agent> =
            hosts.filter(|agent| self.is_asked(*agent, Table::Machines, after)).collect();
        let files = |(table, _): &(Table, Vec<Agent>)| self.is_asked(Agent::Files, *table, after);
        if !beside.contains(&Agent::Files) && self.lists.iter().any(files) {
            beside.push(Agent::Files);
        }
        beside
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(text: &str) -> Order {
        Order::of_table(toml::from_str(text).unwrap())
    }

    #[test]
    fn nothing_said_means_the_domains_alone() {
        assert_eq!(order("users = ['domains']\nhosts = ['domains']"), Order::default());
        let order = Order::default();
        assert!(Table::ALL.into_iter().all(|table| order.is_domains(table)));
        assert!(order.beside(false).is_empty() && order.beside(true).is_empty());
    }

    #[test]
    fn agents_stand_on_either_side_of_the_domains() {
        let order =
            order("users = ['files', 'domains']\nhosts = ['dns', 'domains', 'files']\nrpcs = ['files']");
        assert_eq!(order.beside(false), [Agent::Dns, Agent::Files]);
        assert_eq!(order.beside(true), [Agent::Files]);
        assert!(order.is_asked(Agent::Files, Table::Users, false));
        assert!(!order.is_asked(Agent::Files, Table::Users, true));
        assert!(order.is_asked(Agent::Files, Table::Machines, true));
        assert!(
            order.is_asked(Agent::Files, Table::Rpcs, false)
                && !order.is_asked(Agent::Files, Table::Rpcs, true)
        );
        assert!(!order.is_asked(Agent::Dns, Table::Users, false));
        let hosts = |text: &str| self::order(text).beside(false);
        assert_eq!(
            hosts("hosts = ['files', 'dns', 'domains']\nusers = ['files']"),
            [Agent::Files, Agent::Dns]
        );
    }

    #[test]
    fn bad_lists_are_refused() {
        for (text, why) in [
            ("users = []", "nobody would be asked"),
            ("users = ['dns']", "hosts only"),
            ("users = ['files', 'files']", "\"files\" is there twice"),
            ("users = ['nis']", "nis"),
        ] {
            let error = toml::from_str::<OrderTable>(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
