//! A machine below Active Directory, as Samba has it: who is known, in which groups, and who is let in.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use netinfo_testkit::namespace::{Neighbour, ip, isolated};
use netinfo_testkit::samba::{BASE, Samba};
use netinfo_testkit::terminal::{self, Ended, Groups};

use crate::parents::{NOTICED, Station};

const FIRST: &str = "Correct-Horse-9";
const SECOND: &str = "Battery-Staple-8";
const THIRD: &str = "Paper-Clip-7";
/// The password of this machine there.
const STATION: &str = "Reading-Only-6";

/// An account as somebody would make it; `unix` are lines for logins on UNIX.
fn account(name: &str, password: &str, unix: &str) -> String {
    format!(
        "dn: CN={name},CN=Users,{BASE}\nchangetype: add\nobjectClass: user\nsAMAccountName: {name}\n\
         userAccountControl: 512\nsecret: {password}\n{unix}\n"
    )
}

/// A group of these members.
fn group(name: &str, number: &str, members: &[&str]) -> String {
    let members: String = members.iter().map(|name| format!("member: CN={name},CN=Users,{BASE}\n")).collect();
    format!(
        "dn: CN={name},CN=Users,{BASE}\nchangetype: add\nobjectClass: group\nsAMAccountName: {name}\n{number}{members}\n"
    )
}

/// Replaces an attribute of a user.
fn replace(samba: &Samba, neighbour: &Neighbour, user: &str, attribute: &str, value: &str) {
    let dn = if user.is_empty() { BASE.to_owned() } else { format!("CN={user},CN=Users,{BASE}") };
    let change = format!("dn: {dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n");
    neighbour.enter(|| samba.modify(&change));
}

fn content() -> String {
    let unix = |number: u32, name: &str| {
        format!(
            "uidNumber: {number}\ngidNumber: 6000\nunixHomeDirectory: /home/{name}\nloginShell: /bin/sh\n"
        )
    };
    [
        account("jane", FIRST, &unix(5001, "jane")),
        account("plain", FIRST, ""),
        account("station", STATION, ""),
        group("people", "gidNumber: 6000\n", &[]),
        group("inner", "gidNumber: 6001\n", &["jane"]),
        group("middle", "", &["inner"]),
        group("outer", "gidNumber: 6002\n", &["middle", "plain"]),
    ]
    .concat()
}

/// `su` by somebody who has to change the password on the way.
fn su_and_change(user: &str, old: &str, new: &str) -> Ended {
    let answers =
        [("assword: ", old), ("urrent password: ", old), ("ew password: ", new), ("new password: ", new)];
    terminal::run(20999, 20999, Groups::Clear, &format!("su {user} -c 'id -u'"), &answers)
}

/// `passwd` by jane, who tries a new password as often as she may.
fn refused(old: &str, new: &str) -> Ended {
    let mut answers = vec![("urrent password: ", old)];
    answers.extend([("ew password: ", new), ("new password: ", new)].repeat(3));
    terminal::run(5001, 6000, Groups::Clear, "passwd", &answers)
}

#[test]
fn users_of_active_directory_log_in() {
    isolated(|| {
        let neighbour = Neighbour::new();
        let samba = neighbour.enter(Samba::start);
        neighbour.enter(|| samba.modify(&content()));
        let station = Station::new("");
        let tool = &station.tool;
        // It tells nobody anything who does not say who he is.
        let bind = format!("bind ldaps://10.0.0.2 --base {BASE} --ca {}", samba.authority().display());
        tool.run(&bind);
        assert_ne!(tool.run("lookup passwd jane").code, 0);
        assert!(station.node.log().contains("authentication"), "{}", station.node.log());
        fs::write("/run/station.password", format!("{STATION}\n")).unwrap();
        tool.ok(&format!(
            "{bind} --bind-dn CN=station,CN=Users,{BASE} --password-file /run/station.password"
        ));
        station.knows("jane");
        assert_eq!(tool.ok("lookup passwd jane"), "jane:x:5001:6000:jane:/home/jane:/bin/sh\n");
        assert_eq!(tool.ok("lookup passwd 5001"), tool.ok("lookup passwd jane"));
        // Who has no number there has none here.
        tool.fails(3, "lookup passwd plain");
        let groups = tool.ok("lookup initgroups jane");
        let mut groups: Vec<&str> = groups.split_whitespace().collect();
        groups.sort_unstable();
        assert_eq!(groups, ["6000", "6001", "6002", "jane"]);
        assert_eq!(tool.ok("lookup group outer"), "outer:*:6002:jane\n");
        assert!(tool.ok("doctor").contains("nothing wrong"));

        station.enable_login();
        station.su("jane", FIRST).succeeds("5001");
        let command = "id -Gn | tr ' ' '\\n' | sort | xargs";
        station.sshd.by_password("jane", FIRST, command).succeeds("inner outer people");
        station.su("jane", SECOND).fails("failure");
        // A day has to go by before the next change.
        refused(FIRST, SECOND).fails("too young");
        replace(&samba, &neighbour, "", "minPwdAge", "0");
        refused(FIRST, "simplesimple").fails("complexity");
        station.passwd(5001, FIRST, SECOND).succeeds("updated successfully");

        ip("link set net0 down");
        station.su("jane", SECOND).succeeds("5001");
        station.su("jane", FIRST).fails("failure");
        ip("link set net0 up");
        let begin = Instant::now();
        while !station.node.log().contains("a parent is back") {
            assert!(begin.elapsed() < NOTICED, "{}", station.node.log());
            sleep(Duration::from_millis(200));
        }

        // Somebody else wants the password changed.
        replace(&samba, &neighbour, "jane", "pwdLastSet", "0");
        station.su("jane", FIRST).fails("failure");
        su_and_change("jane", SECOND, THIRD).succeeds("5001");
        station.su("jane", SECOND).fails("failure");
        station.su("jane", THIRD).succeeds("5001");
        replace(&samba, &neighbour, "jane", "accountExpires", "132223104000000000");
        station.su("jane", THIRD).fails("failure");
        replace(&samba, &neighbour, "jane", "accountExpires", "0");
        station.su("jane", THIRD).succeeds("5001");
        replace(&samba, &neighbour, "jane", "userAccountControl", "514");
        station.su("jane", THIRD).fails("");
        // Nor with the memory of this machine.
        ip("link set net0 down");
        station.su("jane", THIRD).fails("");
    });
}
