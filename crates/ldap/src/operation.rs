//! One operation: for which client, on whose behalf, with which controls; where it goes.

use std::sync::{Arc, Mutex, PoisonError};

use netinfo_directory::{Credentials, Domain, Session, View};
use netinfo_mapping::Namespace;
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::ResultCode;

use crate::bind;
use crate::context::NamingContext;
use crate::controls::Requested;
use crate::engine::Engine;
use crate::failure::{Failure, Outcome};
use crate::peer::Peer;
use crate::search;

/// Who a client is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Identity {
    /// DN; empty for nobody.
    pub(crate) dn: String,
    /// Where that name is known, and the session it has there.
    pub(crate) home: Option<(Arc<NamingContext>, Session)>,
    /// The user id the kernel vouches for, if the client has asked to be known by it.
    pub(crate) uid: Option<u32>,
}

impl Identity {
    /// Whether the client is nobody.
    pub(crate) const fn is_anonymous(&self) -> bool {
        self.home.is_none() && self.uid.is_none()
    }
}

/// A client, from operation to operation.
pub(crate) struct Caller {
    pub(crate) engine: Arc<Engine>,
    pub(crate) peer: Peer,
    pub(crate) identity: Identity,
    /// Searches that are to be continued: pages, list views.
    pub(crate) searches: search::State,
    /// Time of the message being handled, in milliseconds since the epoch.
    pub(crate) now: u64,
    /// The bind that is under way asks to be told what the rules about passwords and accounts say.
    pub(crate) policy: bool,
    /// The SASL exchange that is under way.
    pub(crate) exchange: Option<Box<bind::Exchange>>,
    /// Sessions of the identity in domains it has used.
    sessions: Vec<(Arc<Domain>, Session)>,
    /// Snapshots kept while requests that came together are answered, each for an entitled session or another. Only
    /// ever reached through `&mut`: the lock is there because a snapshot cannot be shared by threads.
    views: Mutex<Vec<(Arc<Domain>, bool, View<'static>)>>,
}

impl Caller {
    /// A client that is nobody yet.
    pub(crate) fn new(engine: Arc<Engine>, peer: Peer) -> Self {
        let (identity, searches) = (Identity::default(), search::State::default());
        Self {
            engine,
            peer,
            identity,
            searches,
            now: 0,
            policy: false,
            exchange: None,
            sessions: Vec::new(),
            views: Mutex::default(),
        }
    }

    /// Makes the client somebody else; nothing of what it was remains.
    pub(crate) fn become_identity(&mut self, identity: Identity) {
        self.identity = identity;
        self.sessions.clear();
        self.searches = search::State::default();
        self.release();
    }

    /// Whether the client need not change its password before anything else. Once it has done so it is who it would have
    /// been without that.
    pub(crate) fn has_no_password_due(&mut self) -> Outcome<bool> {
        let Some((context, session)) = &self.identity.home else { return Ok(true) };
        if !session.condition().must_change() {
            return Ok(true);
        }
        let domain = context.domain();
        if domain.condition(session, self.now)?.must_change() {
            return Ok(false);
        }
        let Some(object) = session.object() else { return Ok(false) };
        let session = domain.login(Credentials::Vouched { object }, self.peer.origin, self.now)?;
        let home = Some((context.clone(), session));
        self.become_identity(Identity { home, ..self.identity.clone() });
        Ok(true)
    }

    /// Gives the snapshots back, and the room they took: the client may be idle for long.
    pub(crate) fn release(&mut self) {
        *self.views.get_mut().unwrap_or_else(PoisonError::into_inner) = Vec::new();
    }

    /// The session of the client in a domain.
    pub(crate) fn session(&mut self, context: &NamingContext) -> Outcome<Session> {
        if let Some((home, session)) = &self.identity.home
            && Arc::ptr_eq(home.domain(), context.domain())
        {
            return Ok(session.clone());
        }
        let known = self.sessions.iter().find(|(domain, _)| Arc::ptr_eq(domain, context.domain()));
        if let Some((_, session)) = known {
            return Ok(session.clone());
        }
        let session = session_of(self, self.identity.uid, context)?;
        self.sessions.push((context.domain().clone(), session.clone()));
        Ok(session)
    }

