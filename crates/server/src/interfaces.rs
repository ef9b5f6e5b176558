//! The addresses of this machine.
//!
//! [`OwnAddresses`] answers "is this peer this machine?" on every connection without a system call, from
//! a list read again at most every [`REFRESH`].

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;
use nix::sys::socket::SockaddrStorage;

/// Age at which the list of interface addresses is read again when somebody asks.
pub const REFRESH: Duration = Duration::from_secs(2);

/// Most addresses announced for this machine.
pub const MAX_ANNOUNCED: usize = 16;

/// One address of an interface that is up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterfaceAddress {
    /// Interface name, such as `eth0`.
    pub interface: String,
    /// The address.
    pub address: IpAddr,
    /// Its netmask.
    pub netmask: Option<IpAddr>,
    /// IPv4 broadcast address, where the interface has one.
    pub broadcast: Option<Ipv4Addr>,
    /// Whether the interface is the loopback.
    pub loopback: bool,
}

/// IPv4 and IPv6 addresses of all interfaces that are up, in the system's interface order.
///
/// # Errors
/// What `getifaddrs` reported.
pub fn up_interfaces() -> io::Result<Vec<InterfaceAddress>> {
    let mut found = Vec::new();
    for entry in getifaddrs()? {
        if !entry.flags.contains(InterfaceFlags::IFF_UP) {
            continue;
        }
        let Some(address) = entry.address.as_ref().and_then(ip_of) else { continue };
        // On a point-to-point interface the field holds the other end, not a broadcast address.
        let broadcast = entry.flags.contains(InterfaceFlags::IFF_BROADCAST).then_some(entry.broadcast);
        found.push(InterfaceAddress {
            interface: entry.interface_name,
            address,
            netmask: entry.netmask.as_ref().and_then(ip_of),
            broadcast: match broadcast.flatten().as_ref().and_then(ip_of) {
                Some(IpAddr::V4(v4)) => Some(v4),
                _ => None,
            },
            loopback: entry.flags.contains(InterfaceFlags::IFF_LOOPBACK),
        });
    }
    Ok(found)
}

/// The addresses this machine answers to: those of its interfaces and those it is configured to have
/// besides (the outside of a NAT, a floating address).
#[derive(Debug)]
pub struct OwnAddresses {
    configured: Vec<IpAddr>,
    current: ArcSwap<Vec<InterfaceAddress>>,
    started: Instant,
    /// Milliseconds after `started` at which `current` is stale.
    stale_at: AtomicU64,
    /// Held while reading, so that one asker reads and the others use what there is.
    reading: Mutex<()>,
}

impl OwnAddresses {
    /// Reads the interfaces; `configured` addresses count as this machine's own too.
    ///
    /// # Errors
    /// What `getifaddrs` reported.
    pub fn new(configured: impl IntoIterator<Item = IpAddr>) -> io::Result<Self> {
        Ok(Self {
            configured: configured.into_iter().map(|ip| ip.to_canonical()).collect(),
            current: ArcSwap::from_pointee(up_interfaces()?),
            started: Instant::now(),
            stale_at: AtomicU64::new(millis(REFRESH)),
            reading: Mutex::new(()),
        })
    }

    /// Whether `ip` is this machine. An IPv4 address mapped into IPv6 counts as the IPv4 address; all of
    /// 127.0.0.0/8 is this machine.
    pub fn contains(&self, ip: IpAddr) -> bool {
        let ip = ip.to_canonical();
        if ip.is_loopback() || self.configured.contains(&ip) {
            return true;
        }
        self.refresh_when_stale();
        self.current.load().iter().any(|own| own.address == ip)
    }

    /// The interface addresses now.
    pub fn interfaces(&self) -> std::sync::Arc<Vec<InterfaceAddress>> {
        self.refresh_when_stale();
        self.current.load_full()
    }

