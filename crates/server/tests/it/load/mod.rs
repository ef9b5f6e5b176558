//! Load for the daemon, and what must have become of it.
//!
//! * [`model`] – a domain as the protocol describes it: every change applied to maps,
//! * [`change`] – one change, for the wire and for the model; how a random one is made,
//! * [`wire`] – many calls at once over one connection, whole databases, checks.

pub(crate) mod change;
pub(crate) mod model;
pub(crate) mod wire;

/// Random numbers from a seed that is printed, so that a run can be repeated.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    /// The seed in the environment variable `NETINFO_SEED`, else a new one; printed either way.
    pub(crate) fn from_environment(what: &str) -> Self {
        let given = std::env::var("NETINFO_SEED").ok();
        let seed = match given {
            Some(text) => text.parse().unwrap_or_else(|e| panic!("NETINFO_SEED={text}: {e}")),
            None => std::time::UNIX_EPOCH.elapsed().unwrap().as_nanos() as u64,
        };
        println!("{what}: to repeat, NETINFO_SEED={seed}");
        Self(seed)
    }

    /// Another sequence.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    /// Any number (the SplitMix64 generator).
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    /// Whether something of this chance happens.
    pub(crate) fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }
}

/// A number in the environment, else `default`.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|e| panic!("{name}={text}: {e}")),
        Err(_) => default,
    }
}
