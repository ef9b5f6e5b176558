//! From a request and a snapshot to changes for the core.

use netinfo_directory::{Access, Change, ROOT, View};
use netinfo_mapping::name::{Name, Part, Rdn};
use netinfo_mapping::write::{self, Given};
use netinfo_mapping::{Resolution, Tree};
use netinfo_wire::ldap::request::{AddRequest, DeleteRequest, ModifyDnRequest, ModifyRequest};
use netinfo_wire::ldap::writer::put_entry;
use netinfo_wire::ldap::{Attribute, ModifyOp, Request, ResultCode, Selection};

use super::relax::Origin;
use super::schema;
use crate::engine::Reservation;
use crate::failure::{Failure, Outcome};
use crate::limits::TREE_DELETE_ENTRIES;
use crate::operation::{Operation, Place, elsewhere, parse};
use crate::{referral, search, subschema};

/// What a write comes to.
pub(super) struct Derived {
    pub(super) place: Place,
    /// What the core has to change; nothing if all is as it should be.
    pub(super) changes: Vec<Change>,
    /// The entry that is changed; `None` where the changes create it.
    pub(super) target: Option<u32>,
    /// Names that nobody else may take meanwhile.
    pub(super) names: Vec<Reservation>,
    /// The value of the pre-read control.
    pub(super) pre_read: Option<Vec<u8>>,
}

/// The snapshot a write is derived from.
struct Ground<'g> {
    place: &'g Place,
    view: &'g View<'g>,
    /// Shows the whole domain.
    tree: Tree<'g>,
    access: Access<'g>,
}

/// Makes changes of a request.
pub(super) fn derive(operation: &mut Operation<'_, '_>, request: &Request<'_>) -> Outcome<Derived> {
    let dn = match request {
        Request::Add(AddRequest { dn, .. })
        | Request::Modify(ModifyRequest { dn, .. })
        | Request::Delete(DeleteRequest { dn })
        | Request::ModifyDn(ModifyDnRequest { dn, .. }) => *dn,
        _ => return Err(Failure::new(ResultCode::ProtocolError, "the request is no write")),
    };
    let name = parse(dn)?;
    if name.rdns.is_empty() {
        return Err(subschema::not_served());
    }
    if let Some(context) = subschema::context_named(&operation.caller.engine, &name) {
        return match request {
            Request::Modify(modify) => schema::derive(operation, context, modify),
            _ => Err(subschema::not_served()),
        };
    }
    let place = operation.place(&name)?;
    if place.session.is_read_only() {
        return Err(Failure::new(ResultCode::InsufficientAccessRights, "the client may only read"));
    }
    // Names are reserved before the snapshot is taken: whoever gave one back has committed before.
    let names = reserve(operation, &place, &name, request)?;
    let view = place.context.domain().read(place.context.internal())?;
    let access = place.context.domain().access(&view, &place.session)?;
    let tree = place.namespace.tree(&view);
    let ground = Ground { place: &place, view: &view, tree, access };
    let (changes, target, pre_read) = match request {
        Request::Add(add) => (ground.add(operation, &name, add)?, None, None),
        _ => {
            let object = ground.find(operation, &name)?;
            let pre_read = operation.controls.pre_read;
            let pre_read =
                pre_read.map(|selection| read_entry(&place, &view, object, selection)).transpose()?;
            let changes = match request {
                Request::Modify(modify) => ground.modify(operation, object, modify)?,
                Request::Delete(_) => ground.delete(operation, object)?,
                Request::ModifyDn(rename) => ground.rename(operation, object, rename)?,
                _ => Vec::new(),
            };
            (changes, Some(object), pre_read)
        }
    };
    drop(ground);
    drop(view);
    Ok(Derived { place, changes, target, names, pre_read })
}

/// Keeps the name that an entry is going to have: its parent, and its relative name in a form that is the same for all
/// spellings.
fn reserve(
    operation: &Operation<'_, '_>,
    place: &Place,
    name: &Name<'_>,
    request: &Request<'_>,
) -> Outcome<Vec<Reservation>> {
    let above = |name: &Name<'_>| -> Outcome<Option<u32>> {
        let above = Name { rdns: name.rdns.iter().skip(1).cloned().collect() };
        found(place, &above)
    };
    let (parent, rdn) = match request {
        Request::Add(_) => (above(name)?, name.rdns.first().map(|rdn| canonical(place, rdn))),
        Request::ModifyDn(rename) => {
            let parent = match rename.new_superior {
                Some(superior) => found(place, &parse(superior)?)?,
                None => above(name)?,
            };
            (parent, parse(rename.new_rdn)?.rdns.first().map(|rdn| canonical(place, rdn)))
        }
        _ => return Ok(Vec::new()),
    };
    let Some((parent, mut key)) = parent.zip(rdn) else { return Ok(Vec::new()) };
    key.extend_from_slice(&parent.to_be_bytes());
    let kept = operation.caller.engine.reserve(place.context.domain(), key);
    let busy = || Failure::new(ResultCode::Busy, "an entry of that name is being made by somebody else");
    kept.map(|kept| vec![kept]).ok_or_else(busy)
}

