#!/usr/bin/env bash
# Formatting, lints, documentation, dependencies. Runs all of them and fails if any fails.
set -euo pipefail
cd "$(dirname "$0")/.."

failed=()

# step NAME COMMAND...: run the command and remember its failure.
step() {
    local name=$1
    shift
    printf '== %s\n' "$name"
    "$@" || failed+=("$name")
}

advisories() {
    local reason
    if reason=$(GIT_TERMINAL_PROMPT=0 timeout 120 cargo deny --log-level error fetch db 2>&1); then
        cargo deny check --disable-fetch advisories
    else
        printf 'ADVISORIES NOT CHECKED: https://github.com/RustSec/advisory-db cannot be fetched (%s)\n' \
            "$(tail --lines=1 <<<"$reason")"
    fi
}

if ! cargo deny --version >/dev/null 2>&1; then
    printf 'make check: installing cargo-deny (once, some minutes)\n'
    cargo install --locked cargo-deny
fi

step formatting cargo fmt --all --check
step lints cargo clippy --workspace --all-targets -- -D warnings
step documentation env RUSTDOCFLAGS=-Dwarnings cargo doc --workspace --no-deps
step dependencies cargo deny check bans licenses sources
step advisories advisories

if ((${#failed[@]} > 0)); then
    printf 'make check: failed: %s\n' "${failed[*]}" >&2
    exit 1
fi
printf 'make check: all good\n'
