//! How domains are served over LDAP: settings and schema, with the daemon running and with it stopped.

use std::fs;

use netinfo_testkit::Node;
use serde_json::json;

use crate::tool::Tool;

const SHOE: &str = "attributeTypes: ( 1.3.6.1.4.1.99999.1 NAME 'shoeSize' SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )";

#[test]
fn settings_are_made_shown_and_changed() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let password = node.dir().join("password");
    fs::write(&password, "secret\n").unwrap();
    tool.ok(&format!(
        "domain create network --suffix dc=example,dc=com --layout rfc2307 --admin-dn cn=admin,dc=example,dc=com \
         --admin-password-file {}",
        password.display()
    ));
    let info = tool.ok("-d network domain info");
    assert!(
        info.ends_with(
            "suffix: dc=example,dc=com\nlayout: rfc2307\nadmin-dn: cn=admin,dc=example,dc=com\nadmin-password: (set)\n"
        ),
        "{info}"
    );
    let all = tool.ok("-d network cat /");
    assert!(all.contains("_suffix: dc=example,dc=com") && !all.contains("secret"), "{all}");
    assert_eq!(
        tool.ok("domain set network --schema strict --unset admin-password,layout --unique mail,uid"),
        "suffix: dc=example,dc=com\nschema: strict\nadmin-dn: cn=admin,dc=example,dc=com\nunique: mail uid\n"
    );
    let ldap = &tool.json("-d network domain info")["ldap"];
    assert_eq!(ldap["settings"]["unique"], json!(["mail", "uid"]));
    assert!(tool.ok("domain info").ends_with("suffix: dc=local\n"));

    assert!(tool.fails(2, "domain set network").contains("nothing is to be set"));
    assert!(tool.fails(2, "domain set network --layout flat").contains("none of apple, rfc2307"));
    assert!(tool.fails(2, "domain set network --layout apple --unset layout").contains("set and unset"));
    assert!(tool.fails(2, "domain set network --unset nonesuch").contains("no setting"));
    assert!(tool.fails(1, "domain set network --unique nonesuch").contains("no attribute \"nonesuch\""));
    assert!(tool.fails(3, "domain set nothing --layout apple").contains("nothing"));
    let taken = tool.fails(1, "domain create other --suffix DC=Example,dc=com");
    assert!(taken.contains("is that of the domain \"network\""), "{taken}");
    assert!(!tool.ok("domain list").contains("other"), "a domain that is refused is not left behind");
    let remote = Tool::with(["--server", &node.ipcserver().tcp.to_string()]);
    remote.fails(2, "domain create other --suffix dc=other");
    remote.fails(2, "domain set network --layout apple");
    let nobody = Tool::local(&node).unprivileged();
    assert!(nobody.ok("domain info").ends_with("suffix: dc=local\n"));
    nobody.fails(4, "domain set network --layout apple");
}

#[test]
fn settings_are_made_and_changed_offline() {
    let mut node = Node::start();
    node.terminate();
    let offline = Tool::offline(&node.data());
    let password = node.dir().join("password");
    fs::write(&password, "secret\n").unwrap();
    offline.ok(&format!(
        "domain create network --suffix dc=example,dc=com --admin-dn cn=admin,dc=example,dc=com --admin-password-file {}",
        password.display()
    ));
    for refused in
        ["domain create other --suffix DC=Example,dc=com", "domain set local --suffix dc=example,dc=com"]
    {
        let taken = offline.fails(1, refused);
        assert!(taken.contains("is that of the domain \"network\""), "{taken}");
    }
    assert!(!offline.ok("domain list").contains("other"), "a domain that is refused is not left behind");
    let settings = "suffix: dc=example,dc=com\nadmin-dn: cn=admin,dc=example,dc=com\nadmin-password: (set)\n";
    assert_eq!(offline.ok("-d network domain info"), settings);
    assert!(
        offline
            .ok("domain set network --anonymous none")
            .ends_with("anonymous: none\nadmin-dn: cn=admin,dc=example,dc=com\nadmin-password: (set)\n")
    );
    offline.fails(2, "domain create other --suffix nonsense");
    assert!(!offline.ok("domain list").contains("other"));
    assert_eq!(
        offline.run_with(&["-d", "network", "schema", "add", SHOE], "", &[]).ok("schema add"),
        "added 1 definitions\n"
    );
    node.launch();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("-d network schema list"), format!("{SHOE}\n"));
    assert!(tool.ok("-d network domain info").contains("schema definitions: 1\n"));
}