/// The directory of a name.
fn found(place: &Place, name: &Name<'_>) -> Outcome<Option<u32>> {
    let view = place.context.domain().read(place.context.internal())?;
    match place.namespace.tree(&view).resolve_name(name)? {
        Resolution::Found(object) => Ok(Some(object)),
        Resolution::Missing { .. } | Resolution::Outside => Ok(None),
    }
}

/// A form of a relative name that is the same for all its spellings.
fn canonical(place: &Place, rdn: &Rdn<'_>) -> Vec<u8> {
    let schema = place.namespace.schema();
    let part = |part: &Part<'_>| {
        let attribute = schema.attribute(part.kind);
        let kind = attribute.map_or_else(|| part.kind.to_ascii_lowercase(), |known| known.oid().to_owned());
        let mut value = Vec::new();
        let rule = attribute.and_then(|known| known.equality());
        if rule.is_none_or(|rule| rule.normalise(schema, &part.value, &mut value).is_err()) {
            value = part.value.to_vec();
        }
        [kind.as_bytes(), b"=", &value].concat()
    };
    let mut parts: Vec<Vec<u8>> = rdn.parts.iter().map(part).collect();
    parts.sort_unstable();
    let mut key = Vec::new();
    for part in parts {
        key.extend_from_slice(&u32::try_from(part.len()).unwrap_or(u32::MAX).to_be_bytes());
        key.extend_from_slice(&part);
    }
    key
}

