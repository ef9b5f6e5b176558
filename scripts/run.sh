#!/usr/bin/env bash
# Build netinfod and netinfo, and start a node whose "local" domain begins with the accounts and tables of this
# machine. The data stays in ./netinfo-data or $NETINFO_DATA.
set -euo pipefail
cd "$(dirname "$0")/.."

data=${NETINFO_DATA:-$PWD/netinfo-data}
cargo build --release --bin netinfod --bin netinfo

if ((EUID == 0)); then
    socket=/run/netinfo/netinfod.sock
else
    # The ports and the place that belong to root are replaced by others.
    socket=$data/netinfod.sock
fi

cat <<TEXT
A NetInfo node starts with its data in $data. Stop it with Ctrl-C.
Local programs reach it through $socket; the ports it listens on are in
$data/endpoints.json. This lists what can be done from another terminal:

    $PWD/target/release/netinfo --help

TEXT
exec target/release/netinfod serve --data "$data" --endpoints "$data/endpoints.json"
