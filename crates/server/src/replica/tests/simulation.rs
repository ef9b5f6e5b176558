//! A master and its clones over a network that fails, in simulated time: whatever happens, once everything is connected
//! again all have the same checksum.

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::super::clone::Checks;
use super::super::master::{Done, Job, Master, Reading, Settings, Start, Ticket};
use super::server;

const CLONES: usize = 3;
/// Changes the simulated feed keeps.
const RETENTION: u64 = 12;
/// Longest time until everybody agrees: the longest pause between two reminders, and some more.
const SETTLED: Duration = Duration::from_secs(1800);
/// More events than that within [`SETTLED`] would mean that somebody runs in circles.
const MOST_EVENTS: usize = 20_000;

/// A database reduced to what replication looks at: instances, and a content for each directory.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Model(BTreeMap<u32, (u32, u32)>);

#[derive(Debug, Clone, Copy)]
enum Change {
    Write { object: u32, instance: u32, content: u32 },
    Create { parent: u32, target: u32 },
    Destroy { parent: u32, object: u32, instance: u32 },
}

impl Model {
    fn new() -> Self {
        Self(BTreeMap::from([(0, (1, 0))]))
    }

    fn checksum(&self) -> u32 {
        self.0.iter().map(|(object, (instance, _))| (object + 1) * instance).sum()
    }

    /// Makes a change as a server does; `Err` if an instance is not current. Returns the id a new directory got.
    fn apply(&mut self, change: Change) -> Result<Option<u32>, ()> {
        let current = |model: &Self, object, instance| model.0.get(&object).is_some_and(|d| d.0 == instance);
        match change {
            Change::Write { object, instance, content } if current(self, object, instance) => {
                self.0.insert(object, (instance + 1, content));
                Ok(None)
            }
            Change::Create { parent, .. } if current(self, 0, parent) => {
                let free = (1..).find(|id| !self.0.contains_key(id)).unwrap_or(0);
                self.0.insert(free, (0, 0));
                self.raise_root();
                Ok(Some(free))
            }
            Change::Destroy { parent, object, instance }
                if current(self, 0, parent) && current(self, object, instance) =>
            {
                self.0.remove(&object);
                self.raise_root();
                Ok(None)
            }
            _ => Err(()),
        }
    }

    fn raise_root(&mut self) {
        if let Some(root) = self.0.get_mut(&0) {
            root.0 += 1;
        }
    }
}

struct Clone_ {
    model: Model,
    checks: Checks,
    /// Counts restarts.
    life: u32,
    up: bool,
    linked: bool,
    /// A copy is going into the store: updates wait for it.
    replacing: bool,
}

/// Something under way.
struct Task {
    at: Instant,
    kind: Kind,
}

enum Kind {
    /// A job of the master's life, and the changes it has pushed up to.
    Push { life: u32, start: Start, clone: usize, after: u64 },
    /// A clone's life, about to send READALL.
    Ask { clone: usize, life: u32 },
    /// A READALL being answered.
    Copy { clone: usize, life: u32, master: u32, reading: Option<Reading>, snapshot: (Model, u64) },
}

struct World {
    now: Instant,
    seed: u64,
    settings: Settings,
    master: Master,
    /// Counts restarts of the master.
    life: u32,
    model: Model,
    feed: VecDeque<(u64, Change)>,
    sequence: u64,
    clones: Vec<Clone_>,
    tasks: Vec<Task>,
    events: usize,
}

impl World {
    fn new(seed: u64, period: bool) -> Self {
        let now = Instant::now();
        let period = period.then_some(Duration::from_secs(60));
        let settings = Settings { latency: Duration::from_secs(2), threads: 2, period };
        let clone = || Clone_ {
            model: Model::new(),
            checks: Checks::new(period, now),
            life: 0,
            up: true,
            linked: true,
            replacing: false,
        };
        Self {
            now,
            seed,
            settings,
            master: Master::new(settings, 0, now),
            life: 0,
            model: Model::new(),
            feed: VecDeque::new(),
            sequence: 0,
            clones: (0..CLONES).map(|_| clone()).collect(),
            tasks: Vec::new(),
            events: 0,
        }
    }

    fn random(&mut self, below: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % below
    }

