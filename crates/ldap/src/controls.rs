//! The controls of a request (RFC 4511 §4.1.11), decoded as far as they apply to its operation.

use netinfo_wire::ldap::control::deref::DerefRequest;
use netinfo_wire::ldap::control::entry::{
    AssertionControl, AuthzId, PostReadRequest, PreReadRequest, ProxiedAuthorization, Subentries,
};
use netinfo_wire::ldap::control::paging::{PagedResults, SortRequest, VlvRequest};
use netinfo_wire::ldap::control::sync::SyncRequest;
use netinfo_wire::ldap::filter::ValuesFilter;
use netinfo_wire::ldap::{Control, Controls, Filter, Payload, Request, ResultCode, Selection, oid};

use crate::failure::{Failure, Outcome};

/// A set of kinds of operations.
type Kinds = u16;

const SEARCH: Kinds = 1 << 0;
const MODIFY: Kinds = 1 << 1;
const ADD: Kinds = 1 << 2;
const DELETE: Kinds = 1 << 3;
const MODIFY_DN: Kinds = 1 << 4;
const COMPARE: Kinds = 1 << 5;
/// "Who am I?" and password modify.
const EXTENDED: Kinds = 1 << 6;
const BIND: Kinds = 1 << 7;
const WRITES: Kinds = MODIFY | ADD | DELETE | MODIFY_DN;

/// The controls that are served, and with which operations.
const SERVED: &[(&str, Kinds)] = &[
    (oid::PAGED_RESULTS, SEARCH),
    (oid::SORT_REQUEST, SEARCH),
    (oid::VLV_REQUEST, SEARCH),
    (oid::MATCHED_VALUES, SEARCH),
    (oid::SUBENTRIES, SEARCH),
    (oid::DEREF, SEARCH),
    (oid::SYNC_REQUEST, SEARCH),
    (oid::DOMAIN_SCOPE, SEARCH),
    (oid::DONT_USE_COPY, SEARCH | COMPARE),
    (oid::ASSERTION, SEARCH | WRITES | COMPARE),
    (oid::PRE_READ, MODIFY | DELETE | MODIFY_DN),
    (oid::POST_READ, MODIFY | ADD | MODIFY_DN),
    (oid::MANAGE_DSA_IT, SEARCH | WRITES | COMPARE),
    (oid::PROXIED_AUTHORIZATION, SEARCH | WRITES | COMPARE | EXTENDED),
    (oid::TREE_DELETE, DELETE),
    (oid::RELAX, WRITES),
    (oid::PERMISSIVE_MODIFY, MODIFY),
    (oid::PASSWORD_POLICY, BIND | SEARCH | WRITES | COMPARE | EXTENDED),
];

/// Object identifiers of the controls that are served, for the root DSE.
pub(crate) fn served() -> impl Iterator<Item = &'static str> {
    SERVED.iter().map(|(oid, _)| *oid)
}

