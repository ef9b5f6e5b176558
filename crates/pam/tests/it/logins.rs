//! Who gets in.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::setting::{PASSWORD, with_setting};

const DONE: &str = "successfully authenticated";
const BAD: &str = "Authentication failure";
const UNKNOWN: &str = "User not known";

#[test]
fn passwords() {
    with_setting(|setting| {
        setting.login("alice", PASSWORD).succeeds(DONE);
        setting.login("alice", "wrong").fails(BAD);
        setting.login("alice", "").fails(BAD);
        setting.login("alice", "another one").fails(BAD);
        setting.login("bob", PASSWORD).succeeds(DONE);
        setting.login("due", PASSWORD).succeeds(DONE);
        setting.login("expired", PASSWORD).fails("expired");
        setting.login("expired", "wrong").fails(BAD);
        setting.login("locked", PASSWORD).fails(BAD);
        setting.login("disabled", PASSWORD).fails(BAD);
        setting.login("elsewhere", PASSWORD).fails(UNKNOWN);
        setting.login("toor", PASSWORD).fails(UNKNOWN);
        setting.login("clash", PASSWORD).fails(UNKNOWN);
        let log = setting.node.log();
        assert!(log.contains("login failed") && !log.contains("wrong\n") && !log.contains(PASSWORD), "{log}");
    });
}

#[test]
fn accounts() {
    with_setting(|setting| {
        let account = |user: &str, service: &str| setting.pamtester(0, service, user, "acct_mgmt", &[]);
        account("alice", "plain").succeeds("account management done");
        account("bob", "plain").succeeds("account management done");
        account("aging", "plain").succeeds("within 5 days");
        account("due", "plain").fails("You have to change your password now.");
        account("expired", "plain").fails("Your account has expired");
        account("locked", "plain").fails("Your account is disabled");
        account("disabled", "plain").fails("Your account is disabled");
        account("elsewhere", "plain").fails(UNKNOWN);
        account("clash", "plain").fails(UNKNOWN);
        // Members by the list of the local domain, by that of the one above, and by primary group.
        setting.service("groups", "allow_groups=nobody,staff");
        account("alice", "groups").succeeds("account management done");
        account("bob", "groups").succeeds("account management done");
        account("due", "groups").fails("");
        account("aging", "groups").fails("may not be used here");
        setting.service("groups", "require_group=staff require_group=primary");
        account("alice", "groups").succeeds("account management done");
        setting.service("groups", "require_group=staff,empty");
        account("alice", "groups").fails("may not be used here");
        setting.service("groups", "allow_groups=");
        account("alice", "groups").fails("Permission denied");
        setting.service("listed", "check_host check_service");
        account("alice", "listed").fails("may not be used here");
        setting.set("local", "alice", "host", "alpha");
        setting.set("local", "alice", "authorizedService", "listed");
        account("alice", "listed").succeeds("account management done");
        setting.set("local", "alice", "authorizedService", "imap");
        account("alice", "listed").fails("may not be used here");
    });
}

#[test]
fn modules_before_and_after() {
    with_setting(|setting| {
        let login = |service: &str, user: &str, answers: &[(&str, &str)]| {
            setting.pamtester(0, service, user, "authenticate", answers)
        };
        setting.stack("small", "auth [success=done ignore=ignore default=die] MODULE minimum_uid=20502\nauth required pam_permit.so\n");
        // The module does not even ask.
        login("small", "alice", &[]).succeeds(DONE);
        login("small", "due", &[("assword: ", "wrong")]).fails(BAD);
        // Where the system does not know the number, the record has it.
        login("small", "hidden", &[("assword: ", PASSWORD)]).succeeds(DONE);
        let stack =
            "auth [ignore=ignore default=die] MODULE minimum_uid=20604\nauth required pam_permit.so\n";
        setting.stack("small", stack);
        login("small", "hidden", &[("assword: ", "wrong")]).succeeds(DONE);
        setting.stack("small", &stack.replace("20604", "20603"));
        login("small", "hidden", &[("assword: ", "wrong")]).fails(BAD);
        setting.stack("first", "auth required MODULE use_first_pass\n");
        login("first", "alice", &[]).fails(BAD);
        // pam_unix asks and does not know the password.
        setting.stack("after", "auth sufficient pam_unix.so\nauth required MODULE use_first_pass\n");
        login("after", "alice", &[("assword: ", PASSWORD)]).succeeds(DONE);
        login("after", "alice", &[("assword: ", "wrong")]).fails(BAD);
        setting.stack("after", "auth sufficient pam_unix.so\nauth required MODULE try_first_pass\n");
        login("after", "alice", &[("assword: ", "wrong"), ("assword: ", PASSWORD)]).succeeds(DONE);
        // And a user whom the module does not know is left to it.
        setting.stack(
            "before",
            "auth [success=done user_unknown=ignore default=die] MODULE\nauth required pam_permit.so\n",
        );
        login("before", "elsewhere", &[("assword: ", "any")]).succeeds(DONE);
        login("before", "alice", &[("assword: ", "wrong")]).fails(BAD);
    });
}