    /// IPv4 addresses to announce for this machine: the configured ones if there are any, else those of interfaces
    /// that are up and not the loopback, in interface order; at most [`MAX_ANNOUNCED`].
    pub fn announced_v4(&self) -> Vec<Ipv4Addr> {
        let current = self.interfaces();
        let all: Vec<IpAddr> = match self.configured.is_empty() {
            true => current.iter().filter(|own| !own.loopback).map(|own| own.address).collect(),
            false => self.configured.clone(),
        };
        let mut found = Vec::new();
        for ip in all {
            match ip {
                IpAddr::V4(v4) if !found.contains(&v4) => found.push(v4),
                _ => {}
            }
        }
        found.truncate(MAX_ANNOUNCED);
        found
    }

    /// Reads the interfaces now, for example when the network is known to have changed.
    pub fn refresh(&self) {
        match up_interfaces() {
            Ok(list) => self.current.store(list.into()),
            Err(error) => tracing::warn!(%error, "cannot read interface addresses; the old ones stay in use"),
        }
        let next = millis(self.started.elapsed()).saturating_add(millis(REFRESH));
        self.stale_at.store(next, Ordering::Relaxed);
    }

    fn refresh_when_stale(&self) {
        if millis(self.started.elapsed()) < self.stale_at.load(Ordering::Relaxed) {
            return;
        }
        if let Ok(_reading) = self.reading.try_lock() {
            self.refresh();
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn ip_of(address: &SockaddrStorage) -> Option<IpAddr> {
    if let Some(v4) = address.as_sockaddr_in() {
        return Some(IpAddr::V4(v4.ip()));
    }
    address.as_sockaddr_in6().map(|v6| IpAddr::V6(v6.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_interface_is_found_with_its_mask() {
        let found = up_interfaces().unwrap();
        let lo = found.iter().find(|own| own.address == IpAddr::from([127, 0, 0, 1])).unwrap();
        assert!(lo.loopback);
        assert_eq!(lo.netmask, Some(IpAddr::from([255, 0, 0, 0])));
        assert_eq!(lo.broadcast, None);
    }

    #[test]
    fn own_and_foreign_addresses_are_told_apart() {
        let own = OwnAddresses::new(["203.0.113.9".parse().unwrap()]).unwrap();
        for ip in ["127.0.0.1", "127.9.8.7", "::1", "::ffff:127.0.0.1", "203.0.113.9", "::ffff:203.0.113.9"] {
            assert!(own.contains(ip.parse().unwrap()), "{ip}");
        }
        for ip in ["198.51.100.1", "0.0.0.0", "2001:db8::1", "::ffff:198.51.100.1"] {
            assert!(!own.contains(ip.parse().unwrap()), "{ip}");
        }
        for interface in up_interfaces().unwrap() {
            assert!(own.contains(interface.address), "{interface:?}");
        }
    }

    #[test]
    fn announced_addresses_are_the_configured_ones_or_those_of_the_interfaces() {
        let configured: Vec<IpAddr> = (1..=20).map(|n| IpAddr::from([203, 0, 113, n])).collect();
        let all = OwnAddresses::new(configured).unwrap().announced_v4();
        assert_eq!(all.len(), MAX_ANNOUNCED);
        assert_eq!(all[0], Ipv4Addr::new(203, 0, 113, 1));

        let none = OwnAddresses::new([]).unwrap().announced_v4();
        let expected: Vec<Ipv4Addr> = up_interfaces()
            .unwrap()
            .into_iter()
            .filter(|own| !own.loopback)
            .filter_map(|own| match own.address {
                IpAddr::V4(v4) => Some(v4),
                IpAddr::V6(_) => None,
            })
            .take(MAX_ANNOUNCED)
            .collect();
        assert_eq!(none, expected);
    }

    #[test]
    fn stale_list_is_read_again() {
        let own = OwnAddresses::new([]).unwrap();
        own.current.store(std::sync::Arc::new(Vec::new()));
        assert!(own.interfaces().is_empty());
        own.stale_at.store(0, Ordering::Relaxed);
        assert!(!own.interfaces().is_empty());
        assert!(own.stale_at.load(Ordering::Relaxed) > 0);
    }
}
