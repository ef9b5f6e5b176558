//! Holding back those who guess passwords.
//!
//! Every account and every address has a bucket of attempts. A password that is looked at takes one out, one that was
//! right puts it back, and time fills the bucket up again. While a bucket is empty no password is checked, right or
//! wrong, so that a guesser has a rate and not a processor. An account that logged in from an address lately has a bucket of
//! its own there: strangers who empty the account's bucket do not lock its owner out.
//!
//! The tables are bounded. A full bucket is the same as none; when a table is full of others, the fullest goes.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, Result};
use crate::session::Origin;

/// Wrong passwords of an account before anybody has to wait.
pub const ACCOUNT_ATTEMPTS: u64 = 30;
/// Milliseconds after which an account has one more attempt.
pub const ACCOUNT_REFILL_MS: u64 = 10_000;
/// Wrong passwords from an address before anybody there has to wait. Many people may share an address. Those of this
/// host have no such limit: the programs that ask from here ask for others.
pub const ADDRESS_ATTEMPTS: u64 = 100;
/// Milliseconds after which an address has one more attempt.
pub const ADDRESS_REFILL_MS: u64 = 2_000;
/// Milliseconds for which a successful login gives the account a bucket of its own at that address.
pub const KNOWN_MS: u64 = 24 * 3600 * 1000;
/// Most entries of each table.
pub const ATTEMPTS_LIMIT: usize = 10_000;

/// Whose password it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Account {
    /// That of a directory.
    Object(u32),
    /// Those of all users with a uid (NetInfo protocol).
    Uid(i32),
    /// A name that belongs to nobody, hashed.
    Name(u64),
    Administrator,
}

/// A bucket of the first table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Bucket {
    Anywhere(Account),
    At(Account, Option<IpAddr>),
}

#[derive(Default)]
struct Tables {
    accounts: Table<Bucket>,
    addresses: Table<IpAddr>,
    /// When an account last logged in from an address.
    known: HashMap<(Account, Option<IpAddr>), u64>,
}

/// The buckets of a domain.
#[derive(Default)]
pub(crate) struct Attempts {
    tables: Mutex<Tables>,
    names: RandomState,
}

/// An attempt that is under way; what it took is lost unless it succeeds.
#[must_use]
pub(crate) struct Attempt {
    account: Account,
    bucket: Bucket,
    place: Option<IpAddr>,
    limited: Option<IpAddr>,
}

impl Attempts {
    /// The bucket for a name that belongs to nobody.
    pub(crate) fn name(&self, name: &[u8]) -> Account {
        Account::Name(self.names.hash_one(name))
    }

    /// Takes an attempt out of the buckets, if there is one left in each.
    pub(crate) fn take(&self, account: Account, origin: Origin, at: u64) -> Result<Attempt> {
        let place = origin.address().map(network);
        let limited = place.filter(|_| matches!(origin, Origin::Network { own: false, .. }));
        let mut tables = self.tables();
        let tables = &mut *tables;
        let known = tables.known.get(&(account, place)).is_some_and(|&last| last.abs_diff(at) < KNOWN_MS);
        let bucket = if known { Bucket::At(account, place) } else { Bucket::Anywhere(account) };
        if let Some(place) = limited {
            let wait_ms = tables.addresses.wait(place, ADDRESS_ATTEMPTS, ADDRESS_REFILL_MS, at);
            if wait_ms > 0 {
                return Err(Error::TooManyAttempts { whose: "from this address", wait_ms });
            }
        }
        let wait_ms = tables.accounts.wait(bucket, ACCOUNT_ATTEMPTS, ACCOUNT_REFILL_MS, at);
        if wait_ms > 0 {
            return Err(Error::TooManyAttempts { whose: "for this account", wait_ms });
        }
        tables.accounts.add(bucket, ACCOUNT_REFILL_MS, at);
        if let Some(place) = limited {
            tables.addresses.add(place, ADDRESS_REFILL_MS, at);
        }
        Ok(Attempt { account, bucket, place, limited })
    }