#[test]
fn those_who_are_not_the_superuser() {
    with_setting(|setting| {
        let login = |uid: u32, user: &str, password: &str| {
            setting.pamtester(uid, "plain", user, "authenticate", &[("assword: ", password)])
        };
        login(20501, "alice", PASSWORD).succeeds(DONE);
        login(20601, "bob", PASSWORD).succeeds(DONE);
        login(20501, "bob", PASSWORD).fails("Permission denied");
        login(20501, "root", PASSWORD).fails("Permission denied");
        login(20602, "alice", "another one").fails("Permission denied");
        let account = setting.pamtester(20501, "plain", "bob", "acct_mgmt", &[]);
        account.fails("Permission denied");
        // They are held back long before the account is.
        for _ in 0..10 {
            login(20501, "alice", "wrong").fails(BAD);
        }
        login(20501, "alice", PASSWORD).fails("Too many wrong passwords");
        login(20601, "bob", PASSWORD).succeeds(DONE);
        setting.login("alice", PASSWORD).succeeds(DONE);
    });
}

#[test]
fn a_daemon_that_is_away() {
    with_setting(|setting| {
        // One that does not answer: waited for, but not for ever.
        setting.node.signal(Signal::SIGSTOP);
        let stopped = setting.login("alice", PASSWORD);
        setting.node.signal(Signal::SIGCONT);
        stopped.fails("cannot retrieve authentication info");
        assert!(stopped.took < Duration::from_secs(15), "{stopped:?}");
        setting.login("alice", PASSWORD).succeeds(DONE);
        // One that is not there: not waited for.
        let (socket, begin) = (setting.node.login(), Instant::now());
        setting.node.kill9();
        let stack =
            "auth [authinfo_unavail=ignore success=done default=die] MODULE\nauth required pam_permit.so\n";
        let stack = stack.replace(
            "MODULE",
            &format!("{}/pam_netinfo.so socket={}", setting.dir().display(), socket.display()),
        );
        fs::write(setting.dir().join("pam.d/plain"), stack).unwrap();
        setting.login("alice", PASSWORD).succeeds(DONE);
        assert!(begin.elapsed() < Duration::from_secs(5));
    });
}

/// Under valgrind: nothing is read or freed that is not there, nothing is lost, and no descriptor stays open.
#[test]
fn memory() {
    with_setting(|setting| {
        let out = setting.dir().join("valgrind");
        let watched_program = |program: &str, answers: &[(&str, &str)]| {
            let command = format!(
                "valgrind --quiet --keep-debuginfo=yes --track-fds=yes --leak-check=full --show-leak-kinds=definite \
                 --log-file={} {program}",
                out.display()
            );
            let ended = setting.run(0, &command, answers);
            let log = fs::read_to_string(&out).unwrap();
            let lines: Vec<&str> = log.lines().filter(|line| line.contains("pam_netinfo")).collect();
            assert!(lines.is_empty(), "{ended:?}\n{log}");
            // Other programs may have a way to the system's log.
            assert!(!(program.starts_with("pamtester") && log.contains("AF_UNIX")), "{ended:?}\n{log}");
            ended
        };
        let watched = |user: &str, op: &str, answers: &[(&str, &str)]| {
            watched_program(&format!("pamtester plain {user} {op}"), answers)
        };
        watched("alice", "authenticate", &[("assword: ", PASSWORD)]).succeeds(DONE);
        watched("alice", "authenticate", &[("assword: ", "wrong")]);
        watched("aging", "acct_mgmt", &[]).succeeds("within 5 days");
        watched("expired", "acct_mgmt", &[]);
        let new = [("New password: ", "short"), ("Retype new password: ", "short")];
        watched("bob", "chauthtok", &new).succeeds("altered");
        setting.service("plain", "mkhomedir nonsense debug");
        watched("alice", "open_session", &[]).succeeds("Created");
        // Programs that let people in do all of it in a row, beside other modules. Copies of them, run by root: none becomes
        // root below valgrind.
        let stack = "auth sufficient pam_unix.so\nauth required MODULE use_first_pass\naccount required MODULE\n\
                     account required pam_permit.so\nsession optional MODULE mkhomedir debug\n";
        ["su", "sudo", "login"].iter().for_each(|service| setting.stack(service, stack));
        setting.service("passwd", "");
        fs::create_dir(setting.dir().join("bin")).unwrap();
        let copy = |program: &str| {
            let copy = setting.dir().join("bin").join(program);
            fs::write(&copy, fs::read(Path::new("/usr/bin").join(program)).unwrap()).unwrap();
            fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
            copy.display().to_string()
        };
        let [su, sudo, passwd, login] = ["su", "sudo", "passwd", "login"].map(copy);
        let su = |user: &str, secret: &str| {
            watched_program(&format!("{su} {user} -c 'id -u'"), &[("assword: ", secret)])
        };
        su("alice", PASSWORD).succeeds("20501");
        su("alice", "wrong").fails("failure");
        su("expired", PASSWORD).fails("expired");
        watched_program(&format!("{sudo} -u bob id -u"), &[]).succeeds("20601");
        let answers = [("login: ", "alice"), ("assword: ", PASSWORD), ("$ ", "id -u; exit")];
        watched_program(&format!("{login} -p"), &answers).succeeds("20501");
        let new = [("New password: ", "another"), ("Retype new password: ", "another")];
        watched_program(&format!("{passwd} bob"), &new).succeeds("updated successfully");
    });
}
