//! Who a name stands for.

use std::sync::Arc;

use netinfo_directory::{Credentials, ROOT, Session, View};
use netinfo_mapping::Resolution;
use netinfo_mapping::name::Name;
use netinfo_schema::Schema;
use netinfo_wire::ldap::ResultCode;
use netinfo_wire::ldap::control::entry::AuthzId;

use crate::context::NamingContext;
use crate::engine::Engine;
use crate::failure::{Failure, Outcome};
use crate::operation::{Caller, Identity, Operation};
use crate::peer::Peer;

/// Below it are the names of users whom only the kernel knows.
const PEERCRED: &str = "cn=peercred,cn=external,cn=auth";

/// Somebody who may be authenticated.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub(crate) context: Arc<NamingContext>,
    pub(crate) kind: SubjectKind,
    /// Canonical name.
    pub(crate) dn: String,
}

/// What a subject is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SubjectKind {
    /// A directory.
    Object(u32),
    /// The identity outside the tree that `_admin_dn` names.
    Administrator,
}

impl Subject {
    /// The one that was found, unless its domain is not served to the peer.
    pub(crate) fn admitted(found: Option<Self>, peer: &Peer) -> Option<Self> {
        found.filter(|subject| subject.context.admits(peer))
    }

    /// Who the name of an entry stands for, aliases included; `None` if nobody.
    pub(crate) fn named(engine: &Engine, name: &Name<'_>) -> Outcome<Option<Self>> {
        let contexts = engine.contexts();
        for context in contexts.iter() {
            let namespace = context.namespace();
            let Some(dn) = namespace.admin_dn() else { continue };
            if Name::parse(dn.as_bytes()).is_ok_and(|known| is_same(&known, name, namespace.schema())) {
                let (context, dn) = (context.clone(), dn.to_owned());
                return Ok(Some(Self { context, kind: SubjectKind::Administrator, dn }));
            }
        }
        let Some(context) = engine.context_of(name) else { return Ok(None) };
        let namespace = context.namespace();
        let view = context.domain().snapshot(context.internal())?;
        let tree = namespace.tree(&view);
        let Resolution::Found(object) = tree.resolve_name(name)? else { return Ok(None) };
        let dn = tree.dn(object)?;
        drop(tree);
        Ok(Some(Self { context, kind: SubjectKind::Object(object), dn }))
    }

    /// The user of this name, in the first domain that has one.
    pub(crate) fn user(engine: &Engine, name: &[u8]) -> Outcome<Option<Self>> {
        for context in engine.contexts().iter() {
            let view = context.domain().snapshot(context.internal())?;
            if let Some(object) = user_named(&view, name)? {
                let namespace = context.namespace();
                let dn = namespace.tree(&view).dn(object)?;
                return Ok(Some(Self { context: context.clone(), kind: SubjectKind::Object(object), dn }));
            }
        }
        Ok(None)
    }

    /// Who an authorization identity stands for; `None` if nobody has the name.
    pub(crate) fn authz(engine: &Engine, identity: AuthzId<'_>) -> Outcome<Option<Self>> {
        match identity {
            AuthzId::Anonymous => Ok(None),
            AuthzId::Dn(dn) => match Name::parse(dn) {
                Ok(name) => Self::named(engine, &name),
                Err(_) => Ok(None),
            },
            AuthzId::User(name) => Self::user(engine, name),
        }
    }

    /// The identity of this subject, vouched for by somebody who may.
    pub(crate) fn vouched(self, caller: &Caller) -> Outcome<Identity> {
        let SubjectKind::Object(object) = self.kind else {
            let message = "nobody else can act as the administrator";
            return Err(Failure::new(ResultCode::AuthorizationDenied, message));
        };
        let origin = caller.peer.origin;
        let session = self.context.domain().login(Credentials::Vouched { object }, origin, caller.now)?;
        Ok(self.identity(session))
    }

    /// The identity of this subject.
    pub(crate) fn identity(self, session: Session) -> Identity {
        Identity { dn: self.dn, home: Some((self.context, session)), uid: None }
    }
}

/// Whether two names are the same.
fn is_same(one: &Name<'_>, other: &Name<'_>, schema: &Schema) -> bool {
    one.rdns.len() == other.rdns.len()
        && one.rdns.iter().zip(&other.rdns).all(|(one, other)| one.is_same(other, schema))
}

/// The user of this name in a domain.
fn user_named(view: &View<'_>, name: &[u8]) -> netinfo_directory::Result<Option<u32>> {
    let Some(users) = view.child_named(ROOT, b"users")? else { return Ok(None) };
    match view.child_named(users, name)? {
        Some(user) => Ok(Some(user)),
        // Names are stored in lower case, mostly; people write them as they like.
        None => view.child_named(users, &name.to_ascii_lowercase()),
    }
}

/// The identity of a user whom the kernel vouches for: the entry with that user id where a domain has one, else a name
/// that says no more than the number.
pub(crate) fn local(caller: &Caller, uid: u32) -> Outcome<Identity> {
    for context in caller.engine.contexts().iter() {
        let session = context.domain().login(Credentials::None, caller.peer.origin, caller.now)?;
        if let Some(object) = session.object() {
            let namespace = context.namespace();
            let view = context.domain().snapshot(context.internal())?;
            let dn = namespace.tree(&view).dn(object)?;
            return Ok(Identity { dn, home: Some((context.clone(), session)), uid: Some(uid) });
        }
    }
    Ok(Identity { dn: format!("uidNumber={uid},{PEERCRED}"), home: None, uid: Some(uid) })
}

/// Who an operation with proxied authorization is done as (RFC 4370).
///
/// # Errors
/// `authorizationDenied` unless the client is a superuser where that name is known, or is that one itself.
pub(crate) fn proxied(operation: &mut Operation<'_, '_>, identity: AuthzId<'_>) -> Outcome<Identity> {
    let denied = || Failure::new(ResultCode::AuthorizationDenied, "the client may not act as that identity");
    if identity == AuthzId::Anonymous {
        // To have fewer rights is not a privilege, but a client without any has nobody to act for.
        return if operation.caller.identity.is_anonymous() {
            Err(denied())
        } else {
            Ok(Identity::default())
        };
    }
    let subject = Subject::authz(&operation.caller.engine, identity)?;
    let subject = Subject::admitted(subject, &operation.caller.peer).ok_or_else(denied)?;
    if subject.dn == operation.caller.identity.dn {
        return Ok(operation.caller.identity.clone());
    }
    let session = operation.caller.session(&subject.context)?;
    if !session.is_superuser() || session.is_read_only() {
        return Err(denied());
    }
    subject.vouched(operation.caller)
}
