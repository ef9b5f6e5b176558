#!/usr/bin/env bash
# Run every test: unit, integration and property tests, then the examples in the documentation.
set -euo pipefail
cd "$(dirname "$0")/.."

ulimit -c 0
cargo nextest run --workspace
cargo test --workspace --doc --quiet
