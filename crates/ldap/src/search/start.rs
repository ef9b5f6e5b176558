//! From a request to a search: its base, what it may use up, its order and portions.

use std::sync::Arc;

use netinfo_directory::View;
use netinfo_mapping::Resolution;
use netinfo_mapping::name::Name;
use netinfo_wire::ldap::control::paging::{PagedResults, VlvRequest, VlvTarget};
use netinfo_wire::ldap::request::DerefAliases;
use netinfo_wire::ldap::{Filter as WireFilter, LdapResult, ResultCode, Scope, SearchRequest};
use roaring::RoaringBitmap;

use super::chain;
use super::cookie::{Cookie, Query};
use super::filter::Filter;
use super::ground::{Ground, Subject};
use super::plan;
use super::portion::{Page, Portion};
use super::reach::Reach;
use super::run::{Kinds, Limits, Search};
use super::shown::Shown;
use super::sort::Order;
use super::special::{self, Special};
use super::state::sealing_key;
use super::window::{Target, Window};
use crate::failure::{Failure, Outcome};
use crate::limits::{ALIAS_HOPS, ALIASES, CHAINED};
use crate::operation::{Operation, Place};
use crate::referral;

/// Makes a request a search. `None` if the final response is in `out` already.
///
/// # Errors
/// What the final response says instead of success.
pub(crate) fn begin(
    operation: &Operation<'_, '_>,
    place: &Place,
    view: &View<'_>,
    base: &Name<'_>,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Option<Box<Search>>> {
    let access = place.context.domain().access(view, &place.session)?;
    begin_on(operation, place, &Ground::new(place, view, &access), base, request, out)
}

/// As [`begin`], on a ground that is there already.
pub(crate) fn begin_on(
    operation: &Operation<'_, '_>,
    place: &Place,
    ground: &Ground<'_>,
    base: &Name<'_>,
    request: &SearchRequest<'_>,
    out: &mut Vec<u8>,
) -> Outcome<Option<Box<Search>>> {
    let paging = match operation.controls.paged {
        None => None,
        Some((paged, _)) => {
            let paging = Paging::new(operation, place, request, &paged)?;
            if let Some(search) = resume(operation, place, request, &paging) {
                return Ok(Some(search));
            }
            Some(paging)
        }
    };
    let controls = &operation.controls;
    let base = find_base(ground, base, request, controls.manage_dsa_it)?;
    if let Some(assertion) = controls.assertion
        && !matches(ground, base, assertion)?
    {
        return Err(Failure::new(ResultCode::AssertionFailed, ""));
    }
    let Some(mut portion) = order(operation, place, out) else { return Ok(None) };
    let kinds = Kinds {
        manage: controls.manage_dsa_it,
        references: !controls.domain_scope,
        follow: matches!(request.deref, DerefAliases::InSearching | DerefAliases::Always),
        subentries: controls.subentries,
    };
    let mut reach = Reach::new(base, request.scope);
    if kinds.follow {
        follow_aliases(ground, &mut reach)?;
    }
    let mut filter = Filter::new(&place.namespace, request.filter);
    chain::follow(ground, &mut filter, operation.caller.engine.settings().chained)?;
    let extra = match request.scope {
        Scope::Base => None,
        _ if kinds.manage || !kinds.references => None,
        _ => Some(all_of(ground, Special::Referral)?),
    };
    let none = RoaringBitmap::new();
    let mut source = plan::source(ground, &filter, &reach, extra.as_deref().unwrap_or(&none))?;
    if let Some(paging) = paging {
        let estimate = u32::try_from(source.estimate(ground.tree().directories()?)).unwrap_or(u32::MAX);
        let returned = paging.cookie.map_or(0, |cookie| cookie.returned);
        let page = paging.page(estimate, operation.caller.searches.number());
        if !portion.has_order() {
            source.seek(page.from);
        }
        portion.paged(page, returned);
    }
    let shown = shown(operation, place, request);
    let limits = limits(operation, place, request);
    let (place, id) = (place.clone(), operation.id);
    let search = Search { place, id, filter, reach, shown, kinds, limits, source, portion, in_vain: 0 };
    Ok(Some(Box::new(search)))
}

/// A page that is asked for.
struct Paging {
    size: u32,
    query: Query,
    cookie: Option<Cookie>,
}

impl Paging {
    /// # Errors
    /// `unwillingToPerform` for a cookie that is not of this query, or a list view besides.
    fn new(
        operation: &Operation<'_, '_>,
        place: &Place,
        request: &SearchRequest<'_>,
        paged: &PagedResults<'_>,
    ) -> Outcome<Self> {
        if operation.controls.vlv.is_some() {
            let message = "pages and a list view of one result contradict each other";
            return Err(Failure::new(ResultCode::UnwillingToPerform, message));
        }
        let query = query(operation, place, request);
        let cookie = match paged.cookie {
            b"" => None,
            cookie => {
                let open = Cookie::open(sealing_key(), &query, cookie);
                let invalid =
                    || Failure::new(ResultCode::UnwillingToPerform, "the cookie is not of this search");
                Some(open.ok_or_else(invalid)?)
            }
        };
        Ok(Self { size: paged.size, query, cookie })
    }

