//! `user`: the records below `/users`.

use clap::{Args, Subcommand};
use netinfo_client::{Component, Domain, Path, Property, Status};
use serde_json::json;

use super::records::{Kind, value_of};
use super::{edit, group};
use crate::args::Text;
use crate::context::Context;
use crate::failure::{Failure, Result, When};
use crate::output::safe;
use crate::password::{self, Hash};

const USER: Kind = Kind { container: "users", one: "user" };
/// Group of users in a domain that has no group "users": its number on most systems.
const DEFAULT_GID: u32 = 100;
/// What the version that a server of this project reports begins with.
const OWN_VERSION: &[u8] = b"netinfo-open-";

/// The commands about users.
#[derive(Debug, Subcommand)]
pub(crate) enum UserCommand {
    /// Add a user
    Add(AddUser),
    /// Remove a user, from all groups too
    #[command(visible_alias = "rm")]
    Del {
        /// Name of the user
        name: Text,
    },
    /// Change the password of a user
    Passwd(Passwd),
    /// List all users
    #[command(visible_alias = "ls")]
    List,
    /// Show a user
    Show {
        /// Name of the user
        name: Text,
    },
    /// Set a property of a user
    Set(SetUser),
}

/// Arguments of `user add`.
#[derive(Debug, Args)]
pub(crate) struct AddUser {
    /// Login name
    name: Text,
    /// Number of the user [default: the first free one from 1000]
    #[arg(long, value_name = "N")]
    uid: Option<u32>,
    /// Number of the user's main group [default: that of the group "users", or 100]
    #[arg(long, value_name = "N")]
    gid: Option<u32>,
    /// Full name
    #[arg(long, value_name = "TEXT")]
    realname: Option<Text>,
    /// Home directory [default: /home/NAME]
    #[arg(long, value_name = "PATH")]
    home: Option<Text>,
    /// Login shell
    #[arg(long, value_name = "PATH", default_value = "/bin/sh")]
    shell: Text,
    /// Groups to join
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    groups: Vec<Text>,
    /// Read the password from the first line of standard input; without it the user cannot log in yet
    #[arg(long)]
    password_stdin: bool,
    /// How the password is stored [default: argon2id, if the server is one of this project]
    #[arg(long, value_enum, value_name = "SCHEME")]
    hash: Option<Hash>,
}

/// Arguments of `user passwd`.
#[derive(Debug, Args)]
pub(crate) struct Passwd {
    /// Name of the user [default: the USER given with -u, or who you are on this machine]
    name: Option<Text>,
    /// Read the new password from the first line of standard input instead of asking for it
    #[arg(long)]
    password_stdin: bool,
    /// How the password is stored [default: argon2id, if the server is one of this project]
    #[arg(long, value_enum, value_name = "SCHEME")]
    hash: Option<Hash>,
}

/// Arguments of `user set`.
#[derive(Debug, Args)]
pub(crate) struct SetUser {
    /// Name of the user
    name: Text,
    /// Property, such as shell or realname
    key: Text,
    /// Its new values
    #[arg(value_name = "VALUE", allow_hyphen_values = true)]
    values: Vec<Text>,
}

/// Carries out a command about users.
pub(crate) fn run(context: &mut Context, command: UserCommand) -> Result<()> {
    match command {
        UserCommand::Add(args) => add(context, &args).when(|| USER.action("add", &args.name)),
        UserCommand::Del { name } => delete(context, &name).when(|| USER.action("remove", &name)),
        UserCommand::Passwd(args) => passwd(context, &args),
        UserCommand::List => USER
            .list(context, &["name", "uid", "gid", "realname", "home", "shell"], &[1, 2])
            .when(|| "list users"),
        UserCommand::Show { name } => USER.show(context, &name).when(|| USER.action("show", &name)),
        UserCommand::Set(SetUser { name, key, values }) => {
            USER.find(context.domain()?, &name).when(|| USER.action("change", &name))?;
            let path = Text(USER.path(&name.0).to_bytes());
            edit::set(context, &edit::Set { path, key, values })
        }
    }
}

fn add(context: &mut Context, args: &AddUser) -> Result<()> {
    check_name(&args.name.0)?;
    let domain = context.domain()?;
    for group in &args.groups {
        group::GROUP.find(domain, group)?;
    }
    let gid = match args.gid {
        Some(gid) => gid.to_string().into_bytes(),
        None => value_of(domain, &group::GROUP.path(b"users"), "gid")?
            .unwrap_or_else(|| DEFAULT_GID.to_string().into()),
    };
    let stored = if args.password_stdin {
        let scheme = scheme(domain, args.hash)?;
        password::hash(&password::new_one(&safe(&args.name.0), true)?, scheme)?
    } else {
        "*".to_owned()
    };
    let mut taken = 0;
    let object = USER.create(domain, &args.name, "uid", |numbers| {
        taken = numbers.take(args.uid, "uid")?;
        Ok(record(args, &stored, taken, &gid))
    })?;
    for group in &args.groups {
        group::join(domain, group, std::slice::from_ref(&args.name))?;
    }
    let name = safe(&args.name.0);
    context.out.either(
        || format!("added user {name}, uid {taken}\n"),
        || json!({ "name": name, "uid": taken, "id": object }),
    )
}

