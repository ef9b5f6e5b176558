//! Attacks that take another machine, or another's silence.

use std::net::{Ipv4Addr, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use netinfo_directory::password;
use netinfo_server::limits::MAX_QUESTIONS;
use netinfo_testkit::Caller;
use netinfo_testkit::namespace::{Neighbour, isolated};
use netinfo_wire::netinfo::{Id, Procedure, PropArgs, Status};

use super::{Target, named};
use crate::load::wire;

#[test]
fn one_machine_cannot_take_the_connections_of_all() {
    const EACH: usize = 20;
    isolated(|| {
        let neighbour = Neighbour::new();
        let second = Ipv4Addr::new(10, 0, 0, 3);
        neighbour.add_address(second);
        let config = format!("[limits]\nconnections = 1000\nconnections_per_address = {EACH}\n");
        let target = Target::listening("0.0.0.0:0", &config);
        let address = (Ipv4Addr::new(10, 0, 0, 1), target.address.port()).into();
        let ping = |caller: &mut Caller| caller.exchange(&wire::call(1, Procedure::Ping, &[])[4..]).is_ok();
        // Somebody at this machine's other address, and somebody on the daemon's own machine.
        let mut other = neighbour.enter(|| Caller::tcp_from(second.into(), false, address));
        let mut own = Caller::tcp(address);
        assert!(ping(&mut other) && ping(&mut own));
        let mut flood: Vec<Caller> =
            neighbour.enter(|| (0..3 * EACH).map(|_| Caller::tcp(address)).collect());
        thread::sleep(Duration::from_millis(200));
        let open: Vec<bool> = flood.iter_mut().map(ping).collect();
        let (closed, kept) = open.split_at(2 * EACH);
        assert!(kept.iter().all(|open| *open), "{open:?}");
        assert!(closed.iter().all(|open| !open), "{open:?}");
        assert!(ping(&mut other) && ping(&mut own));
        assert_eq!(target.connections()[3], 2 * EACH as u64);
    });
}

/// A machine that is said to serve the parent and never answers.
#[test]
fn many_who_ask_for_a_silent_parent_make_one_search() {
    const ASKING: usize = 300;
    isolated(|| {
        let silent = Ipv4Addr::new(127, 0, 0, 99);
        let portmapper = UdpSocket::bind((silent, 111)).unwrap();
        let mut target = Target::listening("127.0.0.1:0", "");
        let machines = 1;
        target.fill(machines, 1, |_| {
            let mut properties = named("silent");
            properties.push((b"ip_address".to_vec(), vec![silent.to_string().into_bytes()]));
            properties.push((b"serves".to_vec(), vec![b"../network".to_vec()]));
            properties
        });
        let descriptors =
            |target: &Target| std::fs::read_dir(format!("/proc/{}/fd", target.node.pid())).unwrap().count();
        target.attacked("questions for a silent parent", |target| {
            let before = descriptors(target);
            let begin = Instant::now();
            thread::scope(|scope| {
                for _ in 0..ASKING {
                    let mut caller = Caller::tcp(target.address);
                    scope.spawn(move || {
                        caller.set_patience(Duration::from_secs(20));
                        assert_eq!(caller.status(Procedure::RParent, &[]), Status::NetRoot);
                    });
                }
                thread::sleep(Duration::from_secs(1));
                let open = descriptors(target) - before;
                assert!(open < ASKING + MAX_QUESTIONS, "{open} more descriptors are open");
            });
            // One search takes two seconds; whoever came while it went on shares the next one.
            assert!(begin.elapsed() < Duration::from_secs(7), "{:?}", begin.elapsed());
        });
        portmapper.set_nonblocking(true).unwrap();
        let mut questions = 0;
        while portmapper.recv(&mut [0; 100]).is_ok() {
            questions += 1;
        }
        assert!((1..=12).contains(&questions), "{questions} questions");
    });
}

#[test]
fn a_storm_of_wrong_passwords_keeps_nobody_else_waiting() {
    let mut target = Target::start("");
    target.fill(target.users, 1, |_| {
        let mut properties = named("victim");
        properties.push((b"uid".to_vec(), vec![b"501".to_vec()]));
        let hash = password::hash_new(b"right").unwrap();
        properties.push((b"passwd".to_vec(), vec![hash.as_bytes().to_vec()]));
        properties
    });
    let address = target.address;
    let bad = || -> u64 { wire::statistic(&mut Caller::tcp(address), "authentications")[1].parse().unwrap() };
    let before = bad();
    let (_, refused) = target.attacked("wrong passwords", |_| {
        let until = Instant::now() + Duration::from_secs(2);
        let guess = || {
            let mut args = Vec::new();
            PropArgs { id: Id::new(0, 0), prop_index: 0 }.encode(&mut args);
            let mut caller = Caller::tcp(address).with_password(501, b"wrong");
            caller.set_patience(Duration::from_secs(60));
            let mut refused = 0;
            while Instant::now() < until {
                assert_eq!(caller.status(Procedure::DestroyProp, &args), Status::AuthError);
                refused += 1;
            }
            refused
        };
        thread::scope(|scope| {
            let threads: Vec<_> = (0..10).map(|_| scope.spawn(guess)).collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum::<u64>()
        })
    });
    println!("{refused} wrong passwords");
    assert_eq!(bad() - before, refused);
    let lines = target.node.log().matches("authentication failed").count();
    assert!(lines <= 60, "{lines} lines in the log");
}
