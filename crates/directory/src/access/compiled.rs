//! The rules and settings of a domain, ready for questions.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, PoisonError, RwLock};

use super::public::SELF_WRITTEN;
use super::rule::{Rule, RuleError};
use super::tree::Tree;
use crate::error::Result;
use crate::model::ROOT;
use crate::record::RecordRef;

/// Most rules of a domain, those of the configuration included.
pub const RULES_LIMIT: usize = 128;

/// Finds the properties in which values of an attribute may be stored, given its name as a rule has it.
pub type AttributeNames = Arc<dyn Fn(&[u8]) -> Vec<Vec<u8>> + Send + Sync>;

/// What is added to the rules in the tree from outside.
#[derive(Default)]
struct Added {
    /// Counts how often anything here was replaced.
    generation: u64,
    /// Rules that come before those of the tree.
    rules: Vec<Rule>,
    /// How rules may call properties, besides their own names.
    names: Option<AttributeNames>,
}

/// What the root's `_anonymous` lets anonymous callers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anonymous {
    Nothing,
    Posix,
    Everything,
}

/// One rule in its place.
pub(super) struct Placed {
    /// A rule that cannot be read denies everything, so that a slip of the pen opens nothing.
    pub(super) rule: std::result::Result<Rule, (String, RuleError)>,
    /// All names of the properties it is about, in lower case; `None` for all.
    pub(super) names: Option<Vec<Vec<u8>>>,
    pub(super) source: RuleSource,
}

impl Placed {
    pub(super) fn text(&self) -> &str {
        match &self.rule {
            Ok(rule) => rule.text(),
            Err((text, _)) => text,
        }
    }
}

/// Where a rule stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RuleSource {
    /// Rule number so many of the configuration, from 1.
    Configuration(usize),
    /// Value number so many of `_access` in the root directory, from 1.
    Tree(usize),
}

/// Everything that decides, for one state of the root directory.
pub(super) struct Compiled {
    pub(super) rules: Vec<Placed>,
    pub(super) anonymous: Anonymous,
    /// Properties of their own directory that users write, in lower case.
    pub(super) self_written: Vec<Vec<u8>>,
}

/// What was compiled last, and from what.
#[derive(Default)]
pub(crate) struct RulesCache {
    added: RwLock<Added>,
    last: RwLock<Option<(u64, Arc<Compiled>)>>,
    /// The rules of one state of the store: its number, and the generation of what is added.
    recent: RwLock<Option<(u64, u64, Arc<Compiled>)>>,
}

impl RulesCache {
    pub(crate) fn set_rules(&self, rules: Vec<Rule>) {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        (added.generation, added.rules) = (added.generation + 1, rules);
    }

    pub(crate) fn set_names(&self, names: AttributeNames) {
        let mut added = self.added.write().unwrap_or_else(PoisonError::into_inner);
        (added.generation, added.names) = (added.generation + 1, Some(names));
    }

    /// The rules as the root directory has them now. `state` is the number of the snapshot's state, if it is one.
    pub(super) fn current(&self, tree: Tree<'_>, state: Option<u64>) -> Result<Arc<Compiled>> {
        let added = self.added.read().unwrap_or_else(PoisonError::into_inner);
        let Some(state) = state else { return self.compare(tree, &added) };
        if let Some((known, generation, compiled)) =
            &*self.recent.read().unwrap_or_else(PoisonError::into_inner)
            && (*known, *generation) == (state, added.generation)
        {
            return Ok(compiled.clone());
        }
        let compiled = self.compare(tree, &added)?;
        let recent = (state, added.generation, compiled.clone());
        *self.recent.write().unwrap_or_else(PoisonError::into_inner) = Some(recent);
        Ok(compiled)
    }

    /// The rules as the root directory has them, which is looked at.
    fn compare(&self, tree: Tree<'_>, added: &Added) -> Result<Arc<Compiled>> {
        let root = tree.record(ROOT)?;
        let state = state_of(&root, added.generation);
        if let Some((known, compiled)) = &*self.last.read().unwrap_or_else(PoisonError::into_inner)
            && *known == state
        {
            return Ok(compiled.clone());
        }
        let compiled = Arc::new(Compiled::of(&root, added));
        *self.last.write().unwrap_or_else(PoisonError::into_inner) = Some((state, compiled.clone()));
        Ok(compiled)
    }
}

/// A digest of everything the rules are made of.
fn state_of(root: &RecordRef<'_>, generation: u64) -> u64 {
    let mut hasher = DefaultHasher::new();
    generation.hash(&mut hasher);
    for property in root.properties() {
        if matches!(property.name, b"_access" | b"_anonymous" | b"_self_write") {
            property.name.hash(&mut hasher);
            property.values.for_each(|value| value.hash(&mut hasher));
        }
    }
    hasher.finish()
}

impl Compiled {
    fn of(root: &RecordRef<'_>, added: &Added) -> Self {
        let mut known = HashMap::new();
        let mut names = |written: &[u8]| -> Vec<Vec<u8>> {
            let expand = || expand(written, added.names.as_ref());
            known.entry(written.to_vec()).or_insert_with(expand).clone()
        };
        let configured = added.rules.iter().cloned().map(Ok).enumerate();
        let configured = configured.map(|(n, rule)| (RuleSource::Configuration(n + 1), rule));
        let values = root.property(b"_access").map(|p| p.values).into_iter().flatten();
        let stored = values.enumerate().map(|(n, value)| (RuleSource::Tree(n + 1), parse(value)));
        let mut rules: Vec<Placed> = configured
            .chain(stored)
            .map(|(source, rule)| {
                let written = rule.as_ref().ok().and_then(|rule| rule.names.as_ref());
                let names = written.map(|list| list.iter().flat_map(|name| names(name)).collect());
                Placed { rule, names, source }
            })
            .collect();
        if rules.len() > RULES_LIMIT {
            tracing::warn!(
                rules = rules.len(),
                limit = RULES_LIMIT,
                "too many access rules: the last ones deny"
            );
            rules.truncate(RULES_LIMIT);
            if let Some(last) = rules.last_mut() {
                last.rule = Err(("(too many rules)".into(), too_many()));
                last.names = None;
            }
        }
        for placed in &rules {
            if let Err((text, error)) = &placed.rule {
                tracing::warn!(%text, %error, "an access rule cannot be read; it denies everything");
            }
        }
        let anonymous = match root.first_value(b"_anonymous") {
            None | Some(b"posix") => Anonymous::Posix,
            Some(b"read") => Anonymous::Everything,
            Some(_) => Anonymous::Nothing,
        };
        let self_written = match root.property(b"_self_write") {
            Some(list) => list.values.flat_map(|name| names(&name.to_ascii_lowercase())).collect(),
            None => SELF_WRITTEN.iter().map(|name| name.to_ascii_lowercase()).collect(),
        };
        Self { rules, anonymous, self_written }
    }
}

fn parse(value: &[u8]) -> std::result::Result<Rule, (String, RuleError)> {
    let text = String::from_utf8_lossy(value);
    text.parse().map_err(|error| (text.into_owned(), error))
}

fn too_many() -> RuleError {
    RuleError::new(format!("a domain has more than {RULES_LIMIT} rules"))
}

/// A name and everything that is stored under other names but means the same.
fn expand(written: &[u8], resolver: Option<&AttributeNames>) -> Vec<Vec<u8>> {
    let mut names = vec![written.to_vec()];
    for name in resolver.map(|resolve| resolve(written)).unwrap_or_default() {
        let name = name.to_ascii_lowercase();
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}
