//! Calls that read, beside PING and the bare server, with one connection and with many, pipelined and not.
//!
//! What is compared takes turns in short rounds, so that a change of the machine's mood falls on all alike.

use std::collections::HashMap;

use netinfo_wire::netinfo::PropList;
use netinfo_wire::xdr::Reader;

use crate::calls::{Call, RING, Ring};
use crate::daemon::Target;
use crate::figures::ReadFigure;
use crate::load::{self, Connection, Shape};
use crate::options::Plan;
use crate::{Result, people};

/// The shapes of load.
pub const SHAPES: [Shape; 4] = [
    Shape { connections: 1, depth: 1 },
    Shape { connections: 1, depth: 16 },
    Shape { connections: 8, depth: 1 },
    Shape { connections: 8, depth: 16 },
];
/// Replies looked at closely before the clock starts.
const EXAMINED: usize = 200;
/// Bytes of a reply before its property list: the RPC header, status, id.
const BEFORE_PROPERTIES: usize = 24 + 4 + 8;

/// Measures every call with every shape on the server of a domain with `users` users.
///
/// # Errors
/// A call fails, or answers with something else than it should.
pub fn measure(plan: &Plan, users: u32, server: Target, bare: Target) -> Result<Vec<ReadFigure>> {
    let mut calls = vec![Call::Ping, Call::LookupReadName, Call::LookupReadUid, Call::Read];
    let mut rings: Vec<Ring> = calls.iter().map(|call| call.ring(users)).collect();
    let mut reply = 0;
    for (call, ring) in calls.iter().zip(&rings).skip(1) {
        reply = examine(*call, ring, users, server)?;
        // So that no round pays for pages being mapped.
        load::once(server, ring)?;
    }
    // The sizes of a PING and its reply, with the headers of their records; then those of a LOOKUPREAD.
    for bare in [Call::Echo(rings[0].call_size(), 28), Call::Echo(rings[1].call_size(), reply + 4)] {
        calls.push(bare);
        rings.push(bare.ring(users));
    }
    let mut figures = Vec::new();
    for shape in SHAPES {
        figures.extend(measure_shape(plan, users, shape, &calls, &rings, server, bare)?);
    }
    Ok(figures)
}

fn measure_shape(
    plan: &Plan,
    users: u32,
    shape: Shape,
    calls: &[Call],
    rings: &[Ring],
    server: Target,
    bare: Target,
) -> Result<Vec<ReadFigure>> {
    let target = |call: Call| if matches!(call, Call::Echo(..)) { bare } else { server };
    let mut rounds: Vec<Vec<load::Sample>> = vec![Vec::new(); calls.len()];
    for round in 0..=plan.rounds {
        for ((call, ring), rounds) in calls.iter().zip(rings).zip(&mut rounds) {
            let time = if round == 0 { plan.warm_up } else { plan.round };
            let sample = load::drive(target(*call), ring, shape, time)?;
            if round > 0 {
                rounds.push(sample);
            }
        }
    }
    let mut figures: Vec<ReadFigure> = calls
        .iter()
        .zip(&rounds)
        .map(|(call, rounds)| ReadFigure::of(users, call.name(), shape, rounds))
        .collect();
    let ping = figures[0].per_second;
    for figure in &mut figures {
        figure.of_ping = figure.per_second / ping;
    }
    Ok(figures)
}

/// Whether the answers are the records asked for. Returns the length of one, in bytes, on average.
fn examine(call: Call, ring: &Ring, users: u32, server: Target) -> Result<usize> {
    let mut connection = Connection::open(server.address)?;
    let asked: HashMap<usize, u32> = Call::users(users).enumerate().step_by(RING / EXAMINED).collect();
    let mut bytes = 0;
    for (at, user) in &asked {
        connection.send(ring.calls(*at, 1))?;
        let reply = connection.reply()?;
        bytes += reply.len();
        let properties = reply.get(BEFORE_PROPERTIES..).unwrap_or_default();
        let properties = PropList::read(&mut Reader::new(properties))?;
        let name = properties.get(b"name").and_then(|values| values.iter().next());
        if !load::is_success(reply, *at as u32, true) || name != Some(people::name(*user).as_bytes()) {
            return Err(format!("{} answers with another directory than asked for", call.name()).into());
        }
    }
    Ok(bytes / asked.len())
}