#[test]
fn schema_is_added_to_and_removed_from() {
    let node = Node::start();
    let tool = Tool::local(&node);
    assert_eq!(tool.ok("schema list"), "");
    let all = tool.ok("schema list --all");
    assert!(
        all.contains("NAME ( 'uid' 'userid' )") && all.contains("objectClasses: ( 2.5.6.6 NAME 'person'"),
        "{all}"
    );
    let add = |text: &str| tool.run_with(&["schema", "add", text], "", &[]);
    assert_eq!(add(SHOE).ok("schema add"), "added 1 definitions\n");
    let class = "objectClasses: ( 1.3.6.1.4.1.99999.2 NAME 'shoePerson' SUP top AUXILIARY MAY shoeSize )";
    assert_eq!(add(class).ok("schema add"), "added 1 definitions\n");
    assert_eq!(tool.ok("schema list"), format!("{SHOE}\n{class}\n"));
    assert!(tool.ok("schema list --all").contains("shoePerson"));
    assert_eq!(add("( 1.2.3 NAME 'x' )").code, 2);
    assert_eq!(add("objectClasses: ( 1.2.3 NAME 'x' MAY nonesuch )").code, 1);
    assert!(tool.fails(1, "schema remove shoeSize").contains("shoe"), "it is in use");
    assert_eq!(tool.ok("schema remove shoePerson shoeSize"), "removed 2 definitions\n");
    tool.fails(3, "schema remove shoeSize");
    assert_eq!(tool.ok("schema list"), "");
}

#[test]
fn schema_files_are_imported() {
    let node = Node::start();
    let tool = Tool::local(&node);
    let file = node.dir().join("shoe.schema");
    fs::write(
        &file,
        "# shoes\nobjectidentifier Shoe 1.3.6.1.4.1.99999\n\
         attributetype ( Shoe:1 NAME 'shoeSize'\n  SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )\n\
         attributetype ( 2.5.4.3 NAME 'cn' SUP name )\n\
         objectclass ( Shoe:2 NAME 'shoePerson' SUP top AUXILIARY MAY ( shoeSize $ cn ) )\n",
    )
    .unwrap();
    let import = format!("schema import {}", file.display());
    assert_eq!(tool.ok(&import), "added 2 definitions\n");
    assert_eq!(tool.ok(&import), "added 0 definitions\n", "what is known is passed over");
    assert!(tool.ok("schema list").starts_with(SHOE));
    fs::write(&file, "nothing of the kind\n").unwrap();
    tool.fails(1, &import);
    tool.fails(3, "schema import /nonexistent/file");
}

#[test]
fn application_passwords_are_made_and_revoked() {
    let mut node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("user add alice");
    let secret = tool.ok("app-password add alice mail");
    assert!(secret.trim().len() >= 20, "{secret}");
    assert_eq!(tool.json("app-password list uid=alice,cn=users,dc=local")[0]["label"], json!("mail"));
    assert!(tool.ok("app-password list /users/alice").starts_with("LABEL  CREATED     SCOPE\nmail   20"));
    assert!(tool.fails(1, "app-password add alice mail").contains("called \"mail\" already"));
    tool.fails(3, "app-password list nobody");
    tool.fails(3, "app-password revoke alice other");
    assert!(!tool.ok("user show alice").contains(secret.trim()));
    Tool::local(&node).unprivileged().fails(4, "app-password list alice");
    node.terminate();
    let offline = Tool::offline(&node.data());
    offline.ok("app-password add alice wiki");
    assert_eq!(offline.ok("app-password revoke alice mail"), "revoked \"mail\"\n");
    assert_eq!(offline.json("app-password list alice").as_array().unwrap().len(), 1);
    offline.fails(3, "app-password revoke alice mail");
}

#[test]
fn access_is_explained() {
    let mut node = Node::start();
    let tool = Tool::local(&node);
    tool.ok("user add alice");
    tool.ok("set /users/alice mail alice@example.com");
    let told = tool.ok("access test --as anonymous /users/alice mail");
    assert!(told.starts_with("denied: read mail of /users/alice"), "{told}");
    assert_eq!(told.lines().count(), 4, "{told}");
    let told = tool.ok("access test --as alice uid=alice,cn=users,dc=local passwd");
    assert!(told.contains("allowed: write passwd") && told.contains("denied: read passwd"), "{told}");
    tool.run_with(
        &["add", "/", "_access", "allow read mail of /users/* to anyone from 192.0.2.0/24"],
        "",
        &[],
    )
    .ok("add");
    let near = tool.json("access test --as anonymous --from 192.0.2.7 /users/alice mail");
    assert_eq!((&near[0]["action"], &near[0]["allowed"]), (&json!("read"), &json!(true)));
    let far = tool.json("access test --as anonymous --from 198.51.100.1 /users/alice mail");
    assert_eq!(far[0]["allowed"], json!(false));
    tool.fails(3, "access test --as nobody /users/alice");
    tool.fails(3, "access test --as alice /nowhere");
    node.terminate();
    let offline = Tool::offline(&node.data());
    assert!(offline.ok("access test --as alice /users").contains("denied: add of /users"));
}
