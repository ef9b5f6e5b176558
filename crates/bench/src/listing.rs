//! LIST of `/users`: how soon the answer begins, and when all of it is there.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_wire::netinfo::{Id, NameArgs, Procedure, Status};
use netinfo_wire::record::{Piece, Pieces};

use crate::daemon::Target;
use crate::data::USERS;
use crate::figures::{ListFigure, ms, percentile};
use crate::load::Connection;
use crate::options::{LIST_LIMIT, Plan};
use crate::{Failure, Result, calls};

/// Connections that list at the same time.
pub const CONNECTIONS: [usize; 2] = [1, 8];
/// What of a reply is kept: its header, the status, the number of entries.
const HEAD: usize = 24 + 4 + 4;

struct Listing {
    first_byte: Duration,
    total: Duration,
    bytes: u64,
}

/// Lists `/users` again and again, from one connection and from several.
///
/// # Errors
/// A listing fails or is not complete.
pub fn measure(plan: &Plan, users: u32, server: Target) -> Result<Vec<ListFigure>> {
    CONNECTIONS.iter().map(|connections| measure_with(*connections, plan, users, server)).collect()
}

fn measure_with(connections: usize, plan: &Plan, users: u32, server: Target) -> Result<ListFigure> {
    let start = Instant::now();
    let listings = thread::scope(|scope| {
        let threads: Vec<_> =
            (0..connections).map(|_| scope.spawn(|| repeat(server.address, users, plan.list))).collect();
        let mut all = Vec::new();
        for thread in threads {
            all.extend(thread.join().map_err(|_| Failure::from("a listing thread panicked"))??);
        }
        Ok::<_, Failure>(all)
    })?;
    let time = start.elapsed().as_secs_f64();
    let median = |part: fn(&Listing) -> Duration| {
        percentile(&mut listings.iter().map(|l| ms(part(l))).collect::<Vec<_>>(), 50)
    };
    Ok(ListFigure {
        users,
        connections,
        lists: listings.len(),
        bytes: listings.iter().map(|l| l.bytes).sum::<u64>() / listings.len().max(1) as u64,
        first_byte_ms: median(|l| l.first_byte),
        total_ms: median(|l| l.total),
        entries_per_second: listings.len() as f64 * f64::from(users) / time,
    })
}

/// Lists until the time is over, once at least.
fn repeat(address: SocketAddr, users: u32, time: Duration) -> Result<Vec<Listing>> {
    let mut connection = Connection::open(address)?;
    let end = Instant::now() + time;
    let mut listings = Vec::new();
    while listings.is_empty() || (Instant::now() < end && listings.len() < LIST_LIMIT) {
        listings.push(list(&mut connection, users)?);
    }
    Ok(listings)
}

fn list(connection: &mut Connection, users: u32) -> Result<Listing> {
    let mut call = Vec::new();
    calls::put(&mut call, 1, Procedure::List, |buf| {
        NameArgs { id: Id::new(USERS, 0), name: b"name" }.encode(buf)
    });
    let start = Instant::now();
    connection.send(&call)?;
    let (mut pieces, mut head) = (Pieces::new(), Vec::with_capacity(HEAD));
    let (mut bytes, mut first_byte) = (0, None);
    'record: loop {
        let mut input = connection.some()?;
        first_byte.get_or_insert_with(|| start.elapsed());
        loop {
            let (taken, piece) = pieces.next(input)?;
            input = &input[taken..];
            match piece {
                Piece::Data(data) => {
                    bytes += data.len() as u64;
                    head.extend_from_slice(&data[..data.len().min(HEAD - head.len())]);
                }
                Piece::End => break 'record,
                Piece::NeedMore => break,
            }
        }
    }
    let total = start.elapsed();
    let word = |at: usize| head.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    if (word(24), word(28)) != (Some(Status::Ok.code()), Some(users)) {
        return Err(format!("a listing of {users} users begins with {head:x?}").into());
    }
    Ok(Listing { first_byte: first_byte.unwrap_or(total), total, bytes })
}
