//! The master's rules, one by one.

use std::time::{Duration, Instant};

use netinfo_directory::Server;

use super::super::limits::{BUSY_PATIENCE, QUIET, REMIND_FIRST, REMIND_MAX};
use super::super::master::{Busy, Done, Job, Master, Settings, Start};
use super::server;

const LATENCY: Duration = Duration::from_secs(2);
const PERIOD: Duration = Duration::from_secs(1800);
const SETTINGS: Settings = Settings { latency: LATENCY, threads: 5, period: Some(PERIOD) };

/// A master at the change 10, and its time.
struct Scene {
    master: Master,
    now: Instant,
}

impl Scene {
    /// With that many clones, which have been told CRASHED.
    fn new(clones: u8) -> Self {
        let mut scene = Self::unstarted();
        scene.list((1..=clones).map(server).collect(), 10);
        for start in scene.poll() {
            assert_eq!(start.job, Job::Crashed);
            scene.end(&start, Done::Delivered);
        }
        scene
    }

    fn unstarted() -> Self {
        let now = Instant::now();
        Self { master: Master::new(SETTINGS, 10, now), now }
    }

    fn list(&mut self, servers: Vec<Server>, sequence: u64) {
        assert!(self.master.wants_list(self.now));
        self.master.list(servers, sequence, self.now);
        assert!(!self.master.wants_list(self.now));
    }

    fn poll(&mut self) -> Vec<Start> {
        self.master.poll(self.now).0
    }

    /// The only job that is begun now.
    fn one(&mut self) -> Start {
        let mut starts = self.poll();
        assert_eq!(starts.len(), 1, "{starts:?}");
        starts.remove(0)
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }

    fn commit(&mut self, sequence: u64) {
        self.master.committed(sequence, self.now);
    }

    fn end(&mut self, start: &Start, done: Done) {
        self.master.ended(start.ticket, done, self.now);
    }

    fn read(&mut self, clone: u8, snapshot: Option<u64>) {
        let reading = self.master.begin_copy(Some(server(clone).address), true, self.now).unwrap();
        self.master.end_copy(reading, snapshot, self.now);
    }

    fn resync(&mut self, servers: Vec<Server>, sequence: u64) {
        self.master.resync(self.now);
        self.wait(QUIET);
        self.list(servers, sequence);
    }
}

fn changes(after: u64, upto: u64) -> Job {
    Job::Changes { after, upto }
}

#[test]
fn waits_for_the_first_clone() {
    let mut scene = Scene::unstarted();
    scene.list(Vec::new(), 10);
    assert_eq!((scene.master.known(), scene.poll()), (None, Vec::new()));
    scene.commit(11);
    assert!(!scene.master.wants_list(scene.now), "not after every one of many commits");
    assert_eq!(scene.master.poll(scene.now).1, Some(scene.now + QUIET));
    scene.wait(QUIET);
    scene.list(vec![server(1)], 11);
    assert_eq!(scene.master.known(), Some(1));
    assert_eq!(scene.one().job, Job::Crashed);
    scene.wait(LATENCY);
    assert_eq!(scene.poll(), Vec::new(), "nothing from before the start is pushed");
}

#[test]
fn changes_are_pushed_together_after_the_latency() {
    let mut scene = Scene::new(2);
    scene.commit(11);
    assert_eq!(scene.master.poll(scene.now), (Vec::new(), Some(scene.now + LATENCY)));
    scene.wait(LATENCY / 2);
    scene.commit(12);
    scene.wait(LATENCY / 2);
    let starts = scene.poll();
    assert_eq!(starts.iter().map(|s| s.job).collect::<Vec<_>>(), [changes(10, 12); 2]);
    assert_eq!((scene.master.running(), scene.master.pending()), (2, 2));
    scene.end(&starts[0], Done::Delivered);
    assert_eq!((scene.master.running(), scene.master.pending()), (1, 2));
    scene.end(&starts[1], Done::Delivered);
    assert_eq!((scene.master.running(), scene.master.pending()), (0, 0));
}

#[test]
fn a_change_during_a_push_is_not_forgotten() {
    let mut scene = Scene::new(1);
    scene.commit(11);
    scene.wait(LATENCY);
    let first = scene.one();
    scene.commit(12);
    scene.wait(LATENCY);
    assert_eq!(scene.poll(), Vec::new(), "one job at a time, or the order would be lost");
    scene.end(&first, Done::Delivered);
    assert_eq!(scene.one().job, changes(11, 12));
}

#[test]
fn a_change_while_clones_are_told_of_the_start_is_not_forgotten() {
    let mut scene = Scene::unstarted();
    scene.list(vec![server(1)], 10);
    let crashed = scene.one();
    scene.commit(11);
    scene.wait(LATENCY);
    assert_eq!(scene.poll(), Vec::new());
    scene.end(&crashed, Done::Delivered);
    assert_eq!(scene.one().job, changes(10, 11));
}

