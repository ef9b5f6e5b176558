//! The domains on other machines that are above those served here.

use std::sync::Arc;

use netinfo_directory::binding::Parent;
use tokio::sync::watch;

use crate::node::Running;

/// The domains above, nearest first; told to whoever wants to know of changes.
pub(crate) struct Above(watch::Sender<Arc<[Parent]>>);

impl Default for Above {
    fn default() -> Self {
        Self(watch::Sender::new(Arc::from([])))
    }
}

impl Above {
    /// The domains now. Never waits.
    pub(crate) fn now(&self) -> Arc<[Parent]> {
        self.0.borrow().clone()
    }

    /// Changes from now on: `changed().await`, then `borrow()`.
    pub(crate) fn changes(&self) -> watch::Receiver<Arc<[Parent]>> {
        self.0.subscribe()
    }

    /// Puts other domains in the place of those known; says so only if they are others.
    pub(crate) fn set(&self, parents: Vec<Parent>) -> bool {
        self.0.send_if_modified(|known| {
            let other = **known != *parents;
            if other {
                *known = parents.into();
            }
            other
        })
    }
}

/// Writes in the log who is above, whenever that changes.
pub(crate) async fn tell(node: Arc<Running>) {
    let mut changes = node.above_changes();
    // The sender lives as long as the node.
    while changes.changed().await.is_ok() {
        let names: Vec<String> = node.above().iter().map(ToString::to_string).collect();
        match names.is_empty() {
            true => tracing::info!("no domain on another machine is above those served here"),
            false => {
                tracing::info!("domains on other machines above those served here: {}", names.join(", "))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_told() {
        let above = Above::default();
        let mut changes = above.changes();
        let parents: Vec<Parent> = vec!["network@10.0.0.1".parse().unwrap()];
        assert!(above.set(parents.clone()));
        assert!(changes.has_changed().unwrap());
        assert_eq!(**changes.borrow_and_update(), *parents);
        assert!(!above.set(parents.clone()));
        assert!(!changes.has_changed().unwrap());
        assert_eq!(*above.now(), *parents);
    }
}