/// The record of a new user. `_writers_passwd` lets users change their own passwords.
fn record(args: &AddUser, stored: &str, uid: u32, gid: &[u8]) -> Vec<Property> {
    let name = args.name.0.as_slice();
    let home = args.home.clone().unwrap_or_else(|| Text([b"/home/", name].concat()));
    let mut properties = vec![
        Property::new("name", [name]),
        Property::new("passwd", [stored]),
        Property::new("uid", [uid.to_string()]),
        Property::new("gid", [gid]),
    ];
    properties.extend(args.realname.as_ref().map(|realname| Property::new("realname", [realname])));
    properties.push(Property::new("home", [home]));
    properties.push(Property::new("shell", [&args.shell]));
    properties.push(Property::new("_writers_passwd", [name]));
    properties
}

/// Names that password files and login programs could not hold are refused.
fn check_name(name: &[u8]) -> Result<()> {
    let bad = |b: &u8| b.is_ascii_control() || matches!(b, b':' | b',' | b'/' | b' ');
    if name.is_empty() || name.starts_with(b"-") || name.iter().any(bad) {
        let reason = format!("\"{}\" cannot be a login name", safe(name));
        return Err(
            Failure::usage(reason).with_hint("leave out spaces, ':', ',' and '/', and do not begin with '-'")
        );
    }
    Ok(())
}

fn delete(context: &mut Context, name: &Text) -> Result<()> {
    let domain = context.domain()?;
    USER.delete(domain, name)?;
    let left = leave_groups(domain, name)?;
    let name = safe(&name.0);
    let text = || match left {
        0 => format!("removed user {name}\n"),
        1 => format!("removed user {name}, member of 1 group\n"),
        n => format!("removed user {name}, member of {n} groups\n"),
    };
    context.out.either(text, || json!({ "name": name, "groups": left }))
}

/// Removes a user from the lists of members; returns how many groups there were.
fn leave_groups(domain: &mut Domain, name: &Text) -> Result<usize> {
    let groups = match domain.resolve(&Path::root().child(Component::name("groups"))) {
        Err(error) if error.is(Status::NoDir) => return Ok(0),
        groups => groups?,
    };
    let member_of = match domain.lookup(groups, b"users", &name.0) {
        Err(error) if error.is(Status::NoDir) => return Ok(0),
        found => found?.0,
    };
    for group in &member_of {
        domain.remove_values(*group, b"users", std::slice::from_ref(name))?;
    }
    Ok(member_of.len())
}

fn passwd(context: &mut Context, args: &Passwd) -> Result<()> {
    let given =
        args.name.clone().or_else(|| context.options.acting_user.clone().map(|user| Text(user.into_bytes())));
    let name = match given {
        Some(name) => name,
        None => caller().ok_or_else(|| Failure::usage("whose password? give a NAME, or -u USER"))?,
    };
    let action = || format!("change the password of \"{}\"", safe(&name.0));
    let domain = context.domain()?;
    let object = USER.find(domain, &name).when(action)?;
    let scheme = scheme(domain, args.hash).when(action)?;
    let new = password::new_one(&safe(&name.0), args.password_stdin).when(action)?;
    let stored = password::hash(&new, scheme).when(action)?;
    context.domain()?.set_property(object, b"passwd", &[stored]).map(drop).when(action)
}

/// Login name of whoever runs this program.
fn caller() -> Option<Text> {
    let user = nix::unistd::User::from_uid(nix::unistd::Uid::current()).ok().flatten()?;
    Some(Text(user.name.into_bytes()))
}

/// How a password must be stored for the server of a domain to understand it.
fn scheme(domain: &mut Domain, wanted: Option<Hash>) -> Result<Hash> {
    if let Some(wanted) = wanted {
        return Ok(wanted);
    }
    let statistics = domain.statistics()?;
    let version = statistics.iter().find(|p| p.name == b"server_version").and_then(|p| p.values.first());
    if version.is_some_and(|version| version.starts_with(OWN_VERSION)) {
        return Ok(Hash::Argon2id);
    }
    let version = version.map_or_else(|| "another server".to_owned(), |version| safe(version));
    Err(Failure::new(format!("{version} may understand nothing but DES crypt"))
        .with_hint("choose: --hash des, of whose passwords only 8 characters count, or --hash argon2id"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::text_properties;

    #[test]
    fn a_new_record() {
        let args = AddUser {
            name: Text(b"alice".into()),
            uid: None,
            gid: None,
            realname: Some(Text(b"Alice A.".into())),
            home: None,
            shell: Text(b"/bin/sh".into()),
            groups: Vec::new(),
            password_stdin: false,
            hash: None,
        };
        insta::assert_snapshot!(text_properties(&record(&args, "*", 1000, b"100")), @r"
        name: alice
        passwd: *
        uid: 1000
        gid: 100
        realname: Alice A.
        home: /home/alice
        shell: /bin/sh
        _writers_passwd: alice
        ");
    }

    #[test]
    fn login_names() {
        assert!(check_name(b"alice").is_ok());
        assert!(check_name("zoë".as_bytes()).is_ok());
        for bad in [&b""[..], b"-x", b"a b", b"a:b", b"a/b", b"a\nb"] {
            assert!(check_name(bad).is_err(), "{bad:?}");
        }
    }
}