#[test]
fn a_clone_that_fails_is_reminded_and_gets_nothing_else() {
    let mut scene = Scene::new(2);
    scene.commit(11);
    scene.wait(LATENCY);
    let starts = scene.poll();
    scene.end(&starts[0], Done::Failed);
    scene.end(&starts[1], Done::Delivered);
    assert_eq!(scene.master.pending(), 0, "nothing waits for it");
    scene.commit(12);
    scene.wait(LATENCY);
    assert_eq!(scene.one().server, starts[1].server);
    let mut pause = REMIND_FIRST;
    scene.now += pause - LATENCY;
    for _ in 0..10 {
        let reminder = scene.one();
        assert_eq!((&reminder.server, reminder.job), (&starts[0].server, Job::Resync));
        scene.end(&reminder, Done::Failed);
        pause = (pause * 2).min(REMIND_MAX);
        scene.now += pause - Duration::from_secs(1);
        if scene.master.wants_list(scene.now) {
            scene.now += Duration::from_secs(1);
            break;
        }
        assert_eq!(scene.poll(), Vec::new());
        scene.now += Duration::from_secs(1);
    }
    let reminder = scene.one();
    scene.commit(13);
    scene.end(&reminder, Done::Delivered);
    scene.wait(LATENCY);
    assert!(scene.poll().iter().any(|s| s.server == starts[0].server && s.job == changes(12, 13)));
}

#[test]
fn a_whole_copy_brings_a_clone_back() {
    let mut scene = Scene::new(1);
    scene.commit(11);
    scene.wait(LATENCY);
    let push = scene.one();
    scene.end(&push, Done::Failed);
    scene.commit(12);
    scene.read(1, Some(12));
    scene.commit(13);
    scene.wait(LATENCY);
    assert_eq!(scene.one().job, changes(12, 13));
}

#[test]
fn a_copy_cut_short_brings_nobody_back() {
    let mut scene = Scene::new(1);
    scene.commit(11);
    scene.read(1, None);
    scene.wait(LATENCY);
    assert_eq!(scene.poll(), Vec::new());
    scene.wait(REMIND_FIRST);
    assert_eq!(scene.one().job, Job::Resync);
}

#[test]
fn nothing_is_pushed_during_a_copy_and_shortly_after() {
    let mut scene = Scene::new(1);
    let address = Some(server(1).address);
    let reading = scene.master.begin_copy(address, true, scene.now).unwrap();
    scene.commit(11);
    scene.commit(12);
    scene.wait(LATENCY * 3);
    assert_eq!(scene.poll(), Vec::new());
    scene.master.end_copy(reading, Some(11), scene.now);
    assert_eq!(scene.master.poll(scene.now), (Vec::new(), Some(scene.now + LATENCY)));
    scene.wait(LATENCY);
    assert_eq!(scene.one().job, changes(11, 12));
}

#[test]
fn a_push_overtaken_by_a_copy_does_not_count() {
    let mut scene = Scene::new(1);
    scene.commit(11);
    scene.wait(LATENCY);
    let push = scene.one();
    assert!(scene.master.wants(push.ticket));
    scene.read(1, Some(11));
    assert!(!scene.master.wants(push.ticket), "it can stop");
    scene.end(&push, Done::Failed);
    scene.commit(12);
    scene.wait(LATENCY);
    assert_eq!(scene.one().job, changes(11, 12));
}

#[test]
fn an_equal_checksum_is_no_proof_for_a_clone_that_is_still_fed() {
    let mut scene = Scene::new(1);
    scene.commit(11);
    let reading = scene.master.begin_copy(Some(server(1).address), false, scene.now).unwrap();
    scene.master.end_copy(reading, Some(11), scene.now);
    scene.wait(LATENCY);
    let push = scene.one();
    assert_eq!(push.job, changes(10, 11));
    scene.end(&push, Done::Failed);
    // One that is out of sync is taken at its word.
    let reading = scene.master.begin_copy(Some(server(1).address), false, scene.now).unwrap();
    scene.master.end_copy(reading, Some(11), scene.now);
    scene.commit(12);
    scene.wait(LATENCY);
    assert_eq!(scene.one().job, changes(11, 12));
}

#[test]
fn copies_are_refused_while_others_wait_for_changes_but_not_for_ever() {
    let mut scene = Scene::new(2);
    scene.commit(11);
    let (first, other) = (Some(server(1).address), Some(server(9).address));
    assert!(scene.master.begin_copy(first, false, scene.now).is_ok(), "up to date");
    assert_eq!(scene.master.begin_copy(other, true, scene.now), Err(Busy));
    assert_eq!(scene.master.begin_copy(first, true, scene.now), Err(Busy));
    scene.wait(BUSY_PATIENCE);
    assert_eq!(scene.master.begin_copy(other, true, scene.now), Err(Busy), "unknown");
    assert!(scene.master.begin_copy(first, true, scene.now).is_ok());
}

