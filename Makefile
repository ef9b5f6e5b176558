# The only set-up commands a reader needs. Details are in scripts/.

.PHONY: run test check bench install package package-test systemd-test deps

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
# ARGS=nss for look-ups (not among the 25 minutes), ARGS=--help for the options.
bench:
	@scripts/deps.sh bench
	@scripts/bench.sh $(ARGS)

# Install programs, links of the historical tools, modules for logins, manual pages, completions, the unit of the daemon and
# its configuration; PREFIX (/usr/local) and DESTDIR as usual. docs/install.md says more.
install:
	@scripts/deps.sh build
	@PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' scripts/install.sh

# A Debian package, in target/debian.
package:
	@scripts/deps.sh package
	@scripts/package.sh

# Install that package on a throw-away copy of this system, use it, and purge it; as root.
package-test:
	@scripts/package-test.sh

# Boot such a copy with systemd, and see the daemon run as its unit says; as root.
systemd-test:
	@scripts/systemd-test.sh

# What building and testing need besides the Rust toolchain.
deps:
	@scripts/deps.sh
