//! Fetching from memory ahead of the questions: in a large domain a look-up mostly waits for it, one place after the other. Where
//! several questions have come together, their waits can go on at once. These are hints; no answer depends on them.

use crate::model::is_secret;
use crate::remembered::Question;
use crate::view::View;

/// A look-up that will be made soon.
#[derive(Clone, Copy)]
pub struct Ahead(Question);

impl View<'_> {
    /// A child of `directory` will be looked up soon by `key` and `value`: fetches what leads to the answer. Nothing is waited for.
    pub fn fetch_lookup(&self, directory: u32, key: &[u8], value: &[u8]) -> Option<Ahead> {
        if is_secret(key) {
            return None;
        }
        let (store, _) = self.parts();
        let question = store.remembered.question(directory, key, value);
        store.remembered.fetch_answer(question);
        Some(Ahead(question))
    }

    /// The child that is looked up will be sent: fetches what leads to it, where the answer is remembered. Waits for what
    /// [`View::fetch_lookup`] has fetched.
    pub fn fetch_found(&self, ahead: Ahead) {
        let (store, txn) = self.parts();
        if let Some(object) = store.remembered.get(txn.id(), ahead.0) {
            store.remembered.fetch_rendering(object);
        }
    }

    /// A directory will be sent soon: fetches what leads to it. Nothing is waited for.
    pub fn fetch(&self, object: u32) {
        self.parts().0.remembered.fetch_rendering(object);
    }
}
