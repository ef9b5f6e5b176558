//! Checking passwords: on a few threads of their own, which take turns.
//!
//! A check takes tens of milliseconds and megabytes. So there are few at once, and however many wait, none of them takes
//! a thread away from other work.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use netinfo_directory::{Error, Origin, Result, Session};
use tokio::sync::oneshot;

use crate::frontend::{OwnedCredentials, now};
use crate::limits::PASSWORD_CHECKS;
use crate::served::Served;

type Job = Box<dyn FnOnce() + Send>;

/// The threads. They end when this is dropped.
pub(crate) struct Passwords(Sender<Job>);

impl Passwords {
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, queue) = channel();
        let queue = Arc::new(Mutex::new(queue));
        for n in 0..PASSWORD_CHECKS {
            let queue = queue.clone();
            thread::Builder::new().name(format!("password {n}")).spawn(move || work(&queue))?;
        }
        Ok(Self(jobs))
    }

    /// Does work that hashes a password. Nothing comes if there is no thread for it, or it fails.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> oneshot::Receiver<T> {
        let (tx, result) = oneshot::channel();
        // Without a thread there is no answer either.
        let _ = self.0.send(Box::new(move || drop(tx.send(work()))));
        result
    }

    /// Finds out who is calling, by the password in the credentials.
    pub(crate) async fn check(
        &self,
        served: Arc<Served>,
        credentials: OwnedCredentials,
        origin: Origin,
    ) -> Result<Session> {
        let result = self.run(move || served.domain.authenticate_at(credentials.borrow(), origin, now()));
        result.await.unwrap_or(Err(Error::Busy))
    }
}

fn work(queue: &Mutex<Receiver<Job>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        match job {
            // A thread lost to a defect would be missed for as long as the daemon runs.
            Ok(job) => drop(catch_unwind(AssertUnwindSafe(job))),
            Err(_) => return,
        }
    }
}
