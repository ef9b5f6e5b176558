//! The library `ldap3` of Rust: an LDAP codec and client that nobody here wrote.

use std::collections::HashSet;

use ldap3::adapters::{Adapter, EntriesOnly, PagedResults};
use ldap3::controls::{Assertion, PostRead, PostReadResp, ProxyAuth, RawControl};
use ldap3::exop::{PasswordModify, PasswordModifyResp, WhoAmI, WhoAmIResp};
use ldap3::{
    DerefAliases, LdapConn, LdapConnAsync, Mod, ResultEntry, Scope, SearchEntry, SearchOptions, ldap_escape,
};

use super::{ADMIN, PASSWORD, SUFFIX, Server, Way};

const PEOPLE: &str = "ou=people,dc=example,dc=com";

fn values(values: &[&'static str]) -> HashSet<&'static str> {
    values.iter().copied().collect()
}

fn bound(server: &Server) -> LdapConn {
    let mut connection = LdapConn::new(&server.url(Way::Plain)).unwrap();
    connection.simple_bind(ADMIN, PASSWORD).unwrap().success().unwrap();
    connection
}

/// Sixty people, added one after another.
fn fill(connection: &mut LdapConn) {
    let unit = vec![("objectClass", values(&["organizationalUnit"])), ("ou", values(&["people"]))];
    connection.add(PEOPLE, unit).unwrap().success().unwrap();
    for number in 0..60 {
        let classes: HashSet<Vec<u8>> = [b"inetOrgPerson".to_vec()].into();
        let name = format!("user{number:02}");
        let entry = vec![
            (b"objectClass".to_vec(), classes),
            (b"uid".to_vec(), [name.clone().into_bytes()].into()),
            (b"cn".to_vec(), [format!("Nutzer ({number})").into_bytes()].into()),
            (b"sn".to_vec(), [b"Gr\xc3\xbcn".to_vec()].into()),
            (b"jpegPhoto".to_vec(), [(0..=255).collect::<Vec<u8>>()].into()),
        ];
        connection.add(&format!("uid={name},{PEOPLE}"), entry).unwrap().success().unwrap();
    }
}

fn find(connection: &mut LdapConn, filter: &str, attributes: &[&str]) -> Vec<SearchEntry> {
    let found = connection.search(PEOPLE, Scope::Subtree, filter, attributes);
    let (entries, _) = found.unwrap().success().unwrap();
    entries.into_iter().map(SearchEntry::construct).collect()
}

#[test]
fn operations_one_after_another() {
    let server = Server::start();
    let mut connection = LdapConn::new(&server.url(Way::Plain)).unwrap();
    assert_eq!(connection.simple_bind(ADMIN, "wrong").unwrap().rc, 49);
    let mut connection = bound(&server);
    fill(&mut connection);

    let found = find(&mut connection, &format!("(cn=nutzer {})", ldap_escape("(7)")), &["*"]);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].dn, format!("uid=user07,{PEOPLE}"));
    assert_eq!(found[0].attrs["sn"], ["Grün"]);
    assert_eq!(found[0].bin_attrs["jpegPhoto"], [(0..=255).collect::<Vec<u8>>()]);

    let dn = format!("uid=user07,{PEOPLE}");
    let changes = vec![
        Mod::Add("mail", values(&["a@example.com", "b@example.com"])),
        Mod::Replace("sn", values(&["Blau"])),
        Mod::Delete("jpegPhoto", HashSet::new()),
        Mod::Add("employeeNumber", values(&["41"])),
    ];
    connection.modify(&dn, changes).unwrap().success().unwrap();
    let found = find(&mut connection, "(mail=A@EXAMPLE.com)", &["sn", "jpegPhoto", "employeeNumber"]);
    assert_eq!(found[0].attrs["sn"], ["Blau"]);
    assert!(found[0].bin_attrs.is_empty() && !found[0].attrs.contains_key("jpegPhoto"));
    assert!(connection.compare(&dn, "mail", "B@example.com").unwrap().equal().unwrap());
    assert!(!connection.compare(&dn, "mail", "c@example.com").unwrap().equal().unwrap());

    let post = PostRead::new(vec!["sn"]);
    let result = connection
        .with_controls(vec![post])
        .modify(&dn, vec![Mod::Replace("sn", values(&["Rot"]))])
        .unwrap()
        .success()
        .unwrap();
    let read: PostReadResp = result.ctrls.iter().find_map(|control| post_read(&control.1)).unwrap();
    assert_eq!(read.attrs["sn"], ["Rot"]);
    let refused = connection.with_controls(vec![Assertion::new("(sn=Blau)")]).delete(&dn).unwrap();
    assert_eq!(refused.rc, 122);

    connection.modifydn(&dn, "uid=renamed", true, None).unwrap().success().unwrap();
    assert_eq!(find(&mut connection, "(uid=renamed)", &["1.1"])[0].dn, format!("uid=renamed,{PEOPLE}"));
    connection.delete(&format!("uid=renamed,{PEOPLE}")).unwrap().success().unwrap();
    assert_eq!(connection.delete(&dn).unwrap().rc, 32);
    connection.unbind().unwrap();
}

