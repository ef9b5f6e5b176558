#!/usr/bin/env bash
# Run every test: unit, integration and property tests, then the examples in the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."

ulimit -c 0
# All that fails is told, not only the first.
cargo nextest run --workspace --no-fail-fast
cargo test --workspace --doc --quiet