/// The controls of a request that apply to it. Others are not there: critical ones fail the request, the rest is of no
/// effect.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Requested<'m> {
    /// The operation is done only if the entry matches (RFC 4528).
    pub(crate) assertion: Option<Filter<'m>>,
    /// What to return of the entry as it was (RFC 4527).
    pub(crate) pre_read: Option<Selection<'m>>,
    /// What to return of the entry as it became (RFC 4527).
    pub(crate) post_read: Option<Selection<'m>>,
    /// Referrals are treated as entries (RFC 3296).
    pub(crate) manage_dsa_it: bool,
    /// Who the operation is done as (RFC 4370).
    pub(crate) proxied: Option<AuthzId<'m>>,
    /// All below goes with the entry.
    pub(crate) tree_delete: bool,
    /// Values that are added although they are there, or removed although they are not, are no errors.
    pub(crate) permissive: bool,
    /// What only the server writes may be given.
    pub(crate) relax: bool,
    /// No copy will do (RFC 6171).
    pub(crate) dont_use_copy: bool,
    /// The client wants to be told what the rules about passwords and accounts say.
    pub(crate) policy: bool,
    /// No references to other servers.
    pub(crate) domain_scope: bool,
    /// A page of results (RFC 2696), and whether the control is critical.
    pub(crate) paged: Option<(PagedResults<'m>, bool)>,
    /// An order of results (RFC 2891), and whether the control is critical.
    pub(crate) sort: Option<(SortRequest<'m>, bool)>,
    /// A window of results, and whether the control is critical.
    pub(crate) vlv: Option<(VlvRequest<'m>, bool)>,
    /// Which values are returned (RFC 3876).
    pub(crate) matched_values: Option<ValuesFilter<'m>>,
    /// Subentries only, or entries only (RFC 3672).
    pub(crate) subentries: Option<bool>,
    /// Attributes of entries that attributes name.
    pub(crate) deref: Option<DerefRequest<'m>>,
    /// A copy of the result is to be kept up to date (RFC 4533).
    pub(crate) sync: Option<SyncRequest<'m>>,
}

impl<'m> Requested<'m> {
    /// Decodes the controls of a request.
    ///
    /// # Errors
    /// `protocolError` for a control that occurs twice or is malformed, `unavailableCriticalExtension` for one that is
    /// critical and not served with this operation.
    pub(crate) fn decode(request: &Request<'m>, controls: Controls<'m>) -> Outcome<Self> {
        let mut requested = Self::default();
        if controls.is_empty() {
            return Ok(requested);
        }
        // Criticality means nothing to those (RFC 4511 §4.1.11).
        let Some(kind) = kind(request) else { return Ok(requested) };
        if controls.repeats() {
            return Err(Failure::new(ResultCode::ProtocolError, "a control occurs twice"));
        }
        for control in controls {
            let applies = SERVED.iter().any(|(oid, kinds)| *oid == control.oid && kinds & kind != 0);
            if applies {
                requested.take(control)?;
            } else if control.critical {
                let message = format!("the control {} is not served with this operation", control.oid);
                return Err(Failure::new(ResultCode::UnavailableCriticalExtension, message));
            }
        }
        Ok(requested)
    }

    fn take(&mut self, control: Control<'m>) -> Outcome<()> {
        match control.oid {
            oid::ASSERTION => self.assertion = Some(value::<AssertionControl<'_>>(control)?.filter),
            oid::PRE_READ => self.pre_read = Some(value::<PreReadRequest<'_>>(control)?.attributes),
            oid::POST_READ => self.post_read = Some(value::<PostReadRequest<'_>>(control)?.attributes),
            oid::PROXIED_AUTHORIZATION => {
                if !control.critical {
                    // So that it is not passed over by servers that do not know it (RFC 4370 §3).
                    let message = "proxied authorization must be critical";
                    return Err(Failure::new(ResultCode::ProtocolError, message));
                }
                self.proxied = Some(value::<ProxiedAuthorization<'_>>(control)?.identity);
            }
            oid::MANAGE_DSA_IT => self.manage_dsa_it = true,
            oid::TREE_DELETE => self.tree_delete = true,
            oid::PERMISSIVE_MODIFY => self.permissive = true,
            oid::RELAX => self.relax = true,
            oid::DONT_USE_COPY => self.dont_use_copy = true,
            oid::PASSWORD_POLICY => self.policy = true,
            oid::DOMAIN_SCOPE => self.domain_scope = true,
            oid::PAGED_RESULTS => self.paged = Some((value(control)?, control.critical)),
            oid::SORT_REQUEST => self.sort = Some((value(control)?, control.critical)),
            oid::VLV_REQUEST => self.vlv = Some((value(control)?, control.critical)),
            oid::MATCHED_VALUES => self.matched_values = Some(value(control)?),
            oid::SUBENTRIES => self.subentries = Some(value::<Subentries>(control)?.visible),
            oid::DEREF => self.deref = Some(value(control)?),
            oid::SYNC_REQUEST => self.sync = Some(value(control)?),
            _ => {}
        }
        Ok(())
    }
}

fn kind(request: &Request<'_>) -> Option<Kinds> {
    match request {
        Request::Search(_) => Some(SEARCH),
        Request::Modify(_) => Some(MODIFY),
        Request::Add(_) => Some(ADD),
        Request::Delete(_) => Some(DELETE),
        Request::ModifyDn(_) => Some(MODIFY_DN),
        Request::Compare(_) => Some(COMPARE),
        Request::Extended(extended) => match extended.name {
            oid::WHO_AM_I | oid::PASSWORD_MODIFY => Some(EXTENDED),
            _ => Some(0),
        },
        Request::Bind(_) => Some(BIND),
        Request::Unbind | Request::Abandon(_) => None,
    }
}

/// The value of a control.
fn value<'m, P: Payload<'m>>(control: Control<'m>) -> Outcome<P> {
    let wrong = |error: String| {
        Failure::new(ResultCode::ProtocolError, format!("the value of the control {}: {error}", control.oid))
    };
    let value = control.value.ok_or_else(|| wrong("it is missing".to_owned()))?;
    P::decode(value).map_err(|error| wrong(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use netinfo_wire::ldap::ControlsBuf;
    use netinfo_wire::ldap::request::DeleteRequest;

    const DELETE_REQUEST: Request<'_> = Request::Delete(DeleteRequest { dn: b"" });

    fn code(request: &Request<'_>, controls: &ControlsBuf) -> ResultCode {
        Requested::decode(request, controls.as_list())
            .map_or_else(|failure| failure.code, |_| ResultCode::Success)
    }

    #[test]
    fn controls_are_taken_where_they_apply() {
        let mut controls = ControlsBuf::default();
        controls.flag(oid::TREE_DELETE, true);
        controls.flag(oid::MANAGE_DSA_IT, false);
        let requested = Requested::decode(&DELETE_REQUEST, controls.as_list()).unwrap();
        assert!(requested.tree_delete && requested.manage_dsa_it && !requested.relax);
    }

    #[test]
    fn critical_controls_that_are_unknown_or_do_not_apply_fail() {
        for oid in ["1.2.3.4", oid::POST_READ, oid::PAGED_RESULTS] {
            let mut controls = ControlsBuf::default();
            controls.flag(oid, false);
            assert_eq!(code(&DELETE_REQUEST, &controls), ResultCode::Success, "{oid}");
            let mut controls = ControlsBuf::default();
            controls.flag(oid, true);
            assert_eq!(code(&DELETE_REQUEST, &controls), ResultCode::UnavailableCriticalExtension, "{oid}");
            assert_eq!(code(&Request::Unbind, &controls), ResultCode::Success, "{oid}");
        }
    }

    #[test]
    fn repeated_and_malformed_controls_are_protocol_errors() {
        let mut controls = ControlsBuf::default();
        controls.flag(oid::RELAX, false);
        controls.flag(oid::RELAX, false);
        assert_eq!(code(&DELETE_REQUEST, &controls), ResultCode::ProtocolError);
        for value in [None, Some(&b"\x30\x05"[..])] {
            let mut controls = ControlsBuf::default();
            controls.push(Control { oid: oid::PRE_READ, critical: false, value });
            assert_eq!(code(&DELETE_REQUEST, &controls), ResultCode::ProtocolError);
        }
        let mut controls = ControlsBuf::default();
        controls.add(false, &ProxiedAuthorization { identity: AuthzId::Anonymous });
        assert_eq!(code(&DELETE_REQUEST, &controls), ResultCode::ProtocolError);
    }
}