    /// A snapshot of a domain, newer than all writes of this connection that have been answered. To be given back with
    /// [`Self::put_view`].
    pub(crate) fn take_view(&mut self, context: &NamingContext, session: &Session) -> Outcome<View<'static>> {
        let views = self.views.get_mut().unwrap_or_else(PoisonError::into_inner);
        let entitled = session.sees_secrets();
        let kept = views
            .iter()
            .position(|(domain, kept, _)| *kept == entitled && Arc::ptr_eq(domain, context.domain()));
        match kept {
            Some(index) => Ok(views.swap_remove(index).2),
            None => Ok(context.domain().snapshot(session)?),
        }
    }

    /// Keeps a snapshot for the next request that came together with this one.
    pub(crate) fn put_view(&mut self, context: &NamingContext, session: &Session, view: View<'static>) {
        let views = self.views.get_mut().unwrap_or_else(PoisonError::into_inner);
        views.push((context.domain().clone(), session.sees_secrets(), view));
    }
}

/// The session in a domain of somebody who has no name there.
fn session_of(caller: &Caller, uid: Option<u32>, context: &NamingContext) -> Outcome<Session> {
    let origin = caller.peer.origin;
    match uid {
        Some(_) => Ok(context.domain().login(Credentials::None, origin, caller.now)?),
        None => Ok(context.domain().anonymous(origin)),
    }
}

/// One operation of a client.
pub(crate) struct Operation<'c, 'm> {
    /// The client.
    pub(crate) caller: &'c mut Caller,
    /// Message id.
    pub(crate) id: u32,
    /// Its controls.
    pub(crate) controls: Requested<'m>,
    /// Who it is done as, if that is not the client itself.
    pub(crate) proxied: Option<Identity>,
}

/// Where a name belongs.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) context: Arc<NamingContext>,
    /// How the domain is named and shown.
    pub(crate) namespace: Arc<Namespace>,
    /// On whose behalf it is used.
    pub(crate) session: Session,
}

impl Operation<'_, '_> {
    /// On whose behalf the operation is done.
    pub(crate) fn identity(&self) -> &Identity {
        self.proxied.as_ref().unwrap_or(&self.caller.identity)
    }

    /// The session of the operation in a domain.
    pub(crate) fn session(&mut self, context: &NamingContext) -> Outcome<Session> {
        match &self.proxied {
            None => self.caller.session(context),
            Some(Identity { home: Some((home, session)), .. })
                if Arc::ptr_eq(home.domain(), context.domain()) =>
            {
                Ok(session.clone())
            }
            Some(identity) => session_of(self.caller, identity.uid, context),
        }
    }

    /// Where a name belongs.
    ///
    /// # Errors
    /// For a name outside of all suffixes, a referral to whoever may know it, or `noSuchObject`.
    pub(crate) fn place(&mut self, name: &Name<'_>) -> Outcome<Place> {
        let context = self.caller.engine.context_of(name);
        let Some(context) = context.filter(|context| context.admits(&self.caller.peer)) else {
            return Err(elsewhere(&self.caller.engine));
        };
        let session = self.session(&context)?;
        Ok(Place { namespace: context.namespace(), context, session })
    }

    /// A snapshot of a place; see [`Caller::take_view`].
    pub(crate) fn take_view(&mut self, place: &Place) -> Outcome<View<'static>> {
        self.caller.take_view(&place.context, &place.session)
    }

    /// Keeps a snapshot; see [`Caller::put_view`].
    pub(crate) fn put_view(&mut self, place: &Place, view: View<'static>) {
        self.caller.put_view(&place.context, &place.session, view);
    }
}

/// Checks the text of a name.
pub(crate) fn parse(dn: &[u8]) -> Outcome<Name<'_>> {
    Name::parse(dn).map_err(|error| Failure::new(ResultCode::InvalidDnSyntax, error.to_string()))
}

/// The answer to a request about a name outside of all suffixes.
pub(crate) fn elsewhere(engine: &Engine) -> Failure {
    let settings = engine.settings();
    if settings.referrals.is_empty() {
        Failure::new(ResultCode::NoSuchObject, "the name is outside of all naming contexts of this server")
    } else {
        Failure::referral(settings.referrals.clone())
    }
}
