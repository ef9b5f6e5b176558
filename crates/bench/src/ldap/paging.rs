//! Enumeration: all users, page by page.

use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::ldap::{FilterBuf, Scope, SearchRequest};

use super::client::Client;
use super::requests::Identity;
use super::tree::PEOPLE;
use crate::daemon::Target;
use crate::process::processor_time;
use crate::{Failure, Result};

/// Entries of a page, as SSSD and others ask for.
pub const PAGE: u32 = 1000;
/// Connections that enumerate at the same time.
pub const CONNECTIONS: [usize; 2] = [1, 8];

/// What an enumeration came to.
#[derive(Debug, Clone, Copy)]
pub struct Enumeration {
    /// Entries received, by all connections.
    pub entries: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Time until the last connection had ended.
    pub time: Duration,
    /// Slowest first page.
    pub first_page: Duration,
    /// Processor time of the server meanwhile.
    pub server: Duration,
}

/// Enumerates all users on so many connections at the same time: each to the end, or with `limit`, until it is over.
///
/// # Errors
/// A search fails, or an enumeration to the end does not find `users` entries.
pub fn measure(
    target: Target,
    connections: usize,
    users: u32,
    limit: Option<Duration>,
) -> Result<Enumeration> {
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::bound(target.address, Identity::User)?);
    }
    let before = processor_time(target.pid)?;
    let start = Instant::now();
    let mut all = Enumeration {
        entries: 0,
        bytes: 0,
        time: Duration::ZERO,
        first_page: Duration::ZERO,
        server: before,
    };
    thread::scope(|scope| {
        let running: Vec<_> = clients
            .into_iter()
            .map(|mut client| scope.spawn(move || enumerate(&mut client, users, limit)))
            .collect();
        for thread in running {
            let one = thread.join().map_err(|_| Failure::from("an enumerating thread panicked"))??;
            all.entries += one.entries;
            all.bytes += one.bytes;
            all.first_page = all.first_page.max(one.first_page);
        }
        Ok::<_, Failure>(())
    })?;
    all.time = start.elapsed();
    all.server = processor_time(target.pid)?.saturating_sub(before);
    Ok(all)
}

/// One connection's part of an enumeration.
struct Part {
    entries: u64,
    bytes: u64,
    first_page: Duration,
}

fn enumerate(client: &mut Client, users: u32, limit: Option<Duration>) -> Result<Part> {
    let filter = FilterBuf::parse("(objectClass=posixAccount)")?;
    let search = SearchRequest::new(PEOPLE.as_bytes(), Scope::Subtree, filter.as_filter());
    let mut part = Part { entries: 0, bytes: 0, first_page: Duration::ZERO };
    let mut cookie = Vec::new();
    let start = Instant::now();
    loop {
        let (entries, bytes) = (&mut part.entries, &mut part.bytes);
        cookie = client.search(search, Some((PAGE, &cookie)), &mut |entry| {
            *entries += 1;
            *bytes += entry.len() as u64;
            Ok(())
        })?;
        if part.first_page.is_zero() {
            part.first_page = start.elapsed();
        }
        if cookie.is_empty() {
            break;
        }
        if limit.is_some_and(|limit| start.elapsed() > limit) {
            return Ok(part);
        }
    }
    match part.entries == u64::from(users) {
        true => Ok(part),
        false => Err(format!("an enumeration found {} users instead of {users}", part.entries).into()),
    }
}
