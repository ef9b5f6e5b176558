//! Copies that clients keep by content synchronization (RFC 4533).

use std::collections::{BTreeMap, BTreeSet};

use netinfo_directory::{Change, Credentials, Origin, Property, ROOT, Target};
use netinfo_ldap::limits::{SYNC_REFRESH, SYNC_UUIDS, SYNCHRONIZATIONS};
use netinfo_ldap::{Page, Pages, Step};
use netinfo_wire::ldap::control::paging::PagedResults;
use netinfo_wire::ldap::control::sync::{
    SyncDone, SyncEntryState, SyncInfo, SyncMode, SyncRequest, SyncState, Uuid,
};
use netinfo_wire::ldap::request::DerefAliases;
use netinfo_wire::ldap::{
    Controls, ControlsBuf, FilterBuf, Message, ModifyOp, Payload, Request, Response, ResultCode, Scope,
    SearchRequest, SelectionBuf, oid,
};

use crate::searching::{Entry, Search};
use crate::support::{Answer, Client, NOW, Place};

/// Asks something of a client.
type Asking<'a> = dyn Fn(&mut Client) -> Answer + 'a;

const SUFFIX: &str = "dc=example,dc=com";
const PEOPLE: &str = "cn=users,dc=example,dc=com";
/// What an entry holds besides its attributes.
const HELD: [&str; 6] = [
    "entryUUID",
    "structuralObjectClass",
    "createTimestamp",
    "modifyTimestamp",
    "creatorsName",
    "modifiersName",
];

/// A client's copy of what a search finds.
#[derive(Default)]
struct Copy {
    base: String,
    filter: String,
    cookie: Option<Vec<u8>>,
    entries: BTreeMap<Uuid, Entry>,
    /// Entries that this refresh has mentioned.
    mentioned: BTreeSet<Uuid>,
    /// Entries that have been sent so far.
    sent: usize,
}

impl Copy {
    fn of(base: &str, filter: &str) -> Self {
        Self { base: base.to_owned(), filter: filter.to_owned(), ..Self::default() }
    }

    fn all() -> Self {
        Self::of(SUFFIX, "(objectClass=*)")
    }

    /// The request for it, as a message.
    fn request(&self, client: &mut Client, mode: SyncMode, more: impl FnOnce(&mut ControlsBuf)) -> Vec<u8> {
        let filter = FilterBuf::parse(&self.filter).unwrap();
        let mut attributes = SelectionBuf::new();
        ["*", "+"].iter().for_each(|name| attributes.push(name.as_bytes()));
        let mut controls = ControlsBuf::default();
        controls.add(true, &SyncRequest { mode, cookie: self.cookie.as_deref(), reload_hint: false });
        more(&mut controls);
        client.id += 1;
        let request = SearchRequest {
            base: self.base.as_bytes(),
            scope: Scope::Subtree,
            deref: DerefAliases::Never,
            size_limit: 0,
            time_limit: 0,
            types_only: false,
            filter: filter.as_filter(),
            attributes: attributes.as_list(),
        };
        let mut message = Vec::new();
        let op = Request::Search(request);
        Message { id: client.id, op, controls: controls.as_list() }.encode(&mut message);
        message
    }

    /// Brings it up to date; returns how many entries were sent for that.
    fn refresh(&mut self, client: &mut Client) -> usize {
        let request = self.request(client, SyncMode::RefreshOnly, |_| ());
        let answer = client.send(&request);
        assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
        self.take(&answer)
    }

    /// Begins to be told of every change.
    fn follow(&self, client: &mut Client) -> Following {
        let request = self.request(client, SyncMode::RefreshAndPersist, |_| ());
        let mut out = Vec::new();
        match client.connection.handle(&request, NOW, &mut out) {
            Step::Pages(pages) => Following(pages),
            step => panic!("{step:?}: {}", Answer(out).text()),
        }
    }