    /// A change by a user of the master.
    fn write(&mut self) {
        let objects: Vec<_> = self.model.0.iter().map(|(object, dir)| (*object, dir.0)).collect();
        let (object, instance) = objects[self.random(objects.len() as u64) as usize];
        let parent = self.model.0[&0].0;
        let change = match self.random(4) {
            0 => Change::Create {
                parent,
                target: (1..).find(|id| !self.model.0.contains_key(id)).unwrap_or(0),
            },
            1 if object != 0 => Change::Destroy { parent, object, instance },
            _ => Change::Write { object, instance, content: self.random(1000) as u32 },
        };
        self.model.apply(change).unwrap();
        self.sequence += 1;
        self.feed.push_back((self.sequence, change));
        if self.feed.len() as u64 > RETENTION {
            self.feed.pop_front();
        }
        self.master.committed(self.sequence, self.now);
    }

    fn task(&mut self, most_millis: u64, kind: Kind) {
        let at = self.now + Duration::from_millis(1 + self.random(most_millis));
        self.tasks.push(Task { at, kind });
    }

    /// Everything that happens until `end`.
    fn run_until(&mut self, end: Instant) {
        loop {
            let next = self.begin_what_is_due();
            let first = self.tasks.iter().map(|task| task.at).chain(next).min();
            let Some(at) = first.filter(|at| *at <= end) else { break };
            self.now = self.now.max(at);
            self.events += 1;
            if let Some(place) = self.tasks.iter().position(|task| task.at <= self.now) {
                let task = self.tasks.remove(place);
                self.run(task.kind);
            }
        }
        self.now = end;
    }

    /// What the drivers do; returns when they would look again.
    fn begin_what_is_due(&mut self) -> Option<Instant> {
        if self.master.wants_list(self.now) {
            let servers = (0..CLONES).map(|n| server(n as u8)).collect();
            self.master.list(servers, self.sequence, self.now);
        }
        let (starts, mut next) = self.master.poll(self.now);
        for start in starts {
            let clone = usize::from(start.server.address.octets()[3]);
            let after = if let Job::Changes { after, .. } = start.job { after } else { 0 };
            let life = self.life;
            self.task(300, Kind::Push { life, start, clone, after });
        }
        for clone in 0..CLONES {
            if !self.clones[clone].up {
                continue;
            }
            let (check, at) = self.clones[clone].checks.poll(self.now);
            if check {
                let life = self.clones[clone].life;
                self.task(300, Kind::Ask { clone, life });
            }
            next = next.into_iter().chain(at).min();
        }
        next
    }

    fn run(&mut self, kind: Kind) {
        match kind {
            Kind::Push { life, start, clone, after } if life == self.life => self.push(start, clone, after),
            Kind::Push { .. } => {}
            Kind::Ask { clone, life } if life == self.clones[clone].life => self.ask(clone),
            Kind::Ask { .. } => {}
            Kind::Copy { clone, life, master, reading, snapshot } => {
                self.copied(clone, life, master, reading, snapshot);
            }
        }
    }

    fn ended(&mut self, ticket: Ticket, done: Done) {
        self.master.ended(ticket, done, self.now);
    }

    fn push(&mut self, start: Start, clone: usize, after: u64) {
        let ticket = start.ticket;
        let now = self.now;
        let there = &mut self.clones[clone];
        if !there.up || !there.linked {
            return self.ended(ticket, Done::Failed);
        }
        let upto = match start.job {
            Job::Crashed => {
                if there.model.checksum() != self.model.checksum() {
                    there.checks.trigger(now);
                }
                return self.ended(ticket, Done::Delivered);
            }
            Job::Resync => {
                there.checks.trigger(now);
                return self.ended(ticket, Done::Delivered);
            }
            Job::Changes { upto, .. } => upto,
        };
        if there.replacing {
            return self.task(100, Kind::Push { life: self.life, start, clone, after });
        }
        let Some((sequence, change)) = self.feed.iter().copied().find(|(n, _)| *n == after + 1) else {
            return self.ended(ticket, Done::Lost);
        };
        match (there.model.apply(change), change) {
            (Err(()), _) => {
                there.checks.trigger(now);
                return self.ended(ticket, Done::Failed);
            }
            (Ok(Some(got)), Change::Create { target, .. }) if got != target => there.checks.trigger(now),
            (Ok(_), _) => there.checks.updated(),
        }
        if sequence == upto {
            return self.ended(ticket, Done::Delivered);
        }
        self.task(50, Kind::Push { life: self.life, start, clone, after: sequence });
    }

    fn ask(&mut self, clone: usize) {
        let (now, whole) = (self.now, self.clones[clone].model.checksum() != self.model.checksum());
        let address: Ipv4Addr = server(clone as u8).address;
        if !self.clones[clone].linked {
            return self.clones[clone].checks.ended(false, now);
        }
        let Ok(reading) = self.master.begin_copy(Some(address), whole, now) else {
            return self.clones[clone].checks.ended(false, now);
        };
        if !whole {
            self.master.end_copy(reading, Some(self.sequence), now);
            return self.clones[clone].checks.ended(true, now);
        }
        self.clones[clone].replacing = true;
        let (life, master) = (self.clones[clone].life, self.life);
        let snapshot = (self.model.clone(), self.sequence);
        self.task(3000, Kind::Copy { clone, life, master, reading: Some(reading), snapshot });
    }