    /// Puts an attempt back whose password was right.
    pub(crate) fn succeeded(&self, attempt: &Attempt, at: u64) {
        let mut tables = self.tables();
        tables.accounts.take_back(attempt.bucket, ACCOUNT_REFILL_MS);
        if let Some(place) = attempt.limited {
            tables.addresses.take_back(place, ADDRESS_REFILL_MS);
        }
        let key = (attempt.account, attempt.place);
        if tables.known.len() >= ATTEMPTS_LIMIT && !tables.known.contains_key(&key) {
            tables.known.retain(|_, last| last.abs_diff(at) < KNOWN_MS);
            if tables.known.len() >= ATTEMPTS_LIMIT {
                let oldest = tables.known.iter().min_by_key(|(_, last)| **last).map(|(key, _)| *key);
                oldest.map(|key| tables.known.remove(&key));
            }
        }
        tables.known.insert(key, at);
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For each bucket that is not full the time when it will be.
struct Table<K>(HashMap<K, u64>);

impl<K> Default for Table<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash> Table<K> {
    /// Milliseconds until the bucket has an attempt left; 0 if it has.
    fn wait(&mut self, key: K, attempts: u64, refill: u64, at: u64) -> u64 {
        let Some(full) = self.0.get_mut(&key) else { return 0 };
        // A clock that was set back must not make anybody wait for the difference.
        *full = (*full).min(at.saturating_add(attempts * refill));
        full.saturating_sub(at).saturating_sub((attempts - 1) * refill)
    }

    fn add(&mut self, key: K, refill: u64, at: u64) {
        if self.0.len() >= ATTEMPTS_LIMIT && !self.0.contains_key(&key) {
            self.0.retain(|_, full| *full > at);
            if self.0.len() >= ATTEMPTS_LIMIT {
                let fullest = self.0.iter().min_by_key(|(_, full)| **full).map(|(key, _)| *key);
                fullest.map(|key| self.0.remove(&key));
            }
        }
        let full = self.0.entry(key).or_insert(at);
        *full = (*full).max(at).saturating_add(refill);
    }

    fn take_back(&mut self, key: K, refill: u64) {
        if let Some(full) = self.0.get_mut(&key) {
            *full = full.saturating_sub(refill);
        }
    }
}

/// What counts as one place: an IPv4 address, or the network of an IPv6 one, whose lower half its user chooses.
fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;
    const ALICE: Account = Account::Object(7);

    fn far(address: &str) -> Origin {
        Origin::Network { address: address.parse().unwrap(), own: false, privileged_port: false }
    }

    fn waits(result: Result<Attempt>) -> (&'static str, u64) {
        match result {
            Err(Error::TooManyAttempts { whose, wait_ms }) => (whose, wait_ms),
            other => panic!("{:?}", other.map(drop)),
        }
    }

    #[test]
    fn an_account_has_so_many_attempts_wherever_they_come_from() {
        let attempts = Attempts::default();
        for n in 0..ACCOUNT_ATTEMPTS {
            let _ = attempts.take(ALICE, far(&format!("192.0.2.{n}")), NOW).unwrap();
        }
        let (whose, wait) = waits(attempts.take(ALICE, far("198.51.100.1"), NOW));
        assert_eq!((whose, wait), ("for this account", ACCOUNT_REFILL_MS));
        assert!(attempts.take(Account::Object(8), far("198.51.100.1"), NOW).is_ok());
        assert!(attempts.take(Account::Administrator, Origin::Local { uid: 5 }, NOW).is_ok());
        // One more with time, and never more than at first.
        let later = NOW + ACCOUNT_REFILL_MS;
        assert!(attempts.take(ALICE, far("198.51.100.1"), later).is_ok());
        assert_eq!(waits(attempts.take(ALICE, far("198.51.100.1"), later + 1)).1, ACCOUNT_REFILL_MS - 1);
        let much_later = NOW + 1_000 * ACCOUNT_REFILL_MS;
        let granted = (0..100).filter(|_| attempts.take(ALICE, far("198.51.100.1"), much_later).is_ok());
        assert_eq!(granted.count() as u64, ACCOUNT_ATTEMPTS);
    }

    #[test]
    fn right_passwords_cost_no_attempts() {
        let attempts = Attempts::default();
        for _ in 0..1_000 {
            let attempt = attempts.take(ALICE, far("192.0.2.1"), NOW).unwrap();
            attempts.succeeded(&attempt, NOW);
        }
    }

    #[test]
    fn strangers_do_not_lock_out_who_was_here_before() {
        let attempts = Attempts::default();
        let home = far("2001:db8::1");
        let attempt = attempts.take(ALICE, home, NOW).unwrap();
        attempts.succeeded(&attempt, NOW);
        while attempts.take(ALICE, far("203.0.113.5"), NOW).is_ok() {}
        // The lower half of an IPv6 address does not matter.
        let neighbour = far("2001:db8::ffff:1");
        assert!(attempts.take(ALICE, neighbour, NOW + 5).is_ok());
        let tries = (0..100).filter(|_| attempts.take(ALICE, home, NOW + 5).is_ok()).count() as u64;
        assert_eq!(tries, ACCOUNT_ATTEMPTS - 1, "that bucket has a bottom, too");
        let tomorrow = NOW + KNOWN_MS;
        while attempts.take(ALICE, far("203.0.113.5"), tomorrow).is_ok() {}
        assert!(attempts.take(ALICE, home, tomorrow).is_err());
    }

    #[test]
    fn an_address_has_so_many_attempts_at_all_accounts() {
        let attempts = Attempts::default();
        let guess = |n: u64, origin| attempts.take(attempts.name(&n.to_be_bytes()), origin, NOW);
        for n in 0..ADDRESS_ATTEMPTS {
            let _ = guess(n, far("192.0.2.1")).unwrap();
        }
        assert_eq!(waits(guess(1_000, far("192.0.2.1"))), ("from this address", ADDRESS_REFILL_MS));
        assert!(guess(1_001, far("192.0.2.2")).is_ok());
        let own =
            Origin::Network { address: "127.0.0.1".parse().unwrap(), own: true, privileged_port: false };
        for n in 0..ADDRESS_ATTEMPTS * 2 {
            assert!(guess(2_000 + n, own).is_ok());
        }
    }

    #[test]
    fn a_clock_set_back_makes_nobody_wait_long() {
        let attempts = Attempts::default();
        let here = Origin::Local { uid: 5 };
        while attempts.take(ALICE, here, NOW).is_ok() {}
        let (_, wait) = waits(attempts.take(ALICE, here, NOW - 999_999_999));
        assert_eq!(wait, ACCOUNT_REFILL_MS);
        for at in [0, u64::MAX] {
            let _ = attempts.take(ALICE, far("192.0.2.1"), at);
        }
    }

    #[test]
    fn the_tables_are_bounded() {
        let attempts = Attempts::default();
        for n in 0..ATTEMPTS_LIMIT as u32 + 500 {
            let address = std::net::Ipv4Addr::from(0x0A00_0000 + n).to_string();
            let attempt = attempts.take(Account::Object(n), far(&address), NOW + u64::from(n)).unwrap();
            if n % 2 == 0 {
                attempts.succeeded(&attempt, NOW + u64::from(n));
            }
        }
        let tables = attempts.tables();
        assert!(tables.accounts.0.len() <= ATTEMPTS_LIMIT && tables.addresses.0.len() <= ATTEMPTS_LIMIT);
        assert!(tables.known.len() <= ATTEMPTS_LIMIT);
        drop(tables);
        for n in 0..ATTEMPTS_LIMIT as u32 + 1 {
            let attempt = attempts.take(Account::Object(n + 100_000), Origin::Local { uid: 1 }, NOW).unwrap();
            attempts.succeeded(&attempt, NOW);
        }
        assert!(attempts.tables().known.len() <= ATTEMPTS_LIMIT);
    }
}