    /// Does as the messages say.
    fn take(&mut self, answer: &Answer) -> usize {
        let before = self.sent;
        for message in answer.messages() {
            match message.op {
                Response::SearchEntry(entry) => {
                    let value = control(message.controls, SyncState::OID).expect("a state for every entry");
                    let SyncState { state, uuid, cookie } = SyncState::decode(value).unwrap();
                    self.have(cookie);
                    self.mentioned.insert(uuid);
                    match state {
                        SyncEntryState::Present => assert!(self.entries.contains_key(&uuid)),
                        SyncEntryState::Delete => assert!(self.entries.remove(&uuid).is_some(), "{entry:?}"),
                        SyncEntryState::Add | SyncEntryState::Modify => {
                            self.sent += 1;
                            let known = self.entries.insert(uuid, owned(&entry));
                            assert!(state == SyncEntryState::Add || known.is_some(), "{entry:?}");
                        }
                    }
                }
                Response::Intermediate(info) => {
                    assert_eq!(info.name, Some(oid::SYNC_INFO));
                    self.learn(SyncInfo::decode(info.value.unwrap()).unwrap());
                }
                Response::SearchDone(_) => {
                    let value = control(message.controls, SyncDone::OID).expect("a cookie at the end");
                    let SyncDone { cookie, refresh_deletes } = SyncDone::decode(value).unwrap();
                    self.have(cookie);
                    self.end_refresh(refresh_deletes);
                }
                other => panic!("{other:?}"),
            }
        }
        self.sent - before
    }

    fn learn(&mut self, info: SyncInfo<'_>) {
        match info {
            SyncInfo::NewCookie(cookie) => self.have(Some(cookie)),
            SyncInfo::RefreshDelete { cookie, .. } => {
                self.have(cookie);
                self.end_refresh(true);
            }
            SyncInfo::RefreshPresent { cookie, .. } => {
                self.have(cookie);
                self.end_refresh(false);
            }
            SyncInfo::IdSet { cookie, refresh_deletes, uuids } => {
                self.have(cookie);
                assert!(!refresh_deletes && uuids.len() <= SYNC_UUIDS);
                for uuid in uuids {
                    assert!(
                        self.entries.contains_key(&uuid),
                        "an entry that the copy lacks is said to be there"
                    );
                    self.mentioned.insert(uuid);
                }
            }
        }
    }

    fn have(&mut self, cookie: Option<&[u8]>) {
        if let Some(cookie) = cookie {
            self.cookie = Some(cookie.to_vec());
        }
    }

    /// What was not mentioned is gone, unless all that is gone was.
    fn end_refresh(&mut self, deletes: bool) {
        let mentioned = std::mem::take(&mut self.mentioned);
        if !deletes {
            self.entries.retain(|uuid, _| mentioned.contains(uuid));
        }
    }

