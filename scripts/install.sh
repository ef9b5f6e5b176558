#!/usr/bin/env bash
# Build what is released and install it: the daemon, the command line, the historical tools as links to it, the manual
# pages of the commands, and the modules for logins. The modules go where the system looks for them, whatever PREFIX is; they
# are of no effect before "netinfo enable-login" or an administrator enters them in /etc.
#
# environment: PREFIX (/usr/local), DESTDIR (empty): files go to DESTDIR/PREFIX/{bin,sbin,share/man/man1}
#              LIBDIR (/usr/lib/MULTIARCH): modules go to DESTDIR/LIBDIR
#              BINARIES: take the programs from this directory instead of building them
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
target=${DESTDIR:-}${prefix}
tools=(nicl nidomain nidump nifind nigrep niload nireport niutil)

if [[ -z ${BINARIES:-} ]]; then
    cargo build --release --locked -p netinfo-server -p netinfo-cli -p netinfo-nss -p netinfo-pam
    BINARIES=${CARGO_TARGET_DIR:-target}/release
fi

install -d "$target/bin" "$target/sbin" "$target/share/man/man1"
install -m 755 "$BINARIES/netinfo" "$target/bin/netinfo"
install -m 755 "$BINARIES/netinfod" "$target/sbin/netinfod"
for tool in "${tools[@]}"; do
    # Somebody may have the original there.
    if [[ -e $target/bin/$tool && ! -L $target/bin/$tool ]]; then
        echo "install.sh: $target/bin/$tool is another program; left alone (netinfo tool $tool works)" >&2
        continue
    fi
    ln -sfn netinfo "$target/bin/$tool"
done

libdir=${DESTDIR:-}${LIBDIR:-/usr/lib/$(gcc -print-multiarch)}
# install_module FILE PLACE: what was not built is not installed.
install_module() {
    if [[ -e $BINARIES/$1 ]]; then
        install -D -m 644 "$BINARIES/$1" "$2"
    else
        echo "install.sh: $BINARIES/$1 is missing; not installed" >&2
    fi
}
install_module libnss_netinfo.so "$libdir/libnss_netinfo.so.2"
install_module libpam_netinfo.so "$libdir/security/pam_netinfo.so"
install -D -m 644 packaging/pam-configs/netinfo "${DESTDIR:-}/usr/share/pam-configs/netinfo"

"$target/bin/netinfo" man "$target/share/man/man1"
echo "installed into $target/bin, $target/sbin and $target/share/man"
