//! Users.

use libc::passwd;
use netinfo_wire::lookup::{Category, Entry, Key};

use crate::arena::Arena;
use crate::boundary::Failure;
use crate::client::unexpected;
use crate::enumeration::{Item, enumeration};
use crate::find::look_ups;

enumeration!(
    Category::Passwd,
    _nss_netinfo_setpwent(StayOpen),
    _nss_netinfo_endpwent,
    _nss_netinfo_getpwent_r -> passwd,
    make
);

look_ups!(
    Category::Passwd, passwd, make,
    _nss_netinfo_getpwnam_r => passwd_by_name,
    _nss_netinfo_getpwuid_r => passwd_by_uid
);

fn make(arena: &mut Arena<'_>, item: Item<'_>) -> Result<passwd, Failure> {
    match item {
        Item::Record(user) => {
            let mut strings = user.strings();
            let mut string = || arena.string(strings.next().ok_or(Failure::Unavailable(libc::EIO))?);
            Ok(passwd {
                pw_name: string()?,
                pw_passwd: string()?,
                pw_gecos: string()?,
                pw_dir: string()?,
                pw_shell: string()?,
                pw_uid: user.number,
                pw_gid: user.second,
            })
        }
        Item::Entry(Entry::Passwd(user)) => Ok(passwd {
            pw_name: arena.string(user.name)?,
            pw_passwd: arena.string(user.passwd)?,
            pw_gecos: arena.string(user.gecos)?,
            pw_dir: arena.string(user.home)?,
            pw_shell: arena.string(user.shell)?,
            pw_uid: user.uid,
            pw_gid: user.gid,
        }),
        Item::Entry(_) => unexpected(),
    }
}