    /// The copy has to be what a search finds now.
    #[track_caller]
    fn assert_complete(&self, client: &mut Client) {
        // Requests that come together may be answered from one snapshot; these do not.
        client.connection.release();
        let search = Search::new(&self.base, Scope::Subtree, &self.filter).select(&["*"]).select(&HELD);
        let text = |entry: &Entry| {
            let lines = entry.attributes.iter().flat_map(|(name, values)| {
                values.iter().map(move |value| format!("{name}: {}", value.escape_ascii()))
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        let by_name = |entries: &mut dyn Iterator<Item = &Entry>| -> BTreeMap<String, String> {
            entries.map(|entry| (entry.dn.clone(), text(entry))).collect()
        };
        let copy = by_name(&mut self.entries.values());
        assert_eq!(copy.len(), self.entries.len(), "two entries of one name");
        let found = by_name(&mut search.of(client).entries.iter());
        let names: BTreeSet<&String> = copy.keys().chain(found.keys()).collect();
        for name in names {
            assert_eq!(copy.get(name), found.get(name), "{name}");
        }
    }
}

/// A client that is told of every change.
struct Following(Pages);

impl Following {
    /// What it is told now.
    fn hear(&mut self) -> Answer {
        self.hear_at(NOW)
    }

    fn hear_at(&mut self, now: u64) -> Answer {
        let mut out = Vec::new();
        while let Page::More(_) = self.0.next(now, &mut out) {}
        Answer(out)
    }
}

fn control<'m>(controls: Controls<'m>, oid: &str) -> Option<&'m [u8]> {
    controls.into_iter().find(|control| control.oid == oid).and_then(|control| control.value)
}

fn owned(entry: &netinfo_wire::ldap::response::SearchEntry<'_>) -> Entry {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let attributes = entry.attributes.iter();
    let attributes = attributes.map(|a| (text(a.name), a.values.iter().map(<[u8]>::to_vec).collect()));
    Entry { dn: text(entry.dn), attributes: attributes.collect() }
}

fn person(name: &str) -> String {
    format!("uid={name},{PEOPLE}")
}

fn unit(client: &mut Client, dn: &str) -> Answer {
    client.add(dn, &[("objectClass", &["organizationalUnit"])])
}

#[test]
fn a_copy_is_brought_up_to_date() {
    let place = Place::new();
    let (mut admin, mut client) = (place.admin(), place.admin());
    let mut copy = Copy::all();
    let all = copy.refresh(&mut client);
    copy.assert_complete(&mut client);
    assert!(all >= 5);
    assert_eq!(copy.refresh(&mut client), 0, "nothing has changed");
    copy.assert_complete(&mut client);
    // Only what has changed is sent.
    admin.modify(&person("bob"), &[(ModifyOp::Replace, "loginShell", &["/bin/rc"])]);
    assert_eq!(copy.refresh(&mut client), 1);
    copy.assert_complete(&mut client);
    admin.rename(&person("bob"), "uid=robert", true, None);
    admin.delete(&person("alice"));
    unit(&mut admin, &format!("ou=new,{SUFFIX}"));
    assert_eq!(copy.refresh(&mut client), 2);
    copy.assert_complete(&mut client);
    // What the root says may concern everything.
    place.set("_schema", ["strict"]);
    assert!(copy.refresh(&mut client) >= 5);
    copy.assert_complete(&mut client);
}

#[test]
fn changes_are_told_as_they_happen() {
    let place = Place::new();
    let (mut admin, mut client, mut looking) = (place.admin(), place.admin(), place.admin());
    let mut copy = Copy::all();
    let mut following = copy.follow(&mut client);
    copy.take(&following.hear());
    copy.assert_complete(&mut looking);
    assert!(following.hear().0.is_empty());
    // Each change, and how many entries have to be sent for it.
    let changes: [(&Asking<'_>, usize); 5] = [
        (&|admin| unit(admin, &format!("ou=a,{SUFFIX}")), 1),
        (&|admin| unit(admin, &format!("ou=b,ou=a,{SUFFIX}")), 1),
        (&|admin| admin.modify(&person("bob"), &[(ModifyOp::Add, "description", &["x"])]), 1),
        (&|admin| admin.delete(&person("alice")), 0),
        (&|admin| admin.rename(&person("bob"), "uid=alice", true, None), 1),
    ];
    for (change, sent) in changes {
        assert_eq!(change(&mut admin).code(), ResultCode::Success);
        assert_eq!(copy.take(&following.hear()), sent);
        copy.assert_complete(&mut looking);
    }
    // Together: what goes comes first, so that no name is taken twice.
    admin.rename(&format!("ou=b,ou=a,{SUFFIX}"), "ou=b", true, Some(SUFFIX));
    admin.delete(&format!("ou=a,{SUFFIX}"));
    admin.rename(&format!("ou=b,{SUFFIX}"), "ou=a", true, None);
    copy.take(&following.hear());
    copy.assert_complete(&mut looking);
    // The cookie is good for another time.
    assert_eq!(copy.refresh(&mut looking), 0);
}

#[test]
fn groups_are_told_again_when_those_they_name_change() {
    let place = Place::new();
    let (mut client, mut looking) = (place.admin(), place.admin());
    let groups = place.object(&["groups"]);
    // These say who their members are by short names: DNs follow from what those stand for.
    for (name, members) in [("one", &["alice", "al"][..]), ("two", &["carol"]), ("three", &["bob"])] {
        let users = Property::new("users", members.iter().copied());
        place.child(groups, vec![Property::new("name", [name]), Property::new("gid", ["30"]), users]);
    }
    let alice = place.object(&["users", "alice"]);
    let names = |names: &[&str]| Change::WriteProperty {
        directory: Target::any(alice),
        index: 0,
        values: names.iter().map(|name| name.as_bytes().to_vec()).collect(),
    };
    let users = Target::any(place.object(&["users"]));
    let copies = || {
        let mut polling = Copy::all();
        polling.refresh(&mut place.admin());
        polling
    };
    let mut following = copies().follow(&mut client);
    let mut copy = Copy::all();
    copy.refresh(&mut looking);
    following.hear();
    let changes = [
        (names(&["alicia"]), 2),
        (names(&["alicia", "al"]), 2),
        (names(&["carol"]), 3),
        (Change::Destroy { parent: users, child: Target::any(alice) }, 1),
    ];
    for (change, sent) in changes {
        let mut polling = copies();
        place.change(change.clone());
        assert_eq!(copy.take(&following.hear()), sent, "{change:?}");
        copy.assert_complete(&mut looking);
        polling.refresh(&mut looking);
        polling.assert_complete(&mut looking);
    }
}

#[test]
fn entries_come_into_the_content_and_leave_it() {
    let place = Place::new();
    let (mut admin, mut looking) = (place.admin(), place.admin());
    unit(&mut admin, &format!("ou=in,{SUFFIX}"));
    for dn in ["ou=out", "ou=x,ou=out", "ou=y,ou=x,ou=out"] {
        unit(&mut admin, &format!("{dn},{SUFFIX}"));
    }
    let (mut below, mut marked) =
        (Copy::of(&format!("ou=in,{SUFFIX}"), "(ou=*)"), Copy::of(SUFFIX, "(description=marked)"));
    let (mut one, mut two) = (place.admin(), place.admin());
    let (mut hears_below, mut hears_marked) = (below.follow(&mut one), marked.follow(&mut two));
    below.take(&hears_below.hear());
    marked.take(&hears_marked.hear());
    assert_eq!((below.entries.len(), marked.entries.len()), (1, 0));
    let mark =
        |op| -> [(ModifyOp, &'static str, &'static [&'static str]); 1] { [(op, "description", &["marked"])] };
    let changes: [(&Asking<'_>, usize, usize); 6] = [
        // With all below it.
        (
            &|admin| {
                admin.rename(&format!("ou=x,ou=out,{SUFFIX}"), "ou=x", true, Some(&format!("ou=in,{SUFFIX}")))
            },
            3,
            0,
        ),
        (&|admin| admin.modify(&format!("ou=y,ou=x,ou=in,{SUFFIX}"), &mark(ModifyOp::Add)), 3, 1),
        (&|admin| admin.modify(&person("bob"), &mark(ModifyOp::Add)), 3, 2),
        (&|admin| admin.rename(&format!("ou=x,ou=in,{SUFFIX}"), "ou=x", true, Some(SUFFIX)), 1, 2),
        (&|admin| admin.modify(&person("bob"), &mark(ModifyOp::Delete)), 1, 1),
        (&|admin| admin.delete(&format!("ou=y,ou=x,{SUFFIX}")), 1, 0),
    ];
    let mut polled = Copy::of(&format!("ou=in,{SUFFIX}"), "(ou=*)");
    for (change, in_below, in_marked) in changes {
        assert_eq!(change(&mut admin).code(), ResultCode::Success);
        below.take(&hears_below.hear());
        marked.take(&hears_marked.hear());
        polled.refresh(&mut looking);
        assert_eq!((below.entries.len(), marked.entries.len()), (in_below, in_marked));
        [&below, &marked, &polled].iter().for_each(|copy| copy.assert_complete(&mut looking));
    }
}

/// A sequence of numbers that is the same every time.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 40) as usize
}

#[test]
fn whatever_happens_copies_end_complete() {
    let place = Place::new();
    let (mut admin, mut client, mut poller) = (place.admin(), place.admin(), place.admin());
    let (mut followed, mut polled) = (Copy::all(), Copy::all());
    let mut following = followed.follow(&mut client);
    let mut state = 4_711;
    for round in 0..60 {
        for _ in 0..next(&mut state) % 6 {
            let mut name = || format!("ou={}", [b'a', b'b', b'c', b'd', b'e'][next(&mut state) % 5] as char);
            let (one, two, three) = (name(), name(), name());
            let (top, deep) = (format!("{one},{SUFFIX}"), format!("{two},{one},{SUFFIX}"));
            let other = format!("{three},{SUFFIX}");
            // Most of these are possible now and then only.
            match next(&mut state) % 6 {
                0 => unit(&mut admin, &top),
                1 => unit(&mut admin, &deep),
                2 => admin.modify(&top, &[(ModifyOp::Replace, "description", &[&round.to_string()])]),
                3 => admin.rename(&deep, &three, true, Some(SUFFIX)),
                4 => admin.rename(&top, &two, true, Some(&other)),
                _ => admin.delete(&deep),
            };
        }
        followed.take(&following.hear());
        followed.assert_complete(&mut poller);
        if round % 3 == 0 {
            polled.refresh(&mut poller);
            polled.assert_complete(&mut poller);
        }
    }
    assert!(followed.entries.len() > 8, "something has happened");
}

#[test]
fn cookies_of_other_content_and_made_up_ones_begin_anew() {
    let place = Place::new();
    let mut client = place.admin();
    let (mut all, mut people) = (Copy::all(), Copy::of(PEOPLE, "(uid=*)"));
    let count = all.refresh(&mut client);
    assert_eq!(people.refresh(&mut client), 2);
    all.cookie = people.cookie.clone();
    assert_eq!(all.refresh(&mut client), count);
    let later = String::from_utf8(all.cookie.clone().unwrap())
        .unwrap()
        .replace("csn=20000101", "csn=20000101235959.");
    for cookie in ["", "rid=001", "csn=", "csn=20991231000000.000000Z#000000#000#000000", &later, "\u{1F36A}"]
    {
        all.cookie = Some(cookie.into());
        assert_eq!(all.refresh(&mut client), count, "{cookie}");
        all.assert_complete(&mut client);
    }
    all.cookie = Some(b"rid=042".to_vec());
    all.refresh(&mut client);
    assert!(all.cookie.unwrap().starts_with(b"rid=042,csn="));
}

#[test]
fn a_copy_is_of_what_its_owner_may_see() {
    let place = Place::new();
    let (mut admin, mut alice) = (place.admin(), place.user("alice"));
    let (mut hers, mut full) = (Copy::all(), Copy::all());
    hers.refresh(&mut alice);
    full.refresh(&mut admin);
    let passwords =
        |copy: &Copy| copy.entries.values().filter(|entry| !entry.texts("userPassword").is_empty()).count();
    assert_eq!((passwords(&hers), passwords(&full)), (0, 2));
    hers.assert_complete(&mut alice);
    // What follows from other entries is nobody's.
    assert!(
        full.entries
            .values()
            .all(|entry| entry.texts("memberOf").is_empty() && entry.texts("dSID").is_empty())
    );
    // Somebody else's cookie is of another content.
    full.cookie = hers.cookie.clone();
    assert_eq!(full.refresh(&mut admin), full.entries.len());
}

#[test]
fn entries_that_the_copy_has_are_named_in_pieces() {
    let place = Place::new();
    let mut client = place.admin();
    let session = place.domain.authenticate(Credentials::None, Origin::Internal).unwrap();
    let create = |number: usize| Change::Create {
        parent: Target::any(ROOT),
        properties: vec![Property::new("name", [format!("n{number}")])],
        position: u32::MAX,
    };
    place.domain.write_blocking(&session, (0..SYNC_UUIDS + 10).map(create).collect(), NOW).unwrap();
    let mut copy = Copy::all();
    assert!(copy.refresh(&mut client) > SYNC_UUIDS);
    client.modify(&person("bob"), &[(ModifyOp::Add, "description", &["x"])]);
    assert_eq!(copy.refresh(&mut client), 1);
    copy.assert_complete(&mut client);
}

#[test]
fn what_cannot_be_copied_is_refused() {
    let place = Place::new();
    let mut client = place.admin();
    let paged = |controls: &mut ControlsBuf| controls.add(false, &PagedResults { size: 5, cookie: b"" });
    let request = Copy::all().request(&mut client, SyncMode::RefreshOnly, paged);
    assert_eq!(client.send(&request).code(), ResultCode::UnwillingToPerform);
    for filter in ["(memberOf=cn=staff)", "(!(MEMBEROF=*))", "(manager:1.2.840.113556.1.4.1941:=uid=alice)"] {
        let request = Copy::of(SUFFIX, filter).request(&mut client, SyncMode::RefreshOnly, |_| ());
        assert_eq!(client.send(&request).code(), ResultCode::UnwillingToPerform, "{filter}");
    }
    let request =
        Copy::of("ou=nowhere,dc=example,dc=com", "(a=b)").request(&mut client, SyncMode::RefreshOnly, |_| ());
    assert_eq!(client.send(&request).code(), ResultCode::NoSuchObject);
}

#[test]
fn there_are_not_too_many_and_those_that_are_given_up_do_not_count() {
    let place = Place::new();
    let mut copies: Vec<(Client, Following)> = Vec::new();
    for _ in 0..SYNCHRONIZATIONS {
        let mut client = place.admin();
        let following = Copy::of(PEOPLE, "(uid=alice)").follow(&mut client);
        copies.push((client, following));
    }
    let mut client = place.admin();
    let request = Copy::all().request(&mut client, SyncMode::RefreshOnly, |_| ());
    assert_eq!(client.send(&request).code(), ResultCode::Busy);
    copies.pop();
    Copy::all().refresh(&mut client);
    drop(copies);
    Copy::all().refresh(&mut client);
}

#[test]
fn a_refresh_ends_in_time_and_what_follows_does_not() {
    let place = Place::new();
    let late = NOW + u64::try_from(SYNC_REFRESH.as_millis()).unwrap();
    let mut client = place.admin();
    let mut slow = Copy::all().follow(&mut client);
    assert_eq!(slow.hear_at(late).code(), ResultCode::TimeLimitExceeded);
    let mut copy = Copy::all();
    let mut following = copy.follow(&mut client);
    copy.take(&following.hear_at(late - 1));
    place.admin().delete(&person("bob"));
    copy.take(&following.hear_at(late));
    copy.assert_complete(&mut client);
}

#[test]
fn a_copy_ends_when_names_change_or_the_domain_is_gone() {
    let place = Place::new();
    for change in 0..2 {
        let mut client = place.admin();
        let mut copy = Copy::all();
        let mut following = copy.follow(&mut client);
        copy.take(&following.hear());
        let expected = if change == 0 {
            place.set("_layout", ["rfc2307"]);
            ResultCode::SyncRefreshRequired
        } else {
            place.engine.set_domains([]);
            ResultCode::Unavailable
        };
        assert_eq!(following.hear().code(), expected);
    }
}