    fn page(self, estimate: u32, search: u64) -> Page {
        let from = self.cookie.map_or(0, |cookie| cookie.position);
        Page { left: self.size, estimate, search, query: self.query, from, next: None, over: self.size == 0 }
    }
}

/// What a cookie belongs to: everything that says which entries are returned, and on whose behalf.
fn query(operation: &Operation<'_, '_>, place: &Place, request: &SearchRequest<'_>) -> Query {
    let mut filter = Vec::with_capacity(request.filter.encoded_len());
    request.filter.encode(&mut filter);
    let mut order = Vec::new();
    if let Some((sort, _)) = &operation.controls.sort {
        netinfo_wire::ldap::Payload::encode(sort, &mut order);
    }
    let deref = request.deref.code().to_be_bytes();
    let scope = request.scope.code().to_be_bytes();
    let flags = [
        u8::from(operation.controls.manage_dsa_it),
        operation.controls.subentries.map_or(2, u8::from),
        u8::from(place.session.sees_secrets()),
    ];
    let who = operation.identity().dn.as_bytes();
    let domain = place.context.domain().tag().as_bytes();
    Query::new([domain, request.base, &scope, &deref, &filter, &order, &flags, who, place.session.name()])
}

/// The search whose next page is asked for, if it is kept.
fn resume(
    operation: &Operation<'_, '_>,
    place: &Place,
    request: &SearchRequest<'_>,
    paging: &Paging,
) -> Option<Box<Search>> {
    let mut search = operation.caller.searches.take(paging.cookie.as_ref()?)?;
    search.id = operation.id;
    search.limits = limits(operation, place, request);
    search.in_vain = 0;
    search.source.seek(paging.cookie.as_ref()?.position);
    search.portion.resume(paging.size);
    search.shown = shown(operation, place, request);
    Some(search)
}

/// What is returned of entries.
fn shown(operation: &Operation<'_, '_>, place: &Place, request: &SearchRequest<'_>) -> Shown {
    let mut shown = Shown::new(&place.namespace, request.attributes, request.types_only);
    if let Some(values) = &operation.controls.matched_values {
        shown.matching(&place.namespace, values);
    }
    if let Some(deref) = &operation.controls.deref {
        shown.dereferencing(&place.namespace, deref);
    }
    shown
}

/// What the search may use up: what the client wants it to, and the server allows.
fn limits(operation: &Operation<'_, '_>, place: &Place, request: &SearchRequest<'_>) -> Limits {
    let settings = operation.caller.engine.settings();
    let free = place.session.is_superuser();
    let least = |wanted: u64, allowed: u64| match wanted {
        0 if free => u64::MAX,
        0 => allowed,
        wanted if free => wanted,
        wanted => wanted.min(allowed),
    };
    let size = least(request.size_limit.into(), settings.size_limit.into());
    let allowed = u64::try_from(settings.time_limit.as_millis()).unwrap_or(u64::MAX);
    let time = least(u64::from(request.time_limit) * 1000, allowed);
    Limits {
        size: u32::try_from(size).unwrap_or(u32::MAX),
        deadline: operation.caller.now.saturating_add(time),
        in_vain: if free { u64::MAX } else { settings.look_through },
    }
}

/// The order and window asked for. `None` if they cannot be had, which is said in `out`.
fn order(operation: &Operation<'_, '_>, place: &Place, out: &mut Vec<u8>) -> Option<Portion> {
    let mut portion = Portion::default();
    let schema = place.namespace.schema();
    let mut close = |portion: Portion, code| {
        portion.close(operation.id, LdapResult::new(code, b""), out);
        None
    };
    let order = match &operation.controls.sort {
        None => None,
        Some((sort, critical)) => match Order::new(&place.namespace, sort) {
            Ok(order) => Some((order, *critical)),
            Err(unsortable) => {
                portion.unsortable(unsortable);
                if *critical {
                    return close(portion, ResultCode::UnavailableCriticalExtension);
                }
                None
            }
        },
    };
    if let Some((vlv, _)) = &operation.controls.vlv {
        let Some((order, _)) = &order else {
            portion.no_window(ResultCode::SortControlMissing);
            return close(portion, ResultCode::VirtualListViewError);
        };
        let Some(window) = window(order, schema, vlv) else {
            portion.no_window(ResultCode::InvalidAttributeSyntax);
            return close(portion, ResultCode::VirtualListViewError);
        };
        portion.windowed(window);
    }
    if let Some((order, critical)) = order {
        portion.sort_by(order, critical, operation.caller.engine.settings().sorted_entries);
    }
    Some(portion)
}

