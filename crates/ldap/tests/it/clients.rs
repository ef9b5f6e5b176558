//! What known programs ask of a directory, request by request, and what they have to get.

use netinfo_wire::ldap::control::deref::{DerefRequest, DerefResponse, DerefSpec, DerefSpecKind};
use netinfo_wire::ldap::control::paging::PagedResults;
use netinfo_wire::ldap::list::ListBuf;
use netinfo_wire::ldap::{Payload, ResultCode, Scope, SelectionBuf};

use crate::org::organisation;
use crate::searching::{Found, Search};
use crate::support::{Client, Place};

const ALICE: &str = "uid=alice,ou=people,dc=example,dc=com";

fn ask(client: &mut Client, filter: &str, wanted: &[&str]) -> Found {
    let found = Search::all(filter).select(wanted).of(client);
    assert_eq!(found.code, ResultCode::Success, "{filter}");
    found
}

fn dns(client: &mut Client, filter: &str) -> Vec<String> {
    let mut dns: Vec<String> =
        ask(client, filter, &["1.1"]).dns().iter().map(|dn| (*dn).to_owned()).collect();
    dns.sort();
    dns
}

fn start() -> (Place, Client) {
    let place = organisation();
    let admin = place.admin();
    (place, admin)
}

#[test]
fn sssd() {
    let (_place, mut client) = start();
    let found = Search::new("", Scope::Base, "(objectclass=*)")
        .select(&[
            "*",
            "altServer",
            "namingContexts",
            "supportedControl",
            "supportedExtension",
            "supportedFeatures",
            "supportedLDAPVersion",
            "supportedSASLMechanisms",
            "domainControllerFunctionality",
            "defaultNamingContext",
            "lastUSN",
            "highestCommittedUSN",
        ])
        .of(&mut client);
    let root = &found.entries[0];
    assert_eq!(root.texts("namingContexts"), ["dc=example,dc=com"]);
    assert_eq!(root.texts("defaultNamingContext"), ["dc=example,dc=com"]);
    assert!(root.texts("supportedControl").contains(&PagedResults::OID.to_owned()));
    assert!(root.texts("supportedControl").contains(&DerefRequest::OID.to_owned()));

    let wanted = [
        "objectClass",
        "uid",
        "userPassword",
        "uidNumber",
        "gidNumber",
        "gecos",
        "homeDirectory",
        "loginShell",
        "krbPrincipalName",
        "cn",
        "memberOf",
        "modifyTimestamp",
        "entryUSN",
        "shadowLastChange",
        "shadowMin",
        "shadowMax",
        "shadowExpire",
        "authorizedService",
        "accountExpires",
        "userAccountControl",
        "nsAccountLock",
        "host",
        "rhost",
        "loginDisabled",
        "sshPublicKey",
        "userCertificate;binary",
        "mail",
    ];
    let user = "(&(uid=alice)(objectclass=posixAccount)(uid=*)(&(uidNumber=*)(!(uidNumber=0))))";
    let paged = Search::all(user).select(&wanted).control(false, &PagedResults { size: 1000, cookie: b"" });
    let found = paged.of(&mut client);
    assert_eq!(found.dns(), [ALICE]);
    let alice = &found.entries[0];
    assert_eq!(
        (alice.texts("uidNumber"), alice.texts("homeDirectory")),
        (vec!["5001".into()], vec!["/home/alice".into()])
    );
    assert_eq!((alice.texts("modifyTimestamp").len(), alice.texts("sshPublicKey").len()), (1, 1));
    assert!(found.controls().get::<PagedResults<'_>>().unwrap().unwrap().0.cookie.is_empty());

    let groups = "(&(memberuid=alice)(objectclass=posixGroup)(cn=*)(&(gidNumber=*)(!(gidNumber=0))))";
    assert_eq!(dns(&mut client, groups).len(), 3);
    assert_eq!(
        dns(&mut client, "(&(objectclass=posixAccount)(uid=*)(modifyTimestamp>=20990101000000Z))"),
        [""; 0]
    );
    let certificate = "(&(userCertificate;binary=\\30\\82\\01)(objectclass=posixAccount))";
    assert_eq!(dns(&mut client, certificate), [""; 0]);
    let sudo = "(&(objectClass=sudoRole)(|(sudoHost=*\\5c*)(sudoHost=*?*)(sudoHost=*\\2a*)(sudoHost=*[*]*)))";
    assert_eq!(ask(&mut client, sudo, &["cn"]).code, ResultCode::Success);
}

#[test]
fn sssd_dereferences_members() {
    let (_place, mut client) = start();
    let mut attributes = SelectionBuf::new();
    ["uid", "cn", "objectClass"].iter().for_each(|name| attributes.push(name.as_bytes()));
    let spec = DerefSpec { attribute: b"member", attributes: attributes.as_list() };
    let specs: ListBuf<DerefSpecKind> = [spec].into_iter().collect();
    let base = "cn=ghosts,ou=groups,dc=example,dc=com";
    let search = Search::new(base, Scope::Base, "(objectClass=*)").select(&["member"]);
    let found = search.control(true, &DerefRequest { specs: specs.as_list() }).of(&mut client);
    let members = found.entries[0].texts("member");
    let response = found.entry_controls()[0].get::<DerefResponse<'_>>().unwrap();
    let known = response.map_or(0, |(response, _)| response.results.len());
    assert!(known <= members.len());
}

#[test]
fn nslcd() {
    let (_place, mut client) = start();
    let wanted = [
        "uid",
        "userPassword",
        "uidNumber",
        "gidNumber",
        "gecos",
        "cn",
        "homeDirectory",
        "loginShell",
        "objectClass",
    ];
    let found = ask(&mut client, "(&(objectClass=posixAccount)(uidNumber=5001))", &wanted);
    assert_eq!(found.dns(), [ALICE]);
    let group = "(&(objectClass=posixGroup)(|(memberUid=bob)(member=uid=bob,ou=people,dc=example,dc=com)))";
    assert_eq!(dns(&mut client, group).len(), 2);
    for class in [
        "nisMailAlias",
        "ieee802Device",
        "ipHost",
        "nisNetgroup",
        "ipNetwork",
        "ipProtocol",
        "oncRpc",
        "ipService",
        "shadowAccount",
    ] {
        assert!(!dns(&mut client, &format!("(objectClass={class})")).is_empty(), "{class}");
    }
    let known = Search::new(ALICE, Scope::Base, "(objectClass=*)").select(&["dn"]).of(&mut client);
    assert_eq!((known.dns(), known.entries[0].names()), (vec![ALICE], vec![]));
}

#[test]
fn sudo_and_autofs() {
    let (_place, mut client) = start();
    let time = "20290101000000Z";
    let rules = format!(
        "(&(objectClass=sudoRole)(|(sudoUser=bob)(sudoUser=#5002)(sudoUser=%engineering)(sudoUser=%#5001)(sudoUser=ALL))\
         (&(|(!(sudoNotAfter=*))(sudoNotAfter>={time}))(|(!(sudoNotBefore=*))(sudoNotBefore<={time}))))"
    );
    assert!(dns(&mut client, &rules).contains(&"cn=bob-temp,ou=SUDOers,dc=example,dc=com".to_owned()));
    let expired = rules.replace(time, "20990101000000Z");
    assert!(!dns(&mut client, &expired).contains(&"cn=bob-temp,ou=SUDOers,dc=example,dc=com".to_owned()));
    assert_eq!(dns(&mut client, "(&(objectClass=sudoRole)(cn=defaults))").len(), 1);
    let map = ask(
        &mut client,
        "(&(objectclass=automountMap)(automountMapName=auto.master))",
        &["automountMapName"],
    );
    let keys = Search::new(map.dns()[0], Scope::One, "(objectclass=automount)")
        .select(&["automountKey", "automountInformation"])
        .of(&mut client);
    assert_eq!(keys.entries.len(), 3);
    assert!(keys.entries.iter().all(|entry| entry.texts("automountInformation").len() == 1));
}

#[test]
fn keycloak() {
    let (_place, mut client) = start();
    let filter = "(&(|(uid=al*)(mail=al*)(givenName=al*)(sn=al*))(objectclass=person))";
    let wanted =
        ["uid", "cn", "sn", "mail", "entryUUID", "createTimestamp", "modifyTimestamp", "objectclass"];
    let found = ask(&mut client, filter, &wanted);
    assert_eq!(found.dns(), [ALICE]);
    let uuid = found.entries[0].texts("entryUUID").remove(0);
    assert_eq!(found.entries[0].texts("createTimestamp").len(), 1);
    assert_eq!(dns(&mut client, &format!("(&(entryUUID={uuid})(objectclass=inetOrgPerson))")), [ALICE]);
    let chain = format!("(member:1.2.840.113556.1.4.1941:={ALICE})");
    assert_eq!(dns(&mut client, &chain), dns(&mut client, &format!("(member={ALICE})")));
    // A group that may have no members gets one that is nobody.
    let empty = [("objectClass", &["groupOfNames"][..]), ("member", &["cn=empty-membership-placeholder"])];
    let answer = client.add("cn=new,ou=groups,dc=example,dc=com", &empty);
    assert_eq!(answer.code(), ResultCode::Success, "{}", answer.text());
}

#[test]
fn gitlab_and_gitea() {
    let (_place, mut client) = start();
    let wanted = ["dn", "uid", "mail", "email", "userPrincipalName", "cn", "userAccountControl"];
    let found = ask(&mut client, "(&(uid=alice)(objectClass=*))", &wanted);
    assert_eq!((found.dns(), found.entries[0].texts("mail").len()), (vec![ALICE], 1));
    assert_eq!(dns(&mut client, "(userAccountControl:1.2.840.113556.1.4.803:=2)"), [""; 0]);
    let active = "(&(uid=alice)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))";
    assert_eq!(dns(&mut client, active), [""; 0], "what is Undefined is not true when it is negated");
    let gitea = "(&(objectClass=posixAccount)(|(uid=alice)(mail=alice)))";
    let found = ask(&mut client, gitea, &["uid", "givenName", "sn", "mail", "sshPublicKey", "jpegPhoto"]);
    assert_eq!(found.dns(), [ALICE]);
}

#[test]
fn nextcloud() {
    let (_place, mut client) = start();
    let wanted = [
        "dn",
        "",
        "entryuuid",
        "nsuniqueid",
        "objectguid",
        "guid",
        "ipauniqueid",
        "displayname",
        "memberof",
        "mail",
    ];
    let filter = "(&(|(objectclass=inetOrgPerson))(|(uid=alice)(|(mailPrimaryAddress=alice)(mail=alice))))";
    let found = ask(&mut client, filter, &wanted);
    assert_eq!(found.dns(), [ALICE]);
    assert_eq!(found.entries[0].texts("entryUUID").len(), 1);
    let read = Search::new(ALICE, Scope::Base, "(objectClass=*)").select(&["entryuuid"]).of(&mut client);
    assert_eq!(read.entries[0].names(), ["entryUUID"]);
    let pages = Search::all("(objectclass=inetOrgPerson)").select(&["uid"]);
    let first = pages.clone().control(false, &PagedResults { size: 10, cookie: b"" }).of(&mut client);
    assert_eq!(first.entries.len(), 10);
    let cookie = first.controls().get::<PagedResults<'_>>().unwrap().unwrap().0.cookie.to_vec();
    let second = pages.control(false, &PagedResults { size: 10, cookie: &cookie }).of(&mut client);
    assert!(second.entries.len() == 10 && second.dns() != first.dns());
}

#[test]
fn jellyfin_grafana_and_authelia() {
    let (_place, mut client) = start();
    let found = ask(
        &mut client,
        "(&(uid=alice)(objectClass=inetOrgPerson))",
        &["uid", "cn", "mail", "displayName", "jpegPhoto"],
    );
    assert_eq!(found.entries[0].texts("displayName"), ["Alice Liddell"]);
    assert_eq!(dns(&mut client, "(enabledService=JellyfinAdministrator)"), [""; 0]);
    let groups = ask(&mut client, "(&(objectClass=posixGroup)(memberUid=alice))", &["cn"]);
    assert_eq!(groups.entries.len(), 3);
    let member_of = ask(&mut client, "(uid=alice)", &["memberOf"]).entries[0].texts("memberOf");
    assert!(member_of.contains(&"cn=engineering,ou=groups,dc=example,dc=com".to_owned()), "{member_of:?}");
    let authelia = "(&(|(uid=alice)(mail=alice))(objectClass=person))";
    assert_eq!(dns(&mut client, authelia), [ALICE]);
}

#[test]
fn mac_os_directory_utility() {
    let (_place, mut client) = start();
    let config = "(&(objectClass=organizationalUnit)(ou=macosxodconfig))";
    assert_eq!(ask(&mut client, config, &["description"]).dns(), [""; 0]);
    let names =
        "(&(objectClass=inetOrgPerson)(objectClass=posixAccount)(|(uid=Alice Liddell)(cn=Alice Liddell)))";
    let wanted = [
        "uid",
        "cn",
        "uidNumber",
        "gidNumber",
        "homeDirectory",
        "apple-user-homeurl",
        "apple-generateduid",
        "authAuthority",
        "loginShell",
        "jpegPhoto",
    ];
    assert_eq!(ask(&mut client, names, &wanted).dns(), [ALICE]);
}
