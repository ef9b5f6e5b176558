#!/usr/bin/env bash
# Install what building and testing need besides the Rust toolchain (Debian 12 and its relatives).
#
# usage: scripts/deps.sh [build|bench|package]      with "build": only what building needs; with "bench" or "package": that,
#                                                   and what is measured for comparison or what makes packages
#
# As root: installs what is missing. As anybody else: names what is missing and fails.
set -euo pipefail

# Rust links with gcc, LMDB is C, and the module for logins is linked with libpam.
packages=(gcc libc6-dev libpam0g-dev pkg-config)
if [[ ${1-} == bench ]]; then
    # OpenLDAP's server, which is not configured and not started.
    packages+=(slapd)
elif [[ ${1-} == package ]]; then
    packages+=(binutils dpkg-dev)
elif [[ ${1-} != build ]]; then
    # The tests talk to rpcbind and to clients made by rpcgen, make network namespaces and look at processes.
    packages+=(iproute2 libtirpc-dev procps rpcbind rpcsvc-proto)
    # They let a node find its parent by DNS and multicast DNS.
    packages+=(avahi-daemon dnsmasq-base)
    # They talk LDAP to a node, from C, Python and Perl, with certificates that OpenSSL makes.
    packages+=(ldap-utils libio-socket-ssl-perl libnet-ldap-perl libsasl2-modules openssl python3-ldap python3-ldap3)
    # A node and its look-ups stand below OpenLDAP's server, which the tests start themselves.
    packages+=(ldapvi slapd)
    # And below Samba as a domain controller of Active Directory.
    packages+=(samba samba-ad-provision samba-dsdb-modules samba-vfs-modules)
    # They compare the system calls of a node with those that the unit of systemd allows.
    packages+=(strace systemd)
    # They log in by the PAM module: with pamtester, su, passwd, ssh, login, sudo.
    packages+=(bsdutils login openssh-client openssh-server pamtester passwd sudo util-linux valgrind)
fi

is_installed() {
    [[ $(dpkg-query --show --showformat='${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]
}

missing_packages() {
    local package
    for package in "${packages[@]}"; do
        is_installed "$package" || printf '%s\n' "$package"
    done
}

# Installing rpcbind, sshd or Samba starts it, which no test needs: the tests start their own. While packages are being installed
# this policy forbids the start of services (a policy the machine already has is left alone).
policy=/usr/sbin/policy-rc.d
remove_policy() {
    rm -f "$policy"
}

install_packages() {
    local rpcbind_is_new=false sshd_is_new=false samba_is_new=false
    is_installed rpcbind || rpcbind_is_new=true
    is_installed openssh-server || sshd_is_new=true
    is_installed samba || samba_is_new=true
    if [[ ! -e $policy ]]; then
        trap remove_policy EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    export DEBIAN_FRONTEND=noninteractive
    if [[ " $* " == *' slapd '* ]] && command -v debconf-set-selections >/dev/null; then
        printf 'slapd slapd/no_configuration boolean true\n' | debconf-set-selections
    fi
    apt-get update --quiet
    apt-get install --yes --quiet --no-install-recommends "$@"
    # Nor are they to start with the machine, unless they did before.
    if $rpcbind_is_new && command -v systemctl >/dev/null; then
        systemctl disable --quiet rpcbind.socket rpcbind.service || true
        if [[ -d /run/systemd/system ]]; then
            systemctl stop rpcbind.socket rpcbind.service
        fi
    fi
    if $sshd_is_new && is_installed openssh-server && command -v systemctl >/dev/null; then
        systemctl disable --quiet ssh.socket ssh.service || true
    fi
    if $samba_is_new && is_installed samba && command -v systemctl >/dev/null; then
        systemctl disable --quiet nmbd.service samba-ad-dc.service smbd.service || true
    fi
}

fail() {
    printf 'make deps: %s\n' "$@" >&2
    exit 1
}

if ! command -v cargo >/dev/null; then
    fail 'the Rust toolchain is missing; see https://rustup.rs'
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    fail 'this is not Debian or one of its relatives; install the counterparts of these Debian packages, then run' \
        'scripts/check.sh and scripts/test.sh without make:' "    ${packages[*]}"
fi

mapfile -t missing < <(missing_packages)
if ((${#missing[@]} > 0)); then
    if ((EUID != 0)); then
        fail 'packages are missing and only root can install them. Run:' \
            "    sudo apt-get update && sudo apt-get install --no-install-recommends ${missing[*]}"
    fi
    printf 'make deps: installing %s\n' "${missing[*]}"
    install_packages "${missing[@]}"
fi

if [[ -z ${1-} ]] && ! cargo nextest --version >/dev/null 2>&1; then
    printf 'make deps: installing cargo-nextest (once, some minutes)\n'
    cargo install --locked cargo-nextest
fi

# Another version may put the files elsewhere.
cargo_deb=3.8.0
if [[ ${1-} == package && $(cargo deb --version 2>/dev/null) != "$cargo_deb" ]]; then
    printf 'make deps: installing cargo-deb %s (once, some minutes)\n' "$cargo_deb"
    cargo install --locked --version "$cargo_deb" cargo-deb ||
        fail "cargo-deb $cargo_deb cannot be installed; it comes from crates.io, which this machine has to reach once." \
            "    \"make install\" needs no cargo-deb and installs the same files."
fi

if [[ -z ${1-} ]]; then
    "$(dirname "$0")/clients.sh"
fi
