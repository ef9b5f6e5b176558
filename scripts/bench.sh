#!/usr/bin/env bash
# Measure a node beside its own PING and a bare server of the same message sizes.
#
# usage: scripts/bench.sh [OPTION]...      options of netinfo-bench; --help lists them
set -euo pipefail
cd "$(dirname "$0")/.."

cargo build --release --package netinfo-server --package netinfo-bench
exec "${CARGO_TARGET_DIR:-target}/release/netinfo-bench" "$@"
