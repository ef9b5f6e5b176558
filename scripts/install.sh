#!/usr/bin/env bash
# Build what is released and install it: the daemon, the command line, the historical tools as links to it, and the manual
# pages of the commands.
#
# environment: PREFIX (/usr/local), DESTDIR (empty): files go to DESTDIR/PREFIX/{bin,sbin,share/man/man1}
#              BINARIES: take the programs from this directory instead of building them
set -euo pipefail
cd "$(dirname "$0")/.."

prefix=${PREFIX:-/usr/local}
target=${DESTDIR:-}${prefix}
tools=(nicl nidomain nidump nifind nigrep niload nireport niutil)

if [[ -z ${BINARIES:-} ]]; then
    cargo build --release --locked -p netinfo-server -p netinfo-cli
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
"$target/bin/netinfo" man "$target/share/man/man1"
echo "installed into $target/bin, $target/sbin and $target/share/man"
