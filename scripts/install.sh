#!/usr/bin/env bash
# Build what is released and install it: the daemon, the command line, the historical tools as links to it, completions and
# manual pages, the modules for logins, the unit of the daemon and its configuration. The modules go where the system looks
# for them, whatever PREFIX is; they are of no effect before "netinfo enable-login" or an administrator enters them in /etc.
# Nothing is started or enabled.
#
# environment: PREFIX (/usr/local), DESTDIR (empty): files go to DESTDIR/PREFIX/{bin,sbin,share}
#              LIBDIR (/usr/lib/MULTIARCH): modules go to DESTDIR/LIBDIR
#              SYSCONFDIR (/etc): the configuration goes to DESTDIR/SYSCONFDIR/netinfo, unless there is one
#              UNITDIR (/etc/systemd/system; /usr/lib/systemd/system with PREFIX=/usr)
#              BINARIES: take the programs from this directory instead of building them
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
destination=${DESTDIR:-}
target=$destination$prefix
share=$target/share
sysconf=${SYSCONFDIR:-/etc}
tools=(lookupd nicl nidomain nidump nifind nigrep niload nireport niutil)

if [[ -z ${BINARIES:-} ]]; then
    cargo build --release --locked -p netinfo-server -p netinfo-cli -p netinfo-nss -p netinfo-pam
    BINARIES=${CARGO_TARGET_DIR:-target}/release
fi

programs() {
    install -d "$target/bin" "$target/sbin"
    install -m 755 "$BINARIES/netinfo" "$target/bin/netinfo"
    install -m 755 "$BINARIES/netinfod" "$target/sbin/netinfod"
    local tool
    for tool in "${tools[@]}"; do
        # Somebody may have the original there.
        if [[ -e $target/bin/$tool && ! -L $target/bin/$tool ]]; then
            echo "install.sh: $target/bin/$tool is another program; left alone (netinfo tool $tool works)" >&2
            continue
        fi
        ln -sfn netinfo "$target/bin/$tool"
    done
}

# module FILE PLACE: what was not built is not installed.
module() {
    if [[ -e $BINARIES/$1 ]]; then
        install -D -m 644 "$BINARIES/$1" "$2"
    else
        echo "install.sh: $BINARIES/$1 is missing; not installed" >&2
    fi
}

modules() {
    local libdir
    libdir=$destination${LIBDIR:-/usr/lib/$(gcc -print-multiarch)}
    module libnss_netinfo.so "$libdir/libnss_netinfo.so.2"
    module libpam_netinfo.so "$libdir/security/pam_netinfo.so"
    install -D -m 644 packaging/pam-configs/netinfo "$destination/usr/share/pam-configs/netinfo"
}

pages() {
    install -d "$share/man/man1" "$share/man/man8"
    "$target/bin/netinfo" man "$share/man/man1"
    # Written by the umask of whoever installs.
    chmod 644 "$share"/man/man1/netinfo*.1
    install -m 644 packaging/man/netinfod.8 "$share/man/man8/netinfod.8"
    local tool
    for tool in "${tools[@]}"; do
        ln -sfn netinfo-tool.1 "$share/man/man1/$tool.1"
    done
}

# completion SHELL FILE
completion() {
    install -D -m 644 <("$target/bin/netinfo" completions "$1") "$2"
}

completions() {
    completion bash "$share/bash-completion/completions/netinfo"
    completion zsh "$share/zsh/vendor-completions/_netinfo"
    completion fish "$share/fish/vendor_completions.d/netinfo.fish"
}

service() {
    local default=/etc/systemd/system
    [[ $prefix != /usr ]] || default=/usr/lib/systemd/system
    local units=$destination${UNITDIR:-$default} unit
    local configuration=$destination$sysconf/netinfo/netinfod.toml
    for unit in netinfod.service netinfo-sudoers.service netinfo-sudoers.timer; do
        sed "s|/usr/s|$prefix/s|; s|/etc/netinfo/|$sysconf/netinfo/|" "packaging/$unit" |
            install -D -m 644 /dev/stdin "$units/$unit"
    done
    install -D -m 755 packaging/update-sudoers "$share/netinfo/update-sudoers"
    # That of an administrator stays.
    if [[ ! -e $configuration ]]; then
        sed 's|^#data = |data = |' packaging/netinfod.toml | install -D -m 644 /dev/stdin "$configuration"
    fi
}

programs
modules
pages
completions
service
echo "installed into $target/bin, $target/sbin and $share"