fn post_read(control: &RawControl) -> Option<PostReadResp> {
    (control.ctype == "1.3.6.1.1.13.2").then(|| control.parse())
}

#[test]
fn extended_operations_and_other_peoples_rights() {
    let server = Server::start();
    let mut connection = bound(&server);
    fill(&mut connection);
    let dn = format!("uid=user03,{PEOPLE}");
    let whoami = |connection: &mut LdapConn| -> String {
        let (said, _) = connection.extended(WhoAmI).unwrap().success().unwrap();
        said.parse::<WhoAmIResp>().authzid
    };
    assert_eq!(whoami(&mut connection), format!("dn:{ADMIN}"));
    let proxy = ProxyAuth { authzid: format!("dn:{dn}") };
    assert_eq!(whoami(connection.with_controls(vec![proxy.into()])), format!("dn:{dn}"));

    let change = PasswordModify { user_id: Some(&dn), old_pass: None, new_pass: Some("geheim") };
    connection.extended(change).unwrap().success().unwrap();
    let mut user = LdapConn::new(&server.url(Way::Plain)).unwrap();
    user.simple_bind(&dn, "geheim").unwrap().success().unwrap();
    assert_eq!(user.delete(&format!("uid=user04,{PEOPLE}")).unwrap().rc, 50);
    let change = PasswordModify { user_id: Some(&dn), old_pass: None, new_pass: None };
    let (made, _) = connection.extended(change).unwrap().success().unwrap();
    let made = made.parse::<PasswordModifyResp>().gen_pass;
    assert_eq!(user.simple_bind(&dn, "geheim").unwrap().rc, 49);
    user.simple_bind(&dn, &made).unwrap().success().unwrap();

    let mut local = LdapConn::new(&server.url(Way::Socket)).unwrap();
    local.sasl_external_bind().unwrap().success().unwrap();
    assert!(whoami(&mut local).ends_with("cn=external,cn=auth"));
}

#[test]
fn pages_limits_and_streams() {
    let server = Server::start();
    let mut connection = bound(&server);
    fill(&mut connection);
    let adapters: Vec<Box<dyn Adapter<'_, &str, Vec<&str>>>> =
        vec![Box::new(EntriesOnly::new()), Box::new(PagedResults::new(7))];
    let mut stream =
        connection.streaming_search_with(adapters, PEOPLE, Scope::OneLevel, "(uid=*)", vec!["uid"]).unwrap();
    let mut names = HashSet::new();
    while let Some(entry) = stream.next().unwrap() {
        names.insert(SearchEntry::construct(entry).attrs["uid"][0].clone());
    }
    stream.result().success().unwrap();
    assert_eq!(names.len(), 60);

    let options = SearchOptions::new().sizelimit(5).deref(DerefAliases::Always).typesonly(true);
    let found = connection.with_search_options(options).search(PEOPLE, Scope::OneLevel, "(uid=*)", ["uid"]);
    let ldap3::SearchResult(entries, result) = found.unwrap();
    assert_eq!((entries.len(), result.rc), (5, 4));

    // A search that is given up leaves the connection usable.
    let mut stream =
        connection.streaming_search(PEOPLE, Scope::Subtree, "(objectClass=*)", vec!["*"]).unwrap();
    stream.next().unwrap().unwrap();
    let number = stream.last_id();
    drop(stream.result());
    connection.abandon(number).unwrap();
    assert_eq!(find(&mut connection, "(uid=user01)", &["uid"]).len(), 1);
}

#[test]
fn many_requests_at_once() {
    let server = Server::start();
    fill(&mut bound(&server));
    let url = server.url(Way::Plain);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let (driver, mut first) = LdapConnAsync::new(&url).await.unwrap();
        ldap3::drive!(driver);
        first.simple_bind(ADMIN, PASSWORD).await.unwrap().success().unwrap();
        let mut searches = tokio::task::JoinSet::new();
        for number in 0..200 {
            let mut connection = first.clone();
            searches.spawn(async move {
                let filter = format!("(uid=user{:02})", number % 60);
                let found = connection.search(PEOPLE, Scope::Subtree, &filter, vec!["uid"]).await;
                let (entries, _) = found.unwrap().success().unwrap();
                let names: Vec<String> =
                    entries.into_iter().map(|e: ResultEntry| SearchEntry::construct(e).dn).collect();
                (names, format!("uid=user{:02},{PEOPLE}", number % 60))
            });
        }
        let mut answered = 0;
        while let Some(search) = searches.join_next().await {
            let (names, expected) = search.unwrap();
            assert_eq!(names, [expected]);
            answered += 1;
        }
        assert_eq!(answered, 200);
        first.unbind().await.unwrap();
    });
    // Nothing of the suffix but what was put there.
    let (entries, _) =
        bound(&server).search(SUFFIX, Scope::Subtree, "(sn=*)", vec!["1.1"]).unwrap().success().unwrap();
    assert_eq!(entries.len(), 60);
}