#[test]
fn nobody_waits_for_a_clone_that_never_answered() {
    let mut scene = Scene::unstarted();
    scene.list(vec![server(1), server(2)], 10);
    let starts = scene.poll();
    scene.end(&starts[0], Done::Delivered);
    scene.commit(11);
    assert_eq!(scene.master.pending(), 1);
    assert!(scene.master.begin_copy(Some(server(1).address), true, scene.now).is_ok());
    assert_eq!(scene.master.begin_copy(Some(server(2).address), true, scene.now), Err(Busy));
}

#[test]
fn what_a_clone_itself_waits_for_does_not_refuse_its_copy() {
    let mut scene = Scene::new(1);
    scene.commit(11);
    scene.read(1, Some(11));
    assert_eq!(scene.master.pending(), 0);
}

#[test]
fn two_clones_at_one_address_are_not_told_apart() {
    let mut scene = Scene::unstarted();
    let other = Server { tag: "copy".into(), ..server(1) };
    scene.list(vec![server(1), other, server(1)], 10);
    assert_eq!(scene.master.known(), Some(2), "the same one twice counts once");
    for start in scene.poll() {
        scene.end(&start, Done::Failed);
    }
    scene.read(1, Some(10));
    scene.commit(11);
    scene.wait(LATENCY);
    assert_eq!(scene.poll(), Vec::new());
}

#[test]
fn changes_no_longer_kept_mean_resync_at_once() {
    let mut scene = Scene::new(1);
    scene.commit(1_000_000);
    scene.wait(LATENCY);
    let push = scene.one();
    scene.end(&push, Done::Lost);
    assert_eq!(scene.one().job, Job::Resync);
}

#[test]
fn resync_follows_what_is_pending_and_reaches_everybody() {
    let mut scene = Scene::new(2);
    scene.commit(11);
    scene.wait(LATENCY);
    let starts = scene.poll();
    scene.end(&starts[0], Done::Failed);
    scene.resync(vec![server(1), server(2), server(3)], 12);
    assert_eq!(scene.master.known(), Some(3));
    let begun = scene.poll();
    let jobs: Vec<_> = begun.iter().map(|s| (s.server.address.octets()[3], s.job)).collect();
    assert_eq!(jobs, [(3, Job::Resync), (1, Job::Resync)], "the second is being served");
    scene.commit(13);
    scene.end(&starts[1], Done::Delivered);
    let rest = scene.one();
    assert_eq!(rest.job, changes(11, 13));
    scene.end(&rest, Done::Delivered);
    assert_eq!(scene.one().job, Job::Resync);
}

#[test]
fn clones_that_left_the_list_are_forgotten_at_a_resync() {
    let mut scene = Scene::new(2);
    scene.commit(11);
    scene.wait(LATENCY);
    let starts = scene.poll();
    scene.resync(vec![server(2)], 11);
    scene.end(&starts[0], Done::Delivered);
    assert_eq!((scene.master.known(), scene.master.running()), (Some(1), 1));
}

#[test]
fn resync_is_periodic_and_not_made_too_often() {
    let mut scene = Scene::new(1);
    assert_eq!(scene.master.poll(scene.now).1, Some(scene.now + PERIOD));
    scene.wait(PERIOD);
    scene.list(vec![server(1)], 10);
    assert_eq!(scene.master.resynced(), scene.now);
    scene.master.resync(scene.now);
    scene.master.resync(scene.now);
    assert!(!scene.master.wants_list(scene.now));
    scene.wait(QUIET);
    assert!(scene.master.wants_list(scene.now));
    scene.list(vec![server(1)], 10);
    scene.master.configure(Settings { period: None, ..SETTINGS });
    scene.wait(PERIOD * 100);
    assert!(!scene.master.wants_list(scene.now));
}

#[test]
fn no_more_clones_at_once_than_there_are_threads() {
    let mut scene = Scene::unstarted();
    scene.master.configure(Settings { threads: 2, ..SETTINGS });
    scene.list((1..=5).map(server).collect(), 10);
    let mut order = Vec::new();
    for _ in 0..5 {
        let starts = scene.poll();
        assert!(scene.master.running() <= 2);
        for start in starts {
            order.push(start.server.address.octets()[3]);
            scene.end(&start, Done::Delivered);
        }
    }
    assert_eq!(order, [1, 2, 3, 4, 5]);
    scene.master.configure(Settings { threads: 0, ..SETTINGS });
    scene.commit(11);
    scene.wait(LATENCY);
    assert_eq!(scene.poll().len(), 1, "0 would be none at all");
}
