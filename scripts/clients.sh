#!/usr/bin/env bash
# Unpack, without installing them, the Debian packages whose programs the tests run against a node: login services,
# sudo, autofs and another directory server. Installed, they would change how this machine looks up users, checks
# passwords and runs sudo. Tests lay the unpacked tree over /usr, /etc and /var of a mount namespace of their own.
#
# usage: scripts/clients.sh       as root; does nothing if it has been done
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    sssd-ldap sssd-common sssd-tools libnss-sss libpam-sss libsss-sudo
    nslcd libnss-ldapd libpam-ldapd
    pamtester sudo-ldap autofs autofs-ldap slapd
    nscd
)
place=target/clients

fail() {
    printf 'make deps: %s\n' "$@" >&2
    exit 1
}

if [[ $(cat "$place/packages" 2>/dev/null) == "${packages[*]}" ]]; then
    exit
fi
if ((EUID != 0)); then
    fail "only root can unpack programs for the tests. Run: sudo $0"
fi

printf 'make deps: unpacking clients for the tests in %s\n' "$place"
rm -rf "$place"
mkdir -p target
# There is a sudo in it, which is nobody's but the tests'.
mkdir --mode 700 "$place"
mkdir -p "$place/archives" "$place/root/usr/lib"
# Debian's directories of old are links.
ln -s usr/lib "$place/root/lib"
ln -s usr/bin "$place/root/bin"
ln -s usr/sbin "$place/root/sbin"
mkdir "$place/root/usr/bin" "$place/root/usr/sbin"

export DEBIAN_FRONTEND=noninteractive
apt-get update --quiet --quiet
# What installing them would unpack: the packages and whatever they need that is not installed.
apt-get install --simulate --reinstall --no-install-recommends "${packages[@]}" |
    sed -n 's/^Inst \([^ ]*\) .*(\([^ ]*\) .*/\1=\2/p' >"$place/versions"
(
    cd "$place/archives"
    xargs apt-get --option APT::Sandbox::User=root --quiet --quiet download <../versions
)
for archive in "$place"/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$archive" | tar --extract --keep-directory-symlink --directory "$place/root"
done
rm -r "$place/archives"
printf '%s' "${packages[*]}" >"$place/packages"
