# The only set-up commands a reader needs. Details are in scripts/.

.PHONY: run test check bench deps

# Start a node on this machine, with its data in ./netinfo-data or $NETINFO_DATA.
run:
	@scripts/deps.sh build
	@scripts/run.sh

# All tests.
test: deps
	@scripts/test.sh

# Formatting, lints, documentation, dependencies.
check: deps
	@scripts/check.sh

# Load and side-by-side measurements, about 25 minutes; ARGS=--quick for less, ARGS=ldap or ARGS=netinfo for a part,
# ARGS=--help for the options.
bench:
	@scripts/deps.sh bench
	@scripts/bench.sh $(ARGS)

# What building and testing need besides the Rust toolchain.
deps:
	@scripts/deps.sh
