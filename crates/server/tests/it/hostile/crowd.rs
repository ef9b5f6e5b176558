//! Many connections.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use netinfo_server::limits::{self, IDLE_CONNECTION_MEMORY};
use netinfo_testkit::Caller;
use netinfo_wire::netinfo::Procedure;
use socket2::SockRef;

use super::Target;
use crate::load::wire;

/// Idle connections.
const CROWD: usize = 10_000;

#[test]
fn ten_thousand_idle_connections_cost_little() {
    let descriptors = limits::raise_descriptor_limit().unwrap();
    assert!(descriptors as usize > CROWD + 500, "{descriptors} descriptors are not enough: raise ulimit -Hn");
    let mut target = Target::start("");
    let (effect, streams) = target.attacked("10,000 idle connections", |target| {
        let call = wire::call(1, Procedure::Ping, &[]);
        let mut streams: Vec<TcpStream> = Vec::with_capacity(CROWD);
        while streams.len() < CROWD {
            let mut stream = target.connect();
            stream.write_all(&call).unwrap();
            streams.push(stream);
        }
        let mut reply = [0; 28];
        for stream in &mut streams {
            stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
            stream.read_exact(&mut reply).unwrap();
        }
        streams
    });
    let each = effect.memory as usize / CROWD;
    println!("{each} bytes for each");
    assert!(each <= IDLE_CONNECTION_MEMORY, "{each} bytes for each");
    let [current, peak, maximum, closed] = target.connections();
    assert!(current >= CROWD as u64 && peak >= current && maximum >= peak && closed == 0);
    // All of them can still be used, and leave together.
    target.attacked("10,000 connections come to life and leave", |target| {
        let call = wire::call(2, Procedure::Root, &[]);
        let mut reply = [0; 40];
        // Ten thousand requests at one moment would be an honest queue.
        for some in streams.chunks(200) {
            some.iter().for_each(|mut stream| stream.write_all(&call).unwrap());
            some.iter().for_each(|mut stream| stream.read_exact(&mut reply).unwrap());
        }
        drop(streams);
        let until = Instant::now() + Duration::from_secs(20);
        while target.connections()[0] > 3 {
            assert!(Instant::now() < until, "connections are not noticed to be gone");
            thread::sleep(Duration::from_millis(20));
        }
    });
}

#[test]
fn a_flood_of_connections_closes_the_least_recently_used() {
    const LIMIT: usize = 200;
    let mut target = Target::start(&format!("[limits]\nconnections = {LIMIT}\n"));
    let (effect, made) = target.attacked("a flood of connections", |target| {
        let until = Instant::now() + Duration::from_secs(3);
        let flood = |slot: usize| {
            let call = wire::call(1, Procedure::Ping, &[]);
            let mut kept: Vec<TcpStream> = Vec::new();
            let mut made = 0;
            while Instant::now() < until {
                let Ok(mut stream) = TcpStream::connect(target.address) else { continue };
                // Half of them say something.
                if made % 2 == slot % 2 {
                    let _ = stream.write_all(&call);
                }
                made += 1;
                kept.push(stream);
                if kept.len() > 500 {
                    // Without the kernel keeping their ports for a minute.
                    let gone = kept.drain(..250);
                    gone.for_each(|s| SockRef::from(&s).set_linger(Some(Duration::ZERO)).unwrap());
                }
            }
            made
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|slot| scope.spawn(move || flood(slot))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>()
        })
    });
    let [current, peak, maximum, closed] = target.connections();
    println!(
        "{made} connections made: {current} now, {peak} at most of {maximum}, {closed} closed for others"
    );
    assert!(made > 2 * LIMIT);
    // Only when the flood goes round faster than it calls does a client that is at work lose its connection.
    assert!(effect.reconnected < effect.calls / 4, "{effect}");
    assert_eq!(maximum, LIMIT as u64);
    assert!(current <= maximum + 1, "{current} connections");
    assert!(closed > 0 && closed <= made as u64);
    // Those on their way out count until they are gone.
    assert!(peak <= 2 * maximum, "{peak} connections at once");
}

#[test]
fn the_least_recently_used_is_closed_and_told_in_statistics() {
    let target = Target::start("[limits]\nconnections = 10\n");
    let mut used: Vec<Caller> = (0..9).map(|_| Caller::tcp(target.address)).collect();
    for caller in &mut used {
        caller.netinfo(Procedure::Ping, &[]);
        thread::sleep(Duration::from_millis(3));
    }
    // The second is now the least recently used one, and the first the most.
    used[0].netinfo(Procedure::Ping, &[]);
    let closed = target.connections()[3];
    assert_eq!(closed, 0, "ten fit");
    thread::sleep(Duration::from_millis(50));
    let _eleventh: Vec<Caller> = (0..2).map(|_| Caller::tcp(target.address)).collect();
    thread::sleep(Duration::from_millis(50));
    let mut gone = Vec::new();
    for (n, caller) in used.iter_mut().enumerate() {
        if caller.exchange(&wire::call(5, Procedure::Ping, &[])[4..]).is_err() {
            gone.push(n);
        }
    }
    assert_eq!(gone, [1]);
}

#[test]
fn a_storm_of_resets_leaves_nothing_behind() {
    let mut target = Target::start("");
    let (_, storms) = target.attacked("a storm of resets", |target| {
        let until = Instant::now() + Duration::from_secs(3);
        let storm = |slot: usize| {
            let ping = wire::call(1, Procedure::Ping, &[]).repeat(50);
            let mut made = 0;
            while Instant::now() < until {
                let Ok(mut stream) = TcpStream::connect(target.address) else { continue };
                // Nothing, half a record, or requests whose answers meet a closed socket.
                let cut = [0, 17, ping.len()][(made + slot) % 3];
                let _ = stream.write_all(&ping[..cut]);
                SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                made += 1;
            }
            made
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..3).map(|slot| scope.spawn(move || storm(slot))).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum::<usize>()
        })
    });
    println!("{storms} connections reset");
    let until = Instant::now() + Duration::from_secs(10);
    while target.connections()[0] > 3 {
        assert!(Instant::now() < until, "{:?}", target.connections());
        thread::sleep(Duration::from_millis(20));
    }
    let open = std::fs::read_dir(format!("/proc/{}/fd", target.node.pid())).unwrap().count();
    assert!(open < 60, "{open} descriptors are open");
}
