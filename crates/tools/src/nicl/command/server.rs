//! What only a server has.

use netinfo_client::domain::ROOT;
use netinfo_client::{Domain, Error, Result as CallResult, Status};
use netinfo_formats::nidb::StoreErrorKind;
use zeroize::Zeroizing;

use crate::handle::{Handle, Login};
use crate::io::Io;
use crate::nicl::session::{Call, Fault, Session};
use crate::nicl::store::of_status;
use crate::status::text;
use crate::text::{ask_password, first, values_of};

/// `domainname`
pub(super) fn domain_name(session: &mut Session, _: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let handle = server(session, "get domain name", io)?;
    let mut name = handle.path_name().map_err(|error| told(&error, io))?;
    if name.is_empty() {
        name.push(b'/');
    }
    name.push(b'\n');
    io.out(name);
    Ok(())
}

/// `rparent`: address and tag of the parent.
pub(super) fn rparent(session: &mut Session, _: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let handle = server(session, "get rparent", io)?;
    let found = handle.rparent().map_err(|error| told(&error, io))?;
    io.out([found.addr.to_string().as_bytes(), b"/", &found.tag, b"\n"].concat());
    Ok(())
}

/// `resync`
pub(super) fn resync(session: &mut Session, _: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let handle = server(session, "resync", io)?;
    handle.domain().and_then(Domain::resync).map_err(|error| told(&error, io))
}

/// `auth [USER [PASSWORD]]`
pub(super) fn auth(session: &mut Session, call: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let user = call.args.first().cloned().unwrap_or_else(|| b"root".to_vec());
    let password = match call.args.get(1) {
        Some(password) => Zeroizing::new(password.clone()),
        None => ask_password(io),
    };
    let handle = server(session, "authenticate", io)?;
    handle.log_in(&Login { user, password }).map_err(|error| told(&error, io))
}

/// `refs`: LDAP referrals to the parent and the child domains.
pub(super) fn refs(session: &mut Session, _: &Call<'_>, io: &mut Io<'_>) -> Result<(), Fault> {
    let handle = server(session, "get referrals", io)?;
    if let Ok(found) = handle.rparent() {
        let host = crate::reach::host_name(found.addr);
        io.out(format!("Parent referrals:\n  ref: ldap://{host}/\n"));
    }
    let children = handle.domain().and_then(children).map_err(|error| told(&error, io))?;
    if children.is_empty() {
        return Ok(());
    }
    io.out("Child referrals:\n");
    for (child, hosts) in children {
        io.out([b"dn: ou=", child.as_slice(), b"\n"].concat());
        for host in hosts {
            io.out([b"  ref: ldap://", host.as_slice(), b"/\n"].concat());
        }
    }
    Ok(())
}

/// A child domain and the hosts that serve it.
type Child = (Vec<u8>, Vec<Vec<u8>>);

/// The child domains that the machines of a domain serve.
fn children(domain: &mut Domain) -> CallResult<Vec<Child>> {
    let machines = match domain.lookup_first(ROOT, b"name", b"machines") {
        Err(error) if error.is(Status::NoDir) => return Ok(Vec::new()),
        found => found?,
    };
    let (objects, _) = domain.children(machines)?;
    let mut children: Vec<Child> = Vec::new();
    domain.read_many(&objects, |_, read| {
        let (_, properties) = read?;
        let host = first(&properties, b"name").unwrap_or_default().to_vec();
        for entry in values_of(&properties, b"serves").unwrap_or_default() {
            let name = entry.split(|byte| *byte == b'/').next().unwrap_or_default();
            if matches!(name, b"." | b"..") {
                continue;
            }
            match children.iter_mut().find(|(known, _)| known == name) {
                Some((_, hosts)) => hosts.push(host.clone()),
                None => children.push((name.to_vec(), vec![host.clone()])),
            }
        }
        Ok(())
    })?;
    Ok(children)
}

/// The server; a folder has none.
fn server<'s>(session: &'s mut Session, what: &str, io: &mut Io<'_>) -> Result<&'s mut Handle, Fault> {
    session.store.server().ok_or_else(|| {
        io.err(format!("Can't {what} in raw mode\n"));
        Fault::Said(StoreErrorKind::Failed.code())
    })
}

/// Prints what a server said.
fn told(error: &Error, io: &mut Io<'_>) -> Fault {
    io.complain(&[text(error).as_bytes()]);
    Fault::Said(of_status(error.status()).code())
}
