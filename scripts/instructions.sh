#!/usr/bin/env bash
# Count the instructions of calls and LDAP requests from decoding to encoding, and compare them with the run before.
#
# usage: scripts/instructions.sh [ARGUMENT]...      arguments of gungraun, such as --save-baseline=NAME
#
# Needs valgrind, and the runner of the version that Cargo.lock has of gungraun, which is installed once.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v valgrind >/dev/null; then
    printf 'scripts/instructions.sh: valgrind is missing; on Debian: apt-get install valgrind\n' >&2
    exit 1
fi

version=$(cargo metadata --format-version 1 --locked |
    grep --only-matching '"name":"gungraun","version":"[^"]*"' | head --lines=1 | cut --delimiter='"' --fields=8)
tools=$PWD/target/tools
export GUNGRAUN_RUNNER=$tools/bin/gungraun-runner
if [[ $("$GUNGRAUN_RUNNER" --version 2>/dev/null) != *" $version" ]]; then
    printf 'scripts/instructions.sh: installing gungraun-runner %s (once, some minutes)\n' "$version"
    cargo install --locked --root "$tools" --version "$version" gungraun-runner
fi

cargo bench --package netinfo-bench --bench instructions --bench ldap -- "$@"