    fn copied(
        &mut self,
        clone: usize,
        life: u32,
        master: u32,
        reading: Option<Reading>,
        snapshot: (Model, u64),
    ) {
        let here = life == self.clones[clone].life;
        let arrived = self.clones[clone].linked && master == self.life;
        // A master cannot tell whether what it sent has arrived at a clone that went down.
        let believed = arrived && (here || self.random(2) == 0);
        if let Some(reading) = reading.filter(|_| master == self.life) {
            self.master.end_copy(reading, believed.then_some(snapshot.1), self.now);
        }
        if here {
            let there = &mut self.clones[clone];
            there.replacing = false;
            if arrived {
                there.model = snapshot.0;
            }
            there.checks.ended(arrived, self.now);
        }
    }

    fn start_clone(&mut self, clone: usize) {
        let there = &mut self.clones[clone];
        there.life += 1;
        (there.up, there.replacing) = (true, false);
        there.checks = Checks::new(self.settings.period, self.now);
    }

    fn stop_clone(&mut self, clone: usize) {
        let there = &mut self.clones[clone];
        there.life += 1;
        (there.up, there.replacing) = (false, false);
    }

    fn restart_master(&mut self) {
        self.life += 1;
        self.master = Master::new(self.settings, self.sequence, self.now);
    }

    fn act(&mut self, action: Action) {
        match action {
            Action::Write(count) => (0..count).for_each(|_| self.write()),
            Action::Wait(millis) => self.run_until(self.now + Duration::from_millis(millis)),
            Action::Cut(clone) => self.clones[clone].linked = false,
            Action::Join(clone) => self.clones[clone].linked = true,
            Action::Stop(clone) => self.stop_clone(clone),
            Action::Start(clone) => self.start_clone(clone),
            Action::RestartMaster => self.restart_master(),
            Action::Resync => self.master.resync(self.now),
            Action::Tamper(clone) => {
                // Somebody changes a stopped clone's data, say with an old backup.
                if !self.clones[clone].up {
                    self.clones[clone].model = Model::new();
                }
            }
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Action {
    Write(u32),
    Wait(u64),
    Cut(usize),
    Join(usize),
    Stop(usize),
    Start(usize),
    RestartMaster,
    Resync,
    Tamper(usize),
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        5 => (1u32..6).prop_map(Action::Write),
        1 => (6u32..40).prop_map(Action::Write),
        8 => (1u64..4000).prop_map(Action::Wait),
        1 => (4000u64..90_000).prop_map(Action::Wait),
        2 => (0..CLONES).prop_map(Action::Cut),
        3 => (0..CLONES).prop_map(Action::Join),
        2 => (0..CLONES).prop_map(Action::Stop),
        3 => (0..CLONES).prop_map(Action::Start),
        1 => Just(Action::RestartMaster),
        1 => Just(Action::Resync),
        1 => (0..CLONES).prop_map(Action::Tamper),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn everybody_agrees_in_the_end(
        seed: u64,
        period: bool,
        actions in proptest::collection::vec(action(), 1..60),
    ) {
        let mut world = World::new(seed, period);
        for action in actions {
            world.act(action);
        }
        for clone in 0..CLONES {
            world.clones[clone].linked = true;
            if !world.clones[clone].up {
                world.start_clone(clone);
            }
        }
        world.events = 0;
        world.run_until(world.now + SETTLED);
        for (n, clone) in world.clones.iter().enumerate() {
            prop_assert_eq!(clone.model.checksum(), world.model.checksum(), "clone {}", n);
        }
        prop_assert_eq!(world.master.pending(), 0);
        prop_assert!(world.events < MOST_EVENTS, "{} events", world.events);

        // Different histories may have the same checksum; the protocol cannot tell, and takes a copy at the next change.
        prop_assume!(world.clones.iter().all(|clone| clone.model == world.model));
        // And from then on changes are pushed in time; a periodic check may come between and take a whole copy first.
        world.write();
        let patience = Duration::from_secs(if period { 15 } else { 1 });
        world.run_until(world.now + world.settings.latency + patience);
        for (n, clone) in world.clones.iter().enumerate() {
            prop_assert_eq!(clone.model.checksum(), world.model.checksum(), "clone {}, one more change", n);
        }
    }
}