fn window(order: &Order, schema: &netinfo_schema::Schema, vlv: &VlvRequest<'_>) -> Option<Window> {
    let target = match vlv.target {
        VlvTarget::Offset { offset, count } => Target::Offset { offset, count },
        VlvTarget::GreaterOrEqual(value) => Target::Key(order.bound(schema, value)?),
    };
    Some(Window { before: vlv.before, after: vlv.after, target })
}

/// Whether an entry matches a filter.
pub(crate) fn matches(ground: &Ground<'_>, object: u32, filter: WireFilter<'_>) -> Outcome<bool> {
    let mut filter = Filter::new(ground.tree().namespace(), filter);
    chain::follow(ground, &mut filter, CHAINED)?;
    Ok(match ground.subject(object)? {
        Some(subject) => filter.evaluate(&subject)?.is_true(),
        None => false,
    })
}

/// Finds the base of a search, through aliases if that is asked for.
///
/// # Errors
/// `noSuchObject` with the nearest entry that may be seen, a referral, or what is wrong with an alias.
fn find_base(
    ground: &Ground<'_>,
    base: &Name<'_>,
    request: &SearchRequest<'_>,
    manage: bool,
) -> Outcome<u32> {
    let find =
        |name: &Name<'_>| referral::find(ground.tree(), ground.access(), name, manage, Some(request.scope));
    if !matches!(request.deref, DerefAliases::FindingBase | DerefAliases::Always) {
        return find(base);
    }
    let Some(mut name) = through_alias(ground, base)? else { return find(base) };
    for _ in 0..ALIAS_HOPS {
        let next = {
            let parsed = Name::parse(name.as_bytes()).map_err(|_| dangling())?;
            let next = through_alias(ground, &parsed)?;
            if next.is_none() {
                return find(&parsed).map_err(|failure| match failure.code {
                    ResultCode::NoSuchObject => dangling(),
                    _ => failure,
                });
            }
            next
        };
        name = next.unwrap_or_default();
    }
    Err(Failure::new(ResultCode::LoopDetect, "aliases lead to aliases without end"))
}

/// The name that a name becomes where it, or the nearest entry above it, is an alias.
fn through_alias(ground: &Ground<'_>, name: &Name<'_>) -> Outcome<Option<String>> {
    let (object, rest) = match ground.tree().resolve_name(name)? {
        Resolution::Found(object) => (object, 0),
        Resolution::Missing { nearest, rest } => (nearest, rest),
        Resolution::Outside => return Ok(None),
    };
    let Some(subject) = ground.subject(object)? else { return Ok(None) };
    if special::of(subject.record()) != Special::Alias {
        return Ok(None);
    }
    let target = special::target(subject.record()).and_then(|target| String::from_utf8(target).ok());
    let target = target.ok_or_else(dangling)?;
    let above = referral::text_of(name.rdns.get(..rest).unwrap_or_default(), &target);
    Ok(Some(above))
}

fn dangling() -> Failure {
    Failure::new(ResultCode::AliasProblem, "the alias names no entry of this domain")
}

/// All entries that store a class of this kind.
pub(crate) fn all_of(ground: &Ground<'_>, special: Special) -> Outcome<Arc<RoaringBitmap>> {
    match special::names(special) {
        Some(names) => Ok(ground.tree().storing_class(names)?),
        None => Ok(Arc::default()),
    }
}

/// Takes in where aliases inside `reach` lead (RFC 4511 §4.5.1.3). Those that lead nowhere are passed over.
///
/// # Errors
/// `adminLimitExceeded` for more than [`ALIASES`].
pub(crate) fn follow_aliases(ground: &Ground<'_>, reach: &mut Reach) -> Outcome<()> {
    if reach.scope() == Scope::Base {
        return Ok(());
    }
    let mut left = RoaringBitmap::clone(&*all_of(ground, Special::Alias)?);
    let mut followed = 0;
    loop {
        let mut news = false;
        for object in left.clone() {
            let Some(subject) = ground.subject(object)? else { continue };
            if special::of(subject.record()) != Special::Alias
                || !reach.takes_in(ground.view(), subject.record())?
            {
                continue;
            }
            left.remove(object);
            followed += 1;
            if followed > ALIASES {
                return Err(Failure::new(ResultCode::AdminLimitExceeded, "too many aliases below the base"));
            }
            if let Some(target) = end_of(ground, &subject)? {
                news |= reach.add(target);
            }
        }
        // Below where an alias leads there may be others.
        if !news || reach.scope() == Scope::One {
            return Ok(());
        }
    }
}

/// The entry at the end of a chain of aliases.
fn end_of(ground: &Ground<'_>, alias: &Subject<'_>) -> Outcome<Option<u32>> {
    let mut name = special::target(alias.record());
    for _ in 0..ALIAS_HOPS {
        let Some(target) = name else { return Ok(None) };
        let Ok(Resolution::Found(object)) = ground.tree().resolve(&target) else { return Ok(None) };
        let Some(subject) = ground.subject(object)? else { return Ok(None) };
        if special::of(subject.record()) != Special::Alias {
            return Ok(Some(object));
        }
        name = special::target(subject.record());
    }
    Ok(None)
}