impl Ground<'_> {
    /// The entry that a write is about.
    fn find(&self, operation: &Operation<'_, '_>, name: &Name<'_>) -> Outcome<u32> {
        let object = referral::find(&self.tree, &self.access, name, operation.controls.manage_dsa_it, None)?;
        self.assert(operation, object)?;
        Ok(object)
    }

    /// Whether the entry is as the client wants it to be (RFC 4528).
    fn assert(&self, operation: &Operation<'_, '_>, object: u32) -> Outcome<()> {
        match operation.controls.assertion {
            Some(filter) if !search::matches(self.place, self.view, object, filter)? => {
                Err(Failure::new(ResultCode::AssertionFailed, "the entry does not match the assertion"))
            }
            _ => Ok(()),
        }
    }

    fn add(
        &self,
        operation: &Operation<'_, '_>,
        name: &Name<'_>,
        add: &AddRequest<'_>,
    ) -> Outcome<Vec<Change>> {
        // Where the parent leads elsewhere, so does the new entry; and what cannot be seen is not there.
        match self.tree.resolve_name(name)? {
            Resolution::Found(object) => {
                if !operation.controls.manage_dsa_it
                    && let Some(urls) = referral::leads_elsewhere(&self.tree, object)?
                {
                    return Err(Failure::referral(referral::adjusted(&urls, name, 0, None)));
                }
            }
            Resolution::Missing { rest, nearest } => {
                if !operation.controls.manage_dsa_it
                    && let Some(urls) = referral::leads_elsewhere(&self.tree, nearest)?
                {
                    return Err(Failure::referral(referral::adjusted(&urls, name, rest, None)));
                }
                if rest > 1 {
                    return referral::missing(&self.tree, &self.access, nearest);
                }
            }
            Resolution::Outside => return Err(elsewhere(&operation.caller.engine)),
        }
        self.may_add(name)?;
        let mut given: Vec<Given<'_>> = add.attributes.iter().map(given).collect();
        if !self.may_relax(operation)? {
            return self.changes(write::add(&self.tree, add.dn, &given));
        }
        let origin = Origin::of_new(&self.tree, &mut given)?;
        let mut changes = self.changes(write::add(&self.tree, add.dn, &given))?;
        // The suffix is there before it is added.
        let is_new = matches!(changes.first(), Some(Change::Create { .. }));
        let object = if is_new { None } else { Some(ROOT) };
        changes.extend(origin.change(self.view, object, operation.caller.now, self.place.session.name())?);
        Ok(changes)
    }

    /// Whether the session may make entries there at all: whoever may not does not learn which ones there are.
    fn may_add(&self, name: &Name<'_>) -> Outcome<()> {
        let above = Name { rdns: name.rdns.iter().skip(1).cloned().collect() };
        match self.tree.resolve_name(&above)? {
            Resolution::Found(parent) if !self.access.object(parent)?.adds() => Err(denied()),
            _ => Ok(()),
        }
    }

    /// Whether the session may change these attributes at all: whoever may not does not learn from another reason what
    /// values there are.
    fn may_modify(&self, object: u32, modify: &ModifyRequest<'_>) -> Outcome<()> {
        if self.place.session.is_superuser() {
            return Ok(());
        }
        let namespace = &self.place.namespace;
        let tree = namespace.tree(self.view).restricted(&self.access);
        let entry = tree.entry(object)?;
        let may = modify.changes.iter().all(|change| {
            let name = std::str::from_utf8(change.attribute.name).unwrap_or_default();
            namespace.wanted(name).is_none_or(|wanted| entry.may_write(&wanted))
        });
        if may { Ok(()) } else { Err(denied()) }
    }

    fn modify(
        &self,
        operation: &Operation<'_, '_>,
        object: u32,
        modify: &ModifyRequest<'_>,
    ) -> Outcome<Vec<Change>> {
        let mut steps: Vec<write::Modification<'_>> = modify
            .changes
            .iter()
            .map(|change| write::Modification {
                operation: match change.op {
                    ModifyOp::Add => write::Operation::Add,
                    ModifyOp::Delete => write::Operation::Delete,
                    ModifyOp::Replace => write::Operation::Replace,
                    ModifyOp::Increment => write::Operation::Increment,
                },
                attribute: given(change.attribute),
            })
            .collect();
        self.may_modify(object, modify)?;
        let permissive = operation.controls.permissive;
        if !self.may_relax(operation)? {
            return self.changes(write::modify(&self.tree, object, &steps, permissive));
        }
        let origin = Origin::of_changed(&self.tree, &mut steps)?;
        let mut changes = self.changes(write::modify(&self.tree, object, &steps, permissive))?;
        let by = self.place.session.name();
        changes.extend(origin.change(self.view, Some(object), operation.caller.now, by)?);
        Ok(changes)
    }

    fn delete(&self, operation: &Operation<'_, '_>, object: u32) -> Outcome<Vec<Change>> {
        // Nobody removes the root of a domain; who could remove others is told why.
        let is_own_root = object == ROOT && self.place.session.is_superuser();
        if !is_own_root && !self.access.object(object)?.deletes() {
            return Err(denied());
        }
        if operation.controls.tree_delete {
            self.changes(write::delete_tree(&self.tree, object, TREE_DELETE_ENTRIES))
        } else {
            self.changes(write::delete(&self.tree, object))
        }
    }

    fn rename(
        &self,
        operation: &Operation<'_, '_>,
        object: u32,
        rename: &ModifyDnRequest<'_>,
    ) -> Outcome<Vec<Change>> {
        if let Some(superior) = rename.new_superior {
            self.check_superior(operation, superior)?;
        }
        let rename = write::Rename {
            rdn: rename.new_rdn,
            delete_old: rename.delete_old_rdn,
            superior: rename.new_superior,
        };
        self.changes(write::rename(&self.tree, object, rename))
    }

    /// Whether an entry can move below that one.
    fn check_superior(&self, operation: &Operation<'_, '_>, dn: &[u8]) -> Outcome<()> {
        let name = parse(dn)?;
        let other = operation.caller.engine.context_of(&name);
        if other.is_none_or(|other| !std::sync::Arc::ptr_eq(&other, &self.place.context)) {
            let message = "the new place is in another domain";
            return Err(Failure::new(ResultCode::AffectsMultipleDsas, message));
        }
        referral::find(&self.tree, &self.access, &name, operation.controls.manage_dsa_it, None).map(|_| ())
    }

    /// Whether what only the server writes may be given: an import by a superuser.
    fn may_relax(&self, operation: &Operation<'_, '_>) -> Outcome<bool> {
        if operation.controls.relax && !self.place.session.is_superuser() {
            let message = "rules are relaxed for administrators only";
            return Err(Failure::new(ResultCode::InsufficientAccessRights, message));
        }
        Ok(operation.controls.relax)
    }

    /// Changes as they were derived, or why there are none, with the nearest entry that the client may know of.
    fn changes(&self, changes: write::Changes) -> Outcome<Vec<Change>> {
        changes.map_err(|refusal| {
            let matched = refusal.matched;
            let failure = Failure::from(refusal);
            match matched {
                Some(nearest) => match referral::missing::<()>(&self.tree, &self.access, nearest) {
                    Err(Failure { matched, .. }) => Failure { matched, ..failure },
                    Ok(()) => failure,
                },
                None => failure,
            }
        })
    }
}

fn denied() -> Failure {
    Failure::new(ResultCode::InsufficientAccessRights, "permission denied")
}

fn given(attribute: Attribute<'_>) -> Given<'_> {
    Given::new(attribute.name, attribute.values)
}

/// An entry as pre- and post-read return it (RFC 4527).
pub(super) fn read_entry(
    place: &Place,
    view: &View<'_>,
    object: u32,
    selection: Selection<'_>,
) -> Outcome<Vec<u8>> {
    let dn = place.namespace.tree(view).dn(object)?;
    let mut result = Ok(());
    let mut value = Vec::new();
    put_entry(
        &mut value,
        |buf| buf.extend_from_slice(dn.as_bytes()),
        |out| result = search::write_attributes(place, view, object, selection, out),
    );
    result.map(|()| value)
}
