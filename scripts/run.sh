#!/usr/bin/env bash
# Build netinfod and netinfo, and start a node whose "local" domain begins with the accounts and tables of this
# machine. The data stays in ./netinfo-data or $NETINFO_DATA.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${NETINFO_DATA:-$PWD/netinfo-data}
cargo build --release --bin netinfod --bin netinfo

listen=()
if ((EUID != 0)); then
    # Reserved ports and /run belong to root.
    socket=$data/netinfod.sock
    listen=(
        --listen ipcserver=127.0.0.1:10945
        --listen portmap=off
        --listen binder=127.0.0.1:0
        --listen domain.local=127.0.0.1:0
        --listen "local=$socket"
    )
    where="port 10945 of 127.0.0.1 and the socket $socket (as root: port 945 and /run/netinfo/netinfod.sock)"
else
    where='port 945 and the socket /run/netinfo/netinfod.sock'
fi

cat <<TEXT
A NetInfo node starts on $where.
Its data is in $data. Stop it with Ctrl-C.
Talk to it from another terminal; this lists what can be done:

    $PWD/target/release/netinfo --help

TEXT
exec target/release/netinfod serve --data "$data" "${listen[@]}"
