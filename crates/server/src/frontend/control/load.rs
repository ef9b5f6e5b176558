//! Imports that come over the local socket: every chunk of the upload is some items, and its answer says what came of
//! those that have been put in place until then, some thousand in one commit.

use std::sync::Arc;

use netinfo_directory::Domain;
use netinfo_migrate::item::Decoder;
use netinfo_migrate::plan::Policy;
use netinfo_migrate::{Error, Local, Options};
use netinfo_wire::netinfo::Status;
use serde_json::Value;

use super::{Answer, Failure};

/// An import under way.
pub(super) struct Load {
    local: Local,
    decoder: Decoder,
}

impl Load {
    /// The request has the `policy`, and as `into` the names of the directory below which everything goes.
    pub(super) fn begin(domain: Arc<Domain>, request: &Value) -> Result<Self, Failure> {
        let bad = |text: &str| Failure::new(Status::Serial, text.to_owned());
        let policy = request["policy"]
            .as_str()
            .and_then(Policy::named)
            .ok_or_else(|| bad("there is no such policy"))?;
        let into = netinfo_migrate::names_from_json(&request["into"])
            .ok_or_else(|| bad("\"into\" is no list of names"))?;
        let local = Local::new(domain, Options { policy, into, details: false }).map_err(failure)?;
        Ok(Self { local, decoder: Decoder::default() })
    }

    pub(super) fn add(&mut self, data: &[u8]) -> Answer {
        let items = self.decoder.feed(data);
        let items = items.ok_or_else(|| Failure::new(Status::Serial, "the upload is no stream of items"))?;
        Ok(self.local.offer(items).map_err(failure)?.to_json())
    }

    pub(super) fn end(mut self) -> Answer {
        match self.decoder.is_done() {
            true => Ok(self.local.settle().map_err(failure)?.to_json()),
            false => Err(Failure::new(Status::Serial, "the upload ends in the middle of an item")),
        }
    }
}

fn failure(error: Error) -> Failure {
    match error {
        Error::Core(error) => error.into(),
        other => Failure::new(Status::SystemErr, other.to_string()),
    }
}
